//! A 256-bit hash value.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::CodecError;

/// 32 bytes that came out of a hash. Shown, read and serialized as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest32(pub [u8; 32]);

impl Digest32 {
    /// The bytes, in the order the hash gave them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hex digits of either case.
    ///
    /// # Errors
    /// [`CodecError::Encoding`] where the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, CodecError> {
        let mut out = [0; 32];
        hex::decode_to_slice(text, &mut out).map_err(|_| CodecError::Encoding("64 hex digits"))?;
        Ok(Self(out))
    }

    /// The first eight bytes as a number, for tables whose keys are already hashes.
    pub fn low64(&self) -> u64 {
        let mut b = [0; 8];
        b.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(b)
    }
}

impl From<[u8; 32]> for Digest32 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<Digest32> for String {
    fn from(d: Digest32) -> Self {
        d.to_string()
    }
}

impl TryFrom<String> for Digest32 {
    type Error = CodecError;
    fn try_from(text: String) -> Result<Self, CodecError> {
        Self::from_hex(&text)
    }
}

impl fmt::Display for Digest32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buf = [0; 64];
        hex::encode_to_slice(self.0, &mut buf).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&buf).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_other_lengths_are_refused() {
        let d = Digest32([0xab; 32]);
        assert_eq!(Digest32::from_hex(&d.to_string()), Ok(d));
        assert_eq!(
            serde_json::from_str::<Digest32>(&serde_json::to_string(&d).unwrap()).unwrap(),
            d
        );
        for bad in ["", "ab", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            assert!(Digest32::from_hex(bad).is_err(), "{bad}");
        }
    }
}
