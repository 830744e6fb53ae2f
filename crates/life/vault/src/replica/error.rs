//! Why a change was not made, or what a server sent not taken.

use crate::item::TextError;
use crate::seal::{OpenError, SealError};
use crate::search::IndexError;
use crate::wire::{ItemId, WireError};

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// No such item.
    #[error("there is no item {0}")]
    NoItem(ItemId),
    /// It was erased.
    #[error("item {0} was erased")]
    Erased(ItemId),
    /// Only what is in the trash can be erased.
    #[error("item {0} is not in the trash; put it there first")]
    NotTrashed(ItemId),
    /// Only folders have other items in them.
    #[error("item {0} is no folder")]
    NotFolder(ItemId),
    /// A folder cannot be put into itself, or into one that is in it.
    #[error("folder {0} cannot be put into itself")]
    Cycle(ItemId),
    /// Only a template makes new notes.
    #[error("item {0} is no template")]
    NotTemplate(ItemId),
    /// An item keeps its kind.
    #[error("item {0} is of another kind")]
    Kind(ItemId),
    /// A text beyond its bounds.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The item could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What is there could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a commit could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitMakeError {
    /// Nothing was fetched yet: there is no head to build on.
    #[error("the vault was not fetched yet")]
    NotFetched,
    /// The key that signs the next head is not here.
    #[error("the data key of epoch {0} is not in the ring")]
    NoKey(u32),
    /// What waits does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It would be beyond the bounds of a commit.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The server took a commit that is not the last one that was made here.
    #[error("the commit is not one that builds on the current head")]
    Other,
    /// What was changed since it was made could not be sealed anew.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Why nothing that a server sent was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// Head or revision of another vault.
    #[error("the server sent another vault's data")]
    OtherVault,
    /// The head is of an epoch whose data key is not here.
    #[error("the head is signed with data key {0}, which is not here; unlock the vault again")]
    NoKey(u32),
    /// The head is not signed by the vault's key.
    #[error("the server's head is not signed by this vault's key")]
    Signature,
    /// The server gave an older head than was seen before.
    #[error("the server went back: head {found} where {known} was seen before")]
    Rollback {
        /// The highest counter that was seen.
        known: u64,
        /// The server's.
        found: u64,
    },
    /// Another head of the same counter, or one that does not follow the known one.
    #[error("the server shows two histories: head {counter} is not the one that was seen before")]
    Fork {
        /// The counter at which they part.
        counter: u64,
    },
    /// Another revision of the same number than was seen before.
    #[error("the server shows two histories: revision {number} of item {item} is another one")]
    OtherRevision {
        /// The item.
        item: ItemId,
        /// The revision.
        number: u64,
    },
    /// A revision that does not open, in a list that is not the one the head names.
    #[error("revision {number} of item {item} is not the holder's: {cause}")]
    Item {
        /// The item.
        item: ItemId,
        /// The revision.
        number: u64,
        /// What is wrong with it.
        cause: OpenError,
    },
    /// Revisions are missing, or are not those that the head names.
    #[error("the revisions are not those that the signed head names; some are missing or old")]
    Root,
    /// A conflict could not be kept.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What waits here does not open.
    #[error("what waits here does not open: {0}")]
    Local(OpenError),
}

/// Why a list of older revisions is not an item's history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// No such item, or one that was never committed.
    #[error("there is no history of item {0}")]
    NoItem(ItemId),
    /// A revision in between is missing.
    #[error("revision {0} is missing")]
    Missing(u64),
    /// It is not the one that the revision after it names.
    #[error("revision {0} is not the one that the next names")]
    Other(u64),
    /// It does not open.
    #[error("revision {number}: {cause}")]
    Open {
        /// The revision.
        number: u64,
        /// Why.
        cause: OpenError,
    },
}

/// Why a snapshot did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is another vault's.
    #[error("the snapshot is of another vault")]
    OtherVault,
    /// None of the keys here sealed it.
    #[error("the snapshot is sealed under a data key that is not here")]
    NoKey,
    /// The bytes changed.
    #[error("the snapshot is damaged")]
    Damaged,
    /// It is of a version that is not read here.
    #[error("the snapshot is not of this version")]
    Version,
}

impl From<IndexError> for SnapshotError {
    fn from(_: IndexError) -> Self {
        Self::Damaged
    }
}

/// What sealing anew can err with while something is taken in.
pub(super) fn commit_error(error: CommitMakeError) -> SyncError {
    match error {
        CommitMakeError::Seal(error) => SyncError::Seal(error),
        CommitMakeError::Wire(error) => SyncError::Seal(error.into()),
        CommitMakeError::Open(error) => SyncError::Local(error),
        CommitMakeError::NoKey(epoch) => SyncError::NoKey(epoch),
        CommitMakeError::NotFetched | CommitMakeError::Other => SyncError::Root,
    }
}
