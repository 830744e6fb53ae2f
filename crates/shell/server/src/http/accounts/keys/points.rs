//! A service's keys: by their points, for the service itself.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_account::AccountError;
use symbolon_ambient::SystemRng;
use symbolon_broker::CallError;
use symbolon_crypto::schnorr::Point;
use symbolon_possession::token::Scopes;
use symbolon_possession::{ApiKey, ApiKeyId, DeviceId, KeyAccount, Service as Relying};
use utoipa::ToSchema;

use super::super::super::{
    api::{Sent, asked},
    failure::Failure,
    schema,
};
use super::super::bytes::Exactly;
use super::super::{fault, oauth::Kept, service::Service};
use super::answer;
use super::manage::DeviceRows;

type Shared<S> = State<Arc<Service<S>>>;

/// A key that the service issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct NewPoint {
    /// Its point, 32 bytes.
    #[schema(value_type = String)]
    point: Exactly<32>,
    /// The account at the service, where it has them.
    #[serde(default)]
    account: String,
    /// What the service calls the key, 1 to 80 characters.
    name: String,
    /// What its tokens may be good for; all of the service's scopes where none is named.
    #[serde(default)]
    scopes: String,
}

/// A key.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct KeyRow {
    /// Its id: `sub` of its tokens.
    #[schema(value_type = String)]
    id: ApiKeyId,
    /// What the service calls it.
    name: String,
    /// The account at the service, or empty.
    account: String,
    /// What its tokens may be good for.
    scopes: String,
    /// When it was registered, in Unix milliseconds.
    created_unix_ms: u64,
    /// When another key took its place last, in Unix milliseconds.
    rotated_unix_ms: Option<u64>,
    /// When it was revoked, in Unix milliseconds.
    revoked_unix_ms: Option<u64>,
}

/// A service's keys.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct KeyRows {
    /// In the order of their ids, 1,000 at most.
    keys: Vec<KeyRow>,
}

impl From<ApiKey> for KeyRow {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            account: key.account.as_str().to_owned(),
            scopes: key.scopes.as_str().to_owned(),
            created_unix_ms: key.created_unix_ms,
            rotated_unix_ms: key.rotated_unix_ms,
            revoked_unix_ms: key.revoked_unix_ms,
        }
    }
}

/// Registers a key by its point. The key itself is not sent.
#[utoipa::path(post, path = "/api/keys/points", tag = "keys", security(("service" = [])), request_body = NewPoint,
    responses((status = 201, body = KeyRow), (status = 401, body = schema::CallError),
        (status = 409, body = schema::CallError), (status = 413, body = schema::CallError),
        (status = 422, body = schema::CallError)))]
pub(in crate::http::accounts) async fn point<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    Sent(new): Sent<NewPoint>,
) -> Result<(StatusCode, Json<KeyRow>), Failure> {
    let relying = service.relying(&headers).await?;
    let bad = |error: &dyn std::fmt::Display| fault::malformed(format!("{error}."));
    let scopes = match new.scopes.trim() {
        "" => relying.scopes.clone(),
        named => Scopes::of(named).map_err(|e| bad(&e))?,
    };
    let key = ApiKey {
        id: ApiKeyId::make(&SystemRng),
        service: relying.id,
        account: KeyAccount::parse(&new.account).map_err(|e| bad(&e))?,
        name: new.name,
        scopes,
        point: Point::from_bytes(&new.point.0).map_err(answer::point)?,
        created_unix_ms: service.now(),
        rotated_unix_ms: None,
        revoked_unix_ms: None,
    };
    let detail = json!({ "service": relying.id, "key": key.id, "name": key.name });
    let event = service.event("key-registered", &detail);
    service.store.put_key(&relying, &key, &event).await.map_err(fault::stored)?;
    Ok((StatusCode::CREATED, Json(key.into())))
}

/// Where a list goes on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<String>,
}

/// The service's keys, behind the id that `after` names.
#[utoipa::path(get, path = "/api/keys/points", tag = "keys", security(("service" = [])),
    params(("after" = Option<String>, Query, description = "The last id of the list before.")),
    responses((status = 200, body = KeyRows), (status = 401, body = schema::CallError)))]
pub(in crate::http::accounts) async fn points<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<KeyRows>, Failure> {
    let relying = service.relying(&headers).await?;
    let After { after } = asked(&uri)?;
    let after = after.map(|id| id.parse().map_err(|_| missing())).transpose()?;
    let found = service.store.keys_of(relying.id, after, LIST_MAX).await.map_err(fault::stored)?;
    Ok(Json(KeyRows { keys: found.into_iter().map(KeyRow::from).collect() }))
}

/// Revokes a key with all of its devices and tokens, at once.
#[utoipa::path(delete, path = "/api/keys/points/{id}", tag = "keys", security(("service" = [])),
    params(("id" = String, Path, description = "The key's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(in crate::http::accounts) async fn point_revoke<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let (relying, key) = service.own_key(&headers, &id).await?;
    let event = service.event("key-revoked", &json!({ "service": relying.id, "key": key.id }));
    let done = service.store.revoke_key(&relying, key.id, None, &event).await;
    done.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The devices of a key.
#[utoipa::path(get, path = "/api/keys/points/{id}/devices", tag = "keys", security(("service" = [])),
    params(("id" = String, Path, description = "The key's id.")),
    responses((status = 200, body = DeviceRows), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(in crate::http::accounts) async fn devices<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<DeviceRows>, Failure> {
    let (_, key) = service.own_key(&headers, &id).await?;
    Ok(Json(service.device_rows(&key).await?))
}

/// Removes a device with its tokens, at once.
#[utoipa::path(delete, path = "/api/keys/points/{id}/devices/{device}", tag = "keys", security(("service" = [])),
    params(("id" = String, Path, description = "The key's id."),
        ("device" = String, Path, description = "The device's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(in crate::http::accounts) async fn device_remove<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    Path((id, device)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let (relying, key) = service.own_key(&headers, &id).await?;
    let device: DeviceId = device.parse().map_err(|_| missing())?;
    let detail = json!({ "service": relying.id, "key": key.id, "device": device });
    let event = service.event("key-device-removed", &detail);
    let done = service.store.remove_device(&relying, key.id, device, None, &event).await;
    done.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

impl<S: Kept> Service<S> {
    async fn own_key(&self, headers: &HeaderMap, id: &str) -> Result<(Relying, ApiKey), CallError> {
        let relying = self.relying(headers).await?;
        let id: ApiKeyId = id.parse().map_err(|_| missing())?;
        let key = self.store.key_of(relying.id, id).await.map_err(fault::stored)?;
        Ok((relying, key.ok_or_else(missing)?))
    }
}

fn missing() -> CallError {
    fault::stored(AccountError::Missing("the key"))
}

const LIST_MAX: usize = 1000;
