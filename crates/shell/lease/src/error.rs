//! Why a lease was not granted, or does not do what was asked of it.

use symbolon_account::AccountError;
use symbolon_custody::RingError;
use symbolon_vault::replica::{CommitMakeError, EditError, SyncError};
use symbolon_vault::wire::WireError;

use crate::lease::Ended;

/// Why no lease was granted. The nonce that was answered is used up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The nonce is not one that this process gave to this account, or was answered, or is over.
    #[error("the nonce is over, was answered before, or was given to another account or process")]
    Nonce,
    /// No minutes, or more than the purposes allow.
    #[error("a lease for this is for 1 to {max} minutes")]
    Minutes {
        /// The most.
        max: u32,
    },
    /// It was sealed to another process, or on other terms.
    #[error("it was sealed to another key, or on other terms")]
    NotOpened,
    /// It opened, and is not the data key of this vault.
    #[error("this is not the vault's data key")]
    OtherKey,
    /// As many leases as may be are live.
    #[error("{max} leases are live; end one first")]
    Full {
        /// How many may be.
        max: usize,
    },
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
    /// The key ring that is kept does not read, or is of other keys.
    #[error("the vault's key ring cannot be used: {0}")]
    Ring(String),
    /// The store.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<RingError> for GrantError {
    fn from(error: RingError) -> Self {
        match error {
            RingError::NoPage => Self::NoPage,
            error => Self::Ring(error.to_string()),
        }
    }
}

/// Why something was not done under a lease.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The lease is over.
    #[error("the unlock lease is over: {0}")]
    Ended(Ended),
    /// The item is of a kind that this purpose does not reach.
    #[error("items of this kind are beyond what the lease is for")]
    Reach,
    /// The vault is larger than a server loads under a lease.
    #[error("the vault is larger than a server loads under a lease")]
    TooLarge,
    /// Others write all the time.
    #[error("the vault was changed elsewhere at each of {rounds} tries")]
    Busy {
        /// How often it was tried.
        rounds: usize,
    },
    /// The change.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// What the server keeps is not this vault's, or not all of it, or older than what was seen.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The commit.
    #[error(transparent)]
    Commit(#[from] CommitMakeError),
    /// A row that is kept does not read.
    #[error("a row that is kept does not read: {0}")]
    Row(#[from] WireError),
    /// The store.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A bug here.
    #[error("this is a bug in symbolon: {0}")]
    Bug(&'static str),
}
