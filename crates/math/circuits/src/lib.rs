#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod claim;
mod commit;
mod gadget;
mod group;
mod issuer;
mod key;
#[cfg(test)]
mod patched;
mod proof;
#[cfg(feature = "prove")]
mod prove;
mod reading;
mod statements;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod value;
#[cfg(test)]
mod vectors;
mod verify;

pub use claim::{
    BadValue, Claim, ClaimRoot, ClaimSet, ClaimSetError, ClaimType, Form, Holder, HolderCommitment,
    NoSuchType, OTHER_CLAIMS_MAX, document,
};
pub use commit::{IntegrityTag, Opening, SALT_BYTES, SaltedCommitment};
pub use group::{Group, GroupName, NoSuchGroup, NotMember};
pub use issuer::{BadSignature, IssuerKey, IssuerPublicKey, NotAKey, SIGNATURE_BYTES, Signature};
#[cfg(feature = "prove")]
pub use key::{KeyError, ProvingKey};
pub use key::{Pins, VerifyingKey};
pub use proof::{PROOF_BYTES_MAX, Proof, ProofLength};
#[cfg(feature = "prove")]
pub use prove::{ProveError, holds, prove};
pub use statements::{
    Binding, Facts, Statement, WitnessError, age, binding, capsule, claim as claimed, identity,
    key as possession, nationality, returning, validity,
};
pub use value::{
    Account, Audience, Country, Date, ELEMENT_BYTES, Element, Hidden, NAME_BYTES_MAX, NameLength,
    NoSuchCountry, NoSuchDay, Nonce, NotCanonical, Session, TEXT_BYTES_MAX,
};
pub use verify::{BATCH_MAX, BatchError, Claimed, VerifyError, verify, verify_batch};

/// The scalar field of BLS12-381.
pub(crate) type Fr = midnight_curves::Fq;
