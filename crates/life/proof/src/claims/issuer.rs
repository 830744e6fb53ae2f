//! Who issues, as they make themselves known.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_circuits::IssuerPublicKey;
use symbolon_codec::json;

use super::is_demo;
use crate::{MalformedError, text};

/// The longest name of an issuer, in bytes.
pub const ISSUER_NAME_BYTES_MAX: usize = 128;
const BYTES_MAX: usize = 4 << 10;
const DEPTH_MAX: usize = 2;
const TYPE: &str = "symbolon/issuer/v1";

/// What an issuer calls itself: 1 to 128 bytes of one line, without quotes and backslashes. Nobody
/// vouches for it but who hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerName(String);

/// An issuer's public key with its name, for relying parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerFile {
    /// What it calls itself.
    pub name: IssuerName,
    /// What its signatures are checked by.
    pub key: IssuerPublicKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    r#type: String,
    name: String,
    key: String,
    demo: bool,
}

impl IssuerName {
    /// # Errors
    /// [`MalformedError`].
    pub fn new(name: &str) -> Result<Self, MalformedError> {
        let is_short = (1..=ISSUER_NAME_BYTES_MAX).contains(&name.len());
        let is_plain = !name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
        match is_short && is_plain && name.trim() == name {
            true => Ok(Self(name.to_owned())),
            false => Err(MalformedError::Member(
                "an issuer's name has 1 to 128 bytes, without quotes, backslashes and spaces around it"
                    .to_owned(),
            )),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl IssuerFile {
    /// From JSON in bytes.
    ///
    /// # Errors
    /// [`MalformedError`]; also where it hides that it is the demo issuer.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedError> {
        let wire: Wire = text::known(json::parse_bounded(bytes, BYTES_MAX, DEPTH_MAX)?)?;
        let member = |what: &str| MalformedError::Member(what.to_owned());
        if wire.r#type != TYPE {
            return Err(member("not an issuer of version 1"));
        }
        let key = text::issuer(&wire.key)?;
        if wire.demo != is_demo(&key) {
            return Err(member("`demo` says otherwise than the key"));
        }
        Ok(Self { name: IssuerName::new(&wire.name)?, key })
    }

    /// As JSON.
    pub fn to_value(&self) -> Value {
        let wire = Wire {
            r#type: TYPE.to_owned(),
            name: self.name.as_str().to_owned(),
            key: text::issuer_text(self.key),
            demo: is_demo(&self.key),
        };
        // INFALLIBLE: strings are JSON.
        serde_json::to_value(wire).expect("strings are JSON")
    }
}
