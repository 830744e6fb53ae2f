//! Names of vaults and wraps: 16 random bytes, shown as hex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_codec::{CodecError, hex};

/// A vault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VaultId(#[serde(with = "crate::hexed")] [u8; 16]);

/// A wrap of a vault's data key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WrapId(#[serde(with = "crate::hexed")] [u8; 16]);

macro_rules! id {
    ($id:ident) => {
        impl $id {
            /// A new one.
            pub fn make(rng: &dyn Rng) -> Self {
                let mut bytes = [0; 16];
                rng.fill(&mut bytes);
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl From<[u8; 16]> for $id {
            fn from(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl FromStr for $id {
            type Err = CodecError;
            fn from_str(text: &str) -> Result<Self, CodecError> {
                let mut bytes = [0; 16];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| CodecError::Encoding("32 hex digits"))?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(VaultId);
id!(WrapId);
