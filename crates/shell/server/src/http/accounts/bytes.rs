//! Bytes in JSON: base64url without padding.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use symbolon_codec::b64url;

/// Bytes of whatever length; the body that they came in is bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Base64Url(pub Vec<u8>);

/// Exactly `N` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Exactly<const N: usize>(pub [u8; N]);

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&b64url::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        b64url::decode(&text, text.len()).map(Self).map_err(D::Error::custom)
    }
}

impl<const N: usize> Serialize for Exactly<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&b64url::encode(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Exactly<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Base64Url(bytes) = Base64Url::deserialize(from)?;
        let found = bytes.len();
        bytes.try_into().map(Self).map_err(|_| D::Error::invalid_length(found, &"other bytes"))
    }
}
