//! What a session with a server is: begun, and its list of tools read. Over any channel.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Map, Value, json};
use symbolon_capability::catalog::{McpRequest, Operation};
use symbolon_codec::Digest32;
use symbolon_import::{LIST_BYTES_MAX, definitions_of};

use super::error::{MountError, MountFault};
use super::process::Answered;
use super::rpc::{Outcome, notice, request};
use crate::upstream::{Answer, UpstreamError};

/// Why a request to a server has no outcome.
pub(super) enum Unanswered {
    /// What became of it.
    Failed(UpstreamError),
    /// An answer of HTTP that is none of MCP: for the caller, as it is.
    Http(Box<Answer>),
}

impl From<MountError> for Unanswered {
    fn from(error: MountError) -> Self {
        Self::Failed(UpstreamError::Mount(error))
    }
}

impl From<UpstreamError> for Unanswered {
    fn from(error: UpstreamError) -> Self {
        Self::Failed(error)
    }
}

/// A way to a server: lines of a program, or requests of HTTP.
pub(super) trait Channel: Send {
    /// An id that no message of the session had.
    fn next_id(&mut self) -> u64;
    /// Sends a request and waits for what comes of it.
    fn ask(
        &mut self,
        id: u64,
        message: Vec<u8>,
    ) -> impl Future<Output = Result<Answered, Unanswered>> + Send;
    /// Sends a notification.
    fn tell(&mut self, message: Vec<u8>) -> impl Future<Output = Result<(), Unanswered>> + Send;
    /// The revision that both speak from now on.
    fn agreed(&mut self, revision: &'static str);
    /// Whether anything left, as far as that is for the channel to know.
    fn has_sent(&self) -> bool;
}

/// A server's list of tools, as it was when it was read.
#[derive(Debug)]
pub(super) struct Listing {
    /// `{"tools": […]}`, all pages joined.
    pub text: Vec<u8>,
    pub definitions: HashMap<String, Digest32>,
    read_ns: AtomicU64,
}

impl Listing {
    /// Whether it is to be read again before it is relied on.
    pub(super) fn is_old(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.read_ns.load(Relaxed)) > FRESH_NS
    }

    /// Whether the tool is still what its owner looked at.
    pub(super) fn check(&self, operation: &Operation) -> Result<(), MountFault> {
        let Some(McpRequest::Call { tool, definition, .. }) = operation.mcp() else {
            return Ok(());
        };
        let mount = operation.name().service().to_owned();
        let named = operation.name().to_string();
        match self.definitions.get(&**tool) {
            Some(found) if found == definition => Ok(()),
            Some(_) => Err(MountFault::Changed { mount, tool: named }),
            None => Err(MountFault::Gone { mount, tool: named }),
        }
    }
}

/// `initialize` and what belongs to it.
pub(super) async fn begin(channel: &mut impl Channel) -> Result<(), Unanswered> {
    let id = channel.next_id();
    let client = json!({"name": "symbolon", "version": env!("CARGO_PKG_VERSION")});
    let params = json!({"protocolVersion": REVISIONS[0], "capabilities": {}, "clientInfo": client});
    let answered = channel.ask(id, request(id, "initialize", params)).await?;
    let result = result_of(channel, answered)?;
    let named = result.get("protocolVersion").and_then(Value::as_str);
    let revision = REVISIONS.into_iter().find(|known| named == Some(known));
    let revision = revision.ok_or_else(|| fault(channel, MountFault::Revision))?;
    channel.agreed(revision);
    channel.tell(notice("notifications/initialized", json!({}))).await
}

/// All pages of `tools/list`.
pub(super) async fn list(channel: &mut impl Channel, now_ns: u64) -> Result<Listing, Unanswered> {
    let refuse = |sent, what: &str| MountError { fault: MountFault::List(what.to_owned()), sent };
    let mut tools = Vec::new();
    let (mut cursor, mut bytes) = (None::<String>, 0u64);
    for page in 0.. {
        let params = cursor.as_ref().map_or_else(|| json!({}), |c| json!({ "cursor": c }));
        let id = channel.next_id();
        let answered = channel.ask(id, request(id, "tools/list", params)).await?;
        bytes += answered.bytes;
        let sent = channel.has_sent();
        if bytes > LIST_BYTES_MAX as u64 || page == PAGES_MAX {
            return Err(refuse(sent, "it is too long").into());
        }
        let mut result = result_of(channel, answered)?;
        match result.remove("tools") {
            Some(Value::Array(more)) => tools.extend(more),
            _ => return Err(refuse(sent, "a page has no tools").into()),
        }
        match result.remove("nextCursor") {
            None | Some(Value::Null) => break,
            Some(Value::String(next)) if next.len() <= CURSOR_BYTES_MAX => cursor = Some(next),
            Some(_) => return Err(refuse(sent, "a page has no cursor to the next").into()),
        }
    }
    let text = json!({ "tools": tools }).to_string().into_bytes();
    let sent = channel.has_sent();
    let definitions = definitions_of(&text)
        .map_err(|e| MountError { fault: MountFault::List(e.to_string()), sent })?;
    Ok(Listing { text, definitions, read_ns: AtomicU64::new(now_ns) })
}

fn result_of(channel: &impl Channel, answered: Answered) -> Result<Map<String, Value>, Unanswered> {
    match answered.outcome {
        Outcome::Result(result) => Ok(result),
        Outcome::Error { code, .. } => Err(fault(channel, MountFault::Refused(code)).into()),
    }
}

fn fault(channel: &impl Channel, fault: MountFault) -> MountError {
    MountError { fault, sent: channel.has_sent() }
}

/// Revisions of the protocol that are spoken, the one that is asked for first.
const REVISIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const PAGES_MAX: usize = 64;
const CURSOR_BYTES_MAX: usize = 4096;
/// A server that does not say so may change its list all the same.
const FRESH_NS: u64 = 60 * 1_000_000_000;
