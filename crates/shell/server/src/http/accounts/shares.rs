//! Shares: something of a vault for another account, or for who has a link. The server has no key to either.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_account::{
    AccountError, AccountStore, Handle, ItemId, Share, ShareId, ShareTo, Viewer,
};
use symbolon_broker::CallError;
use utoipa::ToSchema;

use super::super::{api::Sent, failure::Failure, schema};
use super::{
    bytes::Base64Url, bytes::Exactly, caller::Caller, door::Admitted, fault, service::Service,
};

type Shared<S> = State<Arc<Service<S>>>;

/// A share to keep.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewShare {
    /// Its id, where it was sealed for one (specs/vault.md, "Shares"); a new one where absent.
    #[schema(value_type = Option<String>)]
    id: Option<ShareId>,
    /// The handle of the account that it is for; for who has the link where absent.
    to: Option<String>,
    /// Which item it is a copy of.
    #[schema(value_type = Option<String>)]
    item: Option<ItemId>,
    /// The sealed bytes, base64url.
    #[schema(value_type = String)]
    sealed: Base64Url,
    /// From when on nobody sees it, in Unix milliseconds; needed for a link, 90 days ahead at most.
    expires_unix_ms: Option<u64>,
    /// How often it may be seen.
    views_max: Option<u32>,
}

/// A share, without its bytes.
#[derive(Serialize, ToSchema)]
pub(super) struct ShareRow {
    /// Its id.
    #[schema(value_type = String)]
    id: ShareId,
    /// Which item it is a copy of, for its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    item: Option<ItemId>,
    /// Whether it is for who has the link.
    link: bool,
    /// When it was made, in Unix milliseconds.
    created_unix_ms: u64,
    /// From when on nobody sees it, in Unix milliseconds.
    expires_unix_ms: Option<u64>,
    /// How often it may be seen.
    views_max: Option<u32>,
    /// How often it was.
    views: u32,
    /// When it was taken back, in Unix milliseconds.
    revoked_unix_ms: Option<u64>,
}

impl ShareRow {
    fn of(share: Share, is_own: bool) -> Self {
        Self {
            id: share.id,
            item: share.item.filter(|_| is_own),
            link: share.to == ShareTo::Link,
            created_unix_ms: share.created_unix_ms,
            expires_unix_ms: share.expires_unix_ms,
            views_max: share.views_max,
            views: share.views,
            revoked_unix_ms: share.revoked_unix_ms,
        }
    }
}

/// Shares of an account.
#[derive(Serialize, ToSchema)]
pub(super) struct Shares {
    /// Those that it made, newest first.
    made: Vec<ShareRow>,
    /// Those that are open to it, newest first.
    received: Vec<ShareRow>,
}

/// The id of a share.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeShare {
    /// In a link's path.
    #[schema(value_type = String)]
    id: ShareId,
}

/// Shares that the account made, and those that are open to it.
#[utoipa::path(get, path = "/api/shares", tag = "vault", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = Shares), (status = 401, body = schema::CallError)))]
pub(super) async fn shares<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<Shares>, Failure> {
    let account = admitted.caller.account()?;
    let made = service.store.shares_from(account).await.map_err(fault::stored)?;
    let received = service.store.shares_to(account, service.now()).await.map_err(fault::stored)?;
    Ok(Json(Shares {
        made: made.into_iter().map(|share| ShareRow::of(share, true)).collect(),
        received: received.into_iter().map(|share| ShareRow::of(share, false)).collect(),
    }))
}

/// Shares a sealed copy.
#[utoipa::path(post, path = "/api/shares", tag = "vault", security(("session" = []), ("signature" = [])),
    request_body = NewShare,
    responses((status = 201, body = MadeShare), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 413, body = schema::CallError),
        (status = 422, body = schema::CallError)))]
pub(super) async fn share<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewShare>,
) -> Result<(StatusCode, Json<MadeShare>), Failure> {
    let from = admitted.caller.account()?;
    let now = service.now();
    let to = match &new.to {
        Some(handle) => ShareTo::Account(service.reader(handle).await?),
        None => ShareTo::Link,
    };
    let in_time = match new.expires_unix_ms {
        Some(at) => at > now && at <= now + LINK_MS_MAX,
        None => to != ShareTo::Link,
    };
    if !in_time {
        return Err(fault::malformed("A link ends, within 90 days; a share's end is ahead.").into());
    }
    let share = Share {
        id: new.id.unwrap_or_else(|| ShareId::make(&symbolon_ambient::SystemRng)),
        from,
        to,
        item: new.item,
        sealed: new.sealed.0,
        created_unix_ms: now,
        expires_unix_ms: new.expires_unix_ms,
        views_max: new.views_max,
        views: 0,
        revoked_unix_ms: None,
    };
    share.check().map_err(fault::stored)?;
    let detail = json!({ "share": share.id, "item": share.item, "link": to == ShareTo::Link });
    let event = service.event("share-made", &detail);
    service.store.put_share(&share, &event).await.map_err(fault::stored)?;
    Ok((StatusCode::CREATED, Json(MadeShare { id: share.id })))
}

/// A share's sealed bytes.
#[derive(Serialize, ToSchema)]
pub(super) struct SharedBytes {
    /// Base64url.
    #[schema(value_type = String)]
    sealed: Base64Url,
    /// How often it may be seen after this, where that is bounded.
    views_left: Option<u32>,
}

/// Shows a share once: to its account, or to who has the link, with or without a session.
#[utoipa::path(get, path = "/api/shares/{id}", tag = "vault",
    params(("id" = String, Path, description = "The share's id.")),
    responses((status = 200, body = SharedBytes), (status = 404, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(super) async fn view<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<Json<SharedBytes>, Failure> {
    let viewer = match &admitted.caller {
        Caller::Nobody => Viewer::Link,
        caller => Viewer::Account(caller.account()?),
    };
    let shown = service.store.view_share(named(&id)?, viewer, service.now()).await;
    let shown = shown.map_err(fault::stored)?;
    let views_left = shown.views_max.map(|max| max.saturating_sub(shown.views));
    Ok(Json(SharedBytes { sealed: Base64Url(shown.sealed), views_left }))
}

/// Takes a share back.
#[utoipa::path(delete, path = "/api/shares/{id}", tag = "vault", security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The share's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(super) async fn revoke<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let from = admitted.caller.account()?;
    let id = named(&id)?;
    let event = service.event("share-revoked", &json!({ "share": id }));
    service.store.revoke_share(from, id, &event).await.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a share for an account is sealed to.
#[derive(Serialize, ToSchema)]
pub(super) struct ShareKey {
    /// X25519, base64url. People compare its fingerprint.
    #[schema(value_type = String)]
    share_key: Exactly<32>,
}

/// The share key of another account.
#[utoipa::path(get, path = "/api/shares/keys/{handle}", tag = "vault", security(("session" = []), ("signature" = [])),
    params(("handle" = String, Path, description = "The other account's handle.")),
    responses((status = 200, body = ShareKey), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(super) async fn share_key<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(handle): Path<String>,
) -> Result<Json<ShareKey>, Failure> {
    admitted.caller.account()?;
    let reader = service.reader(&handle).await?;
    let vault = service.store.vault_of(reader).await.map_err(fault::stored)?;
    Ok(Json(ShareKey { share_key: Exactly(vault.keys.share_key) }))
}

impl<S: AccountStore> Service<S> {
    async fn reader(&self, handle: &str) -> Result<symbolon_account::AccountId, CallError> {
        let missing = || fault::stored(AccountError::Missing("an account of this handle"));
        let handle = Handle::parse(handle).map_err(|_| missing())?;
        let found = self.store.account_of(&handle).await.map_err(fault::stored)?;
        found.map(|account| account.id).ok_or_else(missing)
    }
}

fn named(id: &str) -> Result<ShareId, CallError> {
    id.parse().map_err(|_| fault::stored(AccountError::Missing("the share")))
}

const LINK_MS_MAX: u64 = 90 * 24 * 60 * 60 * 1000;
