//! What is asked before a proof: the server's function, and a nonce.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use symbolon_account::AccountError;
use symbolon_ambient::BatchedRng;
use symbolon_broker::CallError;
use symbolon_crypto::VerifyingKey;
use symbolon_possession::{NONCE_MS, Service as Relying, ServiceId};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::bytes::{Base64Url, Exactly};
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};

type Shared<S> = State<Arc<Service<S>>>;

/// A key that was blinded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct BlindedKey {
    /// The service's id.
    #[schema(value_type = String)]
    service: ServiceId,
    /// 32 bytes (RFC 9497, `blindedElement`).
    #[schema(value_type = String)]
    element: Exactly<32>,
}

/// The function's step.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct EvaluatedKey {
    /// 32 bytes (RFC 9497, `evaluatedElement`).
    #[schema(value_type = String)]
    element: Exactly<32>,
}

/// Evaluates the server's function for a blinded key: nothing of the key is seen.
#[utoipa::path(post, path = "/api/keys/oprf", tag = "keys", request_body = BlindedKey,
    responses((status = 200, body = EvaluatedKey), (status = 404, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn evaluate<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(asked): Sent<BlindedKey>,
) -> Result<Json<EvaluatedKey>, Failure> {
    let BlindedKey { service: id, element } = asked;
    service.keys.evaluate(id, admitted.address.into(), &*service.clock)?;
    let relying = service.service_by_id(id).await?;
    let evaluated = service.possession.evaluate(relying.id, &element.0);
    let evaluated = evaluated
        .map_err(|_| fault::malformed("element is no element of ristretto255, or the identity."))?;
    Ok(Json(EvaluatedKey { element: Exactly(evaluated) }))
}

/// Who will prove.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct KeyAsking {
    /// The service's id.
    #[schema(value_type = String)]
    service: ServiceId,
    /// The device's Ed25519 key, 32 bytes.
    #[schema(value_type = String)]
    device: Exactly<32>,
}

/// What the proof is bound to.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct KeyChallenge {
    /// 72 bytes, good once.
    #[schema(value_type = String)]
    nonce: Base64Url,
    /// For how long, in milliseconds.
    expires_in_ms: u64,
    /// The server's origin.
    issuer: String,
    /// The service's address.
    audience: String,
    /// Whether this server sees the exporter of the TLS connection.
    channel: bool,
}

/// A nonce for one proof by one device for one service.
#[utoipa::path(post, path = "/api/keys/challenge", tag = "keys", request_body = KeyAsking,
    responses((status = 200, body = KeyChallenge), (status = 404, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn challenge<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(asked): Sent<KeyAsking>,
) -> Result<Json<KeyChallenge>, Failure> {
    let relying = service.service_by_id(asked.service).await?;
    let device = device_key(&asked.device)?;
    let nonces = &service.possession.nonces;
    let nonce = nonces.make(relying.id, &device, service.now(), &BatchedRng);
    Ok(Json(KeyChallenge {
        nonce: Base64Url(nonce.to_vec()),
        expires_in_ms: NONCE_MS,
        issuer: service.origin.as_str().to_owned(),
        audience: relying.audience.as_str().to_owned(),
        channel: admitted.channel.is_some(),
    }))
}

/// A device's key.
pub(super) fn device_key(bytes: &Exactly<32>) -> Result<VerifyingKey, CallError> {
    VerifyingKey::from_bytes(&bytes.0)
        .map_err(|_| fault::malformed("device is no Ed25519 public key."))
}

impl<S: Kept> Service<S> {
    /// A service.
    ///
    /// # Errors
    /// `missing`, 404.
    pub(super) async fn service_by_id(&self, id: ServiceId) -> Result<Relying, CallError> {
        let found = self.store.service(id).await.map_err(fault::stored)?;
        found.ok_or_else(|| fault::stored(AccountError::Missing("the service")))
    }
}
