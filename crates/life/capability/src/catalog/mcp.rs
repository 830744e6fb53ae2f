//! Operations of a mounted MCP server: one endpoint, and the tool's name in the body says which.
//!
//! Source: the Model Context Protocol, revision 2025-11-25, `server/tools`; `specs/mount.md`.

use serde::Deserialize;
use serde_json::{Map, Value};
use symbolon_codec::Digest32;

use super::{
    bind::{BindError, Body, write_json, write_object},
    error::Problem,
    file::{RawBodyEncoding, RawOperation},
    method::Method,
    operation::{BodyShape, Operation},
    parameter::{Parameter, Place},
};

/// `mcp` of an operation, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMcp {
    /// The tool's name at its server; absent for the server's list of tools.
    tool: Option<String>,
    /// What it was when its owner looked at it: SHA-256 of its definition, in hexadecimal digits.
    definition: Option<Digest32>,
}

/// What an operation asks of a mounted MCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum McpRequest {
    /// `tools/list`: what there is.
    List,
    /// `tools/call`.
    Call {
        /// The tool's name at its server.
        tool: Box<str>,
        /// Digest of the tool's definition, which is called as it was when its owner looked at it
        /// or not at all.
        definition: Digest32,
        /// Its arguments are one value, and not members by name.
        whole: bool,
    },
}

/// Reads `mcp` of an operation.
pub(super) fn read(
    raw: &RawOperation,
    mcp: &RawMcp,
    parameters: &[Parameter],
) -> Result<BodyShape, Problem> {
    let rule = |holds: bool, text| if holds { Ok(()) } else { Err(Problem::Rule(text)) };
    let is_plain = raw.body_encoding == RawBodyEncoding::Json && raw.content_type.is_none();
    let is_own = raw.graphql.is_none() && raw.jsonrpc.is_none() && raw.jsonrpc_params.is_none();
    let is_http = raw.streams || raw.websocket || raw.grpc;
    rule(is_plain && is_own && !is_http, "an mcp operation has a JSON body of its own")?;
    rule(raw.method == Method::Post, "an mcp operation is a POST")?;
    let is_bare = raw.idempotency_key.is_none() && raw.binary.is_none() && raw.mints.is_empty();
    rule(is_bare, "an mcp operation has neither idempotency_key nor binary nor mints")?;
    let body = parameters.iter().filter(|p| p.place() == Place::Body).count();
    rule(body == parameters.len(), "an mcp operation has parameters of its body alone")?;
    let (Some(tool), Some(definition)) = (&mcp.tool, mcp.definition) else {
        let is_list = mcp.tool.is_none() && mcp.definition.is_none();
        rule(is_list && parameters.is_empty(), "mcp has a tool and its definition, or neither")?;
        return Ok(BodyShape::Mcp(McpRequest::List));
    };
    rule(is_tool(tool), "mcp: a tool's name has 1 to 128 printable characters")?;
    rule(!raw.body_whole || body == 1, "body_whole goes with exactly one body parameter")?;
    let tool = tool.as_str().into();
    Ok(BodyShape::Mcp(McpRequest::Call { tool, definition, whole: raw.body_whole }))
}

/// Whether a mounted server's tool may have this name.
#[must_use]
pub fn is_tool(name: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

impl Operation {
    /// What it asks of a mounted MCP server; `None` for every other operation.
    #[must_use]
    pub const fn mcp(&self) -> Option<&McpRequest> {
        match self.body_shape() {
            BodyShape::Mcp(request) => Some(request),
            _ => None,
        }
    }

    /// The message of a call, with the id last, so that a session can give it one of its own
    /// ([`mcp_message`]). The definition stands in it: what is asked, approved and written down is a
    /// call of this very definition.
    pub(super) fn mcp_body(&self, arguments: &Map<String, Value>) -> Result<Body, BindError> {
        let mut out = Vec::with_capacity(256);
        match self.mcp() {
            Some(McpRequest::Call { tool, definition, whole }) => {
                out.extend_from_slice(
                    b"{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":",
                );
                write_json(&**tool, &mut out);
                out.extend_from_slice(b",\"arguments\":");
                let own = self.parameters().iter();
                let mut given = own.filter_map(|p| Some((p, arguments.get(p.name())?)));
                if *whole {
                    let empty = Value::Object(Map::new());
                    write_json(given.next().map_or(&empty, |(_, value)| value), &mut out);
                } else {
                    write_object(given, &mut out);
                }
                out.extend_from_slice(b",\"_meta\":{\"dev.symbolon/definition\":");
                write_json(definition, &mut out);
                out.extend_from_slice(b"}}");
            }
            _ => out
                .extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"method\":\"tools/list\",\"params\":{}"),
        }
        out.extend_from_slice(ID);
        out.extend_from_slice(b"1}");
        self.body_of(out)
    }
}

/// The message of a bound call under another id: a session has each id once.
#[must_use]
pub fn mcp_message(body: &[u8], id: u64) -> Vec<u8> {
    let end = body.len().saturating_sub(ID.len() + 2);
    [&body[..end], ID, id.to_string().as_bytes(), b"}"].concat()
}

const ID: &[u8] = b",\"id\":";
const NAME_CHARS_MAX: usize = 128;
