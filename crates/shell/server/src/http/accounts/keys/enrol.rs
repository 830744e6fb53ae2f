//! A device of a key.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_crypto::schnorr::Point;
use symbolon_possession::token::Scopes;
use symbolon_possession::{
    Act, ApiKeyId, Device, DeviceId, Enrolled, KeyAccount, Purpose, ServiceId, verify,
};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::bytes::Exactly;
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};
use super::answer;
use super::entry::device_key;
use super::signed::{SignedProof, Stated};

/// A device that proves a key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct NewDevice {
    /// The service's id.
    #[schema(value_type = String)]
    service: ServiceId,
    /// The account there, where the service has them.
    #[serde(default)]
    account: String,
    /// The key's point, 32 bytes.
    #[schema(value_type = String)]
    point: Exactly<32>,
    /// The device's Ed25519 key, 32 bytes.
    #[schema(value_type = String)]
    device: Exactly<32>,
    /// What its holder calls it, 1 to 80 characters.
    name: String,
    /// The proof, with purpose `enrol`.
    signed: SignedProof,
}

/// A device that may log in now.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct EnrolledDevice {
    /// Its id.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The key's id.
    #[schema(value_type = String)]
    key: ApiKeyId,
    /// What the service calls the key.
    key_name: String,
    /// What its tokens may be good for.
    scopes: String,
    /// Whether the device is new.
    is_new: bool,
}

/// Enrols a device of a key that the service registered, by a proof of the key and the device's signature.
#[utoipa::path(post, path = "/api/keys/enrol", tag = "keys", request_body = NewDevice,
    responses((status = 201, body = EnrolledDevice), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 422, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn enrol<S: Kept>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewDevice>,
) -> Result<(StatusCode, Json<EnrolledDevice>), Failure> {
    let relying = service.service_by_id(new.service).await?;
    let account = KeyAccount::parse(&new.account).map_err(|e| fault::malformed(format!("{e}.")))?;
    let public = device_key(&new.device)?;
    let point = Point::from_bytes(&new.point.0).map_err(answer::point)?;
    let stated = Stated {
        purpose: Purpose::Enrol,
        account: account.clone(),
        device: public,
        scopes: Scopes::default(),
        act: Act::Name(new.name.clone()),
    };
    let (statement, nonce) = service.stated(&relying, &new.signed, &admitted, stated)?;
    let proof = new.signed.proof()?;
    let key = service.store.key_at(relying.id, &account, &point).await.map_err(fault::stored)?;
    let key = key.ok_or_else(answer::key)?;
    if key.revoked_unix_ms.is_some() {
        return Err(answer::revoked().into());
    }
    verify(&statement, &key.point, &proof).map_err(answer::proof)?;
    let device = Device {
        id: DeviceId::make(&SystemRng),
        key: key.id,
        public,
        name: new.name,
        created_unix_ms: service.now(),
        used_unix_ms: None,
        revoked_unix_ms: None,
    };
    let detail = json!({ "service": relying.id, "key": key.id, "device": device.id,
        "name": device.name, "address": admitted.address });
    let event = service.event("key-device-enrolled", &detail);
    let enrolled = service.store.enrol(&relying, &device, &nonce, &event).await;
    let (id, is_new) = match enrolled.map_err(answer::stored)? {
        Enrolled::New(id) => (id, true),
        Enrolled::Again(id) => (id, false),
    };
    let scopes = key.scopes.as_str().to_owned();
    let shown = EnrolledDevice { device: id, key: key.id, key_name: key.name, scopes, is_new };
    Ok((StatusCode::CREATED, Json(shown)))
}
