//! Why a proof is refused.

/// Why bytes are no proof, or cannot be joined to one. Nothing of them is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtsError {
    /// They do not begin as a proof does.
    #[error("it does not begin as an OpenTimestamps proof")]
    Magic,
    /// A version that is not known here.
    #[error("it is of version {0}; version 1 is read")]
    Version(u64),
    /// Of a file that was hashed otherwise.
    #[error("it is of a file's digest by another function than SHA-256")]
    FileHash,
    /// They end too early.
    #[error("it ends before it is whole")]
    Short,
    /// They go on after the proof.
    #[error("{0} bytes follow its end")]
    Trailing(usize),
    /// More than a limit.
    #[error("it has more than {max} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A number that is written in more bytes than it needs, or is too great.
    #[error("a number in it is not written as numbers are")]
    Number,
    /// An operation that is not known.
    #[error("it has an operation that is not known: 0x{0:02x}")]
    Operation(u8),
    /// An address of a calendar that is none.
    #[error("a calendar's address in it has characters that none has")]
    Calendar,
    /// The same step twice at one place.
    #[error("it says one step twice")]
    Twice,
    /// What is to be joined belongs to something that the proof does not lead to.
    #[error("what is to be joined belongs to another commitment")]
    Elsewhere,
}
