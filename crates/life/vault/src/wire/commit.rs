//! A change of a vault: a new head and the revisions that lead to it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::{VerifyingKey, labels};

use super::error::{CommitError, WireError};
use super::head::{Head, SIGNED_HEAD_BYTES_MAX, SignedHead};
use super::id::ItemId;
use super::revision::{REVISION_BYTES_MAX, SealedRevision, State};
use super::succession::{SUCCESSION_BYTES_MAX, Succession};

/// What a holder sends, and a server takes whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Commit {
    base: u64,
    head: SignedHead,
    #[serde(skip_serializing_if = "Option::is_none")]
    succession: Option<Succession>,
    revisions: Vec<SealedRevision>,
}

/// An item's current revision, as far as a server looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its number.
    pub number: u64,
    /// Its state.
    pub state: State,
}

impl Commit {
    /// Of its parts.
    ///
    /// # Errors
    /// [`WireError`]: no revisions and no succession, too many revisions or bytes, one item twice.
    pub fn new(
        base: u64,
        head: SignedHead,
        succession: Option<Succession>,
        revisions: Vec<SealedRevision>,
    ) -> Result<Self, WireError> {
        let is_empty = revisions.is_empty() && succession.is_none();
        if is_empty || revisions.len() > COMMIT_REVISIONS_MAX {
            return Err(WireError::Value("revisions"));
        }
        let found = revisions.iter().map(|r| r.as_bytes().len() + 4).sum::<usize>();
        if found > COMMIT_BYTES_MAX - COMMIT_REST_BYTES_MAX {
            return Err(CodecError::TooLong { found, max: COMMIT_BYTES_MAX }.into());
        }
        let mut seen = HashSet::with_capacity(revisions.len());
        if let Some(twice) = revisions.iter().find(|r| !seen.insert(r.item())) {
            return Err(WireError::Twice(twice.item()));
        }
        Ok(Self { base, head, succession, revisions })
    }

    /// The counter of the head that it builds on.
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// The new head, verified or not.
    pub const fn head(&self) -> &SignedHead {
        &self.head
    }

    /// New keys of the vault, which a server that takes the commit keeps in place of the old.
    pub const fn succession(&self) -> Option<&Succession> {
        self.succession.as_ref()
    }

    /// The revisions; of an erased one the server deletes all that were before.
    pub fn revisions(&self) -> &[SealedRevision] {
        &self.revisions
    }

    /// The server's checks: rules 5 to 11 of the spec. `current_of` gives an item's current revision
    /// as of `current`, in the same transaction.
    ///
    /// # Errors
    /// [`CommitError`], in the order of the spec.
    pub fn check(
        &self,
        current: &Head,
        head_key: &VerifyingKey,
        mut current_of: impl FnMut(&ItemId) -> Option<Current>,
    ) -> Result<(), CommitError> {
        let head = self.head.head();
        let of_vault = |r: &SealedRevision| r.header().vault == current.vault;
        if head.vault != current.vault || !self.revisions.iter().all(of_vault) {
            return Err(CommitError::Vault);
        }
        if self.base != current.counter {
            return Err(CommitError::Base { expected: current.counter, found: self.base });
        }
        if Some(head.counter) != self.base.checked_add(1) {
            return Err(CommitError::Counter);
        }
        if head.previous != current.digest() {
            return Err(CommitError::Previous);
        }
        let head_key = self.key_of_head(current, head_key)?;
        self.head.verify(head_key).map_err(|_| CommitError::Signature)?;
        for revision in &self.revisions {
            if revision.header().epoch > head.epoch {
                return Err(CommitError::Epoch);
            }
            let (item, found) = (revision.item(), revision.number());
            let current = current_of(&item);
            if current.is_some_and(|c| c.state == State::Erased) {
                return Err(CommitError::Erased(item));
            }
            let expected = current.map_or(1, |c| c.number.saturating_add(1));
            if found != expected {
                return Err(CommitError::Revision { item, expected, found });
            }
        }
        Ok(())
    }

    /// Rule 8: the key of the current epoch, or of the next where the old one hands over to it.
    fn key_of_head<'k>(
        &'k self,
        current: &Head,
        head_key: &'k VerifyingKey,
    ) -> Result<&'k VerifyingKey, CommitError> {
        let epoch = self.head.head().epoch;
        let Some(next) = &self.succession else {
            return if epoch == current.epoch { Ok(head_key) } else { Err(CommitError::Epoch) };
        };
        if Some(epoch) != current.epoch.checked_add(1) {
            return Err(CommitError::Epoch);
        }
        let is_ours = next.vault() == current.vault && next.epoch() == epoch;
        if is_ours && next.is_signed_by(head_key) {
            Ok(next.head_key())
        } else {
            Err(CommitError::Succession)
        }
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let succession = self.succession.as_ref().map(Succession::encode).unwrap_or_default();
        let mut f = Fields::new(labels::VAULT_COMMIT.as_str())
            .u64(self.base)
            .bytes(&self.head.encode())
            .bytes(&succession)
            .u64(self.revisions.len() as u64);
        for revision in &self.revisions {
            f = f.bytes(revision.as_bytes());
        }
        f.finish()
    }

    /// From its bytes.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > COMMIT_BYTES_MAX {
            let (found, max) = (bytes.len(), COMMIT_BYTES_MAX);
            return Err(CodecError::TooLong { found, max }.into());
        }
        let mut r = FieldsReader::new(labels::VAULT_COMMIT.as_str(), bytes)?;
        let base = r.u64()?;
        let head = SignedHead::decode(r.bytes(SIGNED_HEAD_BYTES_MAX)?)?;
        let succession = match r.bytes(SUCCESSION_BYTES_MAX)? {
            [] => None,
            bytes => Some(Succession::decode(bytes)?),
        };
        let count = r.u64()?;
        if count > COMMIT_REVISIONS_MAX as u64 {
            return Err(WireError::Value("revisions"));
        }
        let mut revisions = Vec::new();
        for _ in 0..count {
            revisions.push(SealedRevision::decode(r.bytes(REVISION_BYTES_MAX)?)?);
        }
        r.end()?;
        Self::new(base, head, succession, revisions)
    }
}

/// A commit as JSON has it, before its bounds are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    base: u64,
    head: SignedHead,
    #[serde(default)]
    succession: Option<Succession>,
    revisions: Vec<SealedRevision>,
}

impl TryFrom<Parts> for Commit {
    type Error = WireError;
    fn try_from(parts: Parts) -> Result<Self, WireError> {
        Self::new(parts.base, parts.head, parts.succession, parts.revisions)
    }
}

/// The most revisions in one commit.
pub const COMMIT_REVISIONS_MAX: usize = 1000;
/// The longest commit.
pub const COMMIT_BYTES_MAX: usize = 8 << 20;
/// What a commit has beside its revisions, at most.
const COMMIT_REST_BYTES_MAX: usize = 2048;
