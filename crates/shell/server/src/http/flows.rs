//! `/api/flows`, `/api/flow-runs`: an agent runs the flows that its owner keeps for it, and follows its
//! own runs.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use http::Uri;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use symbolon_broker::{FlowProgress, FlowRunView};
use symbolon_mcp::Finish;

use super::{
    api::{Api, Sent, Signed, asked},
    backend::Backend,
    failure::Failure,
    schema,
};

/// Everything under these prefixes that is a POST has a body.
pub(super) const PREFIXES: [&str; 2] = ["/api/flows/", "/api/flow-runs/"];

pub(super) fn router<B: Backend>() -> Router<Arc<Api<B>>> {
    Router::new()
        .route("/api/flows", get(flows::<B>))
        .route("/api/flows/{name}/run", post(run::<B>))
        .route("/api/flow-runs/{run}", get(show::<B>))
        .route("/api/flow-runs/{run}/progress", get(progress::<B>))
        .route("/api/flow-runs/{run}/cancel", post(cancel::<B>))
}

type Answer<T> = Result<Json<T>, Failure>;

/// Flows that the owner keeps for this agent, with their inputs.
#[utoipa::path(get, path = "/api/flows", tag = "flows", security(("agent_key" = [])),
    responses((status = 200, body = schema::Flows), (status = 401, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(super) async fn flows<B: Backend>(Signed(seat): Signed<B>) -> Answer<Value> {
    let flows = seat.calls().flows(seat.session()).await?;
    Ok(Json(json!({ "flows": flows })))
}

/// Begins a run of one of them; it is on its way when this answers.
#[utoipa::path(post, path = "/api/flows/{name}/run", tag = "flows", security(("agent_key" = [])),
    params(("name" = String, Path, description = "The flow's name.")), request_body = schema::FlowInputs,
    responses((status = 200, body = schema::FlowRun), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(super) async fn run<B: Backend>(
    Signed(seat): Signed<B>,
    Path(name): Path<String>,
    Sent(Inputs { inputs }): Sent<Inputs>,
) -> Answer<FlowRunView> {
    let slot = seat.slots().enter().await?;
    let begun = seat.calls().flow_start(seat.session(), name, inputs);
    // It begins also where its caller has gone meanwhile.
    let begun = Finish::new(async move {
        let _slot = slot;
        begun.await
    });
    Ok(Json(begun.await?))
}

/// One of this agent's runs, with its steps.
#[utoipa::path(get, path = "/api/flow-runs/{run}", tag = "flows", security(("agent_key" = [])),
    params(("run" = String, Path, description = "The run's name.")),
    responses((status = 200, body = schema::FlowRun), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(super) async fn show<B: Backend>(
    Signed(seat): Signed<B>,
    Path(run): Path<String>,
) -> Answer<FlowRunView> {
    Ok(Json(seat.calls().flow_show(seat.session(), run).await?))
}

/// What happened in a run since: at once where something has, else when something does, or after 10
/// seconds.
#[utoipa::path(get, path = "/api/flow-runs/{run}/progress", tag = "flows", security(("agent_key" = [])),
    params(("run" = String, Path, description = "The run's name."),
        ("after" = Option<u64>, Query, description = "The `next` of the last answer; 0 where absent.")),
    responses((status = 200, body = schema::FlowProgress), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 404, body = schema::CallError),
        (status = 409, body = schema::CallError, description = "The run does not go on.")))]
pub(super) async fn progress<B: Backend>(
    Signed(seat): Signed<B>,
    Path(run): Path<String>,
    uri: Uri,
) -> Answer<FlowProgress> {
    let Since { after } = asked(&uri)?;
    let after = after.unwrap_or(0);
    Ok(Json(seat.calls().flow_progress(seat.session(), run, after).await?))
}

/// Ends a run: no new step begins, and what is on its way is waited for.
#[utoipa::path(post, path = "/api/flow-runs/{run}/cancel", tag = "flows", security(("agent_key" = [])),
    params(("run" = String, Path, description = "The run's name.")), request_body = schema::Cancel,
    responses((status = 200, body = schema::FlowRun), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError)))]
pub(super) async fn cancel<B: Backend>(
    Signed(seat): Signed<B>,
    Path(run): Path<String>,
    Sent(Cancel {}): Sent<Cancel>,
) -> Answer<FlowRunView> {
    let ended = seat.calls().flow_cancel(seat.session(), run);
    Ok(Json(Finish::new(ended).await?))
}

/// The body of a beginning.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    #[serde(default)]
    inputs: Map<String, Value>,
}

/// The body of an end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    after: Option<u64>,
}
