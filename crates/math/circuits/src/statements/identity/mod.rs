//! All of age, validity, nationality and binding, with the signature of an issuer over the claims
//! checked inside (`specs/statements/identity.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::{Identity, Uniqueness};
pub use witness::{Nullifier, Witness};
