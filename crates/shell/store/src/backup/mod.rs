//! A home in one sealed file, made while it is in use, and back: `specs/backup.md`.

mod parts;
mod put;
mod seal;
mod take;

pub use put::{Restored, Target, restore};
pub use seal::BackupHeader;
pub use take::{Taken, back_up};

use std::io;
use std::path::{Path, PathBuf};

use symbolon_account::AccountError;
use symbolon_capability::StoreError;
use symbolon_crypto::PasswordError;
use symbolon_log::{LogError, NoteError};

use crate::LogDatabaseError;
use crate::accounts::KeyFileError;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file is no backup, or one of a later version.
    #[error("the file is no backup that this program knows")]
    Format,
    /// The passphrase is another.
    #[error("the backup was sealed under another passphrase")]
    Passphrase,
    /// A part of the file was changed, moved or cut off.
    #[error("the backup is damaged at its chunk {chunk}; nothing was written")]
    Damaged {
        /// The first chunk that does not hold, from 0.
        chunk: u64,
    },
    /// What is sealed is whole, and says something that no backup says.
    #[error("the backup holds something unknown: {0}; nothing was written")]
    Content(String),
    /// There is something where the home would go.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The home has no vault, or its log no key to check it with.
    #[error("{} is missing", .0.display())]
    Incomplete(PathBuf),
    /// The home is between two keys of its operator.
    #[error("the operator's key is giving way to another; nothing was written")]
    Rotating,
    /// The log on disk does not hold what its checkpoint covers.
    #[error("the log's checkpoint covers {covered} entries, and {found} are there")]
    LogShort {
        /// Entries that the checkpoint covers.
        covered: u64,
        /// Entries that were read.
        found: u64,
    },
    /// The accounts of the backup need a database to go to, or there are none.
    #[error("the backup holds accounts without the server's key")]
    NoServerKey,
    /// What the passphrase is made into a key by.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The state database.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The accounts' database.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// The server's key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database that a log is restored into.
    #[error(transparent)]
    LogDatabase(#[from] LogDatabaseError),
    /// The key that checks the log.
    #[error("operator.pub: {0}")]
    Operator(#[from] NoteError),
    /// The disk.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl BackupError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Told what is being done.
pub type Telling<'a> = &'a (dyn Fn(&str) + Sync);
