//! What a component is known by.

use std::fmt;

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, hex};
use symbolon_crypto::sha3_512;

/// SHA3-512 (FIPS 202) of a component's bytes. Shown, read and serialized as 128 lower-case hex
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComponentDigest([u8; 64]);

impl ComponentDigest {
    /// Of a component.
    pub fn of(component: &[u8]) -> Self {
        Self(sha3_512(component))
    }

    /// The bytes, in the order the hash gave them.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl From<ComponentDigest> for String {
    fn from(digest: ComponentDigest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for ComponentDigest {
    type Error = CodecError;
    fn try_from(text: String) -> Result<Self, CodecError> {
        let mut out = [0; 64];
        hex::decode_to_slice(&text, &mut out)
            .map_err(|_| CodecError::Encoding("128 hex digits"))?;
        Ok(Self(out))
    }
}

impl fmt::Display for ComponentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ComponentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
