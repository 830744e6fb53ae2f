#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod air;
mod config;
mod cost;
mod proof;
mod prove;
mod sponge;
mod statement;
#[cfg(test)]
mod tests;
mod verify;

pub use cost::Cost;
pub use proof::{FILE_BYTES_MAX, Proof, ProofError};
pub use prove::{ProveError, prove};
pub use statement::{
    AUDIENCE_BYTES_MAX, BINARY_BYTES_MAX, BLOCKS_MAX, Context, ContextError, DIGEST_BYTES, Digest,
    NONCE_BYTES, Statement, TooLong,
};
pub use verify::{VerifyError, verify};
