//! What a relying party asks a holder.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_circuits::{Date, Facts, Nonce, Session};
use symbolon_codec::{Digest32, Fields, json};
use symbolon_crypto::{labels, sha256};
use symbolon_custody::Origin;

use crate::{MalformedError, Policy, is_demo, text};

/// The longest name of an account, in bytes.
pub const ACCOUNT_BYTES_MAX: usize = 256;
const BYTES_MAX: usize = 8 << 10;
const DEPTH_MAX: usize = 4;
const TYPE: &str = "symbolon/proof-request/v1";
/// What is said where the demo issuer is asked for.
const DEMO: &str =
    "It takes claims of the demo issuer, which anybody can make: this is for trying it out.\n";

/// A question: who asks whom, on which day, and what is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub audience: Origin,
    /// Who is asked, by the relying party's name for them.
    pub account: String,
    /// Of this session.
    pub nonce: Nonce,
    /// The day on which it holds.
    pub date: Date,
    /// When the session ends, in Unix milliseconds.
    pub expires_unix_ms: u64,
    /// What is to be shown.
    pub policy: Policy,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    r#type: String,
    audience: String,
    account: String,
    nonce: String,
    date: String,
    expires_unix_ms: u64,
    policy: Value,
}

impl Request {
    /// From JSON in bytes.
    ///
    /// # Errors
    /// [`MalformedError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedError> {
        Self::from_value(json::parse_bounded(bytes, BYTES_MAX, DEPTH_MAX)?)
    }

    /// From JSON that was parsed with bounds.
    ///
    /// # Errors
    /// [`MalformedError`].
    pub fn from_value(value: Value) -> Result<Self, MalformedError> {
        let wire: Wire = text::known(value)?;
        let member = |what: &str| MalformedError::Member(what.to_owned());
        if wire.r#type != TYPE {
            return Err(member("not a request of version 1"));
        }
        if !(1..=ACCOUNT_BYTES_MAX).contains(&wire.account.len()) {
            return Err(member("an account's name has 1 to 256 bytes"));
        }
        let audience = wire.audience.parse();
        let date = wire.date.parse();
        Ok(Self {
            audience: audience.map_err(|_| member("the audience is no web origin"))?,
            account: wire.account,
            nonce: text::nonce(&wire.nonce)?,
            date: date.map_err(|_| member("there is no such day"))?,
            expires_unix_ms: wire.expires_unix_ms,
            policy: Policy::from_value(wire.policy)?,
        })
    }

    /// As JSON.
    pub fn to_value(&self) -> Value {
        let wire = Wire {
            r#type: TYPE.to_owned(),
            audience: self.audience.as_str().to_owned(),
            account: self.account.clone(),
            nonce: text::nonce_text(self.nonce),
            date: self.date.to_string(),
            expires_unix_ms: self.expires_unix_ms,
            policy: self.policy.to_value(),
        };
        // INFALLIBLE: strings and numbers are JSON.
        serde_json::to_value(wire).expect("strings and numbers are JSON")
    }

    /// `request_hash` of `specs/proof.md`.
    pub fn hash(&self) -> Digest32 {
        let fields = Fields::new(labels::PROOF_REQUEST.as_str());
        sha256(&fields.bytes(&json::canonical(&self.to_value())).finish())
    }

    /// What a proof of it is bound to.
    ///
    /// # Errors
    /// [`MalformedError`] for an account that is empty or too long: of a request that was read, none.
    pub fn session(&self) -> Result<Session, MalformedError> {
        Session::new(self.nonce, self.audience.as_str().as_bytes(), self.account.as_bytes())
            .map_err(|error| MalformedError::Member(error.to_string()))
    }

    /// What holds where it is answered.
    pub const fn facts(&self) -> Facts {
        Facts { date: self.date, years: self.policy.at_least_years(), group: self.policy.group() }
    }

    /// Whether claims that anybody could have made are believed.
    pub fn takes_demo(&self) -> bool {
        matches!(&self.policy, Policy::Identity(identity) if identity.issuers.iter().any(is_demo))
    }

    /// What a holder is shown before they agree: who asks, what they will learn, what they will not.
    /// The words of version 1, in English; evidence is bound to them.
    pub fn words(&self) -> String {
        let (audience, day) = (self.audience.as_str(), self.date);
        // Not by `Debug`, which a module for the browser is built without.
        let account = self.account.escape_debug();
        let mut words =
            format!("{audience} asks you, by the name \"{account}\" that it has for you.\n");
        words.push_str("It will learn:\n");
        // INFALLIBLE: a String takes what is written.
        if self.policy.at_least_years() > 0 {
            let _ = writeln!(
                words,
                "- that you are at least {} years old",
                self.policy.at_least_years()
            );
        }
        let _ =
            writeln!(words, "- that your nationality is one of the group {}", self.policy.group());
        let _ = writeln!(words, "- that your document is valid on {day}");
        match &self.policy {
            Policy::Identity(identity) => {
                words.push_str("- who signed your claims\n");
                if let Some(epoch) = identity.unique_epoch {
                    let _ = writeln!(words, "- whether you came to it before in epoch {epoch}");
                }
            }
            Policy::Returning(_) => words.push_str("- that you are who it registered before\n"),
        }
        words.push_str(
            "It will not learn your name, your date of birth, your nationality, your document's number \
             or when it ends, nor anything by which another site could know you.\n",
        );
        if self.takes_demo() {
            words.push_str(DEMO);
        }
        words
    }
}
