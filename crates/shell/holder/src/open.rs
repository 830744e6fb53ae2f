//! A vault of this device, closed and open.

use std::path::{Path, PathBuf};

use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::{RecoveryCode, Seed};
use symbolon_custody::{Method, Opener, Unlocked, WrapId};
use symbolon_device::{DeviceKey, Facts};
use symbolon_secret::Secret;
use symbolon_vault::wire::SignedHead;
use symbolon_vault::{EpochKeys, Keys, Replica};

use crate::card::{CARD, CARD_BYTES_MAX, Card};
use crate::error::HolderError;
use crate::folder::{Folder, Lock};
use crate::make::{self, Protect};
use crate::name::VaultName;
use crate::stored::{self, Condition};

/// What can be seen of a vault without a key.
#[derive(Debug)]
pub struct ClosedVault {
    name: VaultName,
    folder: Folder,
    card: Card,
}

/// What somebody brings to open a vault.
#[derive(Debug)]
pub enum Unlocking<'a> {
    /// The key of this device.
    Device,
    /// The password, by the wrap that is this device's alone: no server is needed.
    Password(&'a Secret<[u8]>),
    /// The words on paper.
    Recovery(&'a RecoveryCode),
    /// The phrase of a wallet: it opens what the wallet opens.
    Seed(&'a Seed),
}

impl ClosedVault {
    /// The vaults of a home.
    ///
    /// # Errors
    /// [`HolderError::Io`].
    pub fn all(home: &Path) -> Result<Vec<VaultName>, HolderError> {
        Folder::all(home)
    }

    /// The vault of this name.
    ///
    /// # Errors
    /// [`HolderError::Missing`], [`HolderError::TooOpen`], [`HolderError::Damaged`].
    pub fn find(home: &Path, name: &VaultName) -> Result<Self, HolderError> {
        let folder = Folder::of(home, name);
        if !folder.exists() {
            return Err(HolderError::Missing { name: name.clone() });
        }
        folder.check()?;
        let damaged = || HolderError::Damaged { what: folder.file(CARD).display().to_string() };
        let bytes = folder.read(CARD, CARD_BYTES_MAX)?.ok_or_else(damaged)?;
        let card = Card::decode(&bytes).ok_or_else(damaged)?;
        Ok(Self { name: name.clone(), folder, card })
    }

    /// What is known of it.
    pub const fn card(&self) -> &Card {
        &self.card
    }

    /// Its name.
    pub const fn name(&self) -> &VaultName {
        &self.name
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) const fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn with_card(self, card: Card) -> Self {
        Self { card, ..self }
    }

    /// Whether a password opens it on this device.
    pub fn has_password(&self) -> bool {
        self.card.custody.methods().contains(&Method::Passphrase)
    }

    /// Whether the phrase of a wallet opens it.
    pub fn has_wallet(&self) -> bool {
        let is_wallet = |method: &Method| matches!(method, Method::Ethereum | Method::Solana);
        self.card.custody.methods().iter().any(is_wallet)
    }

    /// Whether this device opens it by itself.
    pub fn has_device(&self) -> bool {
        self.card.custody.methods().contains(&Method::Device)
    }

    /// Opens the vault's data key. A password takes as long as Argon2id does.
    ///
    /// # Errors
    /// [`HolderError::Unlock`], in which a wrong secret is told apart from damage;
    /// [`HolderError::KeyFile`], [`HolderError::Fingerprint`].
    pub fn unlock(&self, with: &Unlocking<'_>) -> Result<Unlocked, HolderError> {
        let custody = &self.card.custody;
        Ok(match with {
            Unlocking::Device => {
                let key = DeviceKey::read(&self.folder.file(make::DEVICE_KEY))?;
                let here = key.fingerprint(&Facts::read())?;
                custody.unlock(&key.opener(&here))?
            }
            Unlocking::Password(password) => custody.unlock(&Opener::Passphrase(password))?,
            Unlocking::Recovery(code) => custody.unlock(&Opener::Recovery(code))?,
            Unlocking::Seed(seed) => custody.unlock(&Opener::Seed(seed))?,
        })
    }

    /// Opens the vault for this process alone.
    ///
    /// # Errors
    /// [`HolderError`]; where the files are damaged and a server has a copy, see [`OpenVault::condition`].
    pub fn open(self, unlocked: Unlocked) -> Result<OpenVault, HolderError> {
        let Self { name, folder, card: _ } = self;
        let lock = folder.lock()?;
        // Another command may have changed it before the lock was ours.
        let card = Self::find_in(&folder)?;
        let fetchable = card.account.is_some();
        let (replica, condition) = stored::load(&folder, || keys(&card, &unlocked), fetchable)?;
        Ok(OpenVault { name, folder, card, unlocked, replica, condition, _lock: lock })
    }

    fn find_in(folder: &Folder) -> Result<Card, HolderError> {
        let damaged = || HolderError::Damaged { what: folder.file(CARD).display().to_string() };
        let bytes = folder.read(CARD, CARD_BYTES_MAX)?.ok_or_else(damaged)?;
        Card::decode(&bytes).ok_or_else(damaged)
    }
}

/// The keys of every data key that is at hand.
pub(crate) fn keys(card: &Card, unlocked: &Unlocked) -> Result<Keys, HolderError> {
    let mut keys = Keys::new(unlocked, unlocked.epoch());
    for old in card.custody.ring() {
        keys.add_older(old.epoch(), EpochKeys::derive(&unlocked.earlier(old.epoch())?));
    }
    Ok(keys)
}

/// A vault that is open in this process, and in no other. Dropping it wipes its keys.
#[derive(Debug)]
pub struct OpenVault {
    pub(crate) name: VaultName,
    pub(crate) folder: Folder,
    pub(crate) card: Card,
    pub(crate) unlocked: Unlocked,
    pub(crate) replica: Replica,
    pub(crate) condition: Condition,
    _lock: Lock,
}

impl OpenVault {
    /// What is in it.
    pub const fn replica(&self) -> &Replica {
        &self.replica
    }

    /// What is in it, to be changed; [`OpenVault::save`] keeps the change.
    pub const fn replica_mut(&mut self) -> &mut Replica {
        &mut self.replica
    }

    /// What is known of it without a key.
    pub const fn card(&self) -> &Card {
        &self.card
    }

    /// Its name.
    pub const fn name(&self) -> &VaultName {
        &self.name
    }

    /// In what condition its files were found. With [`Condition::Lost`] it has to be fetched first.
    pub const fn condition(&self) -> Condition {
        self.condition
    }

    /// Keeps what is in it: whole or not at all.
    ///
    /// # Errors
    /// [`HolderError::Io`]; [`HolderError::Lost`] where the files are damaged and nothing was fetched yet:
    /// an empty vault is never written over a damaged one.
    pub fn save(&mut self, rng: &dyn Rng) -> Result<(), HolderError> {
        if self.condition == Condition::Lost && self.replica.head().is_none() {
            return Err(HolderError::Lost);
        }
        if self.condition != Condition::Whole {
            stored::set_aside(&self.folder)?;
        }
        stored::save(&self.folder, &mut self.replica, rng)?;
        self.condition = Condition::Whole;
        Ok(())
    }

    /// Ends with the keys still at hand, so that the vault is opened again without asking.
    pub fn close(self) -> Unlocked {
        self.unlocked
    }

    /// The highest head that this device saw, also where its replica is damaged.
    pub(crate) fn seen(&self) -> Result<Option<SignedHead>, HolderError> {
        match self.replica.head() {
            Some(head) => Ok(Some(*head)),
            None => stored::head(&self.folder),
        }
    }

    /// Adds a way to open the vault that is this device's alone.
    ///
    /// # Errors
    /// [`HolderError`]; nothing has changed then.
    pub fn protect(
        &mut self,
        with: &Protect<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<WrapId, HolderError> {
        let id = make::protect(&self.folder, &mut self.card, &self.unlocked, with, rng, clock)?;
        self.folder.write(CARD, &self.card.encode())?;
        Ok(id)
    }

    /// Removes a way to open the vault that is this device's alone, never the last.
    ///
    /// # Errors
    /// [`HolderError::Wrap`].
    pub fn unprotect(&mut self, wrap: WrapId) -> Result<(), HolderError> {
        let change = self.card.custody.remove_wrap(&self.unlocked, wrap)?;
        let mut card = Card { custody: change.vault, ..self.card.clone() };
        card.here.retain(|own| *own != wrap);
        self.folder.write(CARD, &card.encode())?;
        if !card.custody.methods().contains(&Method::Device) {
            self.folder.remove(make::DEVICE_KEY)?;
        }
        self.card = card;
        Ok(())
    }
}
