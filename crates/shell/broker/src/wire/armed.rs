//! What a request is armed with: where its credential goes and how it is opened.

use std::fmt;
use std::sync::Arc;

use symbolon_connector::inject::{Placeholder, Slot};

/// Opens one credential, already in its form on the wire (base64 for basic, percent-encoded for a
/// query), straight into the place it goes out from.
///
/// The implementor holds the evidence that it may be opened (a durable intent). It runs on the
/// secret stack with a window open, so it allocates nothing and makes no system call.
pub trait OpenCredential: Send + Sync {
    /// Bytes that [`open_into`](Self::open_into) will write; the same each time, and not secret.
    fn wire_len(&self) -> usize;

    /// Writes the credential to the start of `out` (at least [`wire_len`](Self::wire_len) bytes)
    /// and says how many bytes it wrote.
    fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError>;
}

/// The sealed credential did not open. Nothing of the request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed credential did not open: {reason}")]
pub struct OpenError {
    /// What was wrong; never a byte of the credential.
    pub reason: &'static str,
}

/// One request's right to one credential in one place. Cheap to clone; each placeholder is for one
/// request.
#[derive(Clone)]
pub struct Armed {
    /// What stands for the credential in the request.
    pub placeholder: Placeholder,
    /// Where it must stand.
    pub slot: Arc<Slot>,
    /// What it becomes.
    pub opener: Arc<dyn OpenCredential>,
}

impl fmt::Debug for Armed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Armed").field("slot", &self.slot).finish_non_exhaustive()
    }
}
