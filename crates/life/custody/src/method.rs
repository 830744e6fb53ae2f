//! The ways to open a vault.

use std::fmt;

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_crypto::{Label, Params, RecoveryCode, labels};
use symbolon_secret::Secret;

use crate::sealer::Sealer;

/// A custody method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Method {
    /// Words that a person remembers, through Argon2id.
    Passphrase,
    /// A key file that is bound to this machine.
    Device,
    /// A secret that this machine's TPM 2.0 keeps.
    Tpm,
    /// 24 words on paper.
    Recovery,
}

impl Method {
    /// The name in files and derivations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Device => "device",
            Self::Tpm => "tpm",
            Self::Recovery => "recovery",
        }
    }

    /// Whether it works on one machine only.
    pub const fn is_bound_to_machine(self) -> bool {
        matches!(self, Self::Device | Self::Tpm)
    }

    pub(crate) const fn kek_label(self) -> Label {
        match self {
            Self::Passphrase => labels::KEK_PASSPHRASE,
            Self::Device => labels::KEK_DEVICE,
            Self::Tpm => labels::KEK_TPM,
            Self::Recovery => labels::KEK_RECOVERY,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "passphrase",
            Self::Device => "device key",
            Self::Tpm => "TPM",
            Self::Recovery => "recovery code",
        })
    }
}

/// What a person or a machine brings to open a vault. Borrowed: the caller wipes it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Opener<'a> {
    /// The bytes that were typed, without the line's end.
    Passphrase(&'a Secret<[u8]>),
    /// The content of the device key file and the machine's fingerprint.
    Device {
        /// 32 random bytes.
        secret: &'a Secret<[u8; 32]>,
        /// Of the machine that this runs on, now.
        fingerprint: &'a Digest32,
    },
    /// Whoever can have the TPM unseal.
    Tpm(&'a dyn Sealer),
    /// The words.
    Recovery(&'a RecoveryCode),
}

impl Opener<'_> {
    /// Its method.
    pub const fn method(&self) -> Method {
        match self {
            Self::Passphrase(_) => Method::Passphrase,
            Self::Device { .. } => Method::Device,
            Self::Tpm(_) => Method::Tpm,
            Self::Recovery(_) => Method::Recovery,
        }
    }
}

impl fmt::Debug for Opener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener::{:?}", self.method())
    }
}

/// An opener for which a wrap is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Enrol<'a> {
    pub(crate) opener: Opener<'a>,
    pub(crate) cost: Params,
}

impl<'a> Enrol<'a> {
    /// With the default cost of guessing a passphrase.
    pub fn new(opener: Opener<'a>) -> Self {
        Self { opener, cost: Params::default() }
    }

    /// With another cost of guessing a passphrase; nothing for the other methods.
    #[must_use]
    pub fn with_cost(self, cost: Params) -> Self {
        Self { cost, ..self }
    }
}
