//! Unlock leases: the vault's data key, lent to this process for minutes (`specs/lease.md`).

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon_account::{AccountError, AccountId, AccountStore};
use symbolon_broker::CallError;
use symbolon_lease::{
    Ended, GrantError, HANDED_OVER_BYTES, LeaseId, LeaseView, NONCE_BYTES, Offer, Purpose, Purposes,
};
use utoipa::ToSchema;

use super::super::{
    api::Sent,
    failure::{Failure, failure},
    schema,
};
use super::{bytes::Exactly, caller::Caller, door::Admitted, fault, service::Service};

type Shared<S> = State<Arc<Service<S>>>;

/// What a holder seals the data key to.
#[derive(Serialize, ToSchema)]
pub(super) struct LeaseKey {
    /// This process's X25519 key, base64url; another after a restart.
    #[schema(value_type = String)]
    key: Exactly<32>,
    /// Good for one answer within 5 minutes, base64url.
    #[schema(value_type = String)]
    nonce: Exactly<NONCE_BYTES>,
    /// What the terms name as the origin.
    origin: String,
    /// The vault, 32 hex digits.
    vault: String,
    /// Its present epoch.
    epoch: u32,
}

/// A data key that is lent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLease {
    /// What was asked with.
    #[schema(value_type = String)]
    nonce: Exactly<NONCE_BYTES>,
    /// `notes`, `connections` or both.
    purposes: Vec<String>,
    /// 1 to 60; for connections alone to 720.
    minutes: u32,
    /// The sealed data key, base64url.
    #[schema(value_type = String)]
    sealed: Exactly<HANDED_OVER_BYTES>,
}

/// A lease that is live.
#[derive(Serialize, ToSchema)]
pub(super) struct LeaseRow {
    /// Its id.
    id: String,
    /// `notes`, `connections` or both.
    purposes: Vec<String>,
    /// When it was granted, in Unix milliseconds.
    granted_unix_ms: u64,
    /// How long it lives yet, in milliseconds.
    left_ms: u64,
}

/// Leases of an account.
#[derive(Serialize, ToSchema)]
pub(super) struct Leases {
    /// Those that are live, the one that ends first before the others.
    leases: Vec<LeaseRow>,
}

impl From<LeaseView> for LeaseRow {
    fn from(view: LeaseView) -> Self {
        Self {
            id: view.id.to_string(),
            purposes: view.purposes.iter().map(|one| one.as_str().to_owned()).collect(),
            granted_unix_ms: view.granted_unix_ms,
            left_ms: view.left_ms,
        }
    }
}

/// Asks for a lease: this process's key, and a nonce for one answer.
#[utoipa::path(get, path = "/api/vault/lease-key", tag = "vault", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = LeaseKey), (status = 401, body = schema::CallError)))]
pub(super) async fn key<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<LeaseKey>, Failure> {
    let vault = service.vault(&admitted).await?;
    let invitation = service.leases.invite(vault.account);
    Ok(Json(LeaseKey {
        key: Exactly(*invitation.key.as_bytes()),
        nonce: Exactly(invitation.nonce),
        origin: invitation.origin,
        vault: vault.id.to_string(),
        epoch: vault.keys.epoch,
    }))
}

/// Lends the vault's data key to this process. A page needs a confirmation.
#[utoipa::path(post, path = "/api/vault/leases", tag = "vault", security(("session" = []), ("signature" = [])),
    request_body = NewLease,
    responses((status = 201, body = LeaseRow), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(super) async fn lend<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewLease>,
) -> Result<(StatusCode, Json<LeaseRow>), Failure> {
    // Who signed with a program's key shows by the data key itself that the vault is theirs.
    if let Caller::Page(_) = &admitted.caller {
        admitted.caller.confirmed(service.now())?;
    }
    let account = admitted.caller.account()?;
    let NewLease { nonce, purposes, minutes, sealed } = new;
    let named: Option<Vec<_>> = purposes.iter().map(|word| Purpose::parse(word)).collect();
    let purposes = named
        .and_then(Purposes::new)
        .ok_or_else(|| fault::malformed("A lease is for notes, for connections, or for both."))?;
    let offer = Offer { nonce: nonce.0, purposes, minutes, sealed: sealed.0 };
    let view = service.leases.grant(account, &offer).await.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(view.into())))
}

/// The leases that are live.
#[utoipa::path(get, path = "/api/vault/leases", tag = "vault", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = Leases), (status = 401, body = schema::CallError)))]
pub(super) async fn leases<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<Leases>, Failure> {
    let found = service.leases.list(admitted.caller.account()?);
    Ok(Json(Leases { leases: found.into_iter().map(LeaseRow::from).collect() }))
}

/// Ends a lease: when this is answered its keys are gone.
#[utoipa::path(delete, path = "/api/vault/leases/{id}", tag = "vault", security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The lease's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(super) async fn end<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let account = admitted.caller.account()?;
    let missing = || fault::stored(AccountError::Missing("the lease"));
    let id: LeaseId = id.parse().map_err(|_| missing())?;
    match service.leases.end(account, id, Ended::Revoked).await {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing().into()),
    }
}

impl<S: AccountStore> Service<S> {
    /// Ends what was lent by an account whose sessions or keys changed.
    pub async fn end_leases(&self, account: AccountId, why: Ended) {
        self.leases.end_all(account, why).await;
    }
}

fn refused(error: GrantError) -> CallError {
    let again = Some("GET /api/vault/lease-key, and seal the key again");
    let says = format!("No lease: {error}.");
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    match error {
        GrantError::Nonce => failure("lease_nonce", StatusCode::CONFLICT, says, again),
        GrantError::Full { .. } => {
            failure("lease_full", StatusCode::CONFLICT, says, Some("DELETE /api/vault/leases/ID"))
        }
        GrantError::Minutes { .. } => failure("lease_minutes", unprocessable, says, again),
        GrantError::NotOpened => failure("lease_sealed", unprocessable, says, again),
        GrantError::OtherKey => failure("lease_key", unprocessable, says, again),
        GrantError::Account(error) => fault::stored(error),
        error => {
            tracing::error!(%error, "a lease that its holder granted cannot be kept");
            fault::bug("a lease")
        }
    }
}
