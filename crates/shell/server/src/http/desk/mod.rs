//! What the page asks (`specs/page.md`): `/api/owner` beside approvals, for a browser's session alone. An
//! owner's token opens approvals and nothing of this.

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRequestParts,
    routing::{delete, get, post},
};
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use symbolon_broker::{Broker, CallError, DeskSession};

use super::{
    api::Api,
    backend::Backend,
    failure::{Failure, failure},
};

pub(super) mod account;
pub(super) mod live;
pub(super) mod page;
pub(super) mod record;
pub(super) mod secret;
pub(super) mod session;
pub(super) mod setup;
pub(super) mod ways;

pub(super) fn router<B: Backend>() -> Router<Arc<Api<B>>> {
    Router::new()
        .route("/api/owner/session", get(session::show).post(session::open).delete(session::close))
        .route("/api/owner/session/confirm", post(account::confirm))
        .route("/api/owner/account", get(account::show).post(account::join).delete(account::leave))
        .route("/api/owner/status", get(record::status))
        .route("/api/owner/lock", post(record::lock))
        .route("/api/owner/unlock-key", get(ways::unlock_key))
        .route("/api/owner/unlock", post(ways::unlock))
        .route("/api/owner/ways", get(ways::ways).post(ways::add_way))
        .route("/api/owner/way-key", get(ways::way_key))
        .route("/api/owner/ways/{id}", delete(ways::remove_way))
        .route("/api/owner/log", get(record::log))
        .route("/api/owner/live", get(live::live))
        .route("/api/owner/receipts", get(record::receipts))
        .route("/api/owner/receipts/{number}", get(record::receipt))
        .route("/api/owner/receipts/{number}/bundle", get(record::bundle))
        .route("/api/owner/services", get(setup::services))
        .route("/api/owner/services/{id}", get(setup::service))
        .route("/api/owner/connections", get(setup::connections).post(setup::connect))
        .route("/api/owner/try-connection", post(setup::try_connection))
        .route("/api/owner/connections/{name}", delete(setup::disconnect))
        .route("/api/owner/connections/{name}/verify", post(setup::verify))
        .route("/api/owner/agents", get(setup::agents))
        .route("/api/owner/agents/{name}", post(setup::add_agent).delete(setup::remove_agent))
        .route("/api/owner/grants", get(setup::grants).post(setup::grant))
        .route("/api/owner/grants/{id}", delete(setup::revoke))
}

/// The path at which a link's code becomes a session: nobody has one before.
pub(super) const SESSION_PATH: &str = "/api/owner/session";

/// What is done with the body of a request under `/api/owner/`.
pub(super) enum Takes {
    /// It is read.
    Body,
    /// It is read into secret memory.
    Secret,
    /// There must be none.
    None,
    /// It is left unread: there is no such route.
    Nothing,
}

pub(super) fn takes(method: &Method, path: &str) -> Takes {
    let rest = path.strip_prefix(super::owner::PREFIX).unwrap_or_default();
    let segments: Vec<&str> = rest.splitn(4, '/').collect();
    match (method, &segments[..]) {
        (&Method::GET | &Method::HEAD, _) => Takes::None,
        (&Method::POST, ["session" | "connections" | "try-connection"]) => Takes::Secret,
        (&Method::POST, ["grants" | "unlock" | "ways"] | ["approvals", _, "approve" | "deny"]) => {
            Takes::Body
        }
        (
            &Method::POST,
            ["lock" | "account"]
            | ["session", "confirm"]
            | ["agents", _]
            | ["connections", _, "verify"],
        ) => Takes::None,
        (
            &Method::DELETE,
            ["session" | "account"] | ["agents" | "connections" | "grants" | "ways", _],
        ) => Takes::None,
        _ => Takes::Nothing,
    }
}

/// A request of a browser's session, with the broker that it is about.
pub(in crate::http) struct Desk {
    pub broker: Arc<Broker>,
    pub session: DeskSession,
}

impl<B: Backend> FromRequestParts<Arc<Api<B>>> for Desk {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api<B>>) -> Result<Self, Failure> {
        let session = session_of(&api.backend, parts).ok_or_else(no_session)?;
        let broker = api.backend.broker().ok_or_else(no_session)?.clone();
        Ok(Self { broker, session })
    }
}

/// The session that a head carries: its cookie, and the word beside it. The cookie alone is worth
/// nothing, since a browser sends it to every port of this host, whoever listens there.
pub(super) fn session_of<B: Backend>(backend: &B, parts: &Parts) -> Option<DeskSession> {
    let is_safe = matches!(parts.method, Method::GET | Method::HEAD);
    // What a browser sends with every request that may change something; its value was looked at before.
    if !is_safe && !parts.headers.contains_key(header::ORIGIN) {
        return None;
    }
    let (cookie, csrf) = words(&parts.headers)?;
    backend.broker()?.desk_session(cookie, csrf)
}

/// The cookie's value and the word beside it.
pub(super) fn words(headers: &HeaderMap) -> Option<(&[u8], &[u8])> {
    let mut named = headers.get_all(CSRF).iter();
    let (Some(csrf), None) = (named.next(), named.next()) else { return None };
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| pair.trim_ascii().strip_prefix(COOKIE)?.strip_prefix(b"="));
    match (found.next(), found.next()) {
        (Some(cookie), None) => Some((cookie, csrf.as_bytes())),
        _ => None,
    }
}

/// `no_session`, 401.
pub(super) fn no_session() -> CallError {
    failure(
        "no_session",
        StatusCode::UNAUTHORIZED,
        "This needs the owner's session in a browser.",
        Some("symbolon page"),
    )
}

/// The name of the cookie: of this host alone, never over plain HTTP but on loopback.
const COOKIE: &[u8] = b"__Host-symbolon-owner";
/// The header in which the page says the word that it was given beside its cookie.
pub(super) const CSRF: &str = "x-symbolon-csrf";
