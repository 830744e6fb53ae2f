//! Replies in MCP's words: structured, and as text for clients that read no other.

use rmcp::model::CallToolResult;
use serde_json::json;

use super::notebook::{NoteFault, NoteReply};
use crate::render::result;

/// A reply as a tool's result.
pub(super) fn answer(reply: &NoteReply) -> CallToolResult {
    let structured = match reply {
        NoteReply::Listed(notes, next) => match next {
            Some(next) => json!({ "notes": notes, "next_cursor": next.to_string() }),
            None => json!({ "notes": notes }),
        },
        NoteReply::Found(notes) => json!({ "notes": notes }),
        NoteReply::Note(note) => json!(note),
        NoteReply::Saved(saved) => json!(saved),
        NoteReply::Folders(folders) => json!({ "folders": folders }),
    };
    let text = structured.to_string();
    result(text, structured, false)
}

/// Why there is none.
pub(super) fn refusal(fault: &NoteFault) -> CallToolResult {
    let mut text = fault.message.clone();
    if let Some(next) = &fault.next {
        text.push_str("\nNext: ");
        text.push_str(next);
    }
    result(text, json!(fault), true)
}
