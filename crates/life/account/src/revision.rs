//! Items by revision and commit.

use symbolon_codec::Digest32;
use symbolon_crypto::sha256;
use symbolon_custody::VaultId;
use symbolon_vault::wire::{COMMIT_BYTES_MAX, COMMIT_REVISIONS_MAX, REVISION_BYTES_MAX};

use crate::error::at_most;
use crate::{AccountError, ItemId, SignedHead};

/// What an item is at a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    /// In use.
    Live,
    /// In the trash.
    Trashed,
    /// Gone: its earlier revisions go with it.
    Erased,
}

impl ItemState {
    /// As stored, and as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Trashed => "trashed",
            Self::Erased => "erased",
        }
    }

    /// Reads [`ItemState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::Trashed, Self::Erased].into_iter().find(|s| s.as_str() == text)
    }
}

/// What stands in the clear beside a sealed revision: what its own bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionInfo {
    /// Which item.
    pub item: ItemId,
    /// Which revision of it, from 1.
    pub revision: u64,
    /// The item that it is in.
    pub parent: Option<ItemId>,
    /// The data key that it is sealed under.
    pub epoch: u32,
    /// What the item is.
    pub state: ItemState,
    /// When the item was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When this revision was, in Unix milliseconds.
    pub updated_unix_ms: u64,
    /// SHA-256 of the sealed bytes.
    pub digest: Digest32,
    /// How many those are.
    pub size_bytes: u64,
}

/// A sealed revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What stands in the clear.
    pub info: RevisionInfo,
    /// The commit that it came with; the store sets it.
    pub counter: u64,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl Revision {
    /// It keeps its bounds, and its digest is that of its bytes.
    ///
    /// # Errors
    /// [`AccountError::TooLong`] or [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        at_most("revision", self.sealed.len(), REVISION_BYTES_MAX)?;
        if self.info.revision == 0 || self.info.epoch == 0 {
            return Err(AccountError::Malformed("revisions and epochs begin with 1"));
        }
        let same_size = self.info.size_bytes == self.sealed.len() as u64;
        if !same_size || self.info.digest != sha256(&self.sealed) {
            return Err(AccountError::Malformed("a revision's digest is not that of its bytes"));
        }
        Ok(())
    }
}

/// Revisions of one item that are kept.
pub const HISTORY_MAX: u64 = 100;

/// Some revisions and the head of the vault with them: taken whole or not at all.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Which vault.
    pub vault: VaultId,
    /// The counter of the head that it was made on.
    pub base: u64,
    /// The head after it. Its signature is checked by who takes it from the client.
    pub head: SignedHead,
    /// The revisions, each item once.
    pub revisions: Vec<Revision>,
}

impl Commit {
    /// It keeps its bounds and says of itself what it must. Needs no store.
    ///
    /// # Errors
    /// [`AccountError::TooLong`] or [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        at_most("revisions of a commit", self.revisions.len(), COMMIT_REVISIONS_MAX)?;
        if self.revisions.is_empty() {
            return Err(AccountError::Malformed("a commit has a revision"));
        }
        let bytes = self.revisions.iter().map(|r| r.sealed.len()).sum();
        at_most("bytes of a commit", bytes, COMMIT_BYTES_MAX)?;
        self.head.check()?;
        if self.base.checked_add(1) != Some(self.head.counter) {
            return Err(AccountError::Malformed("a commit raises the counter by one"));
        }
        let mut items: Vec<_> = self.revisions.iter().map(|r| r.info.item).collect();
        items.sort_unstable();
        if items.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(AccountError::Malformed("an item is twice in a commit"));
        }
        self.revisions.iter().try_for_each(Revision::check)
    }

    /// The bytes that the vault uses after it. `current` tells the number of an item's current
    /// revision, 0 where there is none.
    ///
    /// # Errors
    /// [`AccountError::Conflict`] where another commit was first, or a revision is not the next of
    /// its item; [`AccountError::Quota`].
    pub fn apply(
        &self,
        vault: Standing,
        current: impl Fn(&ItemId) -> u64,
    ) -> Result<u64, AccountError> {
        if self.base != vault.counter {
            return Err(AccountError::Conflict("the vault"));
        }
        let next = |r: &Revision| current(&r.info.item).checked_add(1) == Some(r.info.revision);
        if !self.revisions.iter().all(next) {
            return Err(AccountError::Conflict("an item"));
        }
        let added: u64 = self.revisions.iter().map(|r| r.info.size_bytes).sum();
        let needed = vault.used_bytes.saturating_add(added);
        // Who is over may still erase: that is how room is made.
        let erases = self.revisions.iter().all(|r| r.info.state == ItemState::Erased);
        if needed > vault.quota_bytes && !erases {
            return Err(AccountError::Quota { needed, max: vault.quota_bytes });
        }
        Ok(needed)
    }
}

/// Where a vault stands before a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The counter of its head.
    pub counter: u64,
    /// Bytes that it uses.
    pub used_bytes: u64,
    /// Bytes that it may use.
    pub quota_bytes: u64,
}

/// Current revisions that came after a counter, in the order of their commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The revisions; those that a later one took the place of are left out.
    pub revisions: Vec<Revision>,
    /// The counter to ask with next. Never within a commit.
    pub next: u64,
    /// Whether there are more.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(item: u8, revision: u64) -> Revision {
        let sealed = vec![item; 10];
        let info = RevisionInfo {
            item: [item; 16].into(),
            revision,
            parent: None,
            epoch: 1,
            state: ItemState::Live,
            created_unix_ms: 1,
            updated_unix_ms: 2,
            digest: sha256(&sealed),
            size_bytes: 10,
        };
        Revision { info, counter: 0, sealed }
    }

    const VAULT: Standing = Standing { counter: 3, used_bytes: 90, quota_bytes: 110 };

    fn commit(base: u64, revisions: Vec<Revision>) -> Commit {
        let head = SignedHead { counter: base + 1, bytes: vec![9] };
        Commit { vault: [7; 16].into(), base, head, revisions }
    }

    #[test]
    fn a_commit_is_the_next_of_its_vault_and_of_each_item() {
        let at = |item: &ItemId| u64::from(item.as_bytes()[0]);
        let good = commit(3, vec![revision(4, 5), revision(6, 7)]);
        good.check().unwrap();
        assert_eq!(good.apply(VAULT, at).unwrap(), 110);

        let conflict = |c: Commit| matches!(c.apply(VAULT, at), Err(AccountError::Conflict(_)));
        assert!(conflict(commit(2, vec![revision(4, 5)])), "an older base");
        assert!(conflict(commit(4, vec![revision(4, 5)])), "a base that is not yet");
        assert!(conflict(commit(3, vec![revision(4, 4)])), "a revision that is there");
        assert!(conflict(commit(3, vec![revision(4, 6)])), "a revision left out");
        let three = commit(3, vec![revision(1, 2), revision(2, 3), revision(3, 4)]);
        let full = AccountError::Quota { needed: 120, max: 110 };
        assert_eq!(three.apply(VAULT, at).unwrap_err().to_string(), full.to_string());
        let mut erasing = three.clone();
        erasing.revisions.iter_mut().for_each(|r| r.info.state = ItemState::Erased);
        assert_eq!(erasing.apply(VAULT, at).unwrap(), 120);
    }

    #[test]
    fn what_is_wrong_in_itself_is_refused_without_a_store() {
        let bad = |c: Commit| matches!(c.check(), Err(AccountError::Malformed(_)));
        assert!(bad(commit(3, vec![])));
        assert!(bad(commit(3, vec![revision(1, 1), revision(1, 2)])), "an item twice");
        let mut other = revision(1, 1);
        other.sealed[0] ^= 1;
        assert!(bad(commit(3, vec![other])), "another digest");
        let mut skipped = commit(3, vec![revision(1, 1)]);
        skipped.head.counter = 5;
        assert!(bad(skipped), "a counter left out");
    }
}
