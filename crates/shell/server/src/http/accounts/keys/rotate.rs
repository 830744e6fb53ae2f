//! Another key in the place of one.

use std::sync::Arc;

use axum::{Extension, extract::State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use symbolon_crypto::schnorr::Point;
use symbolon_possession::token::Scopes;
use symbolon_possession::{
    Act, DeviceId, Known, Purpose, RotationProof, Statement, verify_rotation,
};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::bytes::{Base64Url, Exactly};
use super::super::{door::Admitted, oauth::Kept, service::Service};
use super::answer;
use super::signed::{SignedProof, Stated, sized};

/// An old key and its new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct KeyRotation {
    /// The device that does it.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The new key's point, 32 bytes.
    #[schema(value_type = String)]
    point: Exactly<32>,
    /// The old key's proof, with purpose `rotate` and the new point.
    signed: SignedProof,
    /// The new key's proof, 64 bytes, with purpose `replace` and the old point.
    #[schema(value_type = String)]
    new_proof: Base64Url,
}

/// Puts a new key in the place of an old one, both proven: the old one is worth nothing from then on.
#[utoipa::path(post, path = "/api/keys/rotate", tag = "keys", request_body = KeyRotation,
    responses((status = 204), (status = 401, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn rotate<S: Kept>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    Sent(rotation): Sent<KeyRotation>,
) -> Result<StatusCode, Failure> {
    let KeyRotation { device, point, signed, new_proof } = rotation;
    let known = service.device(device).await?;
    let Known { device, key, service: relying } = &known;
    let new = Point::from_bytes(&point.0).map_err(answer::point)?;
    let stated = Stated {
        purpose: Purpose::Rotate,
        account: key.account.clone(),
        device: device.public,
        scopes: Scopes::default(),
        act: Act::Point(point.0),
    };
    let (rotate, nonce) = service.stated(relying, &signed, &admitted, stated)?;
    let replace = Statement {
        purpose: Purpose::Replace,
        act: Act::Point(*key.point.as_bytes()),
        ..rotate.clone()
    };
    let proof = RotationProof {
        old: sized(&signed.proof, "proof")?,
        new: sized(&new_proof, "new_proof")?,
        signature: signed.signature()?,
    };
    let rotated = verify_rotation(&rotate, &replace, &key.point, &new, &proof);
    let rotated = rotated.map_err(answer::proof)?;
    let detail = json!({ "service": relying.id, "key": key.id, "device": device.id,
        "address": admitted.address });
    let event = service.event("key-rotated", &detail);
    let done = service.store.rotate_key(relying, key.id, &rotated, &nonce, &event).await;
    done.map_err(answer::stored)?;
    Ok(StatusCode::NO_CONTENT)
}
