//! The owner's account (`specs/page.md`): who signs in to it is the owner too.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, response::Response};
use http::{HeaderMap, Method, StatusCode, request::Parts};
use symbolon_broker::{CallError, DeskSession};
use symbolon_codec::hex;

use super::{Desk, no_session, session, words};
use crate::http::{api::Api, backend::Backend, failure::Failure, owner::PREFIX, schema};

/// The header that says the word of the account's session, where the owner's own stands in `x-symbolon-csrf`.
pub(in crate::http) const ACCOUNT_CSRF: &str = "x-symbolon-account-csrf";

/// The account whose session came with a request, confirmed within the last minutes.
#[derive(Clone, Copy)]
pub(in crate::http) struct Shown(pub [u8; 16]);

/// Whether a request is of an owner who shows an account beside it.
pub(in crate::http) fn asks(head: &Parts) -> bool {
    head.method == Method::POST
        && head.uri.path().starts_with(PREFIX)
        && head.headers.contains_key(ACCOUNT_CSRF)
}

/// The account that is the owner's, if any.
#[utoipa::path(get, path = "/api/owner/account", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::OwnerAccount), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn show(desk: Desk) -> Result<Json<serde_json::Value>, Failure> {
    let account = desk.broker.owner_account().await?.map(hex::encode);
    Ok(Json(serde_json::json!({ "account": account })))
}

/// Makes the account that is signed in here the owner's; its session is confirmed, and its word stands in
/// `x-symbolon-account-csrf`.
#[utoipa::path(post, path = "/api/owner/account", tag = "page", security(("page_session" = [])),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 409, body = schema::CallError)))]
pub(in crate::http) async fn join(
    desk: Desk,
    shown: Option<Extension<Shown>>,
) -> Result<StatusCode, Failure> {
    let Extension(Shown(account)) = shown.ok_or_else(no_session)?;
    desk.broker.join_account(&account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The owner has no account any more. The account and its vault stay what they are.
#[utoipa::path(delete, path = "/api/owner/account", tag = "page", security(("page_session" = [])),
    responses((status = 204), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn leave(desk: Desk) -> Result<StatusCode, Failure> {
    desk.broker.leave_account().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// This session is good for changes of who opens the broker, for ten minutes: the account that is signed in here
/// is the owner's, and was confirmed. Its word stands in `x-symbolon-account-csrf`.
#[utoipa::path(post, path = "/api/owner/session/confirm", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::PageSession), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError)))]
pub(in crate::http) async fn confirm(
    desk: Desk,
    headers: HeaderMap,
    shown: Option<Extension<Shown>>,
) -> Result<Json<DeskSession>, Failure> {
    let Extension(Shown(account)) = shown.ok_or_else(no_session)?;
    let (cookie, _) = words(&headers).ok_or_else(no_session)?;
    Ok(Json(desk.broker.confirm_desk(cookie, &account).await?))
}

/// A session of the owner's for the account that is theirs.
pub(super) async fn open<B: Backend>(
    State(api): State<Arc<Api<B>>>,
    Shown(account): Shown,
) -> Result<Response, CallError> {
    let broker = api.backend.broker().ok_or_else(no_session)?;
    session::given(broker.open_desk_as(&account).await?)
}
