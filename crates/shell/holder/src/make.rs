//! A vault that is made here, or fetched for the first time: built beside its place, and put there whole.

use std::path::Path;

use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Enrol, Method, Opener, Unlocked, Vault, WrapId};
use symbolon_device::{DeviceKey, Facts};
use symbolon_secret::Secret;
use symbolon_vault::Replica;

use crate::card::{Account, CARD, Card};
use crate::error::HolderError;
use crate::folder::Folder;
use crate::name::VaultName;
use crate::open::keys;
use crate::stored;

/// A way to open a vault that works on this device alone.
#[derive(Debug)]
pub enum Protect<'a> {
    /// A password, through Argon2id.
    Password(&'a Secret<[u8]>),
    /// A key file that is bound to this machine.
    Device,
}

/// A vault that is being made. Dropping it leaves nothing that opens as a vault.
#[derive(Debug)]
pub struct Draft {
    name: VaultName,
    target: Folder,
    folder: Folder,
}

/// A vault in its draft: all of it but its place.
#[derive(Debug)]
pub struct Local {
    /// What is written as its card.
    pub card: Card,
    /// Its data key.
    pub unlocked: Unlocked,
    /// What is in it.
    pub replica: Replica,
}

impl Local {
    /// With a further way to open the vault, wherever it is.
    ///
    /// # Errors
    /// [`HolderError::Wrap`].
    pub fn with_way(
        mut self,
        enrol: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Self, HolderError> {
        let custody = &self.card.custody;
        self.card.custody = custody.add_wrap(&self.unlocked, enrol, rng, clock)?.vault;
        Ok(self)
    }
}

impl Draft {
    /// Begins one.
    ///
    /// # Errors
    /// [`HolderError::Exists`], [`HolderError::Io`].
    pub fn begin(home: &Path, name: &VaultName) -> Result<Self, HolderError> {
        let target = Folder::of(home, name);
        if target.exists() {
            return Err(HolderError::Exists { name: name.clone() });
        }
        Ok(Self { name: name.clone(), target, folder: Folder::draft(home, name)? })
    }

    /// Its name.
    pub const fn name(&self) -> &VaultName {
        &self.name
    }

    /// A new vault without items, opened by the recovery code and by what else is given.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn create(
        &self,
        code: &RecoveryCode,
        ways: &[Protect<'_>],
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Local, HolderError> {
        let recovery = Enrol::new(Opener::Recovery(code));
        let (custody, unlocked) = Vault::create(&recovery, rng, clock)?;
        let mut card = Card::new(custody, Vec::new());
        for way in ways {
            protect(&self.folder, &mut card, &unlocked, way, rng, clock)?;
        }
        let replica = Replica::create(keys(&card, &unlocked)?, clock);
        Ok(Local { card, unlocked, replica })
    }

    /// A vault that somebody opened by a server's wraps; nothing of it is here yet.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn join(
        &self,
        custody: Vault,
        unlocked: Unlocked,
        ways: &[Protect<'_>],
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Local, HolderError> {
        let mut card = Card::new(custody, Vec::new());
        for way in ways {
            protect(&self.folder, &mut card, &unlocked, way, rng, clock)?;
        }
        let replica = Replica::join(keys(&card, &unlocked)?);
        Ok(Local { card, unlocked, replica })
    }

    /// Writes the files, and puts them into place. Gives the data key, to go on with.
    ///
    /// # Errors
    /// [`HolderError::Io`].
    pub fn publish(
        self,
        mut local: Local,
        account: Option<Account>,
        rng: &dyn Rng,
    ) -> Result<Unlocked, HolderError> {
        local.card.account = account;
        self.folder.write(CARD, &local.card.encode())?;
        stored::save(&self.folder, &mut local.replica, rng)?;
        self.folder.publish(&self.target)?;
        Ok(local.unlocked)
    }

    /// Takes the draft away.
    pub fn give_up(self) {
        self.folder.give_up();
    }
}

/// Makes a wrap of a way, and for a device its key file.
pub(crate) fn protect(
    folder: &Folder,
    card: &mut Card,
    unlocked: &Unlocked,
    way: &Protect<'_>,
    rng: &dyn Rng,
    clock: &dyn Clock,
) -> Result<WrapId, HolderError> {
    let change = match way {
        Protect::Password(password) => {
            let enrol = Enrol::new(Opener::Passphrase(password));
            card.custody.add_wrap(unlocked, &enrol, rng, clock)?
        }
        Protect::Device => {
            if !card.custody.methods().contains(&Method::Device) {
                // What a run that was cut short left behind opens nothing.
                folder.remove(DEVICE_KEY)?;
            }
            let facts = Facts::read();
            let key = DeviceKey::make(&folder.file(DEVICE_KEY), &facts, rng)?;
            let here = key.fingerprint(&facts)?;
            let enrol = Enrol::new(key.opener(&here));
            card.custody.add_wrap(unlocked, &enrol, rng, clock)?
        }
    };
    card.custody = change.vault;
    let added: Vec<WrapId> = change.inserted.iter().map(symbolon_custody::Wrap::id).collect();
    card.here.extend(&added);
    // INFALLIBLE: `add_wrap` inserts the one wrap that it made.
    Ok(*added.first().expect("one wrap was added"))
}

pub(crate) const DEVICE_KEY: &str = "device.key";
