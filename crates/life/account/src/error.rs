//! Why something was not kept or not given.

/// Why the store did not do it. Nothing of a change that failed is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// Somebody else was first: what the change was made on is no longer what is kept.
    #[error("{0} changed meanwhile")]
    Conflict(&'static str),
    /// It is there already.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// It is not there, or no longer, or not for this caller.
    #[error("{0} does not exist")]
    Missing(&'static str),
    /// No room is left for this account.
    #[error("the vault would hold {needed} bytes of {max}")]
    Quota {
        /// Bytes that would be kept.
        needed: u64,
        /// Bytes that may be.
        max: u64,
    },
    /// More, or longer, than is taken.
    #[error("{what}: {found} is above the limit of {max}")]
    TooLong {
        /// What of.
        what: &'static str,
        /// How much there was.
        found: usize,
        /// How much there may be.
        max: usize,
    },
    /// The caller made a change that no caller may make.
    #[error("the change is malformed: {0}")]
    Malformed(&'static str),
    /// A stored row is not what this server wrote.
    #[error("the accounts' database is damaged: {0}")]
    Damaged(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The database cannot be reached, or did not answer in time; a later try may succeed.
    #[error("the accounts' database does not answer: {0}")]
    Unavailable(String),
    /// The database acknowledges what a power cut would take back.
    #[error("the accounts' database does not keep what it acknowledges: {0}")]
    NotDurable(&'static str),
    /// Anything else that the database says.
    #[error("the accounts' database failed: {0}")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// `found` is at most `max`.
pub(crate) fn at_most(what: &'static str, found: usize, max: usize) -> Result<(), AccountError> {
    if found > max { Err(AccountError::TooLong { what, found, max }) } else { Ok(()) }
}
