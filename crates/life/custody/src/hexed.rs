//! 16 bytes as 32 lower-case hex digits in JSON.

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use symbolon_codec::hex;

pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 16], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&hex::encode(bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 16], D::Error> {
    let text = String::deserialize(d)?;
    let mut out = [0; 16];
    hex::decode_to_slice(text, &mut out).map_err(|_| D::Error::custom("not 32 hex digits"))?;
    Ok(out)
}

/// What has a text of its own, as that text.
pub(crate) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(d: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// Bounded base64 in JSON.
pub(crate) mod base64 {
    use super::*;
    use symbolon_codec::b64;

    /// An envelope of a key has 104 bytes, a TPM's blob a few hundred.
    pub(crate) const BYTES_MAX: usize = 4096;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&b64::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        b64::decode(&String::deserialize(d)?, BYTES_MAX).map_err(D::Error::custom)
    }
}
