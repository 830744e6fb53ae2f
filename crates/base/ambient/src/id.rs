//! Names of things: 16 random bytes, shown as 32 hex digits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use symbolon_codec::hex;

/// Declares a type of names: `id!(/// A vault. VaultId)`.
///
/// Each kind is a type of its own, so that no name stands where another kind's is asked for.
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $id([u8; 16]);

        impl $id {
            /// A new one.
            pub fn make(rng: &dyn $crate::Rng) -> Self {
                let mut bytes = [0; 16];
                rng.fill(&mut bytes);
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl ::core::convert::From<[u8; 16]> for $id {
            fn from(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl ::core::str::FromStr for $id {
            type Err = $crate::id::CodecError;
            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                $crate::id::parse(text).map(Self)
            }
        }

        impl ::core::fmt::Display for $id {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::id::show(&self.0, f)
            }
        }

        impl ::core::fmt::Debug for $id {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::id::show(&self.0, f)
            }
        }

        impl $crate::id::serde::Serialize for $id {
            fn serialize<S: $crate::id::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::id::serialize(&self.0, serializer)
            }
        }

        impl<'de> $crate::id::serde::Deserialize<'de> for $id {
            fn deserialize<D: $crate::id::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::id::deserialize(deserializer).map(Self)
            }
        }
    };
}

// What the macro's expansion calls.
#[doc(hidden)]
pub use {serde, symbolon_codec::CodecError};

#[doc(hidden)]
pub fn parse(text: &str) -> Result<[u8; 16], CodecError> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| CodecError::Encoding("32 hex digits"))?;
    Ok(bytes)
}

#[doc(hidden)]
pub fn show(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&hex::encode(bytes))
}

#[doc(hidden)]
pub fn serialize<S: Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

#[doc(hidden)]
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use crate::SeededRng;

    id! {
        /// A thing.
        ThingId
    }

    #[test]
    fn an_id_reads_back_and_other_lengths_are_refused() {
        let id = ThingId::make(&SeededRng::new(1));
        assert_eq!(id.to_string().parse::<ThingId>(), Ok(id));
        assert_eq!(ThingId::from(*id.as_bytes()), id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<ThingId>(&json).unwrap(), id);
        for bad in ["", "ab", &"a".repeat(31), &"a".repeat(33), &"g".repeat(32)] {
            assert!(bad.parse::<ThingId>().is_err(), "{bad}");
            assert!(serde_json::from_str::<ThingId>(&format!("\"{bad}\"")).is_err(), "{bad}");
        }
    }
}
