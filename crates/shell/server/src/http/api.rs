//! `/api`: the broker in JSON, for agents that speak HTTP.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts};
use http_body_util::BodyExt;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use symbolon_broker::{
    Asking, CallError, CallReply, CallRequest, Context, NewDelegation, PendingCall, ReceiptFilter,
};
use symbolon_mcp::{Finish, Held, Seat, Seats, Turn};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    backend::Backend,
    desk,
    failure::{Failure, failure},
    flows, health, key, openapi, owner, schema,
};

/// What the routes share.
pub(super) struct Api<B: Backend> {
    pub backend: B,
    pub seats: Seats<B>,
    pub scheme: &'static str,
    /// Lists of receipts that are being read, for whomever.
    pub listing: Arc<Semaphore>,
    /// Browsers that watch.
    pub watching: Arc<Semaphore>,
    /// Ends what would go on for ever.
    pub stop: CancellationToken,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

/// Whose key the request carries, as was looked up before its body was read.
#[derive(Debug, Clone)]
pub(super) struct Known(pub Arc<str>);

/// All routes but `/mcp` and `/to`, which [`Front`](super::Front) answers itself.
pub(super) fn router<B: Backend>(api: Arc<Api<B>>) -> Router {
    Router::new()
        .route("/api/status", get(status::<B>))
        .route("/api/tools", get(tools::<B>))
        .route("/api/tools/{name}", get(tool::<B>))
        .route("/api/call", post(call::<B>))
        .route("/api/capability/request", post(request::<B>))
        .route("/api/capability/redeem", post(redeem::<B>))
        .route("/api/delegate", post(delegate::<B>))
        .route("/api/receipts", get(receipts::<B>))
        .route("/api/receipts/{number}", get(receipt::<B>))
        .route("/api/connections", get(connections::<B>))
        .route("/api/grants", get(grants::<B>))
        .route("/api/approvals", get(approvals::<B>))
        .merge(flows::router())
        .merge(owner::router())
        .merge(desk::router())
        .route("/api/openapi.json", get(openapi::document))
        .route("/healthz", get(healthz::<B>))
        .route("/metrics", get(metrics::<B>))
        .route(key::METADATA_PATH, get(metadata::<B>))
        .fallback(nowhere)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(api)
}

type Answer<T> = Result<Json<T>, Failure>;
type Shared<B> = State<Arc<Api<B>>>;

/// The broker as an agent may see it.
#[utoipa::path(get, path = "/api/status", tag = "broker", security(("agent_key" = [])),
    responses((status = 200, body = schema::AgentStatus), (status = 401, body = schema::CallError)))]
pub(super) async fn status<B: Backend>(
    State(api): Shared<B>,
    Signed(seat): Signed<B>,
) -> Json<schema::AgentStatus> {
    let status = api.backend.status();
    Json(schema::AgentStatus {
        agent: seat.agent().to_string(),
        unlocked: status.unlocked,
        version: status.version,
        durability: status.durability,
        memory: status.memory,
        log_entries: status.log_entries,
        uptime_ms: status.uptime_ms,
        granted_tools: seat.calls().granted_tools(seat.session()).len(),
    })
}

/// Tools that this agent may call; with `query`, tools of the whole catalogue that match.
#[utoipa::path(get, path = "/api/tools", tag = "tools", security(("agent_key" = [])),
    params(
        ("query" = Option<String>, Query, description = "A few words; without it, the granted tools."),
        ("limit" = Option<usize>, Query, description = "At most so many found; 10 where absent, 50 at most.")),
    responses((status = 200, body = schema::Tools), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError)))]
pub(super) async fn tools<B: Backend>(Signed(seat): Signed<B>, uri: Uri) -> Answer<Value> {
    let Search { query, limit } = asked(&uri)?;
    let limit = limit.unwrap_or(10).clamp(1, 50);
    Ok(Json(match query {
        Some(query) => json!({ "tools": seat.calls().search_tools(seat.session(), &query, limit) }),
        None => json!({ "tools": &*seat.calls().granted_tools(seat.session()) }),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: Option<String>,
    limit: Option<usize>,
}

/// One tool with its JSON Schemas.
#[utoipa::path(get, path = "/api/tools/{name}", tag = "tools", security(("agent_key" = [])),
    params(("name" = String, Path, description = "The tool's full name.")),
    responses((status = 200, body = schema::Tool), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(super) async fn tool<B: Backend>(
    Signed(seat): Signed<B>,
    Path(name): Path<String>,
) -> Answer<symbolon_broker::ToolView> {
    Ok(Json(seat.calls().describe_tool(seat.session(), &name)?))
}

/// Calls a tool: gates, intent, release, receipt.
#[utoipa::path(post, path = "/api/call", tag = "calls", security(("agent_key" = [])),
    request_body = schema::AskingCallRequest,
    responses((status = 200, body = schema::CallReply, description = "The upstream's answer, whatever its status."),
        (status = 202, body = schema::PendingCall, description = "The owner is asked; only where `asking` says so."),
        (status = 400, body = schema::CallError), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 422, body = schema::CallError),
        (status = 429, body = schema::CallError), (status = 502, body = schema::CallError)))]
pub(super) async fn call<B: Backend>(
    Signed(seat): Signed<B>,
    Sent(body): Sent<CallBody>,
) -> Result<Response, Failure> {
    let CallBody { tool, arguments, connection, minted, asking } = body;
    let request = CallRequest { tool, arguments, connection, minted };
    let Some(PollBody { state, wait_seconds }) = asking else {
        let (reply, held) = seat.call(Context::Direct, request).await?;
        return replied(&reply, held);
    };
    let wait = Duration::from_secs(wait_seconds.unwrap_or(0).min(WAIT_SECONDS_MAX));
    let asking = Asking { state, ..Asking::default() };
    let pending = match seat.call_asking(Context::Direct, request, asking).await? {
        Turn::Done(reply, held) => return replied(&reply, held),
        Turn::Asked(pending) if wait.is_zero() => return Ok(waits(&pending)),
        Turn::Asked(pending) => pending,
    };
    seat.calls().until_answered(pending.number, Some(wait)).await;
    let again = Asking { state: Some(pending.state), ..Asking::default() };
    match seat.call_asking(Context::Direct, pending.request, again).await? {
        Turn::Done(reply, held) => replied(&reply, held),
        Turn::Asked(pending) => Ok(waits(&pending)),
    }
}

/// The body of a call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallBody {
    tool: String,
    #[serde(default)]
    arguments: serde_json::Map<String, Value>,
    #[serde(default)]
    connection: Option<String>,
    #[serde(default)]
    minted: Option<String>,
    /// The caller comes again where a person is asked, instead of waiting on the line.
    #[serde(default)]
    asking: Option<PollBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PollBody {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    wait_seconds: Option<u64>,
}

/// 202: the owner is asked. The same call with the state in `asking` runs once they said yes.
fn waits(pending: &PendingCall) -> Response {
    let body = json!({
        "code": "approval_pending",
        "approval": pending.number,
        "state": pending.state,
        "message": pending.sentence,
        "next": format!(
            "{}; then POST /api/call again with this state in asking.state",
            pending.next
        ),
        "expires_in_seconds": pending.expires_in_seconds,
    });
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(POLL_SECONDS));
    response
}

/// This agent's calls that wait for the owner.
#[utoipa::path(get, path = "/api/approvals", tag = "calls", security(("agent_key" = [])),
    responses((status = 200, body = schema::OwnApprovals), (status = 401, body = schema::CallError)))]
pub(super) async fn approvals<B: Backend>(
    State(api): Shared<B>,
    Signed(seat): Signed<B>,
) -> Json<Value> {
    Json(json!({ "approvals": api.backend.approvals_of(seat.agent()) }))
}

/// The first of two steps: a single-use token for one exact call.
#[utoipa::path(post, path = "/api/capability/request", tag = "calls", security(("agent_key" = [])),
    request_body = schema::CallRequest,
    responses((status = 200, body = schema::TokenReply), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 422, body = schema::CallError)))]
pub(super) async fn request<B: Backend>(
    Signed(seat): Signed<B>,
    Sent(request): Sent<CallRequest>,
) -> Answer<symbolon_broker::TokenReply> {
    Ok(Json(seat.request(&Context::Direct, request)?))
}

/// The second step: makes the call that the token is for, once, for the agent that asked.
#[utoipa::path(post, path = "/api/capability/redeem", tag = "calls", security(("agent_key" = [])),
    request_body = schema::Redeem,
    responses((status = 200, body = schema::CallReply), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 403, body = schema::CallError)))]
pub(super) async fn redeem<B: Backend>(
    Signed(seat): Signed<B>,
    Sent(Redeem { token }): Sent<Redeem>,
) -> Result<Response, Failure> {
    let (reply, held) = seat.redeem(Context::Direct, token).await?;
    replied(&reply, held)
}

/// A reply as JSON, which keeps its turn and its room until it has left.
fn replied(reply: &CallReply, held: Held) -> Result<Response, Failure> {
    let body = serde_json::to_vec(reply).map_err(|_| bug())?;
    let mut response = Response::new(Body::from(held.until_freed(Bytes::from(body))));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

/// Hands on a part of what this agent was granted: never more than it has, nor longer.
#[utoipa::path(post, path = "/api/delegate", tag = "calls", security(("agent_key" = [])),
    request_body = schema::NewDelegation,
    responses((status = 200, body = schema::Delegated), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 409, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(super) async fn delegate<B: Backend>(
    Signed(seat): Signed<B>,
    Sent(new): Sent<NewDelegation>,
) -> Answer<Value> {
    Ok(Json(seat.delegate(new).await?.to_json()))
}

/// The body of a redemption.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Redeem {
    token: String,
}

/// This agent's receipts, newest first.
#[utoipa::path(get, path = "/api/receipts", tag = "receipts", security(("agent_key" = [])),
    params(
        ("limit" = Option<usize>, Query, description = "At most so many; 50 where absent, 1,000 at most."),
        ("before" = Option<u64>, Query, description = "Only those numbered below."),
        ("tool" = Option<String>, Query, description = "Only those whose tool begins so.")),
    responses((status = 200, body = schema::Receipts), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError)))]
pub(super) async fn receipts<B: Backend>(
    State(api): Shared<B>,
    Signed(seat): Signed<B>,
    uri: Uri,
) -> Answer<Value> {
    let Page { limit, before, tool } = asked(&uri)?;
    let agent = Some(seat.agent().to_string());
    let limit = limit.map(|limit| limit.min(1000));
    let filter = ReceiptFilter { limit, agent, tool, before };
    let slot = seat.slots().enter().await?;
    let turn = api.listing.clone().acquire_owned().await.map_err(|_| bug())?;
    // Reading goes on after its caller has gone, and so do the turns.
    let rows = Finish::new(async move {
        let _turns = (slot, turn);
        api.backend.receipts(filter).await
    });
    let rows = rows.await?;
    Ok(Json(json!({ "receipts": rows })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<usize>,
    before: Option<u64>,
    tool: Option<String>,
}

/// One of this agent's receipts, as a bundle that `symbolon verify` checks offline.
#[utoipa::path(get, path = "/api/receipts/{number}", tag = "receipts", security(("agent_key" = [])),
    params(("number" = u64, Path, description = "The receipt's number.")),
    responses((status = 200, body = Object, description = "DSSE envelope, inclusion proof, checkpoint."),
        (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(super) async fn receipt<B: Backend>(
    State(api): Shared<B>,
    Signed(seat): Signed<B>,
    Path(number): Path<String>,
) -> Answer<Value> {
    let number: u64 = number.parse().map_err(|_| no_receipt())?;
    let slot = seat.slots().enter().await?;
    let bundle = Finish::new(async move {
        let _slot = slot;
        // Another agent's receipt is told apart from none by nobody.
        match api.backend.receipt_row(number).await {
            Ok(row) if row.agent == **seat.agent() => api.backend.receipt(number).await,
            Err(error) if error.http_status != StatusCode::NOT_FOUND => Err(error),
            _ => Err(no_receipt()),
        }
    });
    Ok(Json(bundle.await?))
}

fn no_receipt() -> CallError {
    let next = "GET /api/receipts";
    failure("no_receipt", StatusCode::NOT_FOUND, "You have no receipt of this number.", Some(next))
}

/// Connections that this agent's grants name.
#[utoipa::path(get, path = "/api/connections", tag = "broker", security(("agent_key" = [])),
    responses((status = 200, body = schema::Connections), (status = 401, body = schema::CallError)))]
pub(super) async fn connections<B: Backend>(
    State(api): Shared<B>,
    Signed(seat): Signed<B>,
) -> Answer<Value> {
    let mut own = api.backend.grants().await?;
    own.retain(|grant| grant.agent == **seat.agent() && grant.state == "active");
    let mut connections = api.backend.connections().await?;
    connections.retain(|one| own.iter().any(|grant| grant.connection == one.name));
    Ok(Json(json!({ "connections": connections })))
}

/// This agent's grants.
#[utoipa::path(get, path = "/api/grants", tag = "broker", security(("agent_key" = [])),
    responses((status = 200, body = schema::Grants), (status = 401, body = schema::CallError)))]
pub(super) async fn grants<B: Backend>(
    State(api): Shared<B>,
    Signed(seat): Signed<B>,
) -> Answer<Value> {
    let mut own = api.backend.grants().await?;
    own.retain(|grant| grant.agent == **seat.agent());
    Ok(Json(json!({ "grants": own })))
}

/// Whether calls can be made.
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, body = health::Health), (status = 503, body = health::Health)))]
pub(super) async fn healthz<B: Backend>(State(api): Shared<B>) -> Response {
    health::health(&api.backend)
}

/// Prometheus text; from this machine, or with an agent's key.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 401, body = schema::CallError)))]
pub(super) async fn metrics<B: Backend>(
    State(api): Shared<B>,
    headers: HeaderMap,
    axum::Extension(Peer(peer)): axum::Extension<Peer>,
) -> Result<Response, Failure> {
    if !peer.ip().to_canonical().is_loopback() {
        key::agent(&api.backend, &headers)?;
    }
    Ok(health::metrics(&api.backend))
}

/// What `/mcp` wants of a client, in the words of RFC 9728.
#[utoipa::path(get, path = "/.well-known/oauth-protected-resource/mcp", tag = "operation",
    responses((status = 200, body = schema::ResourceMetadata)))]
pub(super) async fn metadata<B: Backend>(
    State(api): Shared<B>,
    headers: HeaderMap,
) -> Json<schema::ResourceMetadata> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    Json(schema::ResourceMetadata {
        resource: format!("{}://{host}/mcp", api.scheme),
        // Keys are made by the owner with `symbolon agents add`: there is no server to ask.
        authorization_servers: Vec::new(),
        bearer_methods_supported: vec!["header".to_owned()],
        resource_name: "Symbolon".to_owned(),
    })
}

pub(super) async fn nowhere() -> Failure {
    let next = "GET /api/openapi.json";
    Failure(failure(
        "no_route",
        StatusCode::NOT_FOUND,
        "There is nothing at this path.",
        Some(next),
    ))
}

pub(super) async fn no_method() -> Failure {
    Failure(failure(
        "no_method",
        StatusCode::METHOD_NOT_ALLOWED,
        "This path has no such method.",
        Some("GET /api/openapi.json"),
    ))
}

pub(super) fn panicked(_: Box<dyn std::any::Any + Send>) -> http::Response<Body> {
    tracing::error!("a route panicked");
    bug().into_response()
}

fn bug() -> Failure {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let error = failure("bug", status, "This is a bug in symbolon.", Some("symbolon status"));
    Failure(CallError { fault: symbolon_broker::Fault::Us, ..error })
}

/// A request whose key is an agent's, with the agent's seat.
pub(super) struct Signed<B: Backend>(pub Arc<Seat<B>>);

impl<B: Backend> FromRequestParts<Arc<Api<B>>> for Signed<B> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api<B>>) -> Result<Self, Failure> {
        // A route that asks for a key is never open, even where the door did not ask before it.
        let agent = match parts.extensions.get::<Known>() {
            Some(Known(agent)) => agent.clone(),
            None => key::agent(&api.backend, &parts.headers)?,
        };
        Ok(Self(api.seats.of(&agent)?))
    }
}

/// A JSON body: bounded in depth, without duplicate keys, without members that nobody reads.
pub(super) struct Sent<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Sent<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let is_json = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
            kind.as_bytes().to_ascii_lowercase().starts_with(b"application/json")
        });
        if !is_json {
            let says = "The body must be application/json.";
            return Err(failure("not_json", StatusCode::UNSUPPORTED_MEDIA_TYPE, says, None).into());
        }
        let bytes = request.into_body().collect().await.map_err(|_| bad("The body broke off."))?;
        let bytes = bytes.to_bytes();
        let value = symbolon_codec::json::parse_bounded(&bytes, bytes.len(), JSON_DEPTH_MAX)
            .map_err(|cause| bad(format!("The body is not JSON that is taken here: {cause}.")))?;
        serde_json::from_value(value).map(Self).map_err(|cause| {
            let says = format!("The body has another shape: {cause}.");
            let next = "GET /api/openapi.json";
            failure("bad_request", StatusCode::UNPROCESSABLE_ENTITY, says, Some(next)).into()
        })
    }
}

fn bad(says: impl Into<String>) -> Failure {
    failure("bad_json", StatusCode::BAD_REQUEST, says, None).into()
}

pub(super) fn asked<T: DeserializeOwned>(uri: &Uri) -> Result<T, Failure> {
    Query::try_from_uri(uri).map(|Query(asked)| asked).map_err(|_| {
        let says = "The query has members that are not known or have another type.";
        failure("bad_query", StatusCode::BAD_REQUEST, says, Some("GET /api/openapi.json")).into()
    })
}

const JSON_DEPTH_MAX: usize = 64;
/// How long a call that comes again may stay on the line each time.
const WAIT_SECONDS_MAX: u64 = 100;
/// How soon it may come again.
const POLL_SECONDS: u64 = 2;
