//! What the public conformance suite asks for by name: tools, prompts and resources on our real handler.
//!
//! Only with the cargo feature `conformance`, which no release has. Sampling, roots and logging are on their
//! way out of MCP (SEP-2577) and rmcp marks them so; the suite still asks for them.
#![allow(deprecated)]

mod asking;
mod plain;
mod prompts;
mod resources;
mod rounds;
mod streams;

use std::sync::{Arc, LazyLock};

use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, RequestStateCodec, ServerCapabilities, Tool},
    service::RequestContext,
};
use serde_json::{Value, json};

pub(crate) use prompts::{get as prompt, list as prompts};
pub(crate) use resources::{list as resources, read as resource, templates};
pub(crate) use streams::Streams;

use crate::listing::object;

/// What the fixtures share over sessions and requests.
pub(crate) struct Fixtures {
    pub(crate) streams: Streams,
    state: RequestStateCodec,
}

impl Fixtures {
    /// The one set of this process: the suite changes lists in one request and watches them in another.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: LazyLock<Arc<Fixtures>> = LazyLock::new(|| {
            // INFALLIBLE: a constant of this file, longer than the least that the codec takes.
            let state = RequestStateCodec::try_new(STATE_KEY).expect("the key is long enough");
            Arc::new(Fixtures { streams: Streams::default(), state })
        });
        SHARED.clone()
    }

    pub(crate) async fn call(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(kind) = request.name.strip_prefix(rounds::PREFIX) {
            return rounds::answer(kind, &self.state, &request, &context);
        }
        let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
        if let Some(answer) = plain::answer(&request.name, &arguments) {
            return Ok(answer);
        }
        if let Some(answer) = self.streams.answer(&request.name, &context).await {
            return Ok(answer);
        }
        asking::answer(&request.name, &arguments, &context).await
    }
}

/// Whether a tool is one of the fixtures.
pub(crate) fn has(name: &str) -> bool {
    name.starts_with("test_") || name == plain::SCHEMA_TOOL
}

/// Everything that the suite looks at.
pub(crate) fn capabilities() -> ServerCapabilities {
    ServerCapabilities::builder()
        .enable_tools()
        .enable_tool_list_changed()
        .enable_prompts()
        .enable_prompts_list_changed()
        .enable_resources()
        .enable_resources_subscribe()
        .enable_resources_list_changed()
        .enable_logging()
        .enable_completions()
        .build()
}

/// The fixture tools, as listed beside our own.
pub(crate) fn tools() -> Vec<Tool> {
    let names = plain::NAMES.iter().chain(streams::NAMES).chain(asking::NAMES).chain(rounds::NAMES);
    let mut tools: Vec<Tool> = names.map(|name| tool(name, json!({}), &[])).collect();
    tools.extend(plain::with_schemas());
    tools.extend(asking::with_schemas());
    tools
}

fn tool(name: &str, properties: Value, required: &[&str]) -> Tool {
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    Tool::new(name.to_owned(), "A fixture of the conformance suite.", object(schema))
}

fn text(says: impl Into<String>) -> CallToolResponse {
    let content = vec![rmcp::model::ContentBlock::text(says)];
    rmcp::model::CallToolResult::success(content).into()
}

fn failed(says: impl Into<String>) -> CallToolResponse {
    let content = vec![rmcp::model::ContentBlock::text(says)];
    rmcp::model::CallToolResult::error(content).into()
}

fn unknown(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("unknown fixture: {name}"), None)
}

/// Signs the fixtures' request state; nothing else is ever signed with it.
const STATE_KEY: &[u8] = b"conformance fixtures only, no secret";

/// One red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/// The methods of a `ServerHandler` that only the fixtures have.
macro_rules! handler_methods {
    () => {
        async fn list_prompts(
            &self,
            _request: Option<PaginatedRequestParams>,
            _context: RequestContext<RoleServer>,
        ) -> Result<rmcp::model::ListPromptsResult, ErrorData> {
            let prompts = crate::conformance::prompts();
            Ok(rmcp::model::ListPromptsResult { prompts, ..Default::default() })
        }

        async fn get_prompt(
            &self,
            request: rmcp::model::GetPromptRequestParams,
            _context: RequestContext<RoleServer>,
        ) -> Result<rmcp::model::GetPromptResponse, ErrorData> {
            crate::conformance::prompt(&request)
        }

        async fn list_resources(
            &self,
            _request: Option<PaginatedRequestParams>,
            _context: RequestContext<RoleServer>,
        ) -> Result<rmcp::model::ListResourcesResult, ErrorData> {
            let resources = crate::conformance::resources();
            Ok(rmcp::model::ListResourcesResult { resources, ..Default::default() })
        }

        async fn list_resource_templates(
            &self,
            _request: Option<PaginatedRequestParams>,
            _context: RequestContext<RoleServer>,
        ) -> Result<rmcp::model::ListResourceTemplatesResult, ErrorData> {
            let resource_templates = crate::conformance::templates();
            Ok(rmcp::model::ListResourceTemplatesResult {
                resource_templates,
                ..Default::default()
            })
        }

        async fn read_resource(
            &self,
            request: rmcp::model::ReadResourceRequestParams,
            _context: RequestContext<RoleServer>,
        ) -> Result<rmcp::model::ReadResourceResponse, ErrorData> {
            crate::conformance::resource(&request.uri).map(Into::into)
        }

        async fn complete(
            &self,
            _request: rmcp::model::CompleteRequestParams,
            _context: RequestContext<RoleServer>,
        ) -> Result<rmcp::model::CompleteResult, ErrorData> {
            rmcp::model::CompletionInfo::new(vec!["paris".into(), "park".into(), "party".into()])
                .map(rmcp::model::CompleteResult::new)
                .map_err(|cause| ErrorData::internal_error(cause, None))
        }

        #[allow(deprecated)]
        async fn set_level(
            &self,
            _request: rmcp::model::SetLevelRequestParams,
            _context: RequestContext<RoleServer>,
        ) -> Result<(), ErrorData> {
            Ok(())
        }

        #[allow(deprecated)]
        async fn subscribe(
            &self,
            _request: rmcp::model::SubscribeRequestParams,
            _context: RequestContext<RoleServer>,
        ) -> Result<(), ErrorData> {
            Ok(())
        }

        #[allow(deprecated)]
        async fn unsubscribe(
            &self,
            _request: rmcp::model::UnsubscribeRequestParams,
            _context: RequestContext<RoleServer>,
        ) -> Result<(), ErrorData> {
            Ok(())
        }
    };
}
pub(crate) use handler_methods;
