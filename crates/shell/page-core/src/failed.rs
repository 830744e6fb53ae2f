//! What the page says where something was refused: what went wrong, and what to do next.

use serde::Serialize;
use symbolon_crypto::ethereum::EthereumError;
use symbolon_crypto::opaque::OpaqueError;
use symbolon_crypto::{RecoveryError, SeedError};
use symbolon_custody::{EnrolError, RingError, UnlockError, VaultError, WrapError};

/// A refusal, as the page shows it. It never has a secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// A word for programs.
    pub code: &'static str,
    /// What went wrong: a whole sentence.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Failed {
    /// A refusal of a code, of an error's words.
    pub fn new(code: &'static str, error: &dyn std::error::Error) -> Self {
        Self { code, message: sentence(&error.to_string()), next: None }
    }

    /// With what to do next.
    #[must_use]
    pub fn next(self, next: &str) -> Self {
        Self { next: Some(sentence(next)), ..self }
    }

    /// What the server or the page handed in is not what it should be.
    pub fn shape(what: &str) -> Self {
        Self { code: "shape", message: format!("The {what} is none."), next: None }
    }
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    let mut whole: String = first.chain(chars).collect();
    if !whole.ends_with(['.', '?', '!']) {
        whole.push('.');
    }
    whole
}

impl From<UnlockError> for Failed {
    fn from(error: UnlockError) -> Self {
        let code = match &error {
            UnlockError::WrongSecret { .. } => "wrong_secret",
            UnlockError::NoSuchMethod { .. } => "no_such_method",
            UnlockError::OtherPasskey => "other_passkey",
            UnlockError::OtherWallet { .. } => "other_wallet",
            UnlockError::ChangedSignature { .. } => "changed_signature",
            UnlockError::Signature { .. } => "signature",
            UnlockError::Stale { .. } => "stale",
            UnlockError::Damaged { .. } => "damaged",
            _ => "unlock",
        };
        let next = match &error {
            // There is no file here that somebody could put back.
            UnlockError::Damaged { .. } => {
                "open the vault another way; the server's copy of this one is not as you made it"
            }
            error => error.next_step(),
        };
        Self::new(code, &error).next(next)
    }
}

impl From<EnrolError> for Failed {
    fn from(error: EnrolError) -> Self {
        match &error {
            EnrolError::UnstableSignature { .. } => Self::new("unstable_signature", &error)
                .next("use another wallet, or another way: nothing was changed"),
            EnrolError::OtherWallet { .. } => Self::new("other_wallet", &error)
                .next("choose the account in the wallet that you began with"),
            _ => Self::new("enrol", &error),
        }
    }
}

impl From<WrapError> for Failed {
    fn from(error: WrapError) -> Self {
        match error {
            WrapError::Enrol(error) => error.into(),
            WrapError::LastWrap => {
                Self::new("last_wrap", &error).next("add another way in before you remove this one")
            }
            error => Self::new("wraps", &error),
        }
    }
}

impl From<RingError> for Failed {
    fn from(error: RingError) -> Self {
        Self::new("ring", &error)
    }
}

impl From<VaultError> for Failed {
    fn from(error: VaultError) -> Self {
        Self::new("vault", &error)
    }
}

impl From<OpaqueError> for Failed {
    fn from(error: OpaqueError) -> Self {
        match &error {
            OpaqueError::Refused => Self::new("wrong_secret", &error)
                .next("try again, or open the vault another way"),
            OpaqueError::OtherServer { .. } => Self::new("other_server", &error).next(
                "do not type your password here until whoever runs this server says why its key changed",
            ),
            OpaqueError::Length => Self::new("length", &error),
            OpaqueError::Memory => {
                Self::new("memory", &error).next("close some tabs and try again")
            }
            _ => Self::new("opaque", &error),
        }
    }
}

impl From<RecoveryError> for Failed {
    fn from(error: RecoveryError) -> Self {
        Self::new("words", &error)
    }
}

impl From<SeedError> for Failed {
    fn from(error: SeedError) -> Self {
        Self::new("words", &error)
    }
}

impl From<EthereumError> for Failed {
    fn from(error: EthereumError) -> Self {
        Self::new("signature", &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_sentences() {
        let failed = Failed::from(WrapError::LastWrap);
        assert!(failed.message.starts_with(char::is_uppercase) && failed.message.ends_with('.'));
        assert_eq!(failed.next.as_deref(), Some("Add another way in before you remove this one."));
        assert_eq!(sentence("what?"), "What?");
    }
}
