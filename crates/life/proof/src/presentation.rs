//! What a holder answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_circuits::identity::Nullifier;
use symbolon_circuits::{Binding, IssuerPublicKey, Proof};
use symbolon_codec::json;

use crate::{MalformedError, Policy, Request, is_demo, text};

/// The longest presentation, in bytes.
pub const PRESENTATION_BYTES_MAX: usize = 16 << 10;
const DEPTH_MAX: usize = 5;
const TYPE: &str = "symbolon/proof/v1";

/// An answer: the question, what of the holder is public, and the proof. Read, and not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// What was asked.
    pub request: Request,
    /// Who signed the claims, for `identity/1`.
    pub issuer: Option<IssuerPublicKey>,
    /// The holder and their claims at this account.
    pub binding: Binding,
    /// Where the policy has an epoch.
    pub nullifier: Option<Nullifier>,
    /// When the holder agreed, in Unix milliseconds, by their clock.
    pub agreed_unix_ms: u64,
    /// The proof.
    pub proof: Proof,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    r#type: String,
    request: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    binding: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nullifier: Option<String>,
    agreed_unix_ms: u64,
    proof: String,
}

impl Presentation {
    /// From JSON in bytes.
    ///
    /// # Errors
    /// [`MalformedError`]; also where there is an issuer or a nullifier that the policy has no place for,
    /// or none where it has one.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedError> {
        Self::from_value(json::parse_bounded(bytes, PRESENTATION_BYTES_MAX, DEPTH_MAX)?)
    }

    /// From JSON that was read within bounds, such as one of a batch.
    ///
    /// # Errors
    /// As [`Presentation::parse`].
    pub fn from_value(value: Value) -> Result<Self, MalformedError> {
        let wire: Wire = text::known(value)?;
        let member = |what: &str| MalformedError::Member(what.to_owned());
        if wire.r#type != TYPE {
            return Err(member("not a presentation of version 1"));
        }
        let request = Request::from_value(wire.request)?;
        let (has_issuer, has_nullifier) = match &request.policy {
            Policy::Identity(identity) => (true, identity.unique_epoch.is_some()),
            Policy::Returning(_) => (false, false),
        };
        if (wire.issuer.is_some(), wire.nullifier.is_some()) != (has_issuer, has_nullifier) {
            return Err(member(
                "issuer and nullifier are there where the policy has them, and else not",
            ));
        }
        let nullifier = wire.nullifier.as_deref().map(text::element).transpose()?;
        Ok(Self {
            request,
            issuer: wire.issuer.as_deref().map(text::issuer).transpose()?,
            binding: Binding(text::element(&wire.binding)?),
            nullifier: nullifier.map(Nullifier),
            agreed_unix_ms: wire.agreed_unix_ms,
            proof: text::proof(&wire.proof)?,
        })
    }

    /// Whether it is by claims that anybody could have made.
    pub fn is_demo(&self) -> bool {
        self.issuer.as_ref().is_some_and(is_demo)
    }

    /// As JSON, in its canonical form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire {
            r#type: TYPE.to_owned(),
            request: self.request.to_value(),
            issuer: self.issuer.map(text::issuer_text),
            binding: text::element_text(self.binding.0),
            nullifier: self.nullifier.map(|nullifier| text::element_text(nullifier.0)),
            agreed_unix_ms: self.agreed_unix_ms,
            proof: text::proof_text(&self.proof),
        };
        // INFALLIBLE: strings and numbers are JSON.
        json::canonical(&serde_json::to_value(wire).expect("strings and numbers are JSON"))
    }
}
