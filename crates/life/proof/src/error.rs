//! Why a presentation is not taken.

use symbolon_codec::CodecError;

/// Bytes that are no policy, request or presentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedError {
    /// Not JSON within its bounds.
    #[error("{0}")]
    Json(#[from] CodecError),
    /// A member that is missing, not known, or of another form.
    #[error("{0}")]
    Member(String),
}

/// What keeps sessions could not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sessions cannot be reached: {0}")]
pub struct StoreError(pub String);

/// Why a presentation is not taken, by the numbers of `specs/proof.md`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// 9
    #[error("not a presentation: {0}")]
    Malformed(#[from] MalformedError),
    /// 10
    #[error("no session of this nonce was begun here")]
    UnknownSession,
    /// 11
    #[error("the request is not the one that was asked in this session")]
    AnotherRequest,
    /// 12
    #[error("the session is over; begin another")]
    Expired,
    /// 13, 17
    #[error("the session was used already")]
    Spent,
    /// 14
    #[error("the claims are by an issuer that was not asked for")]
    UnknownIssuer,
    /// 14
    #[error("the claims are by an issuer whose key was revoked")]
    RevokedIssuer,
    /// 15
    #[error("the proof is about another holder than the one that is registered")]
    AnotherBinding,
    /// 16
    #[error("the proof does not show what was asked")]
    NotShown,
    /// 17
    #[error("this holder was accepted in this epoch already")]
    SeenBefore,
    /// The store failed: nothing was taken.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl ProofError {
    /// Its name in answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnknownSession => "unknown_session",
            Self::AnotherRequest => "another_request",
            Self::Expired => "expired",
            Self::Spent => "spent",
            Self::UnknownIssuer => "unknown_issuer",
            Self::RevokedIssuer => "revoked_issuer",
            Self::AnotherBinding => "another_binding",
            Self::NotShown => "not_shown",
            Self::SeenBefore => "seen_before",
            Self::Store(_) => "store",
        }
    }
}
