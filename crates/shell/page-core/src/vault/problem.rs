//! What went wrong, in words for its owner, with a code for the page.

use symbolon_codec::CodecError;
use symbolon_vault::ChunkError;
use symbolon_vault::item::{ItemError, TextError};
use symbolon_vault::markdown::MarkdownError;
use symbolon_vault::replica::{CommitMakeError, EditError, HistoryError, SyncError};
use symbolon_vault::share::ShareError;

/// Why the vault did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What the page tells cases apart by.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

impl Problem {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some(first) = message.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        if !message.ends_with(['.', '!', '?']) {
            message.push('.');
        }
        Self { code, message }
    }

    /// A request that this version of the page does not make.
    pub(super) fn request() -> Self {
        Self::new("request", "the page asked for something that its core does not know")
    }
}

macro_rules! problems {
    ($($type:ty => $code:literal),* $(,)?) => {$(
        impl From<$type> for Problem {
            fn from(error: $type) -> Self {
                Self::new($code, error.to_string())
            }
        }
    )*};
}

problems! {
    TextError => "text",
    ItemError => "item",
    CommitMakeError => "commit",
    HistoryError => "history",
    ChunkError => "chunk",
    MarkdownError => "folder",
    CodecError => "form",
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        let code = match error {
            EditError::NoItem(_) | EditError::Erased(_) => "missing",
            EditError::Open(_) => "unreadable",
            EditError::Text(_) => "text",
            _ => "edit",
        };
        Self::new(code, error.to_string())
    }
}

impl From<SyncError> for Problem {
    fn from(error: SyncError) -> Self {
        let code = match error {
            SyncError::Rollback { .. } => "rollback",
            SyncError::Fork { .. } | SyncError::OtherRevision { .. } => "fork",
            SyncError::NoKey(_) => "no_key",
            SyncError::Root => "root",
            _ => "sync",
        };
        Self::new(code, error.to_string())
    }
}

impl From<ShareError> for Problem {
    fn from(error: ShareError) -> Self {
        let code = match error {
            ShareError::OtherKey => "other_key",
            ShareError::Damaged | ShareError::Form(_) => "damaged",
            ShareError::Moved => "moved",
            ShareError::Link => "link",
            ShareError::Signature | ShareError::Recipient => "sender",
            _ => "share",
        };
        Self::new(code, error.to_string())
    }
}

impl From<serde_json::Error> for Problem {
    fn from(_: serde_json::Error) -> Self {
        Self::request()
    }
}
