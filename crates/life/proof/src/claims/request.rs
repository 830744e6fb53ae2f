//! What a holder hands to an issuer.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_circuits::{Date, HolderCommitment};
use symbolon_codec::json;

use crate::{MalformedError, text};

const BYTES_MAX: usize = 4 << 10;
const DEPTH_MAX: usize = 2;
const TYPE: &str = "symbolon/claims-request/v1";

/// Whom claims are to be about: an element that says nothing of the holder's secret. It is not secret,
/// but who has it can tell that two sets of claims are one holder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// The holder.
    pub holder: HolderCommitment,
    /// The last day on which the holder's secret is good.
    pub until: Date,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    r#type: String,
    holder: String,
    until: String,
}

impl ClaimsRequest {
    /// From JSON in bytes.
    ///
    /// # Errors
    /// [`MalformedError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedError> {
        let wire: Wire = text::known(json::parse_bounded(bytes, BYTES_MAX, DEPTH_MAX)?)?;
        let member = |what: &str| MalformedError::Member(what.to_owned());
        if wire.r#type != TYPE {
            return Err(member("not a request for claims of version 1"));
        }
        let until = wire.until.parse().map_err(|_| member("there is no such day"))?;
        Ok(Self { holder: HolderCommitment(text::element(&wire.holder)?), until })
    }

    /// As JSON.
    pub fn to_value(&self) -> Value {
        let wire = Wire {
            r#type: TYPE.to_owned(),
            holder: text::element_text(self.holder.0),
            until: self.until.to_string(),
        };
        // INFALLIBLE: strings are JSON.
        serde_json::to_value(wire).expect("strings are JSON")
    }
}
