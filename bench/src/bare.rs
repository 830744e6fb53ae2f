//! The peer of the suite `mcp`: an MCP server by rmcp with one tool that does nothing, on the same pipes.

use std::fs::File;
use std::os::fd::AsFd;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ProtocolVersion,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, serve_server};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::net::unix::pipe;

use crate::BenchError;

/// Serves on standard input and output until the input ends.
pub(crate) fn serve() -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let read = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        let write = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        let streams = (pipe::Receiver::from_file(read)?, pipe::Sender::from_file(write)?);
        let running = serve_server(NoOp, streams).await.map_err(BenchError::new)?;
        running.waiting().await.map(drop).map_err(BenchError::new)
    })
}

struct NoOp;

impl ServerHandler for NoOp {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text("ok")]).into())
    }
}
