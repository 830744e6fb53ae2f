//! What is written down of a call's tries while they are made.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use symbolon_capability::IdempotencyKey;

use crate::upstream::{Answer, UpstreamError};

/// The tries of one call. Shared with the receipt, which is written also where nobody waits for the
/// call any more.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    count: AtomicU8,
    released: AtomicBool,
    key: OnceLock<IdempotencyKey>,
}

impl Tries {
    /// One more try begins.
    pub(super) fn begin(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    /// A try is over.
    pub(super) fn ended(&self, answered: &Result<Answer, UpstreamError>) {
        if answered.as_ref().map_or_else(UpstreamError::released, |_| true) {
            self.released.store(true, Relaxed);
        }
    }

    /// The broker's key goes out with each try.
    pub(crate) fn set_key(&self, key: IdempotencyKey) {
        // Set once a call: a second time would be the same key.
        let _ = self.key.set(key);
    }

    /// How many began.
    pub(super) fn count(&self) -> u8 {
        self.count.load(Relaxed)
    }

    /// How many began after the first.
    pub(crate) fn retries(&self) -> u8 {
        self.count().saturating_sub(1)
    }

    /// Whether a try that is over may have let the credential out.
    pub(crate) fn released(&self) -> bool {
        self.released.load(Relaxed)
    }

    /// The key that the broker added.
    pub(crate) fn key(&self) -> Option<IdempotencyKey> {
        self.key.get().copied()
    }
}
