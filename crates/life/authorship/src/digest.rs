//! Digests that confirm no guess, and what is registered of them.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, Fields, hex};
use symbolon_crypto::{VerifyingKey, labels, sha256};

use crate::CanonicalText;

/// 256 random bits for one registration: kept in the vault, and shown with a certificate where its holder likes.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Random.
    pub fn make(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        Self(bytes)
    }

    /// As it was kept or shown.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// To be kept, or shown.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `SHA-256(F("symbolon/authorship-digest/v1", salt, canonical text))`.
    pub fn digest(&self, text: &CanonicalText) -> Digest32 {
        let fields = Fields::new(labels::AUTHORSHIP_DIGEST.as_str()).bytes(&self.0);
        sha256(&fields.str(text.as_str()).finish())
    }
}

impl fmt::Debug for Salt {
    /// Whoever has it can check guesses, so it is not shown by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

/// `SHA-256(F("symbolon/authorship-commitment/v1", author key, digest))`: bound to the key, so that nobody can
/// open it as their own.
pub fn commitment_of(author: &VerifyingKey, digest: &Digest32) -> Digest32 {
    let fields = Fields::new(labels::AUTHORSHIP_COMMITMENT.as_str());
    sha256(&fields.bytes(author.as_bytes()).bytes(digest.as_bytes()).finish())
}

/// `SHA-256(F("symbolon/authorship-holder/v1", account, owner key))`: the account that an authorship is held by,
/// to who knows its id.
pub fn holder_of(account: &[u8; 16], owner: &VerifyingKey) -> Digest32 {
    let fields = Fields::new(labels::AUTHORSHIP_HOLDER.as_str());
    sha256(&fields.bytes(account).bytes(owner.as_bytes()).finish())
}
