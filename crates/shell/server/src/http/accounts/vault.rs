//! The vault: its keys, its commits, its changes and what was before them. All of it sealed; what is checked
//! here is in the clear (`specs/vault.md`).

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use symbolon_account::{AccountError, AccountStore, KeyChange, Vault, VaultKeys};
use symbolon_broker::CallError;
use symbolon_codec::b64url;
use symbolon_lease::{RowsError, check_commit, commit_rows, head_row};
use symbolon_vault::wire;
use utoipa::ToSchema;

use super::super::{
    api::{Sent, asked},
    failure::Failure,
    schema,
};
use super::{
    bytes::{Base64Url, Exactly},
    door::Admitted,
    fault,
    items::RevisionView,
    service::Service,
};

type Shared<S> = State<Arc<Service<S>>>;

/// A vault as the server has it.
#[derive(Serialize, ToSchema)]
pub(super) struct VaultView {
    /// Its id, 32 hex digits.
    id: String,
    /// How many commits led to its head.
    counter: u64,
    /// The signed head, base64url.
    head: String,
    /// The key that signs its heads, base64url.
    #[schema(value_type = String)]
    head_key: Exactly<32>,
    /// The key that shares are sealed to, base64url.
    #[schema(value_type = String)]
    share_key: Exactly<32>,
    /// The version of the keys: what a change of them is made on.
    keys_version: u64,
    /// Which data key is the present one.
    epoch: u32,
    /// The wraps of the data key.
    #[schema(value_type = Vec<Object>)]
    wraps: Value,
    /// Earlier data keys, sealed under the present one; base64url.
    #[schema(value_type = String)]
    ring: Base64Url,
    /// Bytes that revisions and blobs have.
    used_bytes: u64,
    /// Bytes that they may have.
    quota_bytes: u64,
}

impl TryFrom<Vault> for VaultView {
    type Error = CallError;
    fn try_from(vault: Vault) -> Result<Self, CallError> {
        let Vault { id, keys, keys_version, head, used_bytes, quota_bytes, .. } = vault;
        Ok(Self {
            id: id.to_string(),
            counter: head.counter,
            head: b64url::encode(&head.bytes),
            head_key: Exactly(keys.head_key),
            share_key: Exactly(keys.share_key),
            keys_version,
            epoch: keys.epoch,
            wraps: serde_json::from_str(&keys.wraps)
                .map_err(|_| fault::bug("wraps that are kept"))?,
            ring: Base64Url(keys.ring),
            used_bytes,
            quota_bytes,
        })
    }
}

/// The account's vault: its head, wraps and key ring.
#[utoipa::path(get, path = "/api/vault", tag = "vault", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = VaultView), (status = 401, body = schema::CallError)))]
pub(super) async fn vault<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<VaultView>, Failure> {
    Ok(Json(service.vault(&admitted).await?.try_into()?))
}

/// New keys of a vault: all of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKeys {
    /// The version that the change was made on.
    base_version: u64,
    /// The whole list of wraps.
    #[schema(value_type = Vec<Object>)]
    wraps: Value,
    /// Earlier data keys, sealed under the present one; as it was where absent.
    #[schema(value_type = Option<String>)]
    ring: Option<Base64Url>,
    /// Where the data key is a new one: a commit of no revisions, with its succession and head.
    #[schema(value_type = Option<Object>)]
    commit: Option<wire::Commit>,
}

/// The version of a vault's keys.
#[derive(Serialize, ToSchema)]
pub(super) struct KeysVersion {
    /// What the next change is made on.
    keys_version: u64,
}

/// Replaces the wraps, and where the data key is rotated, the vault's keys; ends every unlock lease; needs a
/// confirmation.
#[utoipa::path(put, path = "/api/vault/wraps", tag = "vault", security(("session" = [])), request_body = NewKeys,
    responses((status = 200, body = KeysVersion), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError)))]
pub(super) async fn put_wraps<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewKeys>,
) -> Result<Json<KeysVersion>, Failure> {
    admitted.caller.confirmed(service.now())?;
    let vault = service.vault(&admitted).await?;
    let mut keys = VaultKeys { wraps: wraps(&new.wraps)?, ..vault.keys.clone() };
    if let Some(ring) = new.ring {
        keys.ring = ring.0;
    }
    let mut head = None;
    if let Some(commit) = new.commit {
        let Some(next) = commit.succession().filter(|_| commit.revisions().is_empty()) else {
            return Err(
                fault::malformed("New keys come with a succession and no revisions.").into()
            );
        };
        check(&vault, &commit)?;
        keys.head_key = *next.head_key().as_bytes();
        keys.share_key = *next.share_key().as_bytes();
        keys.epoch = next.epoch();
        head = Some(head_row(commit.head()));
    }
    let detail = json!({ "wraps": new.wraps.as_array().map(Vec::len), "epoch": keys.epoch });
    let event = service.event("wraps-changed", &detail);
    let change = KeyChange { base_version: new.base_version, keys, head };
    let version = service.store.change_keys(vault.id, &change, &event).await;
    let keys_version = version.map_err(fault::stored)?;
    service.end_leases(vault.account, symbolon_lease::Ended::Keys).await;
    Ok(Json(KeysVersion { keys_version }))
}

/// A commit that was taken.
#[derive(Serialize, ToSchema)]
pub(super) struct Committed {
    /// The counter of the vault's head.
    counter: u64,
}

/// Takes a commit whole or not at all. 409 carries the current head in `head`.
#[utoipa::path(post, path = "/api/vault/commit", tag = "vault", security(("session" = []), ("signature" = [])),
    request_body(content = Object, description = "specs/vault.md: base, head, revisions."),
    responses((status = 200, body = Committed), (status = 401, body = schema::CallError),
        (status = 409, body = schema::CallError), (status = 413, body = schema::CallError),
        (status = 422, body = schema::CallError)))]
pub(super) async fn commit<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(commit): Sent<wire::Commit>,
) -> Result<Response, Failure> {
    let vault = service.vault(&admitted).await?;
    if commit.succession().is_some() {
        let says = "New keys of a vault are put with its wraps: PUT /api/vault/wraps.";
        return Err(fault::malformed(says).into());
    }
    match service.take(&vault, &commit).await {
        Ok(()) => Ok(Json(Committed { counter: commit.head().head().counter }).into_response()),
        Err(error) if error.http_status == StatusCode::CONFLICT => {
            Ok(conflict(&service.vault(&admitted).await?, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// Revisions in the order of their commits.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangesView {
    /// Current revisions; those that a later one took the place of are left out.
    revisions: Vec<RevisionView>,
    /// Ask with this as `after` next.
    next: u64,
    /// Whether there are more.
    more: bool,
    /// The vault's signed head as of this answer, base64url.
    head: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

/// What changed after a commit: whole commits, about as many revisions as asked, 4 MiB or one commit at most.
#[utoipa::path(get, path = "/api/vault/changes", tag = "vault", security(("session" = []), ("signature" = [])),
    params(
        ("after" = Option<u64>, Query, description = "The counter that the holder has; 0 where absent."),
        ("limit" = Option<usize>, Query, description = "About so many revisions; 1,000 where absent and at most.")),
    responses((status = 200, body = ChangesView), (status = 401, body = schema::CallError)))]
pub(super) async fn changes<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    uri: Uri,
) -> Result<Json<ChangesView>, Failure> {
    let After { after, limit } = asked(&uri)?;
    let limit = limit.unwrap_or(CHANGES_MAX).clamp(1, CHANGES_MAX);
    // The head first: what is committed meanwhile is found by the next question, never missing behind it.
    let vault = service.vault(&admitted).await?;
    let mut view = ChangesView {
        revisions: Vec::new(),
        next: after,
        more: true,
        head: b64url::encode(&vault.head.bytes),
    };
    let mut bytes = 0;
    while view.more && view.revisions.len() < limit && bytes < CHANGES_BYTES_MAX {
        let step = (limit - view.revisions.len()).min(CHANGES_STEP);
        let found =
            service.store.changes(vault.id, view.next, step).await.map_err(fault::stored)?;
        (view.next, view.more) = (found.next, found.more);
        bytes += found.revisions.iter().map(|one| one.sealed.len()).sum::<usize>();
        view.revisions.extend(found.revisions.into_iter().map(RevisionView::from));
    }
    Ok(Json(view))
}

impl<S: AccountStore> Service<S> {
    /// The vault of who asks.
    pub async fn vault(&self, admitted: &Admitted) -> Result<Vault, CallError> {
        self.store.vault_of(admitted.caller.account()?).await.map_err(fault::stored)
    }

    async fn take(&self, vault: &Vault, commit: &wire::Commit) -> Result<(), CallError> {
        check(vault, commit)?;
        let commit = commit_rows(commit);
        commit.check().map_err(fault::stored)?;
        self.store.commit(commit).await.map_err(fault::stored)
    }
}

/// Rules 5 to 10 of the spec.
fn check(vault: &Vault, commit: &wire::Commit) -> Result<(), CallError> {
    check_commit(vault, commit).map_err(|error| match error {
        RowsError::Commit(error) if error.is_conflict() => {
            fault::stored(AccountError::Conflict("the vault"))
        }
        RowsError::Commit(error) => fault::malformed(format!("The commit is not taken: {error}.")),
        _ => fault::bug("a head or a head key that is kept"),
    })
}

/// 409 with what the holder rebases on.
fn conflict(vault: &Vault, error: CallError) -> Response {
    let mut body = serde_json::to_value(&error).unwrap_or_default();
    body["head"] = b64url::encode(&vault.head.bytes).into();
    body["counter"] = vault.head.counter.into();
    (StatusCode::CONFLICT, Json(body)).into_response()
}

/// A list of wraps, as it is kept.
pub(super) fn wraps(wraps: &Value) -> Result<String, CallError> {
    let is_list = wraps.as_array().is_some_and(|all| {
        (1..=WRAPS_MAX).contains(&all.len()) && all.iter().all(Value::is_object)
    });
    if is_list {
        Ok(wraps.to_string())
    } else {
        Err(fault::malformed("A vault has 1 to 32 wraps, each an object."))
    }
}

const WRAPS_MAX: usize = 32;
const CHANGES_MAX: usize = 1000;
/// Read at once: a step, and what is left of its last commit.
const CHANGES_STEP: usize = 128;
const CHANGES_BYTES_MAX: usize = 4 << 20;
