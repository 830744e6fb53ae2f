//! What a relying party wants shown.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_circuits::{GroupName, IssuerPublicKey};
use symbolon_codec::{Digest32, Fields, json};
use symbolon_crypto::{labels, sha256};

use crate::{MalformedError, text};

/// The oldest age that is asked for, in years.
pub const AGE_YEARS_MAX: u8 = 150;
/// Issuers that a policy names, at most.
pub const ISSUERS_MAX: usize = 64;

/// What a relying party wants shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Facts of whoever has claims by an issuer.
    Identity(Identity),
    /// Facts of a holder who was taken before.
    Returning(Returning),
}

/// By the statement `identity/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The holder is at least so many years old; 0 asks nothing.
    pub at_least_years: u8,
    /// Their nationality is in this group.
    pub group: GroupName,
    /// Whose claims are believed.
    pub issuers: Vec<IssuerPublicKey>,
    /// One holder, one acceptance in this epoch.
    pub unique_epoch: Option<u32>,
}

/// By the statement `returning/1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returning {
    /// The holder is at least so many years old; 0 asks nothing.
    pub at_least_years: u8,
    /// Their nationality is in this group.
    pub group: GroupName,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "statement", deny_unknown_fields)]
enum Wire {
    #[serde(rename = "identity/1")]
    Identity {
        at_least_years: u8,
        group: String,
        issuers: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unique_epoch: Option<u32>,
    },
    #[serde(rename = "returning/1")]
    Returning { at_least_years: u8, group: String },
}

impl Policy {
    /// From JSON that was parsed with bounds.
    ///
    /// # Errors
    /// [`MalformedError`].
    pub fn from_value(value: Value) -> Result<Self, MalformedError> {
        let member = |what: &str| MalformedError::Member(what.to_owned());
        let years = |years: u8| {
            (years <= AGE_YEARS_MAX).then_some(years).ok_or_else(|| member("nobody is so old"))
        };
        let group = |name: &str| {
            name.parse::<GroupName>().map_err(|error| MalformedError::Member(error.to_string()))
        };
        Ok(match text::known(value)? {
            Wire::Identity { at_least_years, group: name, issuers, unique_epoch } => {
                if !(1..=ISSUERS_MAX).contains(&issuers.len()) {
                    return Err(member("a policy names 1 to 64 issuers"));
                }
                let is_twice = |at: usize| issuers[..at].contains(&issuers[at]);
                if (1..issuers.len()).any(is_twice) {
                    return Err(member("a policy names an issuer twice"));
                }
                Self::Identity(Identity {
                    at_least_years: years(at_least_years)?,
                    group: group(&name)?,
                    issuers: issuers
                        .iter()
                        .map(|key| text::issuer(key))
                        .collect::<Result<_, _>>()?,
                    unique_epoch,
                })
            }
            Wire::Returning { at_least_years, group: name } => Self::Returning(Returning {
                at_least_years: years(at_least_years)?,
                group: group(&name)?,
            }),
        })
    }

    /// As JSON.
    pub fn to_value(&self) -> Value {
        let wire = match self {
            Self::Identity(identity) => Wire::Identity {
                at_least_years: identity.at_least_years,
                group: identity.group.to_string(),
                issuers: identity.issuers.iter().map(|key| text::issuer_text(*key)).collect(),
                unique_epoch: identity.unique_epoch,
            },
            Self::Returning(returning) => Wire::Returning {
                at_least_years: returning.at_least_years,
                group: returning.group.to_string(),
            },
        };
        // INFALLIBLE: strings and numbers are JSON.
        serde_json::to_value(wire).expect("strings and numbers are JSON")
    }

    /// `policy_hash` of `specs/proof.md`.
    pub fn hash(&self) -> Digest32 {
        let fields = Fields::new(labels::PROOF_POLICY.as_str());
        sha256(&fields.bytes(&json::canonical(&self.to_value())).finish())
    }

    /// The statement's name and version.
    pub const fn statement(&self) -> &'static str {
        match self {
            Self::Identity(_) => "identity/1",
            Self::Returning(_) => "returning/1",
        }
    }

    /// The least age, in years.
    pub const fn at_least_years(&self) -> u8 {
        match self {
            Self::Identity(Identity { at_least_years, .. })
            | Self::Returning(Returning { at_least_years, .. }) => *at_least_years,
        }
    }

    /// The group of nationalities.
    pub const fn group(&self) -> GroupName {
        match self {
            Self::Identity(Identity { group, .. }) | Self::Returning(Returning { group, .. }) => {
                *group
            }
        }
    }
}
