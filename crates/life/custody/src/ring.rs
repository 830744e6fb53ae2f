//! Data keys of earlier epochs, each sealed under the present one.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_crypto::{AeadKey, MasterKey, OpenError, labels};

use crate::hexed;
use crate::id::VaultId;
use crate::vault::RingError;

/// The data key of one earlier epoch. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldKey {
    epoch: NonZeroU32,
    #[serde(with = "hexed::base64")]
    envelope: Vec<u8>,
}

impl OldKey {
    /// Which.
    pub fn epoch(&self) -> u32 {
        self.epoch.get()
    }

    /// Seals `old` of `epoch` under `new` of `under`.
    pub(crate) fn seal(
        vault: VaultId,
        (epoch, old): (NonZeroU32, &MasterKey),
        (under, new): (NonZeroU32, &MasterKey),
        rng: &dyn Rng,
    ) -> Self {
        let context = Context::new(vault, epoch, under);
        let key = key(vault, new);
        let envelope = old.wrap_under(&key, &labels::VAULT_OLD_KEY, &context.fields(), rng);
        Self { epoch, envelope }
    }

    pub(crate) fn open(
        &self,
        vault: VaultId,
        (under, new): (NonZeroU32, &MasterKey),
    ) -> Result<MasterKey, RingError> {
        let context = Context::new(vault, self.epoch, under);
        let (key, tag) = (key(vault, new), &labels::VAULT_OLD_KEY);
        MasterKey::unwrap_under(&key, tag, &context.fields(), &self.envelope).map_err(|e| match e {
            OpenError::NoPage => RingError::NoPage,
            _ => RingError::Damaged { epoch: self.epoch.get() },
        })
    }
}

/// What the envelope is bound to.
struct Context {
    vault: VaultId,
    epochs: [[u8; 4]; 2],
}

impl Context {
    fn new(vault: VaultId, epoch: NonZeroU32, under: NonZeroU32) -> Self {
        Self { vault, epochs: [epoch, under].map(|e| e.get().to_be_bytes()) }
    }

    fn fields(&self) -> [&[u8]; 3] {
        [self.vault.as_bytes(), &self.epochs[0], &self.epochs[1]]
    }
}

fn key(vault: VaultId, data_key: &MasterKey) -> AeadKey {
    data_key.derive_aead(&labels::KEY_RING, vault.as_bytes())
}
