//! The evidence that a vault was opened.

use std::num::NonZeroU32;

use symbolon_crypto::{AeadKey, Label, MasterKey, labels};
use symbolon_secret::Secret;

use crate::id::{VaultId, WrapId};
use crate::method::Method;
use crate::ring::OldKey;
use crate::vault::RingError;

/// A vault that somebody with a right to it opened. Only custody can make one; dropping it wipes
/// the data key. The data key seals nothing itself, and leaves as subkeys only.
pub struct Unlocked {
    vault: VaultId,
    by: Option<(WrapId, Method)>,
    epoch: NonZeroU32,
    data_key: MasterKey,
    ring: Vec<OldKey>,
}

impl Unlocked {
    pub(crate) fn new(
        vault: VaultId,
        by: Option<(WrapId, Method)>,
        (epoch, data_key): (NonZeroU32, MasterKey),
        ring: Vec<OldKey>,
    ) -> Self {
        Self { vault, by, epoch, data_key, ring }
    }

    /// Which vault.
    pub fn vault_id(&self) -> VaultId {
        self.vault
    }

    /// Which wrap opened it; `None` where it was just made.
    pub fn opened_by(&self) -> Option<(WrapId, Method)> {
        self.by
    }

    /// Which data key it is; they count from 1, and what is sealed now is sealed under this one.
    pub fn epoch(&self) -> u32 {
        self.epoch.get()
    }

    /// The same vault under the data key of an earlier epoch, to open what was sealed then and seal
    /// it again under the present one.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn earlier(&self, epoch: u32) -> Result<Self, RingError> {
        let old = self.ring.iter().find(|old| old.epoch() == epoch);
        let old = old.ok_or(RingError::NoSuchEpoch { epoch })?;
        let data_key = old.open(self.vault, (self.epoch, &self.data_key))?;
        let epoch = NonZeroU32::new(epoch).ok_or(RingError::NoSuchEpoch { epoch })?;
        Ok(Self::new(self.vault, self.by, (epoch, data_key), Vec::new()))
    }

    /// Seals credentials of connections.
    pub fn connections_key(&self) -> AeadKey {
        self.derive_aead(&labels::KEY_CONNECTIONS)
    }

    /// Seals the operator's signing seed.
    pub fn operator_key(&self) -> AeadKey {
        self.derive_aead(&labels::KEY_OPERATOR)
    }

    /// Seals rows of the state database.
    pub fn state_key(&self) -> AeadKey {
        self.derive_aead(&labels::KEY_STATE)
    }

    /// Seals TLS keys.
    pub fn tls_key(&self) -> AeadKey {
        self.derive_aead(&labels::KEY_TLS)
    }

    /// Seals the state of requests that wait for an answer.
    pub fn request_state_key(&self) -> AeadKey {
        self.derive_aead(&labels::KEY_REQUEST_STATE)
    }

    /// The subkey of another purpose, bound to this vault.
    pub fn derive_aead(&self, label: &Label) -> AeadKey {
        self.data_key.derive_aead(label, self.vault.as_bytes())
    }

    /// 32 secret bytes for another purpose, bound to this vault.
    pub fn derive_secret(&self, label: &Label) -> Secret<[u8; 32]> {
        self.data_key.derive_secret(label, self.vault.as_bytes())
    }

    pub(crate) fn data_key(&self) -> (NonZeroU32, &MasterKey) {
        (self.epoch, &self.data_key)
    }
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unlocked").field("vault", &self.vault).finish_non_exhaustive()
    }
}
