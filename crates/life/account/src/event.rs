//! What happened to an account: a chain, so that no event of it can be left out or changed.

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{labels, sha256};

use crate::error::at_most;
use crate::{AccountError, AccountId};

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in Unix milliseconds.
    pub at_unix_ms: u64,
    /// What, such as `credential-added`.
    pub kind: String,
    /// More of it, as JSON without secrets.
    pub detail: String,
}

impl Event {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`] or [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.kind.is_empty() || !self.kind.bytes().all(plain) {
            return Err(AccountError::Malformed("a kind of event is a word"));
        }
        at_most("kind of event", self.kind.len(), EVENT_KIND_BYTES_MAX)?;
        at_most("event", self.detail.len(), EVENT_DETAIL_BYTES_MAX)
    }
}

/// Bytes of the longest kind of event.
pub const EVENT_KIND_BYTES_MAX: usize = 48;

/// Bytes of the longest detail of an event.
pub const EVENT_DETAIL_BYTES_MAX: usize = 2048;

/// An event in its account's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Whose it is.
    pub account: AccountId,
    /// Its place, from 1.
    pub number: u64,
    /// The digest of the event before; of zeros for the first.
    pub prev: Digest32,
    /// What happened.
    pub event: Event,
}

impl AuditEvent {
    /// SHA-256 of `F(label, account, number, prev, at, kind, detail)`.
    pub fn digest(&self) -> Digest32 {
        let fields = Fields::new(labels::ACCOUNT_EVENT.as_str())
            .bytes(self.account.as_bytes())
            .u64(self.number)
            .bytes(self.prev.as_bytes())
            .u64(self.event.at_unix_ms)
            .str(&self.event.kind)
            .str(&self.event.detail);
        sha256(&fields.finish())
    }
}
