//! Ways of an account to sign in.

use crate::error::at_most;
use crate::{AccountError, AccountId, CredentialId};

/// How somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignIn {
    /// A WebAuthn passkey. Subject: WebAuthn's credential id. State: its public key and counter.
    Passkey,
    /// A password, by OPAQUE (RFC 9807). Subject: the account's id. State: the record.
    Password,
    /// An Ethereum wallet (ERC-4361). Subject: the address, 20 bytes.
    Ethereum,
    /// A Solana wallet. Subject: the public key, 32 bytes.
    Solana,
    /// A program's or device's Ed25519 key (RFC 9421). Subject: the public key, 32 bytes.
    Key,
}

impl SignIn {
    const ALL: [Self; 5] = [Self::Passkey, Self::Password, Self::Ethereum, Self::Solana, Self::Key];

    /// As stored, and as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Password => "password",
            Self::Ethereum => "ethereum",
            Self::Solana => "solana",
            Self::Key => "key",
        }
    }

    /// Reads [`SignIn::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// One way of one account to sign in. Method and subject together are of one account alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub account: AccountId,
    /// How.
    pub method: SignIn,
    /// What is looked for when somebody signs in; see [`SignIn`].
    pub subject: Vec<u8>,
    /// What a proof is checked against, as the method has it; may be empty.
    pub state: Vec<u8>,
    /// What its owner calls it.
    pub name: String,
    /// When it was added, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it was last used, in Unix milliseconds.
    pub last_used_unix_ms: Option<u64>,
}

impl Credential {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`] or [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        let subject = self.subject.len();
        let right = match self.method {
            SignIn::Passkey => subject > 0,
            SignIn::Password => self.subject == self.account.as_bytes(),
            SignIn::Ethereum => subject == 20,
            SignIn::Solana | SignIn::Key => subject == 32,
        };
        if !right {
            return Err(AccountError::Malformed("the subject is not one of its method"));
        }
        at_most("credential id", subject, SUBJECT_BYTES_MAX)?;
        at_most("credential", self.state.len(), CREDENTIAL_STATE_BYTES_MAX)?;
        at_most("name", self.name.chars().count(), CREDENTIAL_NAME_CHARS_MAX)
    }
}

/// The longest credential id that WebAuthn allows (Level 3, section 4).
pub const SUBJECT_BYTES_MAX: usize = 1023;

/// Bytes of the longest state of a credential: a passkey's with its attestation is the longest.
pub const CREDENTIAL_STATE_BYTES_MAX: usize = 16 * 1024;

/// Characters of the longest name of a credential.
pub const CREDENTIAL_NAME_CHARS_MAX: usize = 64;

/// Credentials of one account.
pub const CREDENTIALS_MAX: usize = 32;
