//! What a process asks a holder, and what the holder answers.

use symbolon_crypto::RecipientKey;
use symbolon_custody::{HANDED_OVER_BYTES, NONCE_BYTES, Purposes};

/// What a holder seals to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The process's key.
    pub key: RecipientKey,
    /// Where the process is reached, as the terms name it.
    pub origin: String,
    /// Good for one answer, for five minutes.
    pub nonce: [u8; NONCE_BYTES],
}

/// A data key, sealed to the process on these terms.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What was asked with.
    pub nonce: [u8; NONCE_BYTES],
    /// What for.
    pub purposes: Purposes,
    /// How long.
    pub minutes: u32,
    /// The sealed data key.
    pub sealed: [u8; HANDED_OVER_BYTES],
}
