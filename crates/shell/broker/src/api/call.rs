//! Calls: what is asked, what comes of it, and the tools there are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a caller wants done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// The tool, such as `github.issues.list`.
    pub tool: String,
    /// Its parameters, checked against the tool's schema.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// Which connection of the service, where the agent was granted several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The placeholder of a minted credential, to be sent in place of the connection's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minted: Option<String>,
}

/// What the upstream answered, redacted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallReply {
    /// The upstream's HTTP status.
    pub status: u16,
    /// Response headers that help a caller, redacted.
    pub headers: Vec<(String, String)>,
    /// The body: JSON as it is, text as a string, other bytes as base64 (see `encoding`).
    pub body: Value,
    /// How `body` stands for the bytes.
    pub encoding: BodyEncoding,
    /// How often the credential was found in the response and taken out.
    pub redactions: u32,
    /// The receipt's number: `symbolon receipts show N`.
    pub receipt: u64,
    /// Milliseconds from request to receipt.
    pub duration_ms: u64,
}

impl CallReply {
    /// Whether the service says that the call failed: by its status, or in a tool's result.
    pub fn is_failure(&self) -> bool {
        let is_result = self.encoding == BodyEncoding::ToolResult;
        self.status >= 400 || is_result && self.body.get("isError") == Some(&Value::Bool(true))
    }
}

/// What the upstream answered to a forwarded request, redacted, as HTTP.
#[derive(Debug, Clone)]
pub struct ForwardReply {
    /// The upstream's status.
    pub status: u16,
    /// Response headers that pass, redacted.
    pub headers: http::HeaderMap,
    /// The body, decoded and redacted.
    pub body: bytes::Bytes,
    /// The receipt's number.
    pub receipt: u64,
}

/// How a body stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyEncoding {
    /// The upstream sent JSON.
    Json,
    /// UTF-8 text in a string.
    Text,
    /// Base64 of other bytes.
    Base64,
    /// The result of a mounted server's tool: `content`, perhaps `structuredContent`, `isError`; or
    /// `isError` and `error` where the server gave an error in its place.
    ToolResult,
    /// No body.
    None,
}

/// A single-use right to one exact request, in the caller's hand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenReply {
    /// 43 characters of base64url. Opaque; it means nothing outside this session.
    pub token: String,
    /// Seconds until it is worthless.
    pub expires_in_seconds: u64,
    /// One sentence that says what redeeming it will do.
    pub will: String,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller asked for what it may not have, or asked wrongly.
    Caller,
    /// The upstream.
    Peer,
    /// The machine: disk, network, permissions.
    Environment,
    /// A bug here.
    Us,
}

/// An error in a pair: what went wrong, and what to do next.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// A stable word for programs, such as `no_grant` or `rate_limited`.
    pub code: String,
    /// What went wrong, in a sentence.
    pub message: String,
    /// The next step: an exact command where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whose fault it is.
    pub fault: Fault,
    /// The HTTP status that a door should answer with.
    pub http_status: u16,
    /// The receipt, where one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// Seconds to wait before the same call can succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// A tool as a caller sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToolView {
    /// Full name, at most 64 characters.
    pub name: String,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub description: String,
    /// The scope that must be granted.
    pub scope: String,
    /// `read`, `write` or `destructive`.
    pub effect: String,
    /// Whether this session may call it now.
    pub granted: bool,
    /// Its parameters in a line: `owner: string, repo: string, labels?: array`.
    #[serde(default)]
    pub usage: String,
    /// JSON Schema of the parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Arc<Value>>,
    /// JSON Schema of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Arc<Value>>,
}
