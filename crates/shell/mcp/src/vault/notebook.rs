//! What the tools need of a vault.

use std::future::Future;

use serde::Serialize;

use super::call::NoteCall;
use super::tools::VaultTool;

/// What an assistant may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Look.
    Read,
    /// Write.
    Write,
    /// Move to the trash.
    Delete,
}

/// Vaults, behind whoever keeps them.
pub trait Notebook: Send + Sync + 'static {
    /// Who calls, as the server proved it.
    type Who: Clone + Send + Sync + 'static;

    /// Whether they have a right.
    fn has(&self, who: &Self::Who, right: Right) -> bool;

    /// Does a call in their vault, and writes it down whatever comes of it. A call for which they have no right
    /// is written down and not done.
    fn call(
        &self,
        who: &Self::Who,
        tool: VaultTool,
        call: NoteCall,
    ) -> impl Future<Output = Result<NoteReply, NoteFault>> + Send;
}

/// What a call gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteReply {
    /// Notes, without their texts, and where the next begin.
    Listed(Vec<NoteRow>, Option<usize>),
    /// Notes that were found.
    Found(Vec<Found>),
    /// One note.
    Note(Box<Note>),
    /// A note that was written, or moved to the trash.
    Saved(Saved),
    /// Folders.
    Folders(Vec<FolderView>),
}

/// A note as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteRow {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The folder that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Whether it stands before the others.
    pub pinned: bool,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it was last changed, RFC 3339.
    pub updated: String,
}

/// A note that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The note.
    #[serde(flatten)]
    pub row: NoteRow,
    /// A piece of its text.
    pub snippet: String,
}

/// A note with its text, or a part of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The note.
    #[serde(flatten)]
    pub row: NoteRow,
    /// Its text, Markdown, from `from` on.
    pub body: String,
    /// Where the text begins, in bytes of the whole.
    pub from: usize,
    /// Bytes of the whole text.
    pub body_bytes: usize,
    /// Where the rest begins, where there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_from: Option<usize>,
    /// Whether it is in the trash.
    pub trashed: bool,
}

/// A note that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Saved {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where somebody else changed the same part at the same moment: the note that has what was written here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_copy: Option<String>,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderView {
    /// Its id.
    pub id: String,
    /// The names of the folders that it is in, the outermost first, and its own.
    pub path: Vec<String>,
}

/// Why a call gave nothing. No word of it is of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteFault {
    /// A word for programs.
    pub code: &'static str,
    /// What went wrong.
    pub message: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether it is the server's: the call may have been done, and was not written down.
    #[serde(skip)]
    pub is_ours: bool,
}
