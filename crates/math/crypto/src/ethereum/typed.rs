//! Typed data (EIP-712): hashes of structs, and what is signed of one in its domain.

use symbolon_codec::Digest32;

use super::{Address, keccak256};

/// A member of a struct as 32 bytes (`encodeData` of EIP-712).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypedWord([u8; 32]);

impl TypedWord {
    /// A `string`: its hash.
    pub fn text(text: &str) -> Self {
        Self(keccak256(&[text.as_bytes()]).0)
    }

    /// A `uint256`.
    pub fn uint(number: u64) -> Self {
        let mut out = [0; 32];
        out[24..].copy_from_slice(&number.to_be_bytes());
        Self(out)
    }

    /// An `address`.
    pub fn address(address: &Address) -> Self {
        let mut out = [0; 32];
        out[12..].copy_from_slice(address.as_bytes());
        Self(out)
    }

    /// A struct inside: its hash.
    pub fn nested(hash: &Digest32) -> Self {
        Self(hash.0)
    }
}

/// `hashStruct`: of a type, written as `encodeType` has it (the struct itself, then those that it
/// uses in alphabetical order), and its members in order.
pub fn hash_struct(encode_type: &str, members: &[TypedWord]) -> Digest32 {
    let kind = keccak256(&[encode_type.as_bytes()]);
    let mut parts = vec![&kind.0[..]];
    parts.extend(members.iter().map(|word| &word.0[..]));
    keccak256(&parts)
}

/// What a wallet signs of a struct in a domain.
pub fn typed_data_digest(domain: &Digest32, message: &Digest32) -> Digest32 {
    keccak256(&[b"\x19\x01", &domain.0, &message.0])
}
