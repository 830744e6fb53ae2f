//! `/api/owner`: what the owner answers over HTTP, with a token that is no agent's key, or in the page.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, State},
    routing::{get, post},
};
use http::{StatusCode, header, request::Parts};
use serde::Deserialize;
use symbolon_broker::{ApprovalView, ApprovalsView, CallError, Yes};

use super::{
    api::{Api, Sent},
    backend::Backend,
    desk,
    failure::{Failure, failure},
    schema,
};

/// Everything under this prefix is the owner's.
pub(super) const PREFIX: &str = "/api/owner/";

pub(super) fn router<B: Backend>() -> Router<Arc<Api<B>>> {
    Router::new()
        .route("/api/owner/approvals", get(approvals::<B>))
        .route("/api/owner/approvals/{number}", get(approval::<B>))
        .route("/api/owner/approvals/{number}/approve", post(approve::<B>))
        .route("/api/owner/approvals/{number}/deny", post(deny::<B>))
}

type Answer<T> = Result<Json<T>, Failure>;

/// Questions that wait, each with its sentence and the exact request; what stands for a while; the last
/// that ended.
#[utoipa::path(get, path = "/api/owner/approvals", tag = "owner", security(("owner_token" = [])),
    responses((status = 200, body = schema::Approvals), (status = 401, body = schema::CallError)))]
pub(super) async fn approvals<B: Backend>(
    State(api): State<Arc<Api<B>>>,
    _: Owner,
) -> Json<ApprovalsView> {
    Json(api.backend.approvals())
}

/// One question with the whole request.
#[utoipa::path(get, path = "/api/owner/approvals/{number}", tag = "owner", security(("owner_token" = [])),
    params(("number" = u64, Path, description = "The question's number.")),
    responses((status = 200, body = schema::Approval), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(super) async fn approval<B: Backend>(
    State(api): State<Arc<Api<B>>>,
    _: Owner,
    Path(number): Path<String>,
) -> Answer<ApprovalView> {
    Ok(Json(api.backend.approval(read(&number)?)?))
}

/// Yes: durable when this answers; the call may then be made, once.
#[utoipa::path(post, path = "/api/owner/approvals/{number}/approve", tag = "owner",
    security(("owner_token" = [])), request_body = schema::Yes,
    params(("number" = u64, Path, description = "The question's number.")),
    responses((status = 200, body = schema::Approval), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError)))]
pub(super) async fn approve<B: Backend>(
    State(api): State<Arc<Api<B>>>,
    _: Owner,
    Path(number): Path<String>,
    Sent(yes): Sent<Yes>,
) -> Answer<ApprovalView> {
    Ok(Json(api.backend.approve(read(&number)?, yes).await?))
}

/// No, with a reason that the agent is told.
#[utoipa::path(post, path = "/api/owner/approvals/{number}/deny", tag = "owner",
    security(("owner_token" = [])), request_body = schema::No,
    params(("number" = u64, Path, description = "The question's number.")),
    responses((status = 200, body = schema::Approval), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError)))]
pub(super) async fn deny<B: Backend>(
    State(api): State<Arc<Api<B>>>,
    _: Owner,
    Path(number): Path<String>,
    Sent(No { reason }): Sent<No>,
) -> Answer<ApprovalView> {
    Ok(Json(api.backend.deny(read(&number)?, reason)?))
}

fn read(number: &str) -> Result<u64, CallError> {
    let none = || {
        let says = "There is no question of this number.";
        failure("no_approval", StatusCode::NOT_FOUND, says, Some("GET /api/owner/approvals"))
    };
    number.parse().map_err(|_| none())
}

/// The body of a no.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct No {
    #[serde(default)]
    reason: Option<String>,
}

/// A request with one of the owner's tokens, or of the page.
pub(super) struct Owner(());

impl<B: Backend> FromRequestParts<Arc<Api<B>>> for Owner {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api<B>>) -> Result<Self, Failure> {
        Ok(check(&api.backend, parts).map(|()| Self(()))?)
    }
}

/// Whether the head carries an owner's token, in `Authorization: Bearer` alone, or a browser's session.
///
/// # Errors
/// `no_owner_token`, 401: also for an agent's key, so that no agent answers itself.
pub(super) fn check<B: Backend>(backend: &B, parts: &Parts) -> Result<(), CallError> {
    let value = parts.headers.get(header::AUTHORIZATION).map(|v| v.as_bytes().trim_ascii());
    let token = value.and_then(|v| {
        let (scheme, token) = v.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
    });
    match token {
        Some(token) if backend.is_owner(token) => Ok(()),
        None if desk::session_of(backend, parts).is_some() => Ok(()),
        None if parts.headers.contains_key(desk::CSRF) => Err(desk::no_session()),
        _ => Err(failure(
            "no_owner_token",
            StatusCode::UNAUTHORIZED,
            "This needs one of the owner's tokens; an agent's key is none.",
            Some("symbolon owner token, then send the header Authorization: Bearer TOKEN"),
        )),
    }
}
