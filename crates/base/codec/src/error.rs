//! What can be wrong with bytes from outside.

/// Why bytes or text were not what they should be. Never carries the input itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The input is longer than the caller's bound.
    #[error("{found} bytes where at most {max} are allowed")]
    TooLong {
        /// Bytes given, or at least this many.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// The input ends before the value does.
    #[error("the input ends early")]
    Truncated,
    /// Bytes follow the last field.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
    /// The first field is another format's name, or another version's.
    #[error("this is not {expected}")]
    Tag {
        /// The format that was expected.
        expected: &'static str,
    },
    /// Not valid in the named encoding.
    #[error("not valid {0}")]
    Encoding(&'static str),
    /// Objects or arrays are nested too deeply.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// An object names a key twice.
    #[error("an object names the same key twice")]
    DuplicateKey,
    /// A duration that is not a number followed by s, m, h or d.
    #[error("a duration is a whole number and s, m, h or d, such as 15m")]
    Duration,
}
