//! What can go wrong with a vault.

use symbolon_crypto::PasswordError;

use crate::id::{VaultId, WrapId};
use crate::method::Method;
use crate::sealer::SealerError;

/// Why a vault did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The secret is not the one that the wrap was made for.
    #[error("the {method} is wrong")]
    WrongSecret {
        /// What was tried.
        method: Method,
    },
    /// The stored wrap changed since it was made.
    #[error("wrap {wrap} is damaged")]
    Damaged {
        /// Which.
        wrap: WrapId,
    },
    /// No wrap has this method.
    #[error("this vault has no {method}; it opens with: {}", list(available))]
    NoSuchMethod {
        /// What was tried.
        method: Method,
        /// What would do.
        available: Vec<Method>,
    },
    /// The device key was made on another machine, or this one's board or system changed.
    #[error("the device key belongs to another machine, or this machine's hardware changed")]
    OtherMachine,
    /// The TPM did not unseal.
    #[error(transparent)]
    Sealer(#[from] SealerError),
    /// The passphrase could not be stretched.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No secret page was left for the key.
    #[error("no secret memory is left for the vault's key")]
    NoPage,
}

impl UnlockError {
    /// What to do next, as one sentence.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::WrongSecret { method: Method::Recovery } => {
                "compare the 24 words with the paper; they may be those of another vault"
            }
            Self::WrongSecret { .. } => "try again, or open the vault with the recovery code",
            Self::Damaged { .. } => {
                "open the vault by another method, or restore state.db from a backup"
            }
            Self::NoSuchMethod { .. } => "use one of the methods that this vault has",
            Self::OtherMachine => {
                "open the vault with the passphrase or recovery code, then make a new device key"
            }
            Self::Sealer(_) => "open the vault with the passphrase or recovery code",
            Self::Password(_) => "free some memory and try again",
            Self::NoPage => "raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK=",
        }
    }
}

/// Why no wrap was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// Too short to withstand guessing.
    #[error("a passphrase has at least {bytes_min} bytes; five or more random words are good")]
    ShortPassphrase {
        /// The bound.
        bytes_min: usize,
    },
    /// The TPM did not seal.
    #[error(transparent)]
    Sealer(#[from] SealerError),
    /// The passphrase could not be stretched.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Why wraps were not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The evidence is another vault's.
    #[error("vault {found} was opened, not {expected}")]
    OtherVault {
        /// The vault to change.
        expected: VaultId,
        /// The vault that was opened.
        found: VaultId,
    },
    /// There is no such wrap.
    #[error("there is no wrap {wrap}")]
    NoSuchWrap {
        /// The name that was given.
        wrap: WrapId,
    },
    /// Nobody could open the vault any more.
    #[error("this is the last way to open the vault; add another before removing it")]
    LastWrap,
    /// There are as many wraps as there may be.
    #[error("a vault has at most {max} wraps; remove one first")]
    Full {
        /// The bound.
        max: usize,
    },
    /// The new wrap could not be made.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
}

/// Why stored wraps are no vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is none: nothing can open it.
    #[error("the vault has no wrap; restore state.db from a backup")]
    NoWrap,
    /// More than any vault of ours has.
    #[error("the vault has {found} wraps where at most {max} are allowed")]
    TooMany {
        /// Wraps found.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// Two wraps have one name.
    #[error("two wraps have the same id")]
    SameId,
}

fn list(methods: &[Method]) -> String {
    methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
