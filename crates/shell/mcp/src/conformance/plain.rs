//! Tools that answer at once with content of each kind.

use rmcp::model::{
    AudioContent, CallToolResponse, CallToolResult, ContentBlock, ResourceContents, Tool,
};
use serde_json::{Value, json};

use super::{PNG, failed, text, tool};
use crate::listing::object;

pub(super) const NAMES: &[&str] = &[
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
];

/// A tool whose schema uses the whole of JSON Schema 2020-12.
pub(super) const SCHEMA_TOOL: &str = "json_schema_2020_12_tool";

pub(super) fn with_schemas() -> [Tool; 2] {
    let header = json!({ "value": { "type": "string", "x-mcp-header": "Value" } });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "address",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
            }
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" }
        },
        "allOf": [{ "anyOf": [{ "required": ["name"] }, { "required": ["address"] }] }],
        "if": { "required": ["address"] },
        "then": { "properties": { "address": { "required": ["street"] } } },
        "else": { "required": ["name"] },
        "additionalProperties": false
    });
    [
        tool("test_custom_header", header, &["value"]),
        Tool::new(SCHEMA_TOOL, "A fixture of the conformance suite.", object(schema)),
    ]
}

pub(super) fn answer(name: &str, arguments: &Value) -> Option<CallToolResponse> {
    let said = |key: &str| arguments[key].as_str().unwrap_or_default();
    let content = match name {
        "test_simple_text" => {
            vec![ContentBlock::text("This is a simple text response for testing.")]
        }
        "test_image_content" => vec![ContentBlock::image(PNG, "image/png")],
        "test_audio_content" => vec![ContentBlock::Audio(AudioContent::new(WAV, "audio/wav"))],
        "test_embedded_resource" => vec![embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )],
        "test_multiple_content_types" => vec![
            ContentBlock::text("Multiple content types test:"),
            ContentBlock::image(PNG, "image/png"),
            embedded(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            ),
        ],
        "test_error_handling" => {
            return Some(failed("This tool intentionally returns an error for testing"));
        }
        "test_custom_header" => return Some(text(said("value"))),
        SCHEMA_TOOL => return Some(text(format!("Hello, {}!", said("name")))),
        _ => return None,
    };
    Some(CallToolResult::success(content).into())
}

fn embedded(uri: &str, kind: &str, body: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::TextResourceContents {
        uri: uri.to_owned(),
        mime_type: Some(kind.to_owned()),
        text: body.to_owned(),
        meta: None,
    })
}

/// A WAV file without a sample in it.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
