//! An issuer's signature over a claim set: Schnorr over Jubjub with Poseidon.

mod key;
mod signature;
#[cfg(test)]
mod tests;

pub(crate) use key::coordinates;
pub use key::{IssuerKey, IssuerPublicKey, NotAKey};
#[cfg(test)]
pub(crate) use signature::challenge;
pub use signature::{BadSignature, SIGNATURE_BYTES, Signature};
