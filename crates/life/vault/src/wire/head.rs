//! What a vault is at one moment, signed by its holder.

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::{Sha256, SigningKey, VerifyingKey, labels, sha256};
use symbolon_custody::VaultId;

use super::error::WireError;
use super::id::ItemId;
use super::text::as_text;

/// The state of a whole vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The vault.
    pub vault: VaultId,
    /// How many commits led here.
    pub counter: u64,
    /// The digest of the head before; zeros for the first.
    pub previous: Digest32,
    /// The digest of all current revisions, see [`root`].
    pub root: Digest32,
    /// When it was made, in milliseconds since 1970, by the holder's clock.
    pub updated_unix_ms: u64,
    /// The data key in use, from 1.
    pub epoch: u32,
}

impl Head {
    /// The head of a vault without items.
    pub fn first(vault: VaultId, updated_unix_ms: u64) -> Self {
        let (previous, root) = (Digest32([0; 32]), root(&mut []));
        Self { vault, counter: 0, previous, root, updated_unix_ms, epoch: 1 }
    }

    /// The bytes that are signed.
    pub fn encode(&self) -> Vec<u8> {
        Fields::new(labels::VAULT_HEAD.as_str())
            .bytes(self.vault.as_bytes())
            .u64(self.counter)
            .bytes(&self.previous.0)
            .bytes(&self.root.0)
            .u64(self.updated_unix_ms)
            .u64(u64::from(self.epoch))
            .finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = FieldsReader::new(labels::VAULT_HEAD.as_str(), bytes)?;
        let vault = VaultId::from(r.array()?);
        let counter = r.u64()?;
        let (previous, root) = (Digest32(r.array()?), Digest32(r.array()?));
        let updated_unix_ms = r.u64()?;
        let epoch = u32::try_from(r.u64()?).ok().filter(|e| *e > 0);
        let epoch = epoch.ok_or(WireError::Value("epoch"))?;
        r.end()?;
        Ok(Self { vault, counter, previous, root, updated_unix_ms, epoch })
    }

    /// SHA-256 of the bytes that are signed: what the next head calls the one before.
    pub fn digest(&self) -> Digest32 {
        sha256(&self.encode())
    }
}

/// A head with its signature. That it is parsed says nothing about the signature: see
/// [`SignedHead::verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedHead {
    head: Head,
    signature: [u8; 64],
}

impl SignedHead {
    /// Signs a head.
    pub fn sign(head: Head, key: &SigningKey) -> Self {
        Self { head, signature: key.sign(&head.encode()) }
    }

    /// The head, verified or not.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Whether the key signed it.
    ///
    /// # Errors
    /// [`HeadError`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<&Head, HeadError> {
        key.verify(&self.head.encode(), &self.signature).map_err(|_| HeadError)?;
        Ok(&self.head)
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        Fields::new(labels::VAULT_SIGNED_HEAD.as_str())
            .bytes(&self.head.encode())
            .bytes(&self.signature)
            .finish()
    }

    /// From its bytes.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > SIGNED_HEAD_BYTES_MAX {
            let (found, max) = (bytes.len(), SIGNED_HEAD_BYTES_MAX);
            return Err(CodecError::TooLong { found, max }.into());
        }
        let mut r = FieldsReader::new(labels::VAULT_SIGNED_HEAD.as_str(), bytes)?;
        let head = Head::decode(r.bytes(SIGNED_HEAD_BYTES_MAX)?)?;
        let signature = r.array()?;
        r.end()?;
        Ok(Self { head, signature })
    }
}

as_text!(SignedHead, SIGNED_HEAD_BYTES_MAX);

/// The head is not signed by the key that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the head is not signed by the vault's head key")]
pub struct HeadError;

/// The digest of current revisions: item, number and digest of each, erased items too. Sorts them.
pub fn root(current: &mut [(ItemId, u64, Digest32)]) -> Digest32 {
    current.sort_unstable_by_key(|(item, ..)| *item);
    let mut h = Sha256::new();
    h.field(labels::VAULT_ROOT.as_str().as_bytes());
    h.field(&(current.len() as u64).to_be_bytes());
    for (item, number, digest) in current {
        h.field(item.as_bytes());
        h.field(&number.to_be_bytes());
        h.field(&digest.0);
    }
    h.finish()
}

/// More than any head has.
pub(super) const SIGNED_HEAD_BYTES_MAX: usize = 512;
