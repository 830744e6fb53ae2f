//! Why a server did not do what was asked.

use std::io;

use serde::Deserialize;
use symbolon_account::signature::SignatureError;
use symbolon_crypto::opaque::OpaqueError;

/// Why a server did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there, or no longer: the work goes on without.
    #[error("{server} does not answer: {source}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the system said.
        source: io::Error,
    },
    /// It did not answer in time.
    #[error("{server} did not answer within {seconds} s")]
    Late {
        /// The server.
        server: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It shows a certificate that is not trusted.
    #[error("{server} shows a certificate that is not trusted: {source}")]
    Certificate {
        /// The server.
        server: String,
        /// What is wrong with it.
        source: io::Error,
    },
    /// It answers, and not as a server of ours.
    #[error("{server} does not answer as a server of symbolon ({what})")]
    Other {
        /// The server.
        server: String,
        /// What was unexpected.
        what: String,
    },
    /// It refused.
    #[error("{0}")]
    Refused(Refusal),
    /// OPAQUE: the password, or another server's key.
    #[error(transparent)]
    Opaque(#[from] OpaqueError),
    /// The request could not be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// What a server says where it refuses. Its words are shown; its advice is not taken, for a terminal's
/// next command comes from here alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// The HTTP status.
    #[serde(skip)]
    pub status: u16,
    /// A stable word.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// Seconds to wait before the same can succeed.
    #[serde(default)]
    pub retry_after_seconds: Option<u64>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server refuses: {} ({})", self.message, self.code)
    }
}

impl ClientError {
    /// Whether the server is away, or has too much to do: what waits here is sent later.
    pub fn is_offline(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Late { .. } => true,
            Self::Refused(refusal) => matches!(refusal.status, 429 | 502 | 503 | 504 | 507),
            _ => false,
        }
    }

    /// Whether the server refused with this word.
    pub fn is_code(&self, code: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }
}
