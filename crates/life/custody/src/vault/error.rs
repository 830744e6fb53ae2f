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
    /// The passkey is not one that the vault has a wrap for.
    #[error("this passkey is not one of those that open this vault")]
    OtherPasskey,
    /// The signature is whole, and another account's, or of another message.
    #[error("another {method} signed, or it signed something else")]
    OtherWallet {
        /// Which kind of wallet.
        method: Method,
    },
    /// The bytes are no signature.
    #[error("this is no signature as the {method} makes them")]
    Signature {
        /// Which kind of wallet.
        method: Method,
    },
    /// The right account signed the right message, and not with the bytes that it gave before.
    #[error("the {method} signs the same request otherwise than when it was added")]
    ChangedSignature {
        /// Which kind of wallet.
        method: Method,
    },
    /// The wrap holds a data key of before a rotation.
    #[error("wrap {wrap} is of before the vault's key was rotated")]
    Stale {
        /// Which.
        wrap: WrapId,
    },
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
    /// How much it says where several wraps were tried: a wrap that is for something else than what
    /// was brought says least, a wrong secret for the right wrap most.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Self::OtherPasskey | Self::OtherWallet { .. } | Self::Stale { .. } => 0,
            Self::WrongSecret { .. } | Self::ChangedSignature { .. } => 2,
            _ => 1,
        }
    }

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
            Self::OtherPasskey => "choose another passkey, or open the vault by another method",
            Self::OtherWallet { .. } => {
                "choose the account in the wallet that the vault was made with"
            }
            Self::Signature { .. } => "ask the wallet again; it has to sign, not to send",
            Self::ChangedSignature { .. } => {
                "open the vault by another method and remove this wallet: its signatures are no key"
            }
            Self::Stale { .. } => {
                "open the vault by a method that was kept, then add this one again"
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
    /// The id of a passkey is not one of WebAuthn.
    #[error("the id of a passkey has 1 to 1023 bytes")]
    Credential,
    /// A wallet's signature alone makes no wrap.
    #[error("the {method} has to sign twice before it opens a vault")]
    SignTwice {
        /// Which kind of wallet.
        method: Method,
    },
    /// The wallet signed the same request in two ways: its signatures cannot be a key.
    #[error("the {method} signs the same request differently each time and cannot open a vault")]
    UnstableSignature {
        /// Which kind of wallet.
        method: Method,
    },
    /// The signature is another account's, or of another message.
    #[error("another {method} signed, or it signed something else")]
    OtherWallet {
        /// Which kind of wallet.
        method: Method,
    },
    /// The bytes are no signature.
    #[error("this is no signature as the {method} makes them")]
    Signature {
        /// Which kind of wallet.
        method: Method,
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
    /// The vault was opened before its key was rotated.
    #[error("the vault's key was rotated since it was opened; open it again")]
    OldEpoch,
    /// The vault keeps as many earlier data keys as it may.
    #[error("the vault keeps {max} earlier keys; have its items sealed again first")]
    FullRing {
        /// The bound.
        max: usize,
    },
    /// An earlier data key could not be kept.
    #[error(transparent)]
    Ring(#[from] RingError),
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
    /// An earlier data key that is kept twice, or is not earlier, or too many of them.
    #[error("the vault's earlier keys are not in order; restore the vault from a backup")]
    Ring,
}

/// Why the data key of an earlier epoch was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// It is not kept any more, or never was.
    #[error("the vault keeps no key of epoch {epoch}")]
    NoSuchEpoch {
        /// What was asked for.
        epoch: u32,
    },
    /// It does not open under the present data key.
    #[error("the vault's key of epoch {epoch} is damaged; restore the vault from a backup")]
    Damaged {
        /// What was asked for.
        epoch: u32,
    },
    /// No secret page was left for the key.
    #[error("no secret memory is left for the vault's key")]
    NoPage,
}

fn list(methods: &[Method]) -> String {
    methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
