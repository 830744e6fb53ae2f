//! Passkeys that open the home from the page (`specs/custody.md`, "A tap in the page").

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, Path},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_broker::{Broker, CallError, Status, TapAnswer, TapAsked, WrapView};
use symbolon_lease::{HANDED_OVER_BYTES, NONCE_BYTES};
use utoipa::ToSchema;

use super::{Desk, no_session, words};
use crate::http::{
    accounts::bytes::{Base64Url, Exactly},
    api::{Api, Sent},
    backend::Backend,
    failure::{Failure, failure},
    schema,
};

type Answer<T> = Result<Json<T>, Failure>;

/// What opens a home that is locked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct UnlockTap {
    /// What was asked with, base64url.
    #[schema(value_type = String)]
    nonce: Exactly<NONCE_BYTES>,
    /// The passkey's way.
    wrap: String,
    /// The key of that way, sealed to this process, base64url.
    #[schema(value_type = String)]
    sealed: Exactly<HANDED_OVER_BYTES>,
}

/// A passkey that is to open the home.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewWay {
    /// What was asked with, base64url.
    #[schema(value_type = String)]
    nonce: Exactly<NONCE_BYTES>,
    /// The passkey's id, base64url.
    #[schema(value_type = String)]
    credential: Base64Url,
    /// The key of the new way, sealed to this process, base64url.
    #[schema(value_type = String)]
    sealed: Exactly<HANDED_OVER_BYTES>,
}

/// Asks for what opens a home that is locked: this process's key, a nonce for one answer, and the passkeys
/// that there are.
#[utoipa::path(get, path = "/api/owner/unlock-key", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::TapAsked), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(in crate::http) async fn unlock_key(desk: Desk, headers: HeaderMap) -> Answer<TapAsked> {
    Ok(Json(desk.broker.ask_unlock(cookie(&headers)?).await?))
}

/// Opens the home with what a passkey's tap gave, sealed to this process.
#[utoipa::path(post, path = "/api/owner/unlock", tag = "page", security(("page_session" = [])),
    request_body = UnlockTap,
    responses((status = 200, body = schema::Status), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 404, body = schema::CallError),
        (status = 409, body = schema::CallError), (status = 422, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(in crate::http) async fn unlock(
    desk: Desk,
    headers: HeaderMap,
    Sent(tap): Sent<UnlockTap>,
) -> Answer<Status> {
    let UnlockTap { nonce, wrap, sealed } = tap;
    let answer = TapAnswer { nonce: nonce.0, sealed: sealed.0 };
    let (cookie, origin) = (cookie(&headers)?, origin(&headers)?);
    desk.broker.unlock_by_tap(cookie, origin, &wrap, &answer).await?;
    Ok(Json(desk.broker.status()))
}

/// The ways to open the home.
#[utoipa::path(get, path = "/api/owner/ways", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::Ways), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn ways(desk: Desk) -> Answer<Value> {
    Ok(Json(json!({ "ways": desk.broker.wraps().await? })))
}

/// Asks for the key of a new way, where the owner showed themselves within the last minutes.
#[utoipa::path(get, path = "/api/owner/way-key", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::TapAsked), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 429, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn way_key(
    Confirmed(broker): Confirmed,
    headers: HeaderMap,
) -> Answer<TapAsked> {
    Ok(Json(broker.ask_way(cookie(&headers)?).await?))
}

/// Adds a passkey as a way to open the home.
#[utoipa::path(post, path = "/api/owner/ways", tag = "page", security(("page_session" = [])),
    request_body = NewWay,
    responses((status = 201, body = schema::Way), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn add_way(
    Confirmed(broker): Confirmed,
    headers: HeaderMap,
    Sent(way): Sent<NewWay>,
) -> Result<(StatusCode, Json<WrapView>), Failure> {
    let NewWay { nonce, credential, sealed } = way;
    let answer = TapAnswer { nonce: nonce.0, sealed: sealed.0 };
    let (cookie, origin) = (cookie(&headers)?, origin(&headers)?);
    let added = broker.add_way(cookie, origin, &credential.0, &answer).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Removes a passkey that was added in the page.
#[utoipa::path(delete, path = "/api/owner/ways/{id}", tag = "page", security(("page_session" = [])),
    params(("id" = String, Path, description = "The way's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn remove_way(
    Confirmed(broker): Confirmed,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    broker.remove_way(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The broker, for a session whose owner showed themselves within the last minutes.
pub(in crate::http) struct Confirmed(Arc<Broker>);

impl<B: Backend> FromRequestParts<Arc<Api<B>>> for Confirmed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api<B>>) -> Result<Self, Failure> {
        let Desk { broker, .. } = Desk::from_request_parts(parts, api).await?;
        if broker.is_desk_confirmed(cookie(&parts.headers)?) {
            return Ok(Self(broker));
        }
        let says = "This changes who opens the broker. Show once more that you are its owner: open a new link in this browser.";
        let code = "needs_confirmation";
        Err(failure(code, StatusCode::FORBIDDEN, says, Some("symbolon page")).into())
    }
}

fn cookie(headers: &HeaderMap) -> Result<&[u8], CallError> {
    words(headers).map(|(cookie, _)| cookie).ok_or_else(no_session)
}

/// Where the page is that asks. A browser says it, and it was found to be one of ours.
fn origin(headers: &HeaderMap) -> Result<&str, CallError> {
    let mut all = headers.get_all(header::ORIGIN).iter();
    match (all.next().map(|value| value.to_str()), all.next()) {
        (Some(Ok(origin)), None) => Ok(origin),
        _ => Err(no_session()),
    }
}
