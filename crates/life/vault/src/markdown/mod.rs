//! Notes as a folder of Markdown files, and back: `specs/vault.md`, "Markdown". In memory: the shell
//! reads and writes the files.

mod dates;
mod export;
mod front;
mod import;
mod rewrite;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

pub use export::{Exported, NOTE_EXTENSION, export};
pub use import::{ImportReport, ImportedFile, import, named};

use crate::replica::EditError;
use crate::wire::ItemId;

/// Files by their paths, which are relative, with `/` between names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path, or its title.
    pub what: String,
    /// Why.
    pub why: &'static str,
}

/// Why nothing was written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkdownError {
    /// A path that leads out of the folder, or that some system cannot have: nothing is read then.
    #[error("file {0} of the folder has a path that leads elsewhere or is none")]
    Path(usize),
    /// More files than are taken.
    #[error("a folder of more than 100,000 files is not read")]
    TooMany,
    /// An item does not open.
    #[error("item {item} does not open: {cause}")]
    Open {
        /// Which.
        item: ItemId,
        /// Why.
        cause: EditError,
    },
    /// An item could not be made.
    #[error("{path}: {cause}")]
    Make {
        /// Of which file.
        path: String,
        /// Why.
        cause: EditError,
    },
}
