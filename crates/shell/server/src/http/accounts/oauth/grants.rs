//! What the account's owner allowed, and taking it back.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use symbolon_account::AccountError;
use symbolon_account::oauth::{Grant, GrantId};
use utoipa::ToSchema;

use super::super::super::{failure::Failure, schema};
use super::super::{door::Admitted, fault, service::Service};
use super::{
    Kept,
    shown::{ScopeView, views},
};

type Shared<S> = State<Arc<Service<S>>>;

/// An assistant that is connected.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct GrantRow {
    /// Its id.
    #[schema(value_type = String)]
    id: GrantId,
    /// What it said that it is called.
    client_name: String,
    /// The host of its own address, where it has one.
    client_host: Option<String>,
    /// Where it was answered.
    answers_to: String,
    /// What it may do.
    scopes: Vec<ScopeView>,
    /// When it was allowed, in Unix milliseconds.
    created_unix_ms: u64,
    /// When it ends by itself, in Unix milliseconds.
    ends_unix_ms: u64,
    /// When it was last used, in Unix milliseconds, to the minute; never where it did not fetch its tokens.
    used_unix_ms: Option<u64>,
}

impl From<Grant> for GrantRow {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id,
            client_host: grant.client.host().map(str::to_owned),
            client_name: grant.client_name,
            answers_to: grant.redirect_uri.authority().to_owned(),
            scopes: views(grant.scopes),
            created_unix_ms: grant.created_unix_ms,
            ends_unix_ms: grant.ends_unix_ms,
            used_unix_ms: grant.used_unix_ms,
        }
    }
}

/// Assistants of an account.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct GrantRows {
    /// Those that live, newest first.
    grants: Vec<GrantRow>,
}

/// Assistants that may use the vault.
#[utoipa::path(get, path = "/api/oauth/grants", tag = "assistants", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = GrantRows), (status = 401, body = schema::CallError)))]
pub(in crate::http::accounts) async fn grants<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<GrantRows>, Failure> {
    let account = admitted.caller.account()?;
    let found = service.store.oauth_grants(account, service.now()).await.map_err(fault::stored)?;
    Ok(Json(GrantRows { grants: found.into_iter().map(GrantRow::from).collect() }))
}

/// Ends an assistant's access, at once.
#[utoipa::path(delete, path = "/api/oauth/grants/{id}", tag = "assistants", security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The assistant's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(in crate::http::accounts) async fn revoke_grant<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let account = admitted.caller.account()?;
    let missing = || fault::stored(AccountError::Missing("the assistant"));
    let id: GrantId = id.parse().map_err(|_| missing())?;
    let event = service.event("assistant-revoked", &json!({ "grant": id }));
    service.store.revoke_grant(account, id, &event).await.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}
