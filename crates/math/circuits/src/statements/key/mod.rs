//! The holder has an API key that was enrolled (`specs/statements/key.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::Key;
pub use witness::{ApiKey, KEY_BYTES_MAX, KEY_BYTES_MIN, KeyCommitment, KeyLength, Witness};
