//! What was measured.

use serde::Serialize;

/// One statement; times in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct ProofRow {
    /// Which suite.
    pub suite: &'static str,
    /// Which statement.
    pub case: String,
    /// Where: `native` or `wasm`.
    pub target: &'static str,
    /// Half of the proofs were made faster.
    pub prove_ms: f64,
    /// None was made faster.
    pub prove_min_ms: f64,
    /// Half were checked faster, one by one.
    pub verify_ms: f64,
    /// Each, of 128 that were checked at once.
    pub verify_batched_ms: f64,
    /// Bytes of a proof.
    pub proof_bytes: usize,
    /// The proving key was made of the reference string.
    pub key_make_ms: f64,
    /// The stored proving key was held against its hash and read.
    pub key_read_ms: f64,
    /// Bytes of the stored proving key.
    pub key_bytes: usize,
    /// Every proof was taken, and a changed one refused.
    pub correct: bool,
}

/// Why a case could not be measured.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProofsError(String);

impl ProofsError {
    pub(crate) fn new(what: impl std::fmt::Display) -> Self {
        Self(what.to_string())
    }
}
