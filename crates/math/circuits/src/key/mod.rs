//! Keys of statements, and the reference string that they are made over.

mod pins;
#[cfg(feature = "prove")]
mod proving;
mod srs;
#[cfg(test)]
mod tests;
mod verifying;

pub use pins::Pins;
pub(crate) use pins::{
    AGE, BINDING, CAPSULE, CLAIM, IDENTITY, KEY, NATIONALITY, RETURNING, VALIDITY, pins,
};
#[cfg(feature = "prove")]
pub use proving::{KeyError, ProvingKey};
pub(crate) use srs::verifier;
pub use verifying::VerifyingKey;
