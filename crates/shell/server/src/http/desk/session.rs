//! A browser's session: opened by a link's code, shown, ended.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use symbolon_broker::{CallError, DeskOpened, DeskSession};
use symbolon_secret::Secret;

use super::{CSRF, Desk, account, no_session, secret::SecretBody, words};
use crate::http::{api::Api, backend::Backend, failure::Failure, schema};

/// A session for the code of a link, which is worthless from then on: a cookie, and a word that the page says
/// with every request. Without a body, and with `x-symbolon-account-csrf`, it is for the session of the account
/// that is the owner's.
#[utoipa::path(post, path = "/api/owner/session", tag = "page",
    request_body(content = String, content_type = "text/plain", description = "The code, as it stands behind `#link=`."),
    responses((status = 200, body = schema::PageSession, headers(
            ("x-symbolon-csrf" = String, description = "The word that goes with every request."))),
        (status = 403, body = schema::CallError)))]
pub(in crate::http) async fn open<B: Backend>(
    State(api): State<Arc<Api<B>>>,
    headers: HeaderMap,
    shown: Option<Extension<account::Shown>>,
    body: Option<Extension<SecretBody>>,
) -> Result<Response, Failure> {
    if let Some(Extension(shown)) = shown {
        return Ok(account::open(State(api), shown).await?);
    }
    let broker = api.backend.broker().ok_or_else(no_session)?;
    // A form of another page could send text too, but no browser leaves its origin away then.
    if !headers.contains_key(header::ORIGIN) {
        return Err(no_session().into());
    }
    let code = body.and_then(|Extension(body)| body.take()).ok_or_else(no_session)?;
    Ok(given(broker.open_desk(&code)?)?)
}

/// A session, with its cookie and its word.
pub(super) fn given(opened: DeskOpened) -> Result<Response, CallError> {
    let mut response = Json(&opened.session).into_response();
    response.headers_mut().insert(CSRF, value("", &opened.csrf, "")?);
    let cookie = value("__Host-symbolon-owner=", &opened.cookie, ATTRIBUTES)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Whether this request asks for a session with a link's code: its sender has none yet.
pub(in crate::http) fn opens(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path() == super::SESSION_PATH
}

/// This session.
#[utoipa::path(get, path = "/api/owner/session", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::PageSession), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn show(desk: Desk) -> Json<DeskSession> {
    Json(desk.session)
}

/// Ends this session.
#[utoipa::path(delete, path = "/api/owner/session", tag = "page", security(("page_session" = [])),
    responses((status = 204), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn close(desk: Desk, headers: HeaderMap) -> Result<Response, Failure> {
    let (cookie, _) = words(&headers).ok_or_else(no_session)?;
    desk.broker.close_desk(cookie);
    let mut response = StatusCode::NO_CONTENT.into_response();
    let gone = HeaderValue::from_static(
        "__Host-symbolon-owner=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    );
    response.headers_mut().insert(header::SET_COOKIE, gone);
    Ok(response)
}

/// A header's value that must not be printed.
fn value(before: &str, secret: &Secret<[u8]>, after: &str) -> Result<HeaderValue, CallError> {
    // EXPOSE: handed to the browser whose it is; base64url.
    let word = secret.expose();
    let bytes = [before.as_bytes(), word, after.as_bytes()].concat();
    let mut value = HeaderValue::from_bytes(&bytes).map_err(|e| CallError::bug(e.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// As long as the session of the broker.
const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200";
