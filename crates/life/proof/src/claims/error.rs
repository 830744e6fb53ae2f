//! Why claims are none, or not the holder's.

use symbolon_secret::MemoryError;

use super::Particular;

/// Why claims, a request for them or a holder's record are not taken. No value is in the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// Longer than is read.
    #[error("longer than {max} bytes")]
    TooLong {
        /// The bound.
        max: usize,
    },
    /// Not JSON of this form; nothing of it is quoted.
    #[error("not {what} of version 1, at line {line}, column {column}")]
    Form {
        /// What was to be read.
        what: &'static str,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A member that says nothing that it can say.
    #[error("`{0}` is not of its form")]
    Member(&'static str),
    /// What is to be said of a person is not of its form.
    #[error("{0}")]
    Particular(Particular),
    /// The issuer did not sign these claims.
    #[error(
        "the issuer's signature is not over these claims: they were changed, or it did not sign them"
    )]
    Signature,
    /// The claims are about another holder.
    #[error("the claims are about another holder than this one")]
    AnotherHolder,
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for ClaimsError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}
