//! A server of one tool over a pair of descriptors: what a broker mounts that knows nothing of how the tool works.

use std::{borrow::Cow, future::Future, io, os::fd::OwnedFd};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
        ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig,
        Tool, ToolAnnotations,
    },
    service::{RequestContext, ServerInitializeError, serve_server},
};
use serde_json::{Map, Value};
use symbolon_codec::json;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::{
    ServeError,
    descriptor::{Input, Output},
    handler::REVISIONS,
    lines::Lines,
    render,
    room::Leaving,
};

/// What the tool is.
#[derive(Debug, Clone)]
pub struct OneTool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: Map<String, Value>,
    /// Whether it changes nothing; `None` where nobody says.
    pub read_only: Option<bool>,
    /// Whether it may destroy; `None` where nobody says.
    pub destructive: Option<bool>,
    /// How many calls run at once; others wait.
    pub runs_at_once: usize,
}

/// Serves the tool until the other side closes its end. `run` gives what a call comes to, as text, or why it came to nothing;
/// text that is a JSON object is structured content too, where it is not too deep or too long for that. A call that is
/// cancelled while it waits is not run.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve_one<F, R>(
    tool: OneTool,
    run: F,
    read: OwnedFd,
    write: OwnedFd,
) -> Result<(), ServeError>
where
    F: Fn(Map<String, Value>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<String, String>> + Send + 'static,
{
    let read = Input::open(read).map_err(ServeError::Streams)?;
    let write = Output::open(write).map_err(ServeError::Streams)?;
    let lines = Lines::new(read, write, Leaving::default());
    let (seats, waiting) = (Semaphore::new(tool.runs_at_once), Semaphore::new(CALLS_WAITING_MAX));
    let running = match serve_server(One { tool, run, seats, waiting }, lines).await {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
            return Ok(());
        }
        Err(_) => return Err(ServeError::NotBegun),
    };
    running.waiting().await.map(drop).map_err(ServeError::Task)
}

struct One<F> {
    tool: OneTool,
    run: F,
    seats: Semaphore,
    waiting: Semaphore,
}

impl<F> One<F> {
    /// A seat to run in, or why there is none.
    async fn seat(&self, cancelled: &CancellationToken) -> Result<SemaphorePermit<'_>, String> {
        if let Ok(seat) = self.seats.try_acquire() {
            return Ok(seat);
        }
        let _waits = self.waiting.try_acquire().map_err(|_| {
            format!("it was not run: {CALLS_WAITING_MAX} calls wait already; call again later")
        })?;
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Err("it was not run: it was cancelled".to_owned()),
            seat = self.seats.acquire() => seat.map_err(|_| "it was not run: it ends".to_owned()),
        }
    }
}

impl OneTool {
    fn listed(&self) -> Tool {
        let mut hints = ToolAnnotations::new();
        if let Some(read_only) = self.read_only {
            hints = hints.read_only(read_only);
        }
        if let Some(destructive) = self.destructive {
            hints = hints.destructive(destructive);
        }
        let (name, says) = (self.name.clone(), self.description.clone());
        Tool::new(name, says, self.input_schema.clone()).with_annotations(hints)
    }
}

impl<F, R> ServerHandler for One<F>
where
    F: Fn(Map<String, Value>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<String, String>> + Send + 'static,
{
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
            .with_server_info(Implementation::new("symbolon", env!("CARGO_PKG_VERSION")))
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&REVISIONS)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("the list has one page", None));
        }
        Ok(ListToolsResult { tools: vec![self.tool.listed()], ..Default::default() })
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != self.tool.name {
            return Err(ErrorData::invalid_params("there is no such tool", None));
        }
        let result = match self.seat(&context.ct).await {
            Err(why) => Err(why),
            // One that began runs to its end, whoever waits for it: what it called has happened.
            Ok(_seat) => (self.run)(request.arguments.unwrap_or_default()).await,
        };
        Ok(answer(result).into())
    }
}

/// What a call came to, as its caller can take it: a message that is too long or too deep would end the session of all.
fn answer(came: Result<String, String>) -> CallToolResult {
    let result = match came {
        Err(why) => CallToolResult::error(vec![ContentBlock::text(why)]),
        Ok(text) => {
            let structured = json::parse_bounded(text.as_bytes(), ANSWER_BYTES_MAX, DEPTH_MAX);
            if let Ok(value @ Value::Object(_)) = structured {
                let whole = render::result(text.clone(), value, false);
                if size_bytes(&whole) <= ANSWER_BYTES_MAX {
                    return whole;
                }
            }
            CallToolResult::success(vec![ContentBlock::text(text)])
        }
    };
    let bytes = size_bytes(&result);
    if bytes <= ANSWER_BYTES_MAX {
        return result;
    }
    // The run is over, and what it did is done.
    let why = format!(
        "it ran, and the output is too long: {bytes} bytes as an answer, at most {ANSWER_BYTES_MAX}"
    );
    CallToolResult::error(vec![ContentBlock::text(why)])
}

/// How long it is on its way.
fn size_bytes(result: &CallToolResult) -> usize {
    let mut counted = Counted(0);
    // Neither a result nor this writer fails.
    let _ = serde_json::to_writer(&mut counted, result);
    counted.0
}

/// Counts what is written.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls that wait for a seat; as many as a broker has on their way to one program.
const CALLS_WAITING_MAX: usize = 64;
/// A broker reads a line of 8 MiB; what stands around a result is short.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024 - 4096;
/// A broker reads messages of 96 levels, of which two stand around structured content.
const DEPTH_MAX: usize = 90;

#[cfg(test)]
mod tests;
