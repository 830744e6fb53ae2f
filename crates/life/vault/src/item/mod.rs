//! What an item is for the person whose it is.

mod code;
mod contents;
mod details;
mod secrets;
#[cfg(test)]
pub(crate) mod tests;
mod text;

use symbolon_secret::MemoryError;

pub(crate) use code::{About, Lineage, Plain, SALT_BYTES, read_content, read_title};
pub use contents::{Contents, CustomField, CustomKind, Picture};
pub use details::{Details, Kind};
pub use secrets::Hidden;
pub use text::{Body, Label, Long, Name, TagName, TextError, Title};

/// One item. Secrets are in pages of their own, so there is no copy of an item.
#[derive(Debug)]
pub struct Item {
    /// Its title or name.
    pub title: Title,
    /// How it is marked.
    pub marks: Marks,
    /// A note's Markdown; what else is said about an item of another kind.
    pub body: Body,
    /// What it is.
    pub contents: Contents,
}

/// How an item is marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Tags, each once, in their order.
    pub tags: Vec<TagName>,
    /// It stands before the others.
    pub pinned: bool,
    /// New notes are made of it.
    pub template: bool,
}

impl Item {
    /// A note.
    pub fn note(title: Title, body: Body) -> Self {
        Self { title, marks: Marks::default(), body, contents: Contents::Note }
    }

    /// A folder.
    pub fn folder(name: Title) -> Self {
        Self {
            title: name,
            marks: Marks::default(),
            body: Body::default(),
            contents: Contents::Folder,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.contents.kind()
    }
}

/// Why an item cannot be written, or was not what was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// More than [`TAGS_MAX`] tags, or one twice.
    #[error("an item has 64 tags at most, each once")]
    Tags,
    /// Too many of something, or too long in all.
    #[error("`{0}` is more than an item holds")]
    TooMuch(&'static str),
    /// What was sealed is no item of this version.
    #[error("`{0}` is none of this version's")]
    Form(&'static str),
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for ItemError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// The most tags of an item.
pub const TAGS_MAX: usize = 64;
/// The longest attachment, in bytes.
pub const ATTACHMENT_BYTES_MAX: u64 = 100 << 20;
