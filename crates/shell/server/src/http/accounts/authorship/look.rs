//! Who registered a text first, for anybody who has its digest.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::Value;
use symbolon_account::{AccountError, AccountState};
use symbolon_codec::{Digest32, hex};
use utoipa::ToSchema;

use super::super::super::{failure::Failure, schema};
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};
use super::acts::digest;
use super::answer::nothing;

type Shared<S> = State<Arc<Service<S>>>;

/// The log that acts are signed for.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct AuthorshipLog {
    /// The operator's key as text, which begins with the log's origin. Pin it: certificates are checked by it.
    log: String,
}

/// The first registration of a digest.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct AuthorshipView {
    /// What was registered, 64 hex digits.
    commitment: String,
    /// The digest, 64 hex digits; absent where it was not revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// The index of its commit in the log.
    index: u64,
    /// The index of its newest entry.
    newest: u64,
    /// When it was registered, in Unix milliseconds.
    registered_unix_ms: u64,
    /// The key that owns it now, 64 hex digits.
    owner: String,
    /// The owner's handle, where they chose to be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    /// What verifies it offline: specs/authorship.md.
    #[schema(value_type = Object)]
    certificate: Value,
}

/// The log that acts are signed for.
#[utoipa::path(get, path = "/api/authorship", tag = "authorship",
    responses((status = 200, body = AuthorshipLog), (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn log<S: Kept>(
    State(service): Shared<S>,
) -> Result<Json<AuthorshipLog>, Failure> {
    let log = service.authorship.broker()?.operator_vkey().trim_end().to_owned();
    Ok(Json(AuthorshipLog { log }))
}

/// Who registered a digest first, or what became of a commitment; with or without a session.
#[utoipa::path(get, path = "/api/authorship/{hash}", tag = "authorship",
    params(("hash" = String, Path, description = "A digest that was revealed, or a commitment: 64 hex digits.")),
    responses((status = 200, body = AuthorshipView), (status = 404, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn look<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(hash): Path<String>,
) -> Result<Json<AuthorshipView>, Failure> {
    service.authorship.asked(admitted.address.into(), &*service.clock)?;
    let hash = digest(&hash)?;
    let broker = service.authorship.broker()?;
    let first = service.store.first_of(broker.log_origin(), &hash).await;
    let found = match first.map_err(fault::stored)? {
        Some(found) => found,
        None => service.registration(&hash).await?.ok_or_else(nothing)?,
    };
    let (standing, certificate) = service.authorship.certified(&found).await?;
    let certificate = serde_json::from_slice(&certificate.to_json())
        .map_err(|_| fault::bug("a certificate that is no JSON"))?;
    Ok(Json(AuthorshipView {
        commitment: standing.commitment().to_string(),
        digest: standing.digest().map(ToString::to_string),
        index: standing.index(),
        newest: standing.newest(),
        registered_unix_ms: standing.begun_unix_ms(),
        owner: hex::encode(standing.owner().as_bytes()),
        handle: service.handle_of(standing.commitment()).await?,
        certificate,
    }))
}

impl<S: Kept> Service<S> {
    /// The handle of a registration's owner, where they chose to be named and are there yet.
    async fn handle_of(&self, commitment: &Digest32) -> Result<Option<String>, Failure> {
        let named = self.store.named(commitment).await.map_err(fault::stored)?;
        let Some(account) = named else { return Ok(None) };
        let account = match self.store.account(account).await {
            Ok(account) => account,
            Err(AccountError::Missing(_)) => return Ok(None),
            Err(error) => return Err(fault::stored(error).into()),
        };
        let is_here = account.state == AccountState::Active;
        Ok(account.handle.filter(|_| is_here).map(|handle| handle.as_str().to_owned()))
    }
}
