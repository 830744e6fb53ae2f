//! What every proof comes with, and the statement that it is about.

use serde::Deserialize;
use symbolon_broker::CallError;
use symbolon_crypto::VerifyingKey;
use symbolon_possession::token::Scopes;
use symbolon_possession::{
    Act, Domain, KeyAccount, NONCE_BYTES, Proof, Purpose, Service as Relying, Statement,
    TimelyNonce,
};
use utoipa::ToSchema;

use super::super::bytes::Base64Url;
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};
use super::answer;

/// A proof with its nonce.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct SignedProof {
    /// From `POST /api/keys/challenge`.
    #[schema(value_type = String)]
    pub nonce: Base64Url,
    /// Commitment and response, 64 bytes.
    #[schema(value_type = String)]
    pub proof: Base64Url,
    /// By the device, 64 bytes.
    #[schema(value_type = String)]
    pub signature: Base64Url,
    /// Whether the statement has the exporter of this TLS connection (RFC 9266).
    #[serde(default)]
    pub channel: bool,
}

impl SignedProof {
    /// Proof and signature, of their lengths.
    pub fn proof(&self) -> Result<Proof, CallError> {
        Ok(Proof { schnorr: sized(&self.proof, "proof")?, signature: self.signature()? })
    }

    pub fn signature(&self) -> Result<[u8; 64], CallError> {
        sized(&self.signature, "signature")
    }
}

/// Exactly so many bytes.
pub(super) fn sized<const N: usize>(bytes: &Base64Url, name: &str) -> Result<[u8; N], CallError> {
    let found = bytes.0.len();
    let wrong = |_| fault::malformed(format!("{name} has {found} bytes; it is {N} in base64url."));
    bytes.0.as_slice().try_into().map_err(wrong)
}

/// What a statement is made of beside what the server knows.
pub(super) struct Stated {
    pub purpose: Purpose,
    pub account: KeyAccount,
    pub device: VerifyingKey,
    pub scopes: Scopes,
    pub act: Act,
}

impl<S: Kept> Service<S> {
    /// The statement that a proof must be about, with its nonce judged.
    ///
    /// # Errors
    /// Of the nonce, and of the channel.
    pub(super) fn stated(
        &self,
        relying: &Relying,
        signed: &SignedProof,
        admitted: &Admitted,
        stated: Stated,
    ) -> Result<(Statement, TimelyNonce), CallError> {
        let Stated { purpose, account, device, scopes, act } = stated;
        let timely = self.possession.nonces.judge(&signed.nonce.0, relying.id, &device, self.now());
        let timely = timely.map_err(answer::nonce)?;
        let channel = match (signed.channel, admitted.channel) {
            (false, _) => None,
            (true, Some(channel)) => Some(channel),
            (true, None) => return Err(answer::channel()),
        };
        let nonce: [u8; NONCE_BYTES] = *timely.as_bytes();
        let domain = Domain {
            issuer: self.origin.as_str().to_owned(),
            service: relying.id,
            audience: relying.audience.clone(),
            account,
        };
        let statement = Statement { purpose, domain, nonce, device, scopes, channel, act };
        Ok((statement, timely))
    }
}
