//! Poseidon over the field, and the table of its domains.
//!
//! The state is of 3 elements (rate 2), with 8 full and 60 partial rounds and x^5, and starts with
//! the number of elements hashed in its capacity: hashes of lists of two lengths never meet.

use ff::PrimeField;
use midnight_circuits::hash::poseidon::PoseidonChip;
use midnight_circuits::instructions::hash::HashCPU;

use crate::Fr;

/// What a hash is of. **Invariant**: the only hash of two elements is a [`node`], and each other
/// hash begins with one of these, so that none is valid in another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// The first public input: which statement, and which version of it.
    Statement = 1,
    /// A claim; below it the claim's type.
    Claim = 2,
    /// The holder's custody secret, and until when it is good.
    Holder = 3,
    /// A place in a claim set that has no claim; below it the place.
    Empty = 4,
    /// A holder's binding to an account at a relying party.
    Binding = 5,
    /// One holder, one account.
    Nullifier = 6,
    /// An API key.
    Key = 7,
    /// An account's name at a relying party.
    Account = 8,
    /// A member of a group; below it its code.
    Leaf = 9,
    /// No member of any group; below it its place.
    Padding = 10,
    /// An issuer's signature.
    Signature = 11,
    /// A verifying key.
    VerifyingKey = 12,
    /// What a publisher signs of a capsule.
    Capsule = 13,
    /// A component, hidden by a salt.
    Component = 14,
}

/// `"SYM1"`, the domain and what is below it: `SYM1 * 2^64 + domain * 2^32 + below`.
pub(crate) fn tag(domain: Domain, below: u32) -> Fr {
    const SYM1: u128 = 0x5359_4d31;
    Fr::from_u128((SYM1 << 64) | ((domain as u128) << 32) | u128::from(below))
}

/// Poseidon of a list.
pub(crate) fn hash(elements: &[Fr]) -> Fr {
    <PoseidonChip<Fr> as HashCPU<Fr, Fr>>::hash(elements)
}

/// The node above two others.
pub(crate) fn node(left: Fr, right: Fr) -> Fr {
    hash(&[left, right])
}
