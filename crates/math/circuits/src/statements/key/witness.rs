//! What the holder has.

use symbolon_crypto::labels;
use symbolon_secret::Secret;

use super::native;
use crate::Fr;
use crate::value::{Element, Hidden, Session};

/// The shortest key that is taken, in bytes.
pub const KEY_BYTES_MIN: usize = 16;
/// The longest, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// An API key as an element.
#[derive(Debug)]
pub struct ApiKey(pub(crate) Hidden);

/// What is enrolled of an API key: for one account at one audience, blinded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCommitment(pub Element);

/// A key that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes")]
pub struct KeyLength;

/// A key and its blind.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'w> {
    /// The key.
    pub key: &'w ApiKey,
    /// Drawn at enrolment, and kept with the key.
    pub blind: &'w Hidden,
}

/// The witness as elements.
#[derive(Clone)]
#[doc(hidden)]
pub struct Opened {
    pub(crate) key: Fr,
    pub(crate) blind: Fr,
}

impl ApiKey {
    /// From a key's bytes. Their entropy is the enroller's to judge.
    pub fn new(bytes: &Secret<[u8]>) -> Result<Self, KeyLength> {
        if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes.len()) {
            return Err(KeyLength);
        }
        Ok(Self(Hidden::hash(&labels::FIELD_KEY, bytes)))
    }

    /// What is enrolled of it in a session's account and audience.
    pub fn commitment(&self, blind: &Hidden, session: &Session) -> KeyCommitment {
        let opened = Opened::of(Witness { key: self, blind });
        KeyCommitment(Element(native::commitment(&opened, session.audience(), session.account())))
    }
}

impl Opened {
    pub(crate) fn of(witness: Witness<'_>) -> Self {
        Self { key: witness.key.0.element(), blind: witness.blind.element() }
    }
}
