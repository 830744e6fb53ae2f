//! A data key on its way from its holder to a process that uses it for a while: `specs/lease.md`.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_codec::Fields;
use symbolon_crypto::{
    HPKE_SEALED_BYTES, HpkeError, MasterKey, RecipientKey, RecipientSecret, labels,
};

use crate::id::VaultId;
use crate::ring::OldKey;
use crate::unlocked::Unlocked;
use crate::wrap;

/// What a data key is lent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Notes and folders are read and written.
    Notes,
    /// A broker uses the connections.
    Connections,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Notes, Self::Connections];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Connections => "connections",
        }
    }

    /// Reads [`Purpose::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }

    /// The longest that a key is lent for it, in minutes.
    pub const fn minutes_max(self) -> u32 {
        match self {
            Self::Notes => 60,
            Self::Connections => 12 * 60,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Notes => 1,
            Self::Connections => 2,
        }
    }
}

/// One purpose at least.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purposes(u8);

impl Purposes {
    /// `None` for no purpose; one that is named twice counts once.
    pub fn new(all: impl IntoIterator<Item = Purpose>) -> Option<Self> {
        let bits = all.into_iter().fold(0, |bits, purpose| bits | purpose.bit());
        (bits != 0).then_some(Self(bits))
    }

    /// Whether it is one of them.
    pub const fn has(self, purpose: Purpose) -> bool {
        self.0 & purpose.bit() != 0
    }

    /// In their order.
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.has(*purpose))
    }

    /// The longest that a key is lent for all of them, in minutes.
    pub fn minutes_max(self) -> u32 {
        self.iter().map(Purpose::minutes_max).min().unwrap_or(0)
    }
}

impl fmt::Debug for Purposes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a key is handed over on. Sealed to other terms it does not open.
#[derive(Clone)]
pub struct Terms {
    vault: VaultId,
    epoch: u32,
    bytes: Vec<u8>,
}

/// To whom, when, and for how long.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs)] // all of them have to be said
pub struct Asked<'a> {
    /// Where the process is reached.
    pub origin: &'a str,
    /// Its key, fresh for each process.
    pub key: &'a RecipientKey,
    /// What it asked with, once.
    pub nonce: &'a [u8; NONCE_BYTES],
    /// How long it may keep the key, in minutes.
    pub minutes: u32,
}

impl Terms {
    /// A server works on the vault for these purposes.
    pub fn lease(vault: VaultId, epoch: u32, asked: &Asked<'_>, purposes: Purposes) -> Self {
        let bytes = Fields::new(labels::LEASE.as_str())
            .str(asked.origin)
            .bytes(vault.as_bytes())
            .u64(u64::from(epoch))
            .bytes(asked.key.as_bytes())
            .bytes(asked.nonce)
            .bytes(&[purposes.0])
            .u64(u64::from(asked.minutes))
            .finish();
        Self { vault, epoch, bytes }
    }

    /// The bytes that the sealing is bound to.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("vault", &self.vault).finish_non_exhaustive()
    }
}

impl Unlocked {
    /// Seals the data key to a process, on terms that name this vault and epoch.
    ///
    /// # Errors
    /// [`HpkeError::NotOpened`] for terms of another vault or epoch, [`HpkeError::Key`],
    /// [`HpkeError::NoPage`].
    pub fn hand_over(
        &self,
        to: &RecipientKey,
        terms: &Terms,
        rng: &dyn Rng,
    ) -> Result<[u8; HANDED_OVER_BYTES], HpkeError> {
        if terms.vault != self.vault_id() || terms.epoch != self.epoch() {
            return Err(HpkeError::NotOpened);
        }
        let (_, data_key) = self.data_key();
        data_key.seal_to(to, &labels::LEASE, &terms.bytes, rng)
    }
}

/// What somebody handed over as a vault's data key. Nothing vouches for it yet.
pub struct HandedOver(Unlocked);

impl HandedOver {
    /// Opens what [`Unlocked::hand_over`] sealed to this process on the same terms. `ring` is what the
    /// vault keeps of earlier data keys.
    ///
    /// # Errors
    /// [`HpkeError::NotOpened`], [`HpkeError::NoPage`].
    pub fn open(
        own: &RecipientSecret,
        terms: &Terms,
        ring: Vec<OldKey>,
        sealed: &[u8; HANDED_OVER_BYTES],
    ) -> Result<Self, HpkeError> {
        let data_key = MasterKey::opened_by(own, &labels::LEASE, &terms.bytes, sealed)?;
        let epoch = std::num::NonZeroU32::new(terms.epoch).unwrap_or(wrap::first());
        Ok(Self(Unlocked::new(terms.vault, None, (epoch, data_key), ring)))
    }

    /// The evidence that the vault was opened, where `is_its_key` finds that this key is the vault's: by
    /// its head key, or by something that it seals.
    pub fn prove(self, is_its_key: impl FnOnce(&Unlocked) -> bool) -> Option<Unlocked> {
        is_its_key(&self.0).then_some(self.0)
    }
}

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedOver")
    }
}

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 32;
/// What one handing over takes.
pub const HANDED_OVER_BYTES: usize = HPKE_SEALED_BYTES;
