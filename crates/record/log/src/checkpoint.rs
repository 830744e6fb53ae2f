//! The log's promise: this many entries, this root (C2SP `tlog-checkpoint`).

use symbolon_codec::{Digest32, b64};
use symbolon_crypto::{SigningKey, VerifyingKey};

use crate::note::{self, NoteError};

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note around it, or its signature.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It speaks of another log.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    Origin {
        /// The log that was asked for.
        expected: String,
        /// The log that it names.
        found: String,
    },
    /// A line is missing or not in its one allowed form.
    #[error("the checkpoint's {0} is missing or not in the right form")]
    Line(&'static str),
    /// A key signed more entries than there were when it gave way to another.
    #[error("the key that signed {size} entries gave way to another at {until}")]
    Retired {
        /// Entries in the checkpoint.
        size: u64,
        /// Entries in its last one.
        until: u64,
    },
    /// As many entries as in a handover, and another root.
    #[error("two roots are signed for the {size} entries at which a key gave way to another")]
    TwoRoots {
        /// The entries.
        size: u64,
    },
}

/// A tree's size and root, of the log named `origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log, as in its key's text.
    pub origin: String,
    /// Entries in the tree.
    pub size: u64,
    /// The tree's root.
    pub root: Digest32,
}

impl Checkpoint {
    /// The text that is signed: three lines.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, b64::encode(self.root.as_bytes()))
    }

    /// Signs as the log itself. The origin was checked when the log was opened.
    pub fn sign(&self, key: &SigningKey) -> String {
        note::sign_note(&self.text(), &self.origin, key)
    }

    /// The checkpoint in a note that the log named `origin` signed with this key.
    ///
    /// # Errors
    /// [`CheckpointError`]; a note whose signature does not verify is never parsed further.
    pub fn open(note: &str, key: &VerifyingKey, origin: &str) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(note::open_note(note, origin, key)?)?;
        checkpoint.expect_origin(origin)
    }

    /// The same note with the log's own signature alone, as the log wrote it: without the lines that others added.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn bare(note: &str, key: &VerifyingKey, origin: &str) -> Result<String, CheckpointError> {
        Ok(note::bare_note(note, origin, key)?)
    }

    /// The checkpoint in a note, its signatures not verified: to find out which log it names
    /// before asking for that log's key.
    ///
    /// # Errors
    /// [`CheckpointError::Line`] or [`CheckpointError::Note`] for what has not the right form.
    pub fn dangerous_read_unverified(note: &str) -> Result<Self, CheckpointError> {
        Self::parse(note::split_note(note)?.0)
    }

    /// Reads the signed text. Extension lines are allowed.
    pub(crate) fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Line("end"))?.split('\n');
        let origin = lines.next().unwrap_or_default();
        note::check_name(origin).map_err(|_| CheckpointError::Line("origin"))?;
        let size = lines.next().and_then(decimal).ok_or(CheckpointError::Line("size"))?;
        let root = lines.next().and_then(|l| b64::decode(l, 32).ok());
        let root: [u8; 32] =
            root.and_then(|r| r.try_into().ok()).ok_or(CheckpointError::Line("root"))?;
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Line("extension"));
        }
        Ok(Self { origin: origin.to_owned(), size, root: Digest32(root) })
    }

    pub(crate) fn expect_origin(self, origin: &str) -> Result<Self, CheckpointError> {
        if self.origin == origin {
            return Ok(self);
        }
        Err(CheckpointError::Origin { expected: origin.to_owned(), found: self.origin })
    }
}

/// Digits alone, no zero in front.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let form = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if form { text.parse().ok() } else { None }
}
