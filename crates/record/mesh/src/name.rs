//! Which log is meant.

use std::fmt;

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::labels::MESH_LOG;
use symbolon_crypto::{VerifyingKey, sha256};
use symbolon_log::{NoteError, parse_vkey, vkey};

/// Longest text of a log's key: a name of 255 bytes, its key id and the key.
pub const LOG_NAME_BYTES_MAX: usize = 320;

/// Why a text names no log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It is no key of a log.
    #[error("{0}")]
    Key(#[from] NoteError),
    /// It is one in another spelling than the one that everybody writes.
    #[error("the log's key is not in its one spelling")]
    Spelling,
}

/// The short name of a log: `SHA-256(F("symbolon/mesh-log/v1", vkey))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(pub Digest32);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A log: its origin, and the operator's key that signs its checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogName {
    origin: String,
    operator: VerifyingKey,
    text: String,
    id: LogId,
}

impl LogName {
    /// Of an origin and the key.
    ///
    /// # Errors
    /// [`NameError::Key`] where the origin cannot be one.
    pub fn new(origin: &str, operator: VerifyingKey) -> Result<Self, NameError> {
        let text = vkey(origin, &operator)?;
        let id = LogId(sha256(&Fields::new(MESH_LOG.as_str()).str(&text).finish()));
        Ok(Self { origin: origin.to_owned(), operator, text, id })
    }

    /// From the key's text, the content of `operator.pub`.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (origin, operator) = parse_vkey(text)?;
        let name = Self::new(&origin, operator)?;
        if name.text == text { Ok(name) } else { Err(NameError::Spelling) }
    }

    /// Name of the log in its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whose log it is.
    pub fn operator(&self) -> &VerifyingKey {
        &self.operator
    }

    /// The key's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its short name.
    pub fn id(&self) -> LogId {
        self.id
    }
}
