//! Calls as they are read: bounded, with no member that nobody reads.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::notebook::NoteFault;
use super::tools::VaultTool;

/// What is asked of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteCall {
    /// Notes, a page of them.
    List {
        /// Where.
        place: Place,
        /// With this tag alone.
        tag: Option<String>,
        /// How many are passed over.
        from: usize,
        /// At most so many.
        limit: usize,
    },
    /// Notes in which words stand.
    Search {
        /// The words.
        query: String,
        /// At most so many.
        limit: usize,
    },
    /// One note.
    Read {
        /// Which.
        id: String,
        /// From which byte of its text on.
        from: usize,
    },
    /// A new note.
    Save {
        /// Its title.
        title: String,
        /// Its text.
        body: String,
        /// Its tags.
        tags: Vec<String>,
        /// The folder that it goes into.
        folder: Option<String>,
    },
    /// Another text, title, place.
    Update {
        /// Which.
        id: String,
        /// What of it changes.
        edit: Edit,
    },
    /// Into the trash.
    Delete {
        /// Which.
        id: String,
    },
    /// The folders.
    Folders,
}

/// Where notes are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Everywhere.
    All,
    /// In no folder.
    Root,
    /// In this folder itself.
    Folder(String),
}

/// What of a note changes; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Its title.
    pub title: Option<String>,
    /// Its text, in place of what is there.
    pub body: Option<String>,
    /// Text behind what is there.
    pub append: Option<String>,
    /// Its tags, in place of those that it has.
    pub tags: Option<Vec<String>>,
    /// The folder that it goes into; none of them where empty.
    pub folder: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    folder: Option<String>,
    tag: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    id: String,
    from: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Save {
    title: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    tags: Vec<String>,
    folder: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Folders {}

impl NoteCall {
    /// Reads the arguments of a tool.
    ///
    /// # Errors
    /// `invalid_arguments`.
    pub fn read(tool: VaultTool, mut arguments: Map<String, Value>) -> Result<Self, NoteFault> {
        match tool {
            VaultTool::ListNotes => {
                let List { folder, tag, cursor, limit } = parse(arguments)?;
                let place = match folder {
                    None => Place::All,
                    Some(folder) if folder.is_empty() => Place::Root,
                    Some(folder) => Place::Folder(folder),
                };
                let from = match cursor {
                    None => 0,
                    Some(text) => text.parse().map_err(|_| bad("cursor is none that was given"))?,
                };
                Ok(Self::List { place, tag, from, limit: bounded(limit, LIST_MAX)? })
            }
            VaultTool::SearchNotes => {
                let Search { query, limit } = parse(arguments)?;
                if query.trim().is_empty() || query.len() > QUERY_BYTES_MAX {
                    return Err(bad("query is 1 to 512 bytes of words"));
                }
                Ok(Self::Search { query, limit: bounded(limit, FOUND_MAX)? })
            }
            VaultTool::ReadNote => {
                let Read { id, from } = parse(arguments)?;
                Ok(Self::Read { id, from: from.unwrap_or(0) })
            }
            VaultTool::ListFolders => parse(arguments).map(|Folders {}| Self::Folders),
            VaultTool::SaveNote => {
                let Save { title, body, tags, folder } = parse(arguments)?;
                texts(&[&title, &body])?;
                Ok(Self::Save { title, body, tags, folder })
            }
            VaultTool::UpdateNote => {
                let id = match arguments.remove("id") {
                    Some(Value::String(id)) => id,
                    _ => return Err(bad("id is missing")),
                };
                let edit: Edit = parse(arguments)?;
                if edit == Edit::default() {
                    return Err(bad("nothing is to be changed"));
                }
                if edit.body.is_some() && edit.append.is_some() {
                    return Err(bad("body and append exclude each other"));
                }
                let all = [&edit.title, &edit.body, &edit.append];
                texts(&all.map(|text| text.as_deref().unwrap_or_default()))?;
                Ok(Self::Update { id, edit })
            }
            VaultTool::DeleteNote => parse(arguments).map(|Delete { id }| Self::Delete { id }),
        }
    }
}

fn parse<T: for<'a> Deserialize<'a>>(arguments: Map<String, Value>) -> Result<T, NoteFault> {
    // serde quotes a wrong scalar, which may be somebody's text: only that it is wrong is said.
    serde_json::from_value(Value::Object(arguments))
        .map_err(|_| bad("an argument is missing, of another type, or not known"))
}

fn bounded(limit: Option<usize>, most: usize) -> Result<usize, NoteFault> {
    match limit.unwrap_or(most / 2) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(bad(&format!("limit is 1 to {most}"))),
    }
}

fn texts(texts: &[&str]) -> Result<(), NoteFault> {
    let is_short = |text: &&str| text.len() <= TEXT_BYTES_MAX;
    if texts.iter().all(is_short) { Ok(()) } else { Err(bad("a text is 256 KiB at most")) }
}

fn bad(says: &str) -> NoteFault {
    NoteFault {
        code: "invalid_arguments",
        message: format!("The arguments are not taken: {says}."),
        next: Some("Compare the arguments with the tool's input schema.".to_owned()),
        is_ours: false,
    }
}

/// Notes of the longest page.
pub(super) const LIST_MAX: usize = 100;
/// Notes that a search gives at most.
pub(super) const FOUND_MAX: usize = 40;
const QUERY_BYTES_MAX: usize = 512;
/// Bytes of the longest text that an assistant writes at once.
const TEXT_BYTES_MAX: usize = 256 * 1024;
