//! Operations: what can be called.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    binary::BinaryAnswer,
    jsonrpc::ParamsShape,
    mcp::McpRequest,
    method::Method,
    mints::Mint,
    name::{ScopeName, ToolName},
    parameter::Parameter,
    path::PathTemplate,
    scope::ScopeId,
    service::FixedHeader,
};

/// One typed call of a service.
#[derive(Debug)]
pub struct Operation {
    pub(super) name: ToolName,
    pub(super) title: Box<str>,
    pub(super) description: Box<str>,
    pub(super) method: Method,
    pub(super) path: PathTemplate,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: BodyShape,
    pub(super) websocket: bool,
    pub(super) grpc: bool,
    pub(super) content_type: Arc<str>,
    pub(super) scope: ScopeName,
    pub(super) scope_id: ScopeId,
    pub(super) effect: Effect,
    pub(super) idempotency_key: Option<Box<str>>,
    pub(super) headers: Vec<FixedHeader>,
    pub(super) response: Option<Value>,
    pub(super) binary: Option<BinaryAnswer>,
    pub(super) mints: Box<[Mint]>,
    /// Paths of the same method that say more than this one, and whose they are.
    pub(super) reserved: Vec<(PathTemplate, ToolName)>,
    pub(super) input: OnceLock<Arc<Map<String, Value>>>,
    pub(super) output: OnceLock<Arc<Map<String, Value>>>,
}

/// What a call does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Looks only.
    Read,
    /// Adds or changes.
    Write,
    /// Removes, or cannot be taken back.
    Destructive,
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        })
    }
}

/// What the body is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyShape {
    None,
    /// One JSON object; its members are the body parameters.
    Json,
    /// `application/x-www-form-urlencoded`, members in brackets.
    Form,
    /// The one body parameter as JSON.
    Whole,
    /// The one body parameter as text.
    Text,
    /// A fixed document; its variables are the body parameters.
    GraphQl {
        document: Box<str>,
    },
    /// A call of a JSON-RPC server; its params are the body parameters.
    JsonRpc {
        method: Box<str>,
        params: ParamsShape,
    },
    /// A request to a mounted MCP server.
    Mcp(McpRequest),
    /// What the program sends, unread.
    Bytes {
        /// It need not be whole before it is sent.
        streams: bool,
    },
}

impl BodyShape {
    /// What in a body tells this operation from others of the same method and path.
    fn selector(&self) -> Option<(Selector, &str)> {
        match self {
            Self::GraphQl { document } => Some((Selector::Document, document)),
            Self::JsonRpc { method, .. } => Some((Selector::Method, method)),
            Self::Mcp(McpRequest::Call { tool, .. }) => Some((Selector::Tool, tool)),
            Self::Mcp(McpRequest::List) => Some((Selector::Tool, "")),
            _ => None,
        }
    }

    /// Whether a request's body tells the two apart: both by the same member, with another value.
    pub(super) fn differs(&self, other: &Self) -> bool {
        match (self.selector(), other.selector()) {
            (Some((kind, one)), Some((other_kind, other))) => kind == other_kind && one != other,
            _ => false,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Selector {
    Document,
    Method,
    Tool,
}

impl Operation {
    /// The tool's full name, `<service>.<operation id>`.
    #[must_use]
    pub const fn name(&self) -> &ToolName {
        &self.name
    }

    /// A few words for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it does and what to mind.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The HTTP method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path below the base URL.
    #[must_use]
    pub const fn path(&self) -> &PathTemplate {
        &self.path
    }

    /// All parameters: path, query, body, each in the order of declaration.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The scope that a caller needs.
    #[must_use]
    pub const fn scope(&self) -> &ScopeName {
        &self.scope
    }

    /// The scope's number in the catalogue.
    #[must_use]
    pub const fn scope_id(&self) -> ScopeId {
        self.scope_id
    }

    /// What it does to the world.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The header in which the service takes an idempotency key; with one, a retry is safe.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Fixed headers beside the service's own, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The JSON Schema (draft 2020-12) of the arguments: one flat, closed object. Built once.
    #[must_use]
    pub fn input_schema(&self) -> &Arc<Map<String, Value>> {
        self.input.get_or_init(|| {
            let properties: Map<String, Value> =
                self.parameters.iter().map(|p| (p.name().to_owned(), p.schema().clone())).collect();
            let required: Vec<&str> =
                self.parameters.iter().filter(|p| p.is_required()).map(Parameter::name).collect();
            let mut schema = object(json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            }));
            if !required.is_empty() {
                schema.insert("required".to_owned(), json!(required));
            }
            Arc::new(schema)
        })
    }

    /// The JSON Schema of a result: the upstream's status, its body, and the receipt. Built once.
    #[must_use]
    pub fn output_schema(&self) -> &Arc<Map<String, Value>> {
        self.output.get_or_init(|| {
            // An answer with an error status has a body of its own, so the body is described, not bound.
            let mut body = Map::new();
            body.insert("description".to_owned(), "The answer's body.".into());
            if let Some(text) = self.response.as_ref().and_then(|r| r.get("description")) {
                body.insert("description".to_owned(), text.clone());
            }
            Arc::new(object(json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "status": {"type": "integer", "minimum": 100, "maximum": 599},
                    "body": body,
                    "receipt": {"description": "Which receipt proves this call."},
                },
                "required": ["status"],
            })))
        })
    }

    /// The schema of a successful answer's body, where the catalogue has one.
    #[must_use]
    pub const fn response(&self) -> Option<&Value> {
        self.response.as_ref()
    }

    /// Which answers of bytes pass though they cannot be decoded; `None` where none does.
    #[must_use]
    pub const fn binary(&self) -> Option<&BinaryAnswer> {
        self.binary.as_ref()
    }

    /// Places of credentials in a successful answer; none for most operations.
    #[must_use]
    pub const fn mints(&self) -> &[Mint] {
        &self.mints
    }

    /// Whether its body is bytes that nobody here reads: only an HTTP door can bring them.
    #[must_use]
    pub const fn takes_bytes(&self) -> bool {
        matches!(self.body, BodyShape::Bytes { .. })
    }

    /// Whether it opens a WebSocket.
    #[must_use]
    pub const fn is_websocket(&self) -> bool {
        self.websocket
    }

    /// Whether it is a method of a gRPC service: over HTTP/2, in messages.
    #[must_use]
    pub const fn is_grpc(&self) -> bool {
        self.grpc
    }

    /// Whether its body may be sent on as it comes.
    #[must_use]
    pub const fn streams(&self) -> bool {
        matches!(self.body, BodyShape::Bytes { streams: true })
    }

    pub(super) const fn body_shape(&self) -> &BodyShape {
        &self.body
    }

    pub(super) const fn content_type(&self) -> &Arc<str> {
        &self.content_type
    }

    pub(super) fn reserved(&self) -> &[(PathTemplate, ToolName)] {
        &self.reserved
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
