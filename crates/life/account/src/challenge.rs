//! What was asked, until it is answered.

use crate::error::at_most;
use crate::{AccountError, AccountId, ChallengeId, SignIn};

/// What a proof is asked for. A challenge for one purpose answers no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A new account.
    SignUp,
    /// A session.
    SignIn,
    /// One more way to sign in.
    Add,
    /// A dangerous act within minutes.
    Confirm,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::SignUp, Self::SignIn, Self::Add, Self::Confirm];

    /// As stored, and as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::SignIn => "sign-in",
            Self::Add => "add",
            Self::Confirm => "confirm",
        }
    }

    /// Reads [`Purpose::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A challenge, good for one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its id, which the answer names.
    pub id: ChallengeId,
    /// What for.
    pub purpose: Purpose,
    /// How.
    pub method: SignIn,
    /// For whom, where that is known.
    pub account: Option<AccountId>,
    /// What the answer is checked against, as the method has it; sealed by its maker
    /// ([`crate::ServerKey::seal_challenge`]) where there is a secret in it.
    pub state: Vec<u8>,
    /// From when on it is good for nothing, in Unix milliseconds.
    pub expires_unix_ms: u64,
}

impl Challenge {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`].
    pub fn check(&self) -> Result<(), AccountError> {
        at_most("challenge", self.state.len(), CHALLENGE_STATE_BYTES_MAX)
    }
}

/// Bytes of the longest state of a challenge.
pub const CHALLENGE_STATE_BYTES_MAX: usize = 16 * 1024;
