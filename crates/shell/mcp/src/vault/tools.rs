//! The tools: what a model reads of them, and the right that each needs.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::call::{FOUND_MAX, LIST_MAX};
use super::notebook::Right;
use crate::listing::object;

/// One tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultTool {
    /// `list_notes`
    ListNotes,
    /// `search_notes`
    SearchNotes,
    /// `read_note`
    ReadNote,
    /// `list_folders`
    ListFolders,
    /// `save_note`
    SaveNote,
    /// `update_note`
    UpdateNote,
    /// `delete_note`
    DeleteNote,
}

impl VaultTool {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ListNotes,
        Self::SearchNotes,
        Self::ReadNote,
        Self::ListFolders,
        Self::SaveNote,
        Self::UpdateNote,
        Self::DeleteNote,
    ];

    /// By the name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ListNotes => "list_notes",
            Self::SearchNotes => "search_notes",
            Self::ReadNote => "read_note",
            Self::ListFolders => "list_folders",
            Self::SaveNote => "save_note",
            Self::UpdateNote => "update_note",
            Self::DeleteNote => "delete_note",
        }
    }

    /// The right that it needs.
    pub const fn right(self) -> Right {
        match self {
            Self::ListNotes | Self::SearchNotes | Self::ReadNote | Self::ListFolders => Right::Read,
            Self::SaveNote | Self::UpdateNote => Right::Write,
            Self::DeleteNote => Right::Delete,
        }
    }

    /// As a list of tools has it.
    pub(super) fn tool(self) -> Tool {
        let (title, says) = self.texts();
        let hints = ToolAnnotations::new().open_world(false);
        let hints = match self.right() {
            Right::Read => hints.read_only(true).destructive(false).idempotent(true),
            Right::Write => {
                let replaces = self == Self::UpdateNote;
                hints.read_only(false).destructive(replaces).idempotent(false)
            }
            Right::Delete => hints.read_only(false).destructive(true).idempotent(true),
        };
        let (input, output) = &SCHEMAS[self as usize];
        Tool::new(self.name(), says, input.clone())
            .with_title(title)
            .with_annotations(hints)
            .with_raw_output_schema(output.clone())
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::ListNotes => (
                "List notes",
                "Lists the person's notes, pinned ones first, then the latest first: titles, tags and ids, no texts. \
                 Give `next_cursor` back as `cursor` for more.",
            ),
            Self::SearchNotes => (
                "Search notes",
                "Finds notes in which every word stands, or one that begins with it; the best first, each with a \
                 piece of its text.",
            ),
            Self::ReadNote => (
                "Read a note",
                "Gives one note with its Markdown text, 64 KiB at once. Where there is `next_from`, ask again with \
                 it as `from`.",
            ),
            Self::ListFolders => ("List folders", "Lists the folders, each by its path."),
            Self::SaveNote => (
                "Write a new note",
                "Writes a new note. Search first, so that nothing is written twice.",
            ),
            Self::UpdateNote => (
                "Change a note",
                "Changes what is named of a note and leaves the rest. `body` replaces the whole text: read it first. \
                 `append` adds to its end. Earlier versions are kept for the person.",
            ),
            Self::DeleteNote => (
                "Move a note to the trash",
                "Moves a note to the trash, from where the person takes it back. Nothing is erased.",
            ),
        }
    }
}

/// The tool that a message would call, as the transport must know before it is read whole.
pub fn wanted(message: &[u8]) -> Option<VaultTool> {
    #[derive(serde::Deserialize)]
    struct Message {
        method: String,
        params: Option<Params>,
    }
    #[derive(serde::Deserialize)]
    struct Params {
        name: Option<Value>,
    }
    let Message { method, params } = serde_json::from_slice(message).ok()?;
    let name = params.filter(|_| method == "tools/call")?.name?;
    VaultTool::named(name.as_str()?)
}

type Schemas = (Arc<JsonObject>, Arc<JsonObject>);

static SCHEMAS: LazyLock<[Schemas; 7]> = LazyLock::new(|| {
    let text = |says: &str| json!({ "type": "string", "description": says });
    let many = |says: &str, most: usize| json!({ "type": "integer", "minimum": 1, "maximum": most, "default": most / 2, "description": says });
    let id = || text("The note's id, as a list, a search or a save gave it.");
    let tags = || json!({ "type": "array", "items": { "type": "string", "maxLength": 64 }, "maxItems": 64, "description": "Its tags." });
    let input = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let row = json!({
        "id": { "type": "string" }, "title": { "type": "string" },
        "tags": { "type": "array", "items": { "type": "string" } },
        "folder": { "type": "string" }, "pinned": { "type": "boolean" },
        "created": { "type": "string" }, "updated": { "type": "string" }
    });
    let with = |more: Value| {
        let mut properties = object(row.clone());
        properties.extend(object(more));
        json!({ "type": "object", "properties": properties })
    };
    // Clients hold an error result against the schema too.
    let output = |properties: Value, required: &str| {
        let mut properties = object(properties);
        for name in ["code", "message", "next"] {
            properties.insert(name.into(), json!({ "type": "string" }));
        }
        json!({ "type": "object", "properties": properties,
            "anyOf": [{ "required": [required] }, { "required": ["code", "message"] }] })
    };
    let list = |of: Value| json!({ "type": "array", "items": of });
    let saved = || {
        let conflict =
            text("Somebody changed the same part at the same moment: the note that has your text.");
        output(
            json!({ "id": { "type": "string" }, "title": { "type": "string" }, "conflict_copy": conflict }),
            "id",
        )
    };
    let pair = |input: Value, output: Value| (Arc::new(object(input)), Arc::new(object(output)));
    let folder = "A folder's id; empty for no folder.";
    [
        pair(
            input(
                json!({ "folder": text("Only notes in this folder itself, by its id; empty for those in none."),
                    "tag": text("Only notes with this tag."), "cursor": text("Where the page begins, as next_cursor said."),
                    "limit": many("Notes of the page.", LIST_MAX) }),
                json!([]),
            ),
            output(json!({ "notes": list(with(json!({}))), "next_cursor": { "type": "string" } }), "notes"),
        ),
        pair(
            input(json!({ "query": text("A few words."), "limit": many("Notes at most.", FOUND_MAX) }), json!(["query"])),
            output(json!({ "notes": list(with(json!({ "snippet": { "type": "string" } }))) }), "notes"),
        ),
        pair(
            input(
                json!({ "id": id(), "from": { "type": "integer", "minimum": 0, "description": "From which byte of the text on." } }),
                json!(["id"]),
            ),
            output(
                with(json!({ "body": { "type": "string" }, "from": { "type": "integer" }, "body_bytes": { "type": "integer" },
                    "next_from": { "type": "integer" }, "trashed": { "type": "boolean" } }))["properties"]
                    .clone(),
                "body",
            ),
        ),
        pair(
            input(json!({}), json!([])),
            output(
                json!({ "folders": list(json!({ "type": "object", "properties": {
                    "id": { "type": "string" }, "path": { "type": "array", "items": { "type": "string" } } } })) }),
                "folders",
            ),
        ),
        pair(
            input(
                json!({ "title": text("One line."), "body": text("Markdown."), "tags": tags(), "folder": text(folder) }),
                json!(["title"]),
            ),
            saved(),
        ),
        pair(
            input(
                json!({ "id": id(), "title": text("Another title."), "body": text("The whole text anew, Markdown."),
                    "append": text("Markdown to add at the end."), "tags": tags(), "folder": text(folder) }),
                json!(["id"]),
            ),
            saved(),
        ),
        pair(input(json!({ "id": id() }), json!(["id"])), saved()),
    ]
});
