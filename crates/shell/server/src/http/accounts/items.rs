//! Revisions of one item: those that are kept, and each of them as it was sealed.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Serialize;
use symbolon_account::{AccountError, AccountStore, ItemId, Revision};
use symbolon_broker::CallError;
use utoipa::ToSchema;

use super::super::{failure::Failure, schema};
use super::{bytes::Base64Url, door::Admitted, fault, service::Service};

type Shared<S> = State<Arc<Service<S>>>;

/// A revision as it was sealed, and the commit that it came with.
#[derive(Serialize, ToSchema)]
pub(super) struct RevisionView {
    /// The commit's counter.
    counter: u64,
    /// The sealed revision, base64url.
    #[schema(value_type = String)]
    revision: Base64Url,
}

/// What stands in the clear of a revision.
#[derive(Serialize, ToSchema)]
pub(super) struct RevisionRow {
    /// Its number.
    number: u64,
    /// `live`, `trashed` or `erased`.
    state: String,
    /// When it was made, in Unix milliseconds.
    updated_unix_ms: u64,
    /// SHA-256 of its bytes, hex.
    digest: String,
    /// How many those are.
    size_bytes: u64,
}

/// Revisions of an item.
#[derive(Serialize, ToSchema)]
pub(super) struct Revisions {
    /// Those that are kept, newest first.
    revisions: Vec<RevisionRow>,
}

/// Revisions of an item that are kept.
#[utoipa::path(get, path = "/api/vault/items/{id}/revisions", tag = "vault", security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The item's id.")),
    responses((status = 200, body = Revisions), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(super) async fn history<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<Json<Revisions>, Failure> {
    let vault = service.vault(&admitted).await?.id;
    let found = service.store.history(vault, item(&id)?).await.map_err(fault::stored)?;
    if found.is_empty() {
        return Err(no_item().into());
    }
    let rows = found.into_iter().map(|info| RevisionRow {
        number: info.revision,
        state: info.state.as_str().to_owned(),
        updated_unix_ms: info.updated_unix_ms,
        digest: info.digest.to_string(),
        size_bytes: info.size_bytes,
    });
    Ok(Json(Revisions { revisions: rows.collect() }))
}

/// One revision of an item.
#[utoipa::path(get, path = "/api/vault/items/{id}/revisions/{number}", tag = "vault",
    security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The item's id."),
        ("number" = u64, Path, description = "The revision's number.")),
    responses((status = 200, body = RevisionView), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(super) async fn revision<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<RevisionView>, Failure> {
    let vault = service.vault(&admitted).await?.id;
    let number: u64 = number.parse().map_err(|_| no_item())?;
    let found = service.store.revision(vault, item(&id)?, Some(number)).await;
    Ok(Json(found.map_err(fault::stored)?.into()))
}

impl From<Revision> for RevisionView {
    fn from(revision: Revision) -> Self {
        Self { counter: revision.counter, revision: Base64Url(revision.sealed) }
    }
}

fn item(id: &str) -> Result<ItemId, CallError> {
    id.parse().map_err(|_| no_item())
}

fn no_item() -> CallError {
    fault::stored(AccountError::Missing("the item or the revision"))
}
