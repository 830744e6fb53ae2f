//! What can be wrong with what the other side sent.

use symbolon_codec::CodecError;

use super::id::ItemId;

/// Why bytes are none of the wire's types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The encoding.
    #[error("the bytes are not of their form: {0}")]
    Codec(#[from] CodecError),
    /// A number outside its bounds, or a state that does not exist.
    #[error("`{0}` is outside its bounds")]
    Value(&'static str),
    /// Field numbers that do not rise, or are too many.
    #[error("the fields are not in their order")]
    Fields,
    /// A sealed field whose length is none of a padded plaintext.
    #[error("field {0} has a length that no padded plaintext has")]
    Padding(u8),
    /// An erased revision with contents, or another without.
    #[error("contents and state do not fit each other")]
    State,
    /// One item twice in a commit.
    #[error("item {0} stands twice in the commit")]
    Twice(ItemId),
    /// A public key that is none.
    #[error("a public key is not one")]
    Key,
}

/// Why a server does not take a commit, in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Head or revision of another vault.
    #[error("the commit is of another vault")]
    Vault,
    /// It was made on another head than the current one.
    #[error("the commit builds on head {found}, and the current one is {expected}")]
    Base {
        /// The current counter.
        expected: u64,
        /// The commit's base.
        found: u64,
    },
    /// The head's counter is not the base's and one.
    #[error("the head's counter does not follow the one before")]
    Counter,
    /// The head names another one before it.
    #[error("the head does not follow the current one")]
    Previous,
    /// An epoch that is neither the current one nor introduced by a succession, or a revision of a
    /// later one than its head.
    #[error("the epoch is not the current one")]
    Epoch,
    /// A succession that does not lead from the current keys to the head's epoch.
    #[error("the succession is not signed by the current head key, or leads elsewhere")]
    Succession,
    /// The head's signature.
    #[error("the head is not signed by the vault's head key")]
    Signature,
    /// The revision does not follow its item's current one.
    #[error("revision {found} of item {item} does not follow; {expected} does")]
    Revision {
        /// The item.
        item: ItemId,
        /// What would follow.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A revision of an item that was erased.
    #[error("item {0} was erased")]
    Erased(ItemId),
}

impl CommitError {
    /// Whether another commit was first: the holder fetches it, rebases and tries again.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Base { .. } | Self::Revision { .. })
    }
}
