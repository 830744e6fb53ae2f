//! Replies and refusals in MCP's words: structured content, and text for clients that read no other.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};
use symbolon_broker::{BodyEncoding, CallError, CallReply, Delegated, TokenReply, ToolView};

/// What a tool answers when nothing was refused.
#[derive(Debug)]
pub enum Answer {
    /// An upstream's reply.
    Called(CallReply),
    /// Tools that a search found.
    Found(Vec<ToolView>),
    /// One tool with its schemas.
    Described(Box<ToolView>),
    /// A token for one exact call.
    Token(TokenReply),
    /// What was handed on.
    Delegated(Box<Delegated>),
}

/// The most text beside the structured content, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// An answer as a tool result. An upstream's error status makes an error result, so that a model notices.
pub fn answer(answer: Answer) -> CallToolResult {
    match answer {
        Answer::Called(reply) => called(reply),
        Answer::Found(tools) => {
            let text = if tools.is_empty() {
                "No tool matches. Use other words.".to_owned()
            } else {
                tools.iter().map(line).collect::<Vec<_>>().join("\n")
            };
            result(cut(text), json!({ "tools": tools }), false)
        }
        Answer::Described(view) => {
            let structured = json!(view);
            let mut text = Text::default();
            text.push_json(&structured);
            result(text.cut(), structured, false)
        }
        Answer::Token(reply) => {
            let text = format!(
                "{} Redeem the token with capability.redeem within {} seconds: {}",
                reply.will, reply.expires_in_seconds, reply.token
            );
            result(cut(text), json!(reply), false)
        }
        Answer::Delegated(made) => {
            let json = made.to_json();
            let mut text = made.grant.sentence.clone();
            if let Some(key) = json.get("key").and_then(Value::as_str) {
                text.push_str(&format!("\nIts key over HTTP, shown once: {key}"));
            }
            result(cut(text), json, false)
        }
    }
}

/// A refusal or failure as an error result: the pair as text, all of it structured.
pub fn refusal(error: &CallError) -> CallToolResult {
    let mut text = error.message.clone();
    if let Some(next) = &error.next {
        text.push_str("\nNext: ");
        text.push_str(next);
    }
    if let Some(receipt) = error.receipt {
        text.push_str(&format!("\nReceipt: {receipt}"));
    }
    result(cut(text), json!(error), true)
}

fn called(reply: CallReply) -> CallToolResult {
    if reply.encoding == BodyEncoding::ToolResult {
        return mounted(reply);
    }
    let failed = reply.status >= 400;
    let mut text = Text::default();
    if failed {
        text.push(&format!("HTTP {}\n", reply.status));
    }
    match (&reply.encoding, &reply.body) {
        (BodyEncoding::Json, body) => text.push_json(body),
        (BodyEncoding::Text, Value::String(body)) => text.push(body),
        (BodyEncoding::Base64, Value::String(body)) => {
            text.push(&format!("{} characters of base64 in structuredContent.body", body.len()));
        }
        _ => text.push(&format!("HTTP {}, no body", reply.status)),
    }
    let text = text.cut();
    result(text, told(reply), failed)
}

/// What there is to tell of a reply.
fn told(reply: CallReply) -> Value {
    let mut structured = serde_json::Map::new();
    structured.insert("status".into(), reply.status.into());
    structured.insert("headers".into(), json!(reply.headers));
    structured.insert("body".into(), reply.body);
    structured.insert("encoding".into(), json!(reply.encoding));
    structured.insert("redactions".into(), reply.redactions.into());
    structured.insert("receipt".into(), reply.receipt.into());
    structured.insert("duration_ms".into(), reply.duration_ms.into());
    Value::Object(structured)
}

/// The result of a mounted server's tool, as that server gave it: its content is this tool's. Content
/// of a kind that is not known here is passed as the text of its JSON.
fn mounted(mut reply: CallReply) -> CallToolResult {
    let failed = reply.is_failure();
    let blocks = match reply.body.get_mut("content").map(Value::take) {
        Some(Value::Array(blocks)) => blocks,
        _ => Vec::new(),
    };
    let block = |value: Value| {
        serde_json::from_value(value.clone()).unwrap_or_else(|_| {
            let mut text = Text::default();
            text.push_json(&value);
            ContentBlock::text(text.cut())
        })
    };
    let mut content: Vec<ContentBlock> = blocks.into_iter().map(block).collect();
    let rest = ["structuredContent", "error"].into_iter();
    let body = rest.filter_map(|name| reply.body.get_mut(name).map(Value::take)).next();
    reply.body = body.unwrap_or(Value::Null);
    if content.is_empty() {
        let mut text = Text::default();
        text.push_json(&reply.body);
        content.push(ContentBlock::text(text.cut()));
    }
    let structured = told(reply);
    let mut result =
        if failed { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = Some(structured);
    result
}

/// A value of ours as structured content, and as text.
pub(crate) fn structured(value: Value, is_error: bool) -> CallToolResult {
    let mut text = Text::default();
    text.push_json(&value);
    result(text.cut(), value, is_error)
}

pub(crate) fn result(text: String, structured: Value, is_error: bool) -> CallToolResult {
    let content = vec![ContentBlock::text(text)];
    let mut result =
        if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = Some(structured);
    result
}

fn cut(text: String) -> String {
    let mut cut = Text::default();
    cut.push(&text);
    cut.cut()
}

/// The beginning of a text, and how long all of it is: a large body is not copied for the sake of its first
/// lines.
#[derive(Default)]
struct Text {
    kept: Vec<u8>,
    whole: usize,
}

impl Text {
    fn push(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    fn push_json(&mut self, value: &Value) {
        // Neither a value nor this writer fails.
        let _ = serde_json::to_writer(self, value);
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        let room = TEXT_BYTES_MAX - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.whole += bytes.len();
    }

    fn cut(mut self) -> String {
        if self.whole <= TEXT_BYTES_MAX {
            // Whole, it is the strings that were pushed.
            return String::from_utf8(self.kept).unwrap_or_default();
        }
        self.kept.truncate(TEXT_BYTES_MAX - NOTE_BYTES);
        // The last character may have been cut through.
        let end = match std::str::from_utf8(&self.kept) {
            Ok(text) => text.len(),
            Err(cause) => cause.valid_up_to(),
        };
        let shown = String::from_utf8_lossy(&self.kept[..end]);
        format!("{shown}\n… {} bytes more in structuredContent", self.whole - end)
    }
}

impl std::io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push_bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const NOTE_BYTES: usize = 64;

fn line(view: &ToolView) -> String {
    let granted = if view.granted { "granted" } else { "not granted" };
    let ToolView { name, effect, description, usage, .. } = view;
    format!("{name}({usage}) [{effect}, {granted}]: {description}")
}

#[cfg(test)]
mod tests {
    use symbolon_broker::Fault;

    use super::*;

    fn reply(status: u16, encoding: BodyEncoding, body: Value) -> CallReply {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        CallReply { status, headers, body, encoding, redactions: 1, receipt: 9, duration_ms: 3 }
    }

    fn text(result: &CallToolResult) -> &str {
        &result.content[0].as_text().unwrap().text
    }

    #[test]
    fn a_reply_is_structured_and_text() {
        let result = answer(Answer::Called(reply(200, BodyEncoding::Json, json!({ "a": 1 }))));
        assert_eq!(result.is_error, Some(false));
        assert_eq!(text(&result), r#"{"a":1}"#);
        let structured = result.structured_content.unwrap();
        assert_eq!(structured["status"], 200);
        assert_eq!(structured["body"], json!({ "a": 1 }));
        assert_eq!(structured["encoding"], "json");
        assert_eq!(structured["redactions"], 1);
        assert_eq!(structured["receipt"], 9);
        assert_eq!(structured["headers"][0], json!(["content-type", "application/json"]));
    }

    #[test]
    fn an_upstreams_error_status_is_an_error_result() {
        let result = answer(Answer::Called(reply(404, BodyEncoding::Text, json!("gone"))));
        assert_eq!(result.is_error, Some(true));
        assert_eq!(text(&result), "HTTP 404\ngone");
        assert_eq!(result.structured_content.unwrap()["status"], 404);
    }

    #[test]
    fn text_is_bounded_at_a_character() {
        let body = "é".repeat(TEXT_BYTES_MAX);
        let result = answer(Answer::Called(reply(200, BodyEncoding::Text, json!(body))));
        assert!(text(&result).len() <= TEXT_BYTES_MAX);
        assert!(text(&result).ends_with("bytes more in structuredContent"));
        assert_eq!(result.structured_content.unwrap()["body"], json!(body), "nothing is lost");
    }

    #[test]
    fn of_a_large_body_only_the_beginning_is_copied() {
        let mut text = Text::default();
        text.push_json(&json!(vec!["é\u{1}"; 500_000]));
        assert!(text.kept.capacity() <= 2 * TEXT_BYTES_MAX, "{}", text.kept.capacity());
        let whole = 500_000 * "\"é\\u0001\",".len() + 1;
        assert_eq!(text.whole, whole);
        let text = text.cut();
        assert!(text.len() <= TEXT_BYTES_MAX);
        let (shown, note) = text.rsplit_once("\n… ").unwrap();
        let more: usize = note.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(shown.len() + more, whole);
    }

    #[test]
    fn a_refusal_says_the_next_command() {
        let error = CallError {
            code: "no_grant".into(),
            message: "claude may not read issues.".into(),
            next: Some("symbolon grant claude github.issues.read --for 15m".into()),
            fault: Fault::Caller,
            http_status: 403,
            receipt: Some(4),
            retry_after_seconds: None,
        };
        let result = refusal(&error);
        assert_eq!(result.is_error, Some(true));
        assert!(text(&result).contains("Next: symbolon grant claude github.issues.read --for 15m"));
        let structured = result.structured_content.unwrap();
        assert_eq!(structured["code"], "no_grant");
        assert_eq!(structured["receipt"], 4);
    }

    #[test]
    fn a_mounted_tools_content_is_passed_on_with_its_error() {
        let body = json!({
            "content": [
                {"type": "text", "text": "no such file"},
                {"type": "image", "data": "AAAA", "mimeType": "image/png"},
                {"type": "of the future", "x": 1},
            ],
            "isError": true,
        });
        let result = answer(Answer::Called(reply(200, BodyEncoding::ToolResult, body)));
        assert_eq!(result.is_error, Some(true));
        assert_eq!(text(&result), "no such file");
        assert!(result.content[1].as_image().is_some());
        let unknown = result.content[2].as_text().unwrap();
        assert_eq!(unknown.text, r#"{"type":"of the future","x":1}"#);
        assert_eq!(result.structured_content.unwrap()["receipt"], 9);
        let good = json!({"content": [], "structuredContent": {"n": 1}});
        let result = answer(Answer::Called(reply(200, BodyEncoding::ToolResult, good)));
        assert_eq!((result.is_error, text(&result)), (Some(false), r#"{"n":1}"#));
        assert_eq!(result.structured_content.unwrap()["body"], json!({"n": 1}));
    }
}
