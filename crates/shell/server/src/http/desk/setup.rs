//! What the owner sets up in the page: connections, agents, grants.

use axum::{
    Extension, Json,
    extract::Path,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use symbolon_broker::{
    CallError, ConnectionView, GrantView, NewConnection, NewGrant, RevokedView, ServiceView,
    VerifiedView,
};
use symbolon_secret::Secret;

use super::{
    Desk, no_session,
    secret::{SecretBody, split},
};
use crate::http::{
    api::Sent,
    failure::{Failure, failure},
    schema,
};

type Answer<T> = Result<Json<T>, Failure>;

/// Every service of the catalogue.
#[utoipa::path(get, path = "/api/owner/services", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::Services), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn services(desk: Desk) -> Json<Value> {
    Json(json!({ "services": desk.broker.services() }))
}

/// One service: what connecting it takes, and what can be granted on it.
#[utoipa::path(get, path = "/api/owner/services/{id}", tag = "page", security(("page_session" = [])),
    params(("id" = String, Path, description = "The service's id.")),
    responses((status = 200, body = schema::Service), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(in crate::http) async fn service(desk: Desk, Path(id): Path<String>) -> Answer<ServiceView> {
    Ok(Json(desk.broker.service(&id)?))
}

/// Every connection.
#[utoipa::path(get, path = "/api/owner/connections", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::Connections), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn connections(desk: Desk) -> Answer<Value> {
    Ok(Json(json!({ "connections": desk.broker.connections().await? })))
}

/// Seals a credential and keeps the connection. The body is a line of JSON and, behind its line end, the
/// credential's bytes, which are read into a secret page and stand in no JSON.
#[utoipa::path(post, path = "/api/owner/connections", tag = "page", security(("page_session" = [])),
    request_body(content = String, content_type = "application/vnd.symbolon.connection",
        description = "`{\"service\": …, \"name\": …, \"verify\": true}`, a line end, the credential."),
    responses((status = 201, body = schema::Connection), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn connect(
    desk: Desk,
    Extension(body): Extension<SecretBody>,
) -> Result<(StatusCode, Json<ConnectionView>), Failure> {
    let (new, credential) = described(&body)?;
    Ok((StatusCode::CREATED, Json(desk.broker.connect(new, credential).await?)))
}

/// Looks whether a credential can be used, as for a connection, with a live call where it says so. The broker
/// keeps nothing of it: the page puts it into its owner's vault, with `scheme` as it is here.
#[utoipa::path(post, path = "/api/owner/try-connection", tag = "page", security(("page_session" = [])),
    request_body(content = String, content_type = "application/vnd.symbolon.connection",
        description = "As for `POST /api/owner/connections`."),
    responses((status = 200, body = schema::Tried), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn try_connection(
    desk: Desk,
    Extension(body): Extension<SecretBody>,
) -> Answer<Value> {
    let (new, credential) = described(&body)?;
    let scheme = new.vault_terms()?;
    let connection = desk.broker.try_connection(new, credential).await?;
    Ok(Json(json!({ "connection": connection, "scheme": scheme })))
}

/// One live, read-only call with a connection's credential, and what it showed.
#[utoipa::path(post, path = "/api/owner/connections/{name}/verify", tag = "page", security(("page_session" = [])),
    params(("name" = String, Path, description = "The connection's name.")),
    responses((status = 200, body = schema::Verified), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(in crate::http) async fn verify(desk: Desk, Path(name): Path<String>) -> Answer<VerifiedView> {
    Ok(Json(desk.broker.verify_connection(&name).await?))
}

/// Forgets a connection and its credential.
#[utoipa::path(delete, path = "/api/owner/connections/{name}", tag = "page", security(("page_session" = [])),
    params(("name" = String, Path, description = "The connection's name.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(in crate::http) async fn disconnect(
    desk: Desk,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    desk.broker.disconnect(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Agents that have a key.
#[utoipa::path(get, path = "/api/owner/agents", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::Agents), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn agents(desk: Desk) -> Answer<Value> {
    Ok(Json(json!({ "agents": desk.broker.agents().await? })))
}

/// Makes an agent's key; one that it had ends. The answer is the key and nothing else, this once.
#[utoipa::path(post, path = "/api/owner/agents/{name}", tag = "page", security(("page_session" = [])),
    params(("name" = String, Path, description = "The agent's name.")),
    responses((status = 201, body = String, content_type = "text/plain"), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn add_agent(
    desk: Desk,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let made = desk.broker.add_agent(&name).await?;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    let body = axum::body::Body::from(Bytes::from_owner(Shown(made.key)));
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, text)], body).into_response())
}

/// A key on its way to its owner: no copy but what HTTP makes of it.
struct Shown(Secret<[u8]>);

impl AsRef<[u8]> for Shown {
    fn as_ref(&self) -> &[u8] {
        // EXPOSE: shown once to the owner, who asked for it.
        self.0.expose()
    }
}

/// Ends an agent's key.
#[utoipa::path(delete, path = "/api/owner/agents/{name}", tag = "page", security(("page_session" = [])),
    params(("name" = String, Path, description = "The agent's name.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(in crate::http) async fn remove_agent(
    desk: Desk,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    desk.broker.remove_agent(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every grant, each with its sentence.
#[utoipa::path(get, path = "/api/owner/grants", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::Grants), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn grants(desk: Desk) -> Answer<Value> {
    Ok(Json(json!({ "grants": desk.broker.grants().await? })))
}

/// Gives an agent a grant.
#[utoipa::path(post, path = "/api/owner/grants", tag = "page", security(("page_session" = [])),
    request_body = schema::NewGrant,
    responses((status = 201, body = schema::Grant), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError), (status = 404, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn grant(
    desk: Desk,
    Sent(new): Sent<NewGrant>,
) -> Result<(StatusCode, Json<GrantView>), Failure> {
    Ok((StatusCode::CREATED, Json(desk.broker.grant(new).await?)))
}

/// Takes a grant back, and all that is under it.
#[utoipa::path(delete, path = "/api/owner/grants/{id}", tag = "page", security(("page_session" = [])),
    params(("id" = u64, Path, description = "The grant's number.")),
    responses((status = 200, body = schema::Revoked), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(in crate::http) async fn revoke(desk: Desk, Path(id): Path<String>) -> Answer<RevokedView> {
    let id = id.parse().map_err(|_| {
        let says = "There is no grant of this number.";
        failure("no_grant", StatusCode::NOT_FOUND, says, Some("GET /api/owner/grants"))
    })?;
    Ok(Json(desk.broker.revoke(id).await?))
}

/// A connection, and the credential behind its line.
fn described(body: &SecretBody) -> Result<(NewConnection, Secret<[u8]>), CallError> {
    let (line, credential) = split(&body.take().ok_or_else(no_session)?)?;
    let value = symbolon_codec::json::parse_bounded(&line, line.len(), 16)
        .map_err(|cause| shape(&cause.to_string()))?;
    let new = serde_json::from_value(value).map_err(|e| shape(&e.to_string()))?;
    Ok((new, credential))
}

fn shape(cause: &str) -> CallError {
    let says = format!("The first line has another shape: {cause}.");
    failure("bad_request", StatusCode::BAD_REQUEST, says, Some("GET /api/openapi.json"))
}
