//! Why an item was not sealed, or a revision not opened.

use symbolon_secret::MemoryError;

use crate::item::ItemError;
use crate::wire::WireError;

/// Why nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The item is beyond its bounds.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// The revision would be beyond its bounds.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Why a revision did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is another vault's.
    #[error("the revision is of another vault")]
    OtherVault,
    /// It is sealed under a data key that is not here.
    #[error("the revision is sealed under data key {epoch}, which is not in the ring")]
    NoKey {
        /// Which.
        epoch: u32,
    },
    /// A field is whole, and sealed under a key of another vault or epoch.
    #[error("field {field} is sealed under another vault's key, or another epoch's")]
    OtherKey {
        /// Which.
        field: u8,
    },
    /// A field was given in place of another: nobody does that by accident.
    #[error("field {field} was put there from {origin}")]
    Moved {
        /// Where it stands.
        field: u8,
        /// Where it was made for.
        origin: Origin,
    },
    /// A field is damaged.
    #[error("field {field} is damaged")]
    Damaged {
        /// Which.
        field: u8,
    },
    /// A field is not there.
    #[error("field {0} is missing")]
    Missing(u8),
    /// The commitment in the clear is not of what was sealed.
    #[error("the commitment is not of these contents")]
    Commitment,
    /// The bytes are not those of the revision that the signed head names.
    #[error("the revision is not the one that the signed head names")]
    Digest,
    /// What was sealed is none of this version's items.
    #[error(transparent)]
    Item(ItemError),
    /// There is nothing to open.
    #[error("the item was erased")]
    Erased,
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<ItemError> for OpenError {
    fn from(error: ItemError) -> Self {
        if error == ItemError::NoPage { Self::NoPage } else { Self::Item(error) }
    }
}

impl From<MemoryError> for OpenError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// Where a moved field was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Another field of the same revision.
    Field(u8),
    /// Another revision of the same item.
    Revision(u64),
    /// Another item.
    Item,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field(number) => write!(f, "field {number} of the same revision"),
            Self::Revision(number) => write!(f, "revision {number} of the same item"),
            Self::Item => f.write_str("another item"),
        }
    }
}
