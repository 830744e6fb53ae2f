//! `POST /oauth/register` (RFC 7591): for clients without an address of their own.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use symbolon_account::AccountError;
use symbolon_account::oauth::{Client, ClientId, ClientMetadata, MetadataError};
use symbolon_ambient::SystemRng;
use symbolon_codec::json::parse_bounded;
use utoipa::ToSchema;

use super::super::{door::Admitted, service::Service};
use super::{Kept, answer::OauthError};

/// A client as it is registered (RFC 7591, section 3.2.1).
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct Registered {
    /// Its id.
    client_id: String,
    /// When, in Unix seconds.
    client_id_issued_at: u64,
    /// What it said that it is called.
    client_name: String,
    /// Where its answers may go.
    redirect_uris: Vec<String>,
    /// What it gets, whatever it asked for.
    grant_types: [&'static str; 2],
    /// Codes.
    response_types: [&'static str; 1],
    /// It has no secret.
    token_endpoint_auth_method: &'static str,
}

/// Registers a client; it is forgotten after an hour without a grant.
#[utoipa::path(post, path = "/oauth/register", tag = "assistants",
    request_body(content = Object, description = "client_name, redirect_uris"),
    responses((status = 201, body = Registered), (status = 400, body = OauthError),
        (status = 429, body = OauthError), (status = 503, body = OauthError)))]
pub(in crate::http::accounts) async fn register<S: Kept>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Registered>), OauthError> {
    service.oauth.limits.register(admitted.address.into(), &*service.clock)?;
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
    let bad = |says: String| OauthError::new("invalid_client_metadata", says);
    if !kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(b"application/json")) {
        return Err(bad("send application/json".to_owned()));
    }
    let value = parse_bounded(&body, REGISTRATION_BYTES_MAX, DEPTH_MAX);
    let value = value.map_err(|error| bad(format!("it is not JSON that is taken: {error}")))?;
    let metadata = ClientMetadata::of_registration(&value).map_err(|error| match error {
        MetadataError::RedirectUri => OauthError::new("invalid_redirect_uri", error.to_string()),
        error => bad(error.to_string()),
    })?;
    let now = service.now();
    let client = Client {
        id: ClientId::make(&SystemRng),
        name: metadata.name.unwrap_or_else(|| "An assistant without a name".to_owned()),
        redirect_uris: metadata.redirect_uris,
        created_unix_ms: now,
        expires_unix_ms: now + UNUSED_MS,
    };
    match service.store.register_client(&client, CLIENTS_MAX).await {
        Ok(()) => {}
        Err(AccountError::TooLong { .. }) => {
            return Err(OauthError::full(
                "as many clients are registered as are kept; try again in an hour",
            ));
        }
        Err(error) => return Err(OauthError::stored(error)),
    }
    let registered = Registered {
        client_id: client.id.as_str().to_owned(),
        client_id_issued_at: now / 1000,
        client_name: client.name,
        redirect_uris: client.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
    };
    Ok((StatusCode::CREATED, Json(registered)))
}

const REGISTRATION_BYTES_MAX: usize = 16 * 1024;
const DEPTH_MAX: usize = 8;
const CLIENTS_MAX: usize = 10_000;
const UNUSED_MS: u64 = 60 * 60 * 1000;
