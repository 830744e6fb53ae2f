//! The evidence that a vault was opened.

use symbolon_crypto::{AeadKey, Label, MasterKey, labels};
use symbolon_secret::Secret;

use crate::id::{VaultId, WrapId};
use crate::method::Method;

/// A vault that somebody with a right to it opened. Only custody can make one; dropping it wipes
/// the data key. The data key seals nothing itself, and leaves as subkeys only.
pub struct Unlocked {
    vault: VaultId,
    by: Option<(WrapId, Method)>,
    data_key: MasterKey,
}

impl Unlocked {
    pub(crate) fn new(vault: VaultId, by: Option<(WrapId, Method)>, data_key: MasterKey) -> Self {
        Self { vault, by, data_key }
    }

    /// Which vault.
    pub fn vault_id(&self) -> VaultId {
        self.vault
    }

    /// Which wrap opened it; `None` where it was just made.
    pub fn opened_by(&self) -> Option<(WrapId, Method)> {
        self.by
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

    pub(crate) fn data_key(&self) -> &MasterKey {
        &self.data_key
    }
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unlocked").field("vault", &self.vault).finish_non_exhaustive()
    }
}
