//! That somebody signed in.

use symbolon_codec::Digest32;

use crate::error::at_most;
use crate::{AccountError, AccountId, SessionId, SignIn};

/// A session. Its token is nowhere: a copy of the database opens none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id in lists.
    pub id: SessionId,
    /// The hash of its token ([`crate::ServerKey::session_hash`]).
    pub token_hash: Digest32,
    /// Whose it is.
    pub account: AccountId,
    /// How its holder signed in.
    pub method: SignIn,
    /// When, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it was last seen, in Unix milliseconds; to the minute, as a write each request is dear.
    pub seen_unix_ms: u64,
    /// From when on it is good for nothing, in Unix milliseconds.
    pub expires_unix_ms: u64,
    /// Until when dangerous acts are allowed, in Unix milliseconds.
    pub confirmed_until_unix_ms: Option<u64>,
    /// What the client called itself, shortened.
    pub user_agent: String,
    /// When it was ended, in Unix milliseconds.
    pub revoked_unix_ms: Option<u64>,
}

impl Session {
    /// Whether it is good for anything.
    pub fn is_live(&self, now_unix_ms: u64) -> bool {
        self.revoked_unix_ms.is_none() && now_unix_ms < self.expires_unix_ms
    }

    /// Whether its holder showed who they are within the last minutes.
    pub fn is_confirmed(&self, now_unix_ms: u64) -> bool {
        self.is_live(now_unix_ms)
            && self.confirmed_until_unix_ms.is_some_and(|until| now_unix_ms < until)
    }

    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`].
    pub fn check(&self) -> Result<(), AccountError> {
        at_most("user agent", self.user_agent.chars().count(), USER_AGENT_CHARS_MAX)
    }
}

/// Characters of a user agent that are kept.
pub const USER_AGENT_CHARS_MAX: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_and_expired_are_not_live_and_confirm_nothing() {
        let live = Session {
            id: [1; 16].into(),
            token_hash: Digest32([2; 32]),
            account: [3; 16].into(),
            method: SignIn::Passkey,
            created_unix_ms: 0,
            seen_unix_ms: 0,
            expires_unix_ms: 100,
            confirmed_until_unix_ms: Some(50),
            user_agent: String::new(),
            revoked_unix_ms: None,
        };
        assert!(live.is_live(99) && live.is_confirmed(49));
        assert!(!live.is_live(100) && !live.is_confirmed(50));
        let ended = Session { revoked_unix_ms: Some(1), ..live };
        assert!(!ended.is_live(2) && !ended.is_confirmed(2));
    }
}
