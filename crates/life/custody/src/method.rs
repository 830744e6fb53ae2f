//! The ways to open a vault.

use std::fmt;

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_crypto::ethereum::Address;
use symbolon_crypto::opaque::ExportKey;
use symbolon_crypto::{Params, RecoveryCode, Seed, VerifyingKey, labels, sha256};
use symbolon_secret::Secret;

use crate::sealer::Sealer;
#[cfg(not(target_arch = "wasm32"))]
use crate::tap::WrapKey;
use crate::wallet::Origin;

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
    /// A passkey with the PRF extension of WebAuthn.
    Passkey,
    /// A password that the server never sees, through OPAQUE.
    Password,
    /// A signature of an Ethereum wallet.
    Ethereum,
    /// A signature of a Solana wallet.
    Solana,
    /// The seed phrase of a wallet. No wrap has this method: it opens those of the wallets that
    /// the phrase is for.
    Seed,
}

impl Method {
    /// The name in files and derivations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Device => "device",
            Self::Tpm => "tpm",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
            Self::Password => "password",
            Self::Ethereum => "ethereum",
            Self::Solana => "solana",
            Self::Seed => "seed",
        }
    }

    /// Whether it works on one machine only.
    pub const fn is_bound_to_machine(self) -> bool {
        matches!(self, Self::Device | Self::Tpm)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "passphrase",
            Self::Device => "device key",
            Self::Tpm => "TPM",
            Self::Recovery => "recovery code",
            Self::Passkey => "passkey",
            Self::Password => "password",
            Self::Ethereum => "Ethereum wallet",
            Self::Solana => "Solana wallet",
            Self::Seed => "seed phrase",
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
    /// What a passkey gave for [`prf_input`].
    Passkey {
        /// The credential's id (1 to 1023 bytes).
        credential: &'a [u8],
        /// The first output of its PRF.
        prf: &'a Secret<[u8; 32]>,
    },
    /// What was made of a passkey's output where it was tapped, for one wrap. In no browser.
    #[cfg(not(target_arch = "wasm32"))]
    WrapKey(&'a WrapKey),
    /// What a login came to.
    Password(&'a ExportKey),
    /// `r || s || v` over [`crate::KeyDerivation::ethereum_digest`].
    Ethereum(&'a Secret<[u8; 65]>),
    /// An Ed25519 signature of [`crate::KeyDerivation::solana_message`].
    Solana(&'a Secret<[u8; 64]>),
    /// Signs both itself.
    Seed(&'a Seed),
}

impl Opener<'_> {
    /// Its method.
    pub const fn method(&self) -> Method {
        match self {
            Self::Passphrase(_) => Method::Passphrase,
            Self::Device { .. } => Method::Device,
            Self::Tpm(_) => Method::Tpm,
            Self::Recovery(_) => Method::Recovery,
            Self::Passkey { .. } => Method::Passkey,
            #[cfg(not(target_arch = "wasm32"))]
            Self::WrapKey(_) => Method::Passkey,
            Self::Password(_) => Method::Password,
            Self::Ethereum(_) => Method::Ethereum,
            Self::Solana(_) => Method::Solana,
            Self::Seed(_) => Method::Seed,
        }
    }

    /// Whether it is tried on wraps of a method.
    pub(crate) fn opens(&self, method: Method) -> bool {
        match self {
            Self::Seed(_) => matches!(method, Method::Ethereum | Method::Solana),
            _ => self.method() == method,
        }
    }
}

impl fmt::Debug for Opener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener::{:?}", self.method())
    }
}

/// The input of a passkey's PRF (`prf.eval.first`): one for all vaults, so that a page can ask
/// before it knows which.
pub fn prf_input() -> Digest32 {
    sha256(labels::PASSKEY_PRF.as_str().as_bytes())
}

/// An opener for which a wrap is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Enrol<'a> {
    pub(crate) way: Way<'a>,
    pub(crate) cost: Params,
}

/// What a wrap is made of.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    Opener(Opener<'a>),
    Ethereum { origin: &'a Origin, address: Address, signed: [&'a Secret<[u8; 65]>; 2] },
    Solana { origin: &'a Origin, key: VerifyingKey, signed: [&'a Secret<[u8; 64]>; 2] },
    Seed { origin: &'a Origin, seed: &'a Seed, chain: Chain },
}

/// Which of a seed's wallets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chain {
    /// `m/44'/60'/0'/0/0`.
    Ethereum,
    /// `m/44'/501'/0'/0'`.
    Solana,
}

impl fmt::Debug for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opener(opener) => opener.fmt(f),
            Self::Ethereum { address, .. } => write!(f, "Way::Ethereum({address})"),
            Self::Solana { key, .. } => write!(f, "Way::Solana({key})"),
            Self::Seed { chain, .. } => write!(f, "Way::Seed({chain:?})"),
        }
    }
}

impl<'a> Enrol<'a> {
    /// With the default cost of guessing a passphrase. Wallets have their own: they sign twice.
    pub fn new(opener: Opener<'a>) -> Self {
        Self { way: Way::Opener(opener), cost: Params::default() }
    }

    /// An Ethereum wallet that signed the same request twice.
    pub fn ethereum(
        origin: &'a Origin,
        address: Address,
        signed: [&'a Secret<[u8; 65]>; 2],
    ) -> Self {
        Self { way: Way::Ethereum { origin, address, signed }, cost: Params::default() }
    }

    /// A Solana wallet that signed the same message twice.
    pub fn solana(
        origin: &'a Origin,
        key: VerifyingKey,
        signed: [&'a Secret<[u8; 64]>; 2],
    ) -> Self {
        Self { way: Way::Solana { origin, key, signed }, cost: Params::default() }
    }

    /// A wallet of a seed that is at hand. The wrap is the wallet's: either opens it.
    pub fn seed(origin: &'a Origin, seed: &'a Seed, chain: Chain) -> Self {
        Self { way: Way::Seed { origin, seed, chain }, cost: Params::default() }
    }

    /// With another cost of guessing a passphrase; nothing for the other methods.
    #[must_use]
    pub fn with_cost(self, cost: Params) -> Self {
        Self { cost, ..self }
    }
}
