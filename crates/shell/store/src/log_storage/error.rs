//! Why a log in a database cannot be used. No text names more of the address than where it is.

use std::io;

use crate::accounts::AddressError;

/// Why a log that is kept in PostgreSQL does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogDatabaseError {
    /// Caller: the file with the address.
    #[error("the log's database: {0}")]
    Address(#[from] AddressError),
    /// Damage: the manifest says that the log is in a database, and nothing says in which.
    #[error("this home's log is in PostgreSQL, and log.database, which says where, is missing")]
    AddressMissing,
    /// Damage: the manifest says that the log is in its folder.
    #[error("this home's log is in its folder, and log.database names a database")]
    InFolder,
    /// Caller: another process writes this log.
    #[error("another process writes this log in {place}")]
    Held {
        /// Which database.
        place: String,
    },
    /// Caller: a new log was to be made where this one is already.
    #[error("{place} has this log already")]
    Exists {
        /// Which database.
        place: String,
    },
    /// Environment: the server acknowledges what a loss of power takes back.
    #[error("{place} runs with fsync = off")]
    NotDurable {
        /// Which database.
        place: String,
    },
    /// Environment: there is no connection, or the one that held the log's lock is gone.
    #[error("{place}: {said}")]
    Unreachable {
        /// Which database.
        place: String,
        /// What the system or the server said.
        said: String,
    },
    /// Environment: the server refused a statement.
    #[error("{place}: {said}")]
    Refused {
        /// Which database.
        place: String,
        /// What the server said.
        said: String,
    },
    /// Damage: the rows are not those of a log.
    #[error("{place}: {said}")]
    Damaged {
        /// Which database.
        place: String,
        /// What is wrong with them.
        said: String,
    },
    /// A bug: a write by somebody who only reads, or one that does not continue the entries.
    #[error("a write to the log in {place} that is none of its writer's")]
    Misplaced {
        /// Which database.
        place: String,
    },
    /// Environment: `log.database` or the file that it is made of.
    #[error("log.database: {0}")]
    Io(#[source] io::Error),
}

impl LogDatabaseError {
    /// What to do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Address(AddressError::Form | AddressError::Unread(_)) => {
                "--log-database-file FILE, with postgres://USER@HOST/DATABASE in it"
            }
            Self::Address(refused) => refused.next(),
            Self::AddressMissing => {
                "write the database's address into log.database in the home, mode 0600"
            }
            Self::InFolder => "take log.database out of the home",
            Self::Held { .. } => "symbolon status, with each home of this log",
            Self::Exists { .. } => "--log-database-file FILE, with another database",
            Self::NotDurable { .. } => "fsync = on, in postgresql.conf",
            Self::Unreachable { .. } => {
                "symbolon doctor, until it is well; then symbolon lock --stop, and call again"
            }
            Self::Refused { .. } => "psql, with the address in log.database; then symbolon doctor",
            Self::Damaged { .. } => "symbolon restore BACKUP --home NEW-FOLDER",
            Self::Misplaced { .. } => "symbolon doctor",
            Self::Io(_) => "chmod 600 log.database, in the home",
        }
    }

    /// The database's fault within one of a storage, where it is one.
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<LogDatabaseError> for io::Error {
    fn from(error: LogDatabaseError) -> Self {
        let kind = match &error {
            LogDatabaseError::Damaged { .. } => io::ErrorKind::InvalidData,
            LogDatabaseError::Held { .. } => io::ErrorKind::ResourceBusy,
            LogDatabaseError::Unreachable { .. } => io::ErrorKind::NotConnected,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
