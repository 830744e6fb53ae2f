//! Who has a vault here.

use std::fmt;

use symbolon_codec::Digest32;

use crate::{AccountError, AccountId, Credential, Event, Session, Vault};

/// An account. What the server knows of a person is what stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The name that a password is given with; others need none.
    pub handle: Option<Handle>,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// Whether it may be used.
    pub state: AccountState,
    /// How many events it has.
    pub events: u64,
    /// The digest of its last event; of zeros where there is none.
    pub events_head: Digest32,
}

impl Account {
    /// A new one, in use, without events.
    pub fn new(id: AccountId, handle: Option<Handle>, created_unix_ms: u64) -> Self {
        Self {
            id,
            handle,
            created_unix_ms,
            state: AccountState::Active,
            events: 0,
            events_head: Digest32([0; 32]),
        }
    }
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// It may.
    Active,
    /// The server's owner stopped it; nothing of it is gone.
    Suspended,
}

impl AccountState {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads [`AccountState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|state| state.as_str() == text)
    }
}

/// A name to sign in with: 1 to 64 of `a-z 0-9 . _ - @ +`, beginning with a letter or a digit.
/// One spelling each: capitals are folded, other scripts are refused, so that no two look alike.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(String);

/// Not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a handle has 1 to {HANDLE_CHARS_MAX} of a-z, 0-9, and . _ - @ + inside")]
pub struct HandleError;

/// Characters of the longest handle.
pub const HANDLE_CHARS_MAX: usize = 64;

impl Handle {
    /// Reads one; `A-Z` become `a-z`.
    ///
    /// # Errors
    /// [`HandleError`].
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let folded = text.to_ascii_lowercase();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let first = folded.bytes().next().ok_or(HandleError)?;
        let all = folded.bytes().all(|b| plain(b) || b"._-@+".contains(&b));
        if folded.len() <= HANDLE_CHARS_MAX && plain(first) && all {
            Ok(Self(folded))
        } else {
            Err(HandleError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Everything of a new account: kept whole or not at all.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The account.
    pub account: Account,
    /// Its first way to sign in.
    pub credential: Credential,
    /// Its vault, empty, with the wraps that open it.
    pub vault: Vault,
    /// The session that it goes on with.
    pub session: Session,
    /// What is written down of it.
    pub event: Event,
}

impl SignUp {
    /// Its parts belong together and keep their bounds.
    ///
    /// # Errors
    /// [`AccountError::Malformed`] or [`AccountError::TooLong`].
    pub fn check(&self) -> Result<(), AccountError> {
        let id = self.account.id;
        if self.credential.account != id || self.vault.account != id || self.session.account != id {
            return Err(AccountError::Malformed("the parts of a sign-up are of several accounts"));
        }
        if self.account.events != 0 || self.vault.used_bytes != 0 {
            return Err(AccountError::Malformed("a new account has a past"));
        }
        self.credential.check()?;
        self.vault.check()?;
        self.session.check()?;
        self.event.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_have_one_spelling() {
        assert_eq!(Handle::parse("Alice@Example.org").unwrap().as_str(), "alice@example.org");
        for bad in ["", ".a", "a b", "a/b", "ålice", "а", &"a".repeat(65)] {
            assert_eq!(Handle::parse(bad), Err(HandleError), "{bad}");
        }
    }
}
