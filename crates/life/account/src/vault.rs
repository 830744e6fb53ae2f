//! A vault as the server sees it: keys that are public, wraps and a ring that are sealed.

use symbolon_custody::VaultId;

use crate::error::at_most;
use crate::{AccountError, AccountId};

/// A vault. An account has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// Its id.
    pub id: VaultId,
    /// Whose it is.
    pub account: AccountId,
    /// What changes with its ways to be opened.
    pub keys: VaultKeys,
    /// Raised by each change of `keys`; begins with 1.
    pub keys_version: u64,
    /// The last head.
    pub head: SignedHead,
    /// Bytes that its revisions and blobs have.
    pub used_bytes: u64,
    /// Bytes that they may have.
    pub quota_bytes: u64,
}

impl Vault {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`].
    pub fn check(&self) -> Result<(), AccountError> {
        self.keys.check()?;
        self.head.check()
    }
}

/// Bytes of a vault unless its server says otherwise.
pub const VAULT_BYTES_MAX: u64 = 2 << 30;

/// What changes with a vault's ways to be opened, all at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultKeys {
    /// The Ed25519 key that its heads are signed with.
    pub head_key: [u8; 32],
    /// The X25519 key that shares are sealed to.
    pub share_key: [u8; 32],
    /// The wraps of its data key, as JSON.
    pub wraps: String,
    /// The ring of earlier data keys, sealed under the present one; may be empty.
    pub ring: Vec<u8>,
    /// Which data key is the present one, from 1.
    pub epoch: u32,
}

impl VaultKeys {
    /// They keep their bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`] or [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        if self.epoch == 0 {
            return Err(AccountError::Malformed("epochs begin with 1"));
        }
        at_most("wraps", self.wraps.len(), WRAPS_BYTES_MAX)?;
        at_most("key ring", self.ring.len(), RING_BYTES_MAX)
    }
}

/// Bytes of the longest list of wraps.
pub const WRAPS_BYTES_MAX: usize = 64 * 1024;

/// Bytes of the longest key ring.
pub const RING_BYTES_MAX: usize = 64 * 1024;

/// A head with its signature. Who keeps it looks at its counter alone; who takes it from a client
/// checks that the counter is the one in the bytes, and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// Of how many commits it is the result.
    pub counter: u64,
    /// The bytes, with the signature.
    pub bytes: Vec<u8>,
}

impl SignedHead {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`].
    pub fn check(&self) -> Result<(), AccountError> {
        at_most("head", self.bytes.len(), HEAD_BYTES_MAX)
    }
}

/// Bytes of the longest head.
const HEAD_BYTES_MAX: usize = 1024;

/// A change of a vault's keys, by compare-and-set.
#[derive(Debug, Clone)]
pub struct KeyChange {
    /// The version that it was made on.
    pub base_version: u64,
    /// The keys from now on.
    pub keys: VaultKeys,
    /// A head signed by the new head key, where that changes: of the same items, with the next
    /// counter. Without it the head key must stay.
    pub head: Option<SignedHead>,
}

impl KeyChange {
    /// The vault after it.
    ///
    /// # Errors
    /// [`AccountError::Conflict`] where another change was first, [`AccountError::Malformed`] where
    /// a head is missing or has another counter than the next, [`AccountError::TooLong`].
    pub fn apply(&self, vault: &Vault) -> Result<Vault, AccountError> {
        self.keys.check()?;
        if self.base_version != vault.keys_version {
            return Err(AccountError::Conflict("the vault's keys"));
        }
        if self.keys.epoch < vault.keys.epoch {
            return Err(AccountError::Malformed("an epoch does not come back"));
        }
        let head = match &self.head {
            Some(head) => {
                head.check()?;
                if head.counter != vault.head.counter + 1 {
                    return Err(AccountError::Conflict("the vault"));
                }
                head.clone()
            }
            None if self.keys.head_key == vault.keys.head_key => vault.head.clone(),
            None => return Err(AccountError::Malformed("a new head key needs a head under it")),
        };
        Ok(Vault {
            keys: self.keys.clone(),
            keys_version: vault.keys_version + 1,
            head,
            ..vault.clone()
        })
    }
}
