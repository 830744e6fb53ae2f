#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod domain;
mod issue;
mod key;
mod nonce;
mod proof;
mod rows;
mod secret;
mod server;
mod statement;
mod store;
pub mod strength;
#[cfg(test)]
mod tests;

pub use domain::{
    ACCOUNT_CHARS_MAX, AUDIENCE_CHARS_MAX, Audience, Domain, DomainError, KeyAccount,
};
pub use issue::{Issued, TokenSigner};
pub use key::{Enrolling, PossessedKey};
pub use nonce::{NONCE_BYTES, NONCE_MS, NonceError, NonceKey, TimelyNonce};
pub use proof::{
    Possessed, PossessionError, Proof, Rotated, RotationProof, verify, verify_rotation,
};
pub use rows::{
    ApiKey, ApiKeyId, DEVICES_MAX, Device, DeviceId, KEYS_MAX, NAME_CHARS_MAX, SERVICES_MAX,
    Service, ServiceId, TokenId,
};
pub use secret::ServiceSecret;
pub use server::PossessionKeys;
pub use statement::{Act, Purpose, Statement};
pub use store::{Enrolled, KeyStore, Known, PurgedKeys};
pub use strength::{StrongKey, WeakKey};
/// What others than servers read of tokens.
pub use symbolon_token as token;
