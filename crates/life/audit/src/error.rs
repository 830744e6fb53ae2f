//! What can be wrong with a file of the audit.

use std::io;

/// Why a file is not believed, or could not be made. Never carries a row's value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// Environment: the system refused.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// Damage: a line is not what its entry gives.
    #[error("line {line} is not the line of entry {expected}")]
    Line {
        /// Which, from one.
        line: u64,
        /// The entry that should stand there.
        expected: u64,
    },
    /// Damage: not a Parquet file, or not with the columns of this version.
    #[error("the file is not an audit file of version 1: {0}")]
    Form(String),
    /// Damage: rows are missing, double, or say other than the file's own summary.
    #[error("the file's rows are not those that it was made of: {0}")]
    Rows(&'static str),
    /// Caller: more entries than a file may have, or none.
    #[error("a file has 1 to {} entries, not {found}", crate::ENTRIES_MAX)]
    Count {
        /// Entries given.
        found: u64,
    },
}

impl From<parquet::errors::ParquetError> for AuditError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        use parquet::errors::ParquetError::External;
        match error {
            External(source) => match source.downcast::<io::Error>() {
                // A decoder speaks of damage as of an error of input, but not in the system's name.
                Ok(source) if source.raw_os_error().is_some() => Self::Io(*source),
                Ok(source) => Self::Form(source.to_string()),
                Err(source) => Self::Form(source.to_string()),
            },
            other => Self::Form(other.to_string()),
        }
    }
}
