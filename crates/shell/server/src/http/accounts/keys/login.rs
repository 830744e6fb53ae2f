//! A proof in, a token out.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use symbolon_ambient::BatchedRng;
use symbolon_broker::CallError;
use symbolon_possession::token::Scopes;
use symbolon_possession::{Act, DeviceId, Known, Purpose, verify};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};
use super::answer;
use super::signed::{SignedProof, Stated};

/// A device that proves its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct KeyLogin {
    /// The device's id.
    #[schema(value_type = String)]
    device: DeviceId,
    /// What the token is to be good for: sorted words, one space between.
    scope: String,
    /// The proof, with purpose `login`.
    signed: SignedProof,
}

/// A token (RFC 6749, section 5.1; RFC 9449, section 5).
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct KeyToken {
    /// A JWT that is bound to the device's key.
    access_token: String,
    /// How it is shown.
    token_type: &'static str,
    /// How long it is good, in seconds.
    expires_in: u64,
    /// What it is good for.
    scope: String,
}

/// Logs a device in.
#[utoipa::path(post, path = "/api/keys/login", tag = "keys", request_body = KeyLogin,
    responses((status = 200, body = KeyToken), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 422, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn login<S: Kept>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    Sent(login): Sent<KeyLogin>,
) -> Result<Json<KeyToken>, Failure> {
    let scopes = Scopes::parse(&login.scope).map_err(|e| fault::malformed(format!("{e}.")))?;
    let known = service.device(login.device).await?;
    let Known { device, key, service: relying } = &known;
    if scopes.is_empty() || !scopes.is_within(&key.scopes) {
        return Err(answer::scope().into());
    }
    let stated = Stated {
        purpose: Purpose::Login,
        account: key.account.clone(),
        device: device.public,
        scopes,
        act: Act::None,
    };
    let (statement, nonce) = service.stated(relying, &login.signed, &admitted, stated)?;
    let proof = login.signed.proof()?;
    let possessed = verify(&statement, &key.point, &proof).map_err(answer::proof)?;
    let now = service.now();
    // Of any number of servers one gets past this.
    service.store.log_in(device, &nonce, now).await.map_err(answer::stored)?;
    let tokens = &service.possession.tokens;
    let issued = tokens.issue(possessed, relying, key, device, now, &BatchedRng);
    let issued = issued.ok_or_else(|| fault::bug("a token"))?;
    Ok(Json(KeyToken {
        access_token: issued.text,
        token_type: "DPoP",
        expires_in: issued.claims.exp - issued.claims.iat,
        scope: issued.claims.scope.as_str().to_owned(),
    }))
}

impl<S: Kept> Service<S> {
    /// A device that may prove, with its key and service.
    ///
    /// # Errors
    /// `rate_limited`, `unknown_device`, `revoked`.
    pub(super) async fn device(&self, id: DeviceId) -> Result<Known, CallError> {
        self.keys.login(id, &*self.clock)?;
        let known = self.store.known(id).await.map_err(fault::stored)?;
        let known = known.ok_or_else(answer::device)?;
        if known.is_live() { Ok(known) } else { Err(answer::revoked()) }
    }
}
