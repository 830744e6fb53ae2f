//! What a vault's data keys give, epoch by epoch.

use std::collections::BTreeMap;
use std::fmt;

use symbolon_crypto::{
    FieldKey, RecipientKey, RecipientSecret, Sha256, SigningKey, VerifyingKey, labels,
};
use symbolon_custody::{Unlocked, VaultId};

/// The keys of one data key.
pub struct EpochKeys {
    pub(crate) fields: FieldKey,
    pub(crate) index: FieldKey,
    pub(crate) head: SigningKey,
    pub(crate) share: RecipientSecret,
}

impl EpochKeys {
    /// Of the data key that somebody opened.
    pub fn derive(unlocked: &Unlocked) -> Self {
        let secret = |label| unlocked.derive_secret(label);
        Self {
            fields: FieldKey::from_secret(&secret(&labels::KEY_VAULT_FIELDS)),
            index: FieldKey::from_secret(&secret(&labels::KEY_VAULT_INDEX)),
            head: SigningKey::from_seed(secret(&labels::KEY_VAULT_HEAD)),
            share: RecipientSecret::derive(&secret(&labels::KEY_VAULT_SHARE)),
        }
    }
}

impl fmt::Debug for EpochKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EpochKeys")
    }
}

/// The keys of a vault: of the epoch in use, and of those that items are still sealed under.
#[derive(Debug)]
pub struct Keys {
    vault: VaultId,
    epoch: u32,
    epochs: BTreeMap<u32, EpochKeys>,
}

impl Keys {
    /// The keys of the data key in use, whose epoch is `epoch`, 1 at least.
    pub fn new(unlocked: &Unlocked, epoch: u32) -> Self {
        let epoch = epoch.max(1);
        let epochs = BTreeMap::from([(epoch, EpochKeys::derive(unlocked))]);
        Self { vault: unlocked.vault_id(), epoch, epochs }
    }

    /// Adds those of an older data key; one of the epoch in use, or a later one, is left out.
    pub fn add_older(&mut self, epoch: u32, keys: EpochKeys) {
        if epoch > 0 && epoch < self.epoch {
            self.epochs.insert(epoch, keys);
        }
    }

    /// The vault.
    pub const fn vault(&self) -> VaultId {
        self.vault
    }

    /// The epoch in use.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What verifies heads that are signed now.
    pub fn head_key(&self) -> VerifyingKey {
        self.current().head.verifying_key()
    }

    /// What others seal shares to.
    pub fn share_key(&self) -> RecipientKey {
        self.current().share.public()
    }

    pub(crate) fn current(&self) -> &EpochKeys {
        // INFALLIBLE: `new` put it there and nothing takes out.
        self.epochs.get(&self.epoch).expect("the epoch in use has keys")
    }

    pub(crate) fn of(&self, epoch: u32) -> Option<&EpochKeys> {
        self.epochs.get(&epoch)
    }

    /// Those of every epoch that is known, the one in use first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &EpochKeys> {
        self.epochs.values().rev()
    }
}

/// What two people compare of a share key: 8 groups of 4 hex digits, the first 128 bits of
/// SHA-256(F("symbolon/vault-share-fingerprint/v1", key)).
pub fn fingerprint(key: &RecipientKey) -> String {
    let mut h = Sha256::new();
    h.field(labels::VAULT_SHARE_FINGERPRINT.as_str().as_bytes());
    h.field(key.as_bytes());
    let hex = h.finish().to_string();
    let groups: Vec<&str> = (0..8).filter_map(|n| hex.get(n * 4..n * 4 + 4)).collect();
    groups.join(" ")
}
