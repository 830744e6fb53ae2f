//! What a key's holder does with its devices.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_possession::token::Scopes;
use symbolon_possession::{Act, ApiKeyId, Device, DeviceId, Known, Purpose, verify};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};
use super::answer;
use super::signed::{SignedProof, Stated};

/// What is done, proven.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct KeyManaging {
    /// The device that asks.
    #[schema(value_type = String)]
    device: DeviceId,
    /// `list`, `remove DEVICE` or `revoke`.
    act: String,
    /// The proof, with purpose `manage` and the act.
    signed: SignedProof,
}

/// A device of a key.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct DeviceRow {
    /// Its id.
    #[schema(value_type = String)]
    id: DeviceId,
    /// What its holder calls it.
    name: String,
    /// When it was enrolled, in Unix milliseconds.
    created_unix_ms: u64,
    /// When it last logged in, in Unix milliseconds, to the minute.
    used_unix_ms: Option<u64>,
    /// When it was removed, in Unix milliseconds.
    revoked_unix_ms: Option<u64>,
}

impl From<Device> for DeviceRow {
    fn from(device: Device) -> Self {
        let Device { id, name, created_unix_ms, used_unix_ms, revoked_unix_ms, .. } = device;
        Self { id, name, created_unix_ms, used_unix_ms, revoked_unix_ms }
    }
}

/// A key with its devices, as they are now.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct DeviceRows {
    /// The key's id.
    #[schema(value_type = String)]
    key: ApiKeyId,
    /// What the service calls it.
    key_name: String,
    /// Oldest first.
    devices: Vec<DeviceRow>,
}

/// Lists the devices of a key, removes one, or revokes the key with all of them.
#[utoipa::path(post, path = "/api/keys/manage", tag = "keys", request_body = KeyManaging,
    responses((status = 200, body = DeviceRows), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 422, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn manage<S: Kept>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    Sent(managing): Sent<KeyManaging>,
) -> Result<Json<DeviceRows>, Failure> {
    let KeyManaging { device, act, signed } = managing;
    let wanted = Wanted::parse(&act)
        .ok_or_else(|| fault::malformed("act is list, remove DEVICE or revoke."))?;
    let known = service.device(device).await?;
    let Known { device, key, service: relying } = &known;
    let stated = Stated {
        purpose: Purpose::Manage,
        account: key.account.clone(),
        device: device.public,
        scopes: Scopes::default(),
        act: Act::Words(act),
    };
    let (statement, nonce) = service.stated(relying, &signed, &admitted, stated)?;
    verify(&statement, &key.point, &signed.proof()?).map_err(answer::proof)?;
    let detail = |removed: Option<DeviceId>| {
        json!({ "service": relying.id, "key": key.id, "by": device.id, "device": removed,
            "address": admitted.address })
    };
    let store = &service.store;
    let done = match wanted {
        Wanted::List => store.spend(&nonce).await,
        Wanted::Remove(id) => {
            let event = service.event("key-device-removed", &detail(Some(id)));
            store.remove_device(relying, key.id, id, Some(&nonce), &event).await
        }
        Wanted::Revoke => {
            let event = service.event("key-revoked", &detail(None));
            store.revoke_key(relying, key.id, Some(&nonce), &event).await
        }
    };
    done.map_err(answer::stored)?;
    Ok(Json(service.device_rows(key).await?))
}

enum Wanted {
    List,
    Remove(DeviceId),
    Revoke,
}

impl Wanted {
    fn parse(act: &str) -> Option<Self> {
        match act {
            "list" => Some(Self::List),
            "revoke" => Some(Self::Revoke),
            _ => act.strip_prefix("remove ")?.parse().ok().map(Self::Remove),
        }
    }
}

impl<S: Kept> Service<S> {
    /// A key's devices.
    pub(super) async fn device_rows(
        &self,
        key: &symbolon_possession::ApiKey,
    ) -> Result<DeviceRows, symbolon_broker::CallError> {
        let devices = self.store.devices_of(key.id).await.map_err(fault::stored)?;
        let devices = devices.into_iter().map(DeviceRow::from).collect();
        Ok(DeviceRows { key: key.id, key_name: key.name.clone(), devices })
    }
}
