//! A server of one tool over a pair of descriptors: what a broker mounts that knows nothing of how the tool works.

use std::{borrow::Cow, future::Future, os::fd::OwnedFd};

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
}

/// Serves the tool until the other side closes its end. `run` gives what a call comes to, as text, or why it came to nothing;
/// text that is a JSON object is structured content too.
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
    let running = match serve_server(One { tool, run }, lines).await {
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
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != self.tool.name {
            return Err(ErrorData::invalid_params("there is no such tool", None));
        }
        // One that began runs to its end, whoever waits for it: what it called has happened.
        let result = match (self.run)(request.arguments.unwrap_or_default()).await {
            Err(why) => CallToolResult::error(vec![ContentBlock::text(why)]),
            Ok(text) => match serde_json::from_str::<Value>(&text) {
                Ok(value @ Value::Object(_)) => render::result(text, value, false),
                _ => CallToolResult::success(vec![ContentBlock::text(text)]),
            },
        };
        Ok(result.into())
    }
}
