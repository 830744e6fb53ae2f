//! Tools that ask the client during a call, as revision 2025-11-25 does it.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolResponse, ClientCapabilities, CreateMessageRequestParams, ElicitRequestParams,
        SamplingMessage, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{failed, rounds, text, tool, unknown};

pub(super) const NAMES: &[&str] = &[
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_missing_capability",
    "test_streaming_elicitation",
];

pub(super) fn with_schemas() -> [Tool; 2] {
    [
        tool("test_sampling", json!({ "prompt": { "type": "string" } }), &["prompt"]),
        tool("test_elicitation", json!({ "message": { "type": "string" } }), &["message"]),
    ]
}

pub(super) async fn answer(
    name: &str,
    arguments: &Value,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    Ok(match name {
        "test_sampling" => sample(context, arguments["prompt"].as_str().unwrap_or_default()).await,
        "test_elicitation" => {
            let says = arguments["message"].as_str().unwrap_or_default();
            let user = json!({ "username": { "type": "string" }, "email": { "type": "string" } });
            elicit(context, says, user, &["username", "email"]).await
        }
        "test_elicitation_sep1034_defaults" => {
            elicit(context, "Every field has a default", defaults(), &[]).await
        }
        "test_elicitation_sep1330_enums" => {
            elicit(context, "Every form of a choice", choices(), &[]).await
        }
        "test_missing_capability" => {
            if context.client_capabilities().is_none_or(|client| client.sampling.is_none()) {
                let wanted = ClientCapabilities::builder().enable_sampling().build();
                return Err(ErrorData::missing_required_client_capability(wanted));
            }
            text("The client can sample")
        }
        "test_streaming_elicitation" => {
            let wanted = rounds::question("Which value?", "value", "string");
            rounds::ask([("streaming_elicitation", wanted)], None)
        }
        other => return Err(unknown(other)),
    })
}

async fn sample(context: &RequestContext<RoleServer>, prompt: &str) -> CallToolResponse {
    let message = SamplingMessage::user_text(prompt);
    let params = CreateMessageRequestParams::new(vec![message], 100);
    match context.peer.create_message(params).await {
        Ok(answer) => {
            let first = answer.message.content.first().and_then(|content| content.as_text());
            let said = first.map(|content| content.text.clone()).unwrap_or_default();
            text(format!("LLM response: {said}"))
        }
        Err(cause) => failed(cause.to_string()),
    }
}

async fn elicit(
    context: &RequestContext<RoleServer>,
    says: &str,
    properties: Value,
    required: &[&str],
) -> CallToolResponse {
    let Some(form) = form(says, properties, required) else {
        return failed("the fixture's schema is wrong");
    };
    match context.peer.create_elicitation(form).await {
        Ok(answer) => {
            let action = json!(answer.action);
            let content = json!(answer.content);
            let action = action.as_str().unwrap_or_default();
            text(format!("Elicitation completed: action={action}, content={content}"))
        }
        Err(cause) => failed(cause.to_string()),
    }
}

pub(super) fn form(
    says: &str,
    properties: Value,
    required: &[&str],
) -> Option<ElicitRequestParams> {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: says.to_owned(),
        requested_schema: serde_json::from_value(schema).ok()?,
    })
}

fn defaults() -> Value {
    json!({
        "name": { "type": "string", "default": "John Doe" },
        "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 },
        "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
        "verified": { "type": "boolean", "default": true }
    })
}

fn choices() -> Value {
    let titled = json!([
        { "const": "value1", "title": "First Option" },
        { "const": "value2", "title": "Second Option" },
        { "const": "value3", "title": "Third Option" }
    ]);
    let plain = json!(["option1", "option2", "option3"]);
    json!({
        "untitledSingle": { "type": "string", "enum": plain },
        "titledSingle": { "type": "string", "oneOf": titled },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"]
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled } }
    })
}
