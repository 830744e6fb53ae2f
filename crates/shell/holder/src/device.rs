//! The key that this device signs its requests with, sealed under the vault's data key.

use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_codec::b64url;
use symbolon_crypto::{OpenError, SigningKey, labels};
use symbolon_custody::Unlocked;
use symbolon_secret::Secret;

use crate::error::HolderError;

/// A device's Ed25519 key at rest: who opens the vault signs with it, and nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSeal {
    /// Its public half, base64url: the `keyid` of signed requests.
    pub key_id: String,
    /// Under which data key it is sealed.
    pub epoch: u32,
    /// The sealed seed, base64url.
    sealed: String,
}

impl DeviceSeal {
    /// Makes a key, and seals it.
    pub fn make(unlocked: &Unlocked, rng: &dyn Rng) -> (Self, SigningKey) {
        let seed = Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes));
        let under = unlocked.derive_aead(&labels::KEY_HOLDER_DEVICE);
        let (vault, tag) = (unlocked.vault_id(), &labels::HOLDER_DEVICE_SEED);
        // EXPOSE: sealing reads the seed where it is.
        let sealed = under.seal(tag, &[vault.as_bytes()], seed.expose(), rng);
        let key = SigningKey::from_seed(seed);
        let key_id = b64url::encode(key.verifying_key().as_bytes());
        (Self { key_id, epoch: unlocked.epoch(), sealed: b64url::encode(&sealed) }, key)
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`HolderError::Damaged`], [`HolderError::Ring`] where the data key it was sealed under is gone.
    pub fn open(&self, unlocked: &Unlocked) -> Result<SigningKey, HolderError> {
        let damaged = || HolderError::Damaged { what: "this device's sealed key".into() };
        let earlier;
        let of = if self.epoch == unlocked.epoch() {
            unlocked
        } else {
            earlier = unlocked.earlier(self.epoch)?;
            &earlier
        };
        let sealed = b64url::decode(&self.sealed, SEALED_BYTES_MAX).map_err(|_| damaged())?;
        let under = of.derive_aead(&labels::KEY_HOLDER_DEVICE);
        let (vault, tag) = (unlocked.vault_id(), &labels::HOLDER_DEVICE_SEED);
        let plain = under.open(tag, &[vault.as_bytes()], &sealed);
        let seed = plain.map_err(|_: OpenError| damaged())?.into_array::<32>();
        let key = SigningKey::from_seed(seed.map_err(|_| damaged())?);
        let is_own = b64url::encode(key.verifying_key().as_bytes()) == self.key_id;
        if is_own { Ok(key) } else { Err(damaged()) }
    }
}

const SEALED_BYTES_MAX: usize = 1024;
