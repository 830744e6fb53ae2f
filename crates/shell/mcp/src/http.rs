//! MCP over streamable HTTP.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use rmcp::{
    model::ProtocolVersion,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use symbolon_broker::Door;
use tokio_util::sync::CancellationToken;

use crate::{
    calls::Calls,
    handler::{Caller, Handler, Place},
    room::Leaving,
    seat::Seats,
    sessions::{SessionLimits, Sessions},
    slots::Limits,
};

/// How the HTTP door is set up.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// `host:port` authorities that requests may name, such as `127.0.0.1:7070`.
    pub hosts: Vec<String>,
    /// Origins that browsers may come from, such as `http://127.0.0.1:7070`. Others are refused.
    pub origins: Vec<String>,
    /// The largest message, in bytes.
    pub body_bytes_max: usize,
    /// Bounds of sessions of revision 2025-11-25.
    pub sessions: SessionLimits,
    /// Ends all streams when cancelled.
    pub stop: CancellationToken,
}

/// Bodies as they leave: whole, or a stream of events.
pub type HttpBody = BoxBody<Bytes, Infallible>;

/// The HTTP door. It does not authenticate: whoever mounts it says in each call who is calling.
pub struct HttpDoor<C: Calls> {
    rmcp: StreamableHttpService<Arc<Handler<C>>, LocalSessionManager>,
    sessions: Arc<Sessions>,
}

impl<C: Calls> std::fmt::Debug for HttpDoor<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpDoor").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// The HTTP door over a broker.
pub fn http_service<C: Calls>(calls: C, options: HttpOptions) -> HttpDoor<C> {
    let seats = Arc::new(Seats::new(calls, Door::McpHttp, Limits::default()));
    let sessions = Arc::new(Sessions::new(options.sessions));
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(options.hosts)
        .with_allowed_origins(options.origins)
        .enforce_origin_validation()
        .with_json_response(true)
        .with_max_request_body_bytes(options.body_bytes_max)
        .with_cancellation_token(options.stop);
    let make = move || Ok(Arc::new(Handler::new(Place::ByRequest(seats.clone()))));
    let rmcp = StreamableHttpService::new(make, sessions.manager(), config);
    HttpDoor { rmcp, sessions }
}

impl<C: Calls> HttpDoor<C> {
    /// Answers one request of `agent`, whose key the server has checked.
    pub async fn handle(&self, agent: Arc<str>, mut request: Request<Bytes>) -> Response<HttpBody> {
        for name in [header::AUTHORIZATION, header::COOKIE, API_KEY] {
            // The head goes along into the handler; a key has no business there.
            request.headers_mut().remove(name);
        }
        let modern = is_modern(request.headers());
        let named = session_id(request.headers());
        match &named {
            Some(id) if self.sessions.is_of(id, &agent) => {}
            Some(_) if modern => {
                request.headers_mut().remove(SESSION);
            }
            Some(_) => return error(StatusCode::NOT_FOUND, -32600, "no such session"),
            None if !modern && request.method() == Method::POST && self.sessions.full().await => {
                let mut response =
                    error(StatusCode::SERVICE_UNAVAILABLE, -32000, "too many sessions are open");
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
                return response;
            }
            None => {}
        }
        request.extensions_mut().insert(Caller(agent.clone()));
        let leaving = Leaving::default();
        request.extensions_mut().insert(leaving.clone());
        // Kept to say what was wrong with it, where it is JSON by its own account.
        let body = is_json(request.headers()).then(|| request.body().clone());
        let response = self.rmcp.handle(request.map(Full::new)).await;
        if let (None, Some(id)) = (named, session_id(response.headers())) {
            self.sessions.begin(id, agent).await;
        }
        carrying(in_json(response, body.as_deref()), leaving).await
    }
}

/// Ties what the answer holds to its bytes.
async fn carrying(response: Response<HttpBody>, leaving: Leaving) -> Response<HttpBody> {
    let carry = move |bytes| match leaving.take_any() {
        Some(held) => held.until_freed(bytes),
        None => bytes,
    };
    if is_json(response.headers()) {
        // It is whole already; a body that is mapped would lose its length.
        let (head, body) = response.into_parts();
        let Ok(whole) = body.collect().await;
        return Response::from_parts(head, Full::new(carry(whole.to_bytes())).boxed());
    }
    response.map(|body| body.map_frame(move |frame| frame.map_data(&carry)).boxed())
}

fn is_modern(headers: &HeaderMap) -> bool {
    let version = headers.get(VERSION).and_then(|value| value.to_str().ok());
    version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28.as_str())
}

fn session_id(headers: &HeaderMap) -> Option<Arc<str>> {
    headers.get(SESSION)?.to_str().ok().map(Into::into)
}

/// rmcp says its own refusals in plain text, and calls bad JSON a media type; clients read JSON-RPC.
pub(crate) fn in_json(response: Response<HttpBody>, request: Option<&[u8]>) -> Response<HttpBody> {
    let status = response.status();
    if is_json(response.headers()) || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (status, code, says) = match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE if request.is_none() => {
            (status, -32600, "send application/json")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE if request.is_some_and(is_rubbish) => {
            (StatusCode::BAD_REQUEST, -32700, "the body is not JSON")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (StatusCode::BAD_REQUEST, -32600, "the body is not one JSON-RPC 2.0 message")
        }
        StatusCode::NOT_ACCEPTABLE => {
            (status, -32600, "accept both application/json and text/event-stream")
        }
        StatusCode::NOT_FOUND => (status, -32600, "no such session"),
        StatusCode::METHOD_NOT_ALLOWED => (status, -32600, "this method is not for this resource"),
        StatusCode::PAYLOAD_TOO_LARGE => (status, -32600, "the body is too large"),
        StatusCode::FORBIDDEN => (status, -32600, "this Host or Origin is not allowed"),
        StatusCode::BAD_REQUEST => {
            (status, -32600, "a session id, or a supported MCP-Protocol-Version, is missing")
        }
        _ => (status, -32603, "the session could not take the message"),
    };
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut replaced = error(status, code, says);
    if let Some(allow) = allow {
        replaced.headers_mut().insert(header::ALLOW, allow);
    }
    replaced
}

fn is_rubbish(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_err()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

fn error(status: StatusCode, code: i32, says: &str) -> Response<HttpBody> {
    let body: Value = json!({ "jsonrpc": "2.0", "error": { "code": code, "message": says } });
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())).boxed());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
const API_KEY: header::HeaderName = header::HeaderName::from_static("x-api-key");
