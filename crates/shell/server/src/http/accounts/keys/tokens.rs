//! Tokens after they were given: introspection (RFC 7662), revocation (RFC 7009), the keys that sign them.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use symbolon_account::oauth::Form;
use symbolon_possession::token::{Claims, Jwks};
use symbolon_possession::{DeviceId, Service as Relying, TokenId};
use utoipa::ToSchema;

use super::super::super::{failure::Failure, schema};
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};

type Shared<S> = State<Arc<Service<S>>>;

/// What is so of a token (RFC 7662, section 2.2).
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct Introspection {
    /// Whether it is good for anything now.
    active: bool,
    /// How it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// What it says.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    claims: Option<Claims>,
}

/// Whether a token for this service is good: signature, time, key, device, and that it was not taken back.
#[utoipa::path(post, path = "/api/keys/introspect", tag = "keys", security(("service" = [])),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "token"),
    responses((status = 200, body = Introspection), (status = 401, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn introspect<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let clock = &*service.clock;
    // All who call a service come from its address here, so its secret has the limit.
    let relying = match service.relying(&headers).await {
        Ok(relying) => relying,
        Err(error) => {
            service.limits.stranger(admitted.address.into(), clock);
            return Err(error.into());
        }
    };
    service.keys.introspect(relying.id, clock)?;
    let text = token(&headers, &body)?;
    let claims = match service.possession.tokens.read(&text, &relying, service.now()) {
        Ok(verified) => service.standing(&relying, verified.claims()).await?,
        Err(_) => None,
    };
    let token_type = claims.is_some().then_some("DPoP");
    Ok(Json(Introspection { active: claims.is_some(), token_type, claims }).into_response())
}

/// Takes a token back. The answer is the same for one that is none.
#[utoipa::path(post, path = "/api/keys/revoke", tag = "keys",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "token"),
    responses((status = 200), (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn revoke_token<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let text = token(&headers, &body)?;
    let Some(device) = Claims::unverified(&text).and_then(|claims| claims.device.parse().ok())
    else {
        return Ok(StatusCode::OK);
    };
    let known = service.store.known(device).await.map_err(fault::stored)?;
    let Some(known) = known else { return Ok(StatusCode::OK) };
    let read = service.possession.tokens.read(&text, &known.service, service.now());
    // One that has expired, or is nobody's, needs nothing more.
    let Ok(verified) = read else { return Ok(StatusCode::OK) };
    let claims = verified.claims();
    if let Ok(id) = claims.jti.parse::<TokenId>() {
        let done = service.store.revoke_token(id, claims.exp.saturating_mul(1000)).await;
        done.map_err(fault::stored)?;
    }
    Ok(StatusCode::OK)
}

/// The keys that tokens are checked by (RFC 7517).
#[utoipa::path(get, path = "/api/keys/jwks", tag = "keys",
    responses((status = 200, content_type = "application/jwk-set+json", body = Object)))]
pub(in crate::http::accounts) async fn jwks<S: Kept>(State(service): Shared<S>) -> Response {
    let jwks: Jwks = service.possession.tokens.jwks();
    let kind = [
        (header::CONTENT_TYPE, "application/jwk-set+json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (kind, Json(jwks)).into_response()
}

impl<S: Kept> Service<S> {
    /// The claims of a token whose signature and time hold, where nothing of it was taken back.
    async fn standing(
        &self,
        relying: &Relying,
        claims: &Claims,
    ) -> Result<Option<Claims>, Failure> {
        let ids = (claims.device.parse::<DeviceId>(), claims.jti.parse::<TokenId>());
        let (Ok(device), Ok(id)) = ids else { return Ok(None) };
        let known = self.store.known(device).await.map_err(fault::stored)?;
        let is_live = known.is_some_and(|known| {
            known.is_live()
                && known.service.id == relying.id
                && known.key.id.to_string() == claims.sub
        });
        let is_revoked = self.store.is_token_revoked(id).await.map_err(fault::stored)?;
        Ok((is_live && !is_revoked).then(|| claims.clone()))
    }
}

/// The token that a form names.
fn token(headers: &HeaderMap, body: &[u8]) -> Result<String, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    let form = Form::parse(body).ok().filter(|_| {
        kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"))
    });
    let token = form.as_ref().and_then(|form| form.get("token"));
    let says = "The body is application/x-www-form-urlencoded with token.";
    Ok(token.ok_or_else(|| fault::malformed(says))?.to_owned())
}
