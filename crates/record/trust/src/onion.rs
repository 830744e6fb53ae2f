//! Tor v3 addresses (rend-spec-v3, section 6).

use std::fmt;
use std::str::FromStr;

use symbolon_crypto::{VerifyingKey, sha3_256};

/// The address of an onion service whose key this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnionAddress(VerifyingKey);

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnionError {
    /// Not 56 characters of base32 in lower case and `.onion`.
    #[error("an onion address has 56 characters of a-z and 2-7, and ends in .onion")]
    Form,
    /// Another version than 3.
    #[error("this onion address is of version {0}, not 3")]
    Version(u8),
    /// A character was changed.
    #[error("the onion address has a wrong checksum")]
    Checksum,
    /// The key in it can verify nothing.
    #[error("the onion address has no Ed25519 key in it")]
    Key,
}

impl OnionAddress {
    /// Of an operator's key.
    pub fn of(key: &VerifyingKey) -> Self {
        Self(*key)
    }

    /// The key that is in it.
    pub fn key(&self) -> &VerifyingKey {
        &self.0
    }
}

impl fmt::Display for OnionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 35];
        bytes[..32].copy_from_slice(self.0.as_bytes());
        bytes[32..34].copy_from_slice(&checksum(self.0.as_bytes()));
        bytes[34] = VERSION;
        for group in bytes.chunks_exact(5) {
            let word = group.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            for at in (0..8).rev() {
                let digit = word >> (at * 5) & 31;
                write!(f, "{}", char::from(ALPHABET[digit as usize]))?;
            }
        }
        f.write_str(SUFFIX)
    }
}

impl FromStr for OnionAddress {
    type Err = OnionError;

    fn from_str(text: &str) -> Result<Self, OnionError> {
        let digits = text.strip_suffix(SUFFIX).ok_or(OnionError::Form)?.as_bytes();
        if digits.len() != 56 {
            return Err(OnionError::Form);
        }
        let mut bytes = [0; 35];
        for (group, out) in digits.chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
            let mut word = 0u64;
            for digit in group {
                let value = ALPHABET.iter().position(|it| it == digit).ok_or(OnionError::Form)?;
                word = word << 5 | value as u64;
            }
            out.copy_from_slice(&word.to_be_bytes()[3..]);
        }
        let [key @ .., first, second, version] = bytes;
        if version != VERSION {
            return Err(OnionError::Version(version));
        }
        if checksum(&key) != [first, second] {
            return Err(OnionError::Checksum);
        }
        VerifyingKey::from_bytes(&key).map(Self).map_err(|_| OnionError::Key)
    }
}

fn checksum(key: &[u8; 32]) -> [u8; 2] {
    let text = [&b".onion checksum"[..], key, &[VERSION]].concat();
    let digest = sha3_256(&[&text]);
    [digest.0[0], digest.0[1]]
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const SUFFIX: &str = ".onion";
const VERSION: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses that stand in public: of the Tor project and of a search engine.
    const PUBLIC: [&str; 2] = [
        "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion",
        "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion",
    ];

    #[test]
    fn public_addresses_hold_and_read_back() {
        for text in PUBLIC {
            let read: OnionAddress = text.parse().unwrap();
            assert_eq!(OnionAddress::of(read.key()).to_string(), text);
        }
    }

    #[test]
    fn each_kind_of_wrong_text_has_its_error() {
        let good = PUBLIC[0];
        let cases = [
            (good.to_uppercase(), OnionError::Form),
            (good[1..].to_owned(), OnionError::Form),
            (good.replace(".onion", ""), OnionError::Form),
            (good.replace('2', "1"), OnionError::Form),
            (good.replace("d.onion", "e.onion"), OnionError::Version(4)),
            (good.replace("2gz", "3gz"), OnionError::Checksum),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<OnionAddress>(), Err(expected), "{text}");
        }
    }
}
