//! Tools that need more than one round, as revision 2026-07-28 does it: the answer names what is missing
//! and carries sealed state, and the client asks again with both.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CreateMessageRequest, CreateMessageRequestParams,
        ElicitRequest, InputRequest, InputRequests, InputRequiredResult, InputResponses,
        ListRootsRequest, RequestStateCodec, SamplingMessage,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{asking, text, unknown};

pub(super) const PREFIX: &str = "test_input_required_result_";

pub(super) const NAMES: &[&str] = &[
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
];

pub(super) fn answer(
    kind: &str,
    codec: &RequestStateCodec,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let answers = request.input_responses.as_ref();
    let state = open(codec, request.request_state.as_deref())?;
    let seal = |state: Value| {
        let failed = |_| ErrorData::internal_error("the state could not be sealed", None);
        codec.seal_json(&state).map(Some).map_err(failed)
    };
    Ok(match kind {
        "elicitation" => match answered(answers, "user_name") {
            Some(given) => text(format!("Hello, {}!", said(&given["content"]["name"]))),
            None => ask([("user_name", question("What is your name?", "name", "string"))], None),
        },
        "sampling" => match answered(answers, "capital_question") {
            Some(given) => text(format!("Sampling response: {}", said(&given["content"]["text"]))),
            None => ask([("capital_question", sample("What is the capital of France?"))], None),
        },
        "list_roots" => match answered(answers, "client_roots") {
            Some(given) => text(format!("Client roots: {}", given["roots"])),
            None => ask([("client_roots", roots())], None),
        },
        "request_state" | "tampered_state" => match state {
            Some(_) => text("Confirmed: state-ok"),
            None => {
                let wanted = question("Please confirm", "ok", "boolean");
                ask([("confirm", wanted)], seal(json!({ "wants": "confirm" }))?)
            }
        },
        "multiple_inputs" => {
            let wanted = ["user_name", "greeting", "client_roots"];
            if state.is_some() && wanted.iter().all(|key| answered(answers, key).is_some()) {
                text("All inputs received")
            } else {
                let [name, greeting, client_roots] = wanted;
                let asked = [
                    (name, question("What is your name?", "name", "string")),
                    (greeting, sample("Generate a greeting")),
                    (client_roots, roots()),
                ];
                ask(asked, seal(json!({ "wants": "all" }))?)
            }
        }
        "multi_round" => match state.and_then(|state| state["round"].as_u64()) {
            None => {
                let wanted = question("What is your name?", "name", "string");
                ask([("step1", wanted)], seal(json!({ "round": 1 }))?)
            }
            Some(1) => {
                let wanted = question("What is your favourite colour?", "color", "string");
                ask([("step2", wanted)], seal(json!({ "round": 2 }))?)
            }
            Some(_) => text("Every round is done"),
        },
        "capabilities" => within_capabilities(answers.is_some(), context),
        other => return Err(unknown(other)),
    })
}

/// Asks only for what the client said that it can give.
fn within_capabilities(done: bool, context: &RequestContext<RoleServer>) -> CallToolResponse {
    let client = context.client_capabilities().unwrap_or_default();
    let mut wanted = Vec::new();
    if client.elicitation.is_some() {
        wanted.push(("user_name", question("What is your name?", "name", "string")));
    }
    if client.sampling.is_some() {
        wanted.push(("greeting", sample("Generate a greeting")));
    }
    if client.roots.is_some() {
        wanted.push(("client_roots", roots()));
    }
    if done || wanted.is_empty() { text("Nothing more is needed") } else { ask(wanted, None) }
}

fn open(codec: &RequestStateCodec, sealed: Option<&str>) -> Result<Option<Value>, ErrorData> {
    let refused = |_| ErrorData::invalid_params("requestState was changed", None);
    sealed.map(|sealed| codec.open_json(sealed).map_err(refused)).transpose()
}

pub(super) fn ask<'a>(
    wanted: impl IntoIterator<Item = (&'a str, InputRequest)>,
    state: Option<String>,
) -> CallToolResponse {
    let wanted: InputRequests =
        wanted.into_iter().map(|(key, request)| (key.to_owned(), request)).collect();
    InputRequiredResult::new(Some(wanted), state).into()
}

pub(super) fn question(says: &str, field: &str, kind: &str) -> InputRequest {
    let form = asking::form(says, json!({ field: { "type": kind } }), &[field]);
    // INFALLIBLE: the schema is made here, of one field of a plain kind.
    InputRequest::Elicitation(ElicitRequest::new(form.expect("a schema of one plain field")))
}

fn sample(prompt: &str) -> InputRequest {
    let message = SamplingMessage::user_text(prompt);
    let params = CreateMessageRequestParams::new(vec![message], 100);
    InputRequest::CreateMessage(CreateMessageRequest::new(params))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

/// What the client answered under a key; anything that is no object counts as missing.
pub(super) fn answered<'a>(answers: Option<&'a InputResponses>, key: &str) -> Option<&'a Value> {
    answers?.get(key).filter(|given| given.is_object())
}

pub(super) fn said(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
