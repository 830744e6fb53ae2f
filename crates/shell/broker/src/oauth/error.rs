//! Why there is no access token.

use symbolon_capability::StoreError;
use symbolon_secret::MemoryError;

use crate::api::{CallError, Fault};
use crate::errors::chain;
use crate::wire::{PostError, WireError};

/// Why there is no access token. Never holds a byte of a token, a secret or an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The authorization server could not be asked.
    #[error("the authorization server could not be asked")]
    Post(#[from] PostError),
    /// It says no, in a word of RFC 6749 or RFC 8628.
    #[error("the authorization server refuses: {0}")]
    Refused(Box<str>),
    /// It says no, and not why.
    #[error("the authorization server answers with status {0}")]
    Status(u16),
    /// Its answer is not what the standard says.
    #[error("the authorization server's answer cannot be used: {0}")]
    Answer(&'static str),
    /// Only the owner can get another token.
    #[error("the authorization server gives no more tokens for this connection ({word})")]
    Ended {
        /// Its word, or ours where it gave no refresh token.
        word: String,
        /// The command that mends it.
        mend: String,
    },
    /// The token that came cannot be sent or looked for.
    #[error("the token cannot be used: {0}")]
    Unusable(String),
    /// The client's secret.
    #[error("a client secret has at least 8 characters")]
    ClientSecret,
    /// The private key of a GitHub App.
    #[error("that is no RSA private key in PEM, as GitHub hands it out")]
    AppKey,
    /// More than one TLS record takes.
    #[error("the request to the authorization server is too long")]
    TooLong,
    /// A sealed token does not open.
    #[error("a sealed token does not open: it is damaged, or was moved")]
    Sealed,
    /// What came could not be kept. It is held, and tried again before anything else.
    #[error("new tokens could not be kept, and are not used before they are")]
    Store(#[source] StoreError),
    /// The connection was replaced or taken away meanwhile.
    #[error("the connection was changed meanwhile")]
    Gone,
    /// The broker is being stopped.
    #[error("the broker was stopped before there was a token")]
    Stopped,
    /// No secret memory.
    #[error(transparent)]
    Memory(MemoryError),
}

impl TokenError {
    /// As a caller may hear it.
    pub(crate) fn shown(&self) -> CallError {
        let peer = |code: &str, status| CallError::new(code, Fault::Peer, status, chain(self));
        let later = |error: CallError| {
            let next = "call again later; a token that is valid still is used meanwhile";
            CallError { retry_after_seconds: Some(REST_SECONDS), ..error }.next(next)
        };
        match self {
            Self::Post(PostError::Wire(
                e @ (WireError::Blocked { .. } | WireError::Host { .. }),
            )) => {
                let blocked = CallError::new("blocked_address", Fault::Caller, 403, chain(e));
                blocked.next("if this address is meant: symbolon connect … --replace --allow-private or --allow-loopback")
            }
            Self::Post(_) | Self::Status(500..) => later(peer("token_endpoint", 502)),
            Self::Status(429) => later(peer("token_endpoint", 429)),
            Self::Refused(_) | Self::Status(_) | Self::Answer(_) => peer("token_refused", 502)
                .next("symbolon connections; then symbolon connect … --oauth … --replace"),
            Self::Ended { mend, .. } => {
                CallError { fault: Fault::Caller, ..peer("token_ended", 403) }.next(mend.clone())
            }
            Self::Unusable(_) => peer("token_unusable", 502),
            Self::ClientSecret => CallError::caller("credential", self.to_string())
                .next("look at the client secret again"),
            Self::AppKey => CallError::caller("credential", self.to_string())
                .next("symbolon connect SERVICE --oauth github-app … --from-stdin < KEY.pem"),
            Self::Store(_) => CallError::environment("token_store", chain(self))
                .next("free some space, and call again; the tokens are held meanwhile"),
            Self::Gone => CallError::caller("token_gone", self.to_string())
                .status(409)
                .next("symbolon connections"),
            Self::Sealed => CallError::environment("credential_damaged", self.to_string())
                .next("symbolon connect … --oauth … --replace"),
            Self::TooLong => CallError::caller("credential", self.to_string()),
            Self::Stopped => crate::errors::stopped(),
            Self::Memory(_) => CallError::environment("memory", self.to_string()),
        }
    }
}

/// How long a caller is told to wait where the server is down.
const REST_SECONDS: u64 = 5;
