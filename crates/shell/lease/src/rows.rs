//! What of a vault goes into the rows that a server keeps, and what is checked before.

use std::collections::HashMap;

use symbolon_account::{Commit, ItemState, Revision, RevisionInfo, SignedHead as HeadRow, Vault};
use symbolon_crypto::VerifyingKey;
use symbolon_vault::wire::{self, CommitError, Current, ItemId, SealedRevision, SignedHead, State};

/// Why a commit is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// A head or head key that is kept does not read.
    #[error("a head that is kept does not read")]
    Kept,
    /// The commit is not one of this vault, as it is now.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// A commit as rows. The store checks that each revision is the next of its item.
pub fn commit_rows(commit: &wire::Commit) -> Commit {
    Commit {
        vault: commit.head().head().vault,
        base: commit.base(),
        head: head_row(commit.head()),
        revisions: commit.revisions().iter().map(revision_row).collect(),
    }
}

/// A head as it is kept.
pub fn head_row(head: &SignedHead) -> HeadRow {
    HeadRow { counter: head.head().counter, bytes: head.encode() }
}

/// Rules 5 to 10 of `specs/vault.md`. Rule 11 is the store's: it alone knows an item's current revision
/// in the transaction that takes the next.
///
/// # Errors
/// [`RowsError`].
pub fn check_commit(vault: &Vault, commit: &wire::Commit) -> Result<(), RowsError> {
    let current = SignedHead::decode(&vault.head.bytes).map_err(|_| RowsError::Kept)?;
    let key = VerifyingKey::from_bytes(&vault.keys.head_key).map_err(|_| RowsError::Kept)?;
    let numbers: HashMap<_, _> =
        commit.revisions().iter().map(|one| (one.item(), one.number())).collect();
    let before = |item: &ItemId| {
        let number = numbers.get(item).copied().unwrap_or(0).checked_sub(1).filter(|n| *n > 0)?;
        Some(Current { number, state: State::Live })
    };
    Ok(commit.check(current.head(), &key, before)?)
}

/// What stands in the clear is read from the sealed bytes themselves.
fn revision_row(sealed: &SealedRevision) -> Revision {
    let header = sealed.header();
    let info = RevisionInfo {
        item: (*sealed.item().as_bytes()).into(),
        revision: sealed.number(),
        parent: header.parent.map(|parent| (*parent.as_bytes()).into()),
        epoch: header.epoch,
        state: match header.state {
            State::Live => ItemState::Live,
            State::Trashed => ItemState::Trashed,
            State::Erased => ItemState::Erased,
        },
        created_unix_ms: header.created_unix_ms,
        updated_unix_ms: header.updated_unix_ms,
        digest: sealed.digest(),
        size_bytes: sealed.as_bytes().len() as u64,
    };
    Revision { info, counter: 0, sealed: sealed.encode() }
}
