//! Why a request's signature is not taken.

/// What is wrong with a signed request; always the caller's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A header is longer than is read.
    #[error("the header {0} is too long")]
    TooLong(&'static str),
    /// A header is no structured field of its kind (RFC 9651).
    #[error("the header {0} cannot be read")]
    Malformed(&'static str),
    /// There is other than one signature under one label.
    #[error("exactly one signature is wanted, under the same label in both headers")]
    Labels,
    /// A component that must be covered is not.
    #[error("the signature does not cover {0}")]
    Uncovered(&'static str),
    /// A covered component that the request does not have, that is named twice, or that is not
    /// understood here.
    #[error("a covered component is not in the request, or has parameters")]
    Component,
    /// A parameter that must be there is not.
    #[error("the signature has no {0}")]
    Missing(&'static str),
    /// A parameter has another type or value than is taken.
    #[error("the signature's {0} is not taken")]
    Parameter(&'static str),
    /// Made too long ago, or in the future.
    #[error("the signature was made too long ago, or by a clock that is ahead")]
    Stale,
    /// The body is not the one that was signed.
    #[error("the body does not fit the signed Content-Digest")]
    Digest,
    /// The signature is not by this key over this request.
    #[error("the signature does not fit the request and the key")]
    Signature,
}
