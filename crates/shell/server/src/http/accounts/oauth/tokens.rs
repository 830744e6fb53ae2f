//! `POST /oauth/token` and `/oauth/revoke`: a form in, JSON out, no cookie and no secret of the client.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use symbolon_account::AccountError;
use symbolon_account::oauth::{
    ACCESS_MS, Bearer, BearerKind, ClientId, CodeProof, Form, Redeemed, Refusal, Rotated, Scopes,
    is_code_verifier,
};
use symbolon_ambient::SystemRng;
use symbolon_codec::Digest32;
use utoipa::ToSchema;

use super::super::{door::Admitted, service::Service};
use super::{Kept, answer::OauthError};

type Shared<S> = State<Arc<Service<S>>>;

/// Tokens (RFC 6749, section 5.1).
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct Tokens {
    /// For calls.
    access_token: String,
    /// How it is shown.
    token_type: &'static str,
    /// How long it is good, in seconds.
    expires_in: u64,
    /// For the next tokens, once.
    refresh_token: String,
    /// What the access token may do.
    scope: String,
}

/// Gives tokens for a code or a refresh token.
#[utoipa::path(post, path = "/oauth/token", tag = "assistants",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "grant_type, client_id, resource; code, code_verifier, redirect_uri; or refresh_token, scope"),
    responses((status = 200, body = Tokens), (status = 400, body = OauthError),
        (status = 401, body = OauthError), (status = 429, body = OauthError)))]
pub(in crate::http::accounts) async fn token<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Tokens>, OauthError> {
    let (form, client) = read(&service, &admitted, &headers, &body)?;
    let made = Made::new();
    let hashes = made.hashes(&service);
    let (given, life_ms) = match form.get("grant_type") {
        Some("authorization_code") => {
            let verifier = form.get("code_verifier").filter(|text| is_code_verifier(text));
            let verifier = verifier.ok_or_else(|| missing("code_verifier"))?.to_owned();
            let proof = CodeProof {
                client,
                redirect_uri: form.get("redirect_uri").map(str::to_owned),
                verifier,
                resource: form.get("resource").map(str::to_owned),
            };
            let code = shown(&service, &form, "code", BearerKind::Code)?;
            let now = service.now();
            let given = service.store.redeem_code(&code, &proof, hashes, now).await;
            match given.map_err(OauthError::stored)? {
                Redeemed::Tokens(grant) => (grant.scopes, grant.ends_unix_ms - now),
                Redeemed::Refused(refusal) => return Err(refused(refusal)),
                Redeemed::Unknown => return Err(unknown()),
            }
        }
        Some("refresh_token") => {
            let refresh = shown(&service, &form, "refresh_token", BearerKind::Refresh)?;
            let (scopes, resource) = (form.get("scope").map(Scopes::asked), form.get("resource"));
            let now = service.now();
            let given =
                service.store.rotate(&refresh, &client, resource, scopes, hashes, now).await;
            match given.map_err(OauthError::stored)? {
                Rotated::Tokens(grant, given) => (given, grant.ends_unix_ms - now),
                Rotated::Refused(refusal) => return Err(refused(refusal)),
                Rotated::Scope => {
                    let says = "scope is more than was allowed";
                    return Err(OauthError::new("invalid_scope", says));
                }
                Rotated::Unknown => return Err(unknown()),
            }
        }
        _ => {
            let says = "grant_type is authorization_code or refresh_token";
            return Err(OauthError::new("unsupported_grant_type", says));
        }
    };
    Ok(Json(Tokens {
        access_token: made.access.to_holder(),
        token_type: "Bearer",
        expires_in: life_ms.min(ACCESS_MS) / 1000,
        refresh_token: made.refresh.to_holder(),
        scope: given.to_string(),
    }))
}

/// Ends what a token is part of. The answer is the same for a token that nobody knows.
#[utoipa::path(post, path = "/oauth/revoke", tag = "assistants",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "token, client_id"),
    responses((status = 200), (status = 400, body = OauthError), (status = 429, body = OauthError)))]
pub(in crate::http::accounts) async fn revoke<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, OauthError> {
    let (form, client) = read(&service, &admitted, &headers, &body)?;
    let text = form.get("token").ok_or_else(|| missing("token"))?.as_bytes();
    let kinds = [BearerKind::Access, BearerKind::Refresh];
    let Some(bearer) = kinds.into_iter().find_map(|kind| Bearer::read(kind, text)) else {
        return Ok(StatusCode::OK);
    };
    let found = service.store.token(&bearer.hash(&service.key)).await;
    let Some((_, grant)) = found.map_err(OauthError::stored)? else { return Ok(StatusCode::OK) };
    if grant.client != client {
        return Ok(StatusCode::OK);
    }
    let event = grant.event("assistant-ended", json!({ "why": "client" }), service.now());
    match service.store.revoke_grant(grant.account, grant.id, &event).await {
        Ok(()) | Err(AccountError::Missing(_)) => Ok(StatusCode::OK),
        Err(error) => Err(OauthError::stored(error)),
    }
}

/// The two tokens that are given, if any are.
struct Made {
    access: Bearer,
    refresh: Bearer,
}

impl Made {
    fn new() -> Self {
        let make = |kind| Bearer::make(kind, &SystemRng);
        Self { access: make(BearerKind::Access), refresh: make(BearerKind::Refresh) }
    }

    fn hashes<S>(&self, service: &Service<S>) -> [Digest32; 2] {
        [self.access.hash(&service.key), self.refresh.hash(&service.key)]
    }
}

/// The form and its client.
fn read<S: Kept>(
    service: &Service<S>,
    admitted: &Admitted,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Form, ClientId), OauthError> {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    if !kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded")) {
        let says = "send application/x-www-form-urlencoded";
        return Err(OauthError::new("invalid_request", says));
    }
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(OauthError::client("clients here have no secret: leave Authorization out"));
    }
    let form = Form::parse(body)?;
    let client = form.get("client_id").and_then(ClientId::parse);
    let client = client.ok_or_else(|| OauthError::client("client_id is no client's"))?;
    let address = admitted.address.into();
    service.oauth.limits.token(client.as_str(), address, &*service.clock)?;
    Ok((form, client))
}

fn shown<S>(
    service: &Service<S>,
    form: &Form,
    name: &str,
    kind: BearerKind,
) -> Result<Digest32, OauthError> {
    let text = form.get(name).ok_or_else(|| missing(name))?;
    let bearer = Bearer::read(kind, text.as_bytes()).ok_or_else(unknown)?;
    Ok(bearer.hash(&service.key))
}

fn missing(name: &str) -> OauthError {
    OauthError::new("invalid_request", format!("{name} is missing, or has another form"))
}

fn refused(refusal: Refusal) -> OauthError {
    let word = match refusal {
        Refusal::OtherResource => "invalid_target",
        _ => "invalid_grant",
    };
    OauthError::new(word, refusal.to_string())
}

fn unknown() -> OauthError {
    OauthError::new("invalid_grant", "nobody knows it")
}
