//! The keys of a server: each of its own, all from one.

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::oprf::{OprfError, OprfKey};
use symbolon_crypto::{MasterKey, SigningKey, hmac_sha256, labels};
use symbolon_secret::Secret;

use crate::{NonceKey, ServiceId, ServiceSecret, TokenSigner};

/// What a server proves possession with and against. Servers that share a database have the same.
#[derive(Debug)]
pub struct PossessionKeys {
    oprf_seed: Secret<[u8; 32]>,
    services: Secret<[u8; 32]>,
    /// Makes and judges nonces.
    pub nonces: NonceKey,
    /// Signs tokens.
    pub tokens: TokenSigner,
}

impl PossessionKeys {
    /// From 32 bytes that only the server has, for its origin.
    pub fn from_secret(secret: Secret<[u8; 32]>, issuer: &str) -> Self {
        let master = MasterKey::from_secret(secret);
        let seed = master.derive_secret(&labels::KEY_POSSESSION_TOKENS, &[]);
        Self {
            oprf_seed: master.derive_secret(&labels::KEY_POSSESSION_OPRF, &[]),
            services: master.derive_secret(&labels::KEY_POSSESSION_SERVICES, &[]),
            nonces: NonceKey::from_secret(
                master.derive_secret(&labels::KEY_POSSESSION_NONCES, &[]),
            ),
            tokens: TokenSigner::new(SigningKey::from_seed(seed), issuer),
        }
    }

    /// The server's step of enrolment, under a key of the service alone: what one service's clients can ask says
    /// nothing of another's.
    ///
    /// # Errors
    /// [`OprfError`].
    pub fn evaluate(&self, service: ServiceId, blinded: &[u8; 32]) -> Result<[u8; 32], OprfError> {
        let info = Fields::new(labels::KEY_POSSESSION_OPRF.as_str());
        let info = info.bytes(service.as_bytes()).finish();
        OprfKey::derive(&self.oprf_seed, &info)?.evaluate(blinded)
    }

    /// What a service's secret is kept as.
    pub fn secret_hash(&self, secret: &ServiceSecret) -> Digest32 {
        // EXPOSE: the hash of a secret is made of it.
        let bytes = secret.secret().expose();
        hmac_sha256(&self.services, &[labels::SERVICE_SECRET.as_str().as_bytes(), bytes])
    }
}
