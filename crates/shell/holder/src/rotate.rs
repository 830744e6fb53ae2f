//! Another data key for a vault (`specs/custody.md`, "Epochs"), so that a run which is cut short at any step
//! is finished by the next.

use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::opaque::ExportKey;
use symbolon_crypto::{RecoveryCode, Seed};
use symbolon_custody::{Chain, Enrol, Method, Opener, Origin, Unlocked, Warning, Wrap, WrapId};
use symbolon_device::{DeviceKey, Facts};
use symbolon_secret::Secret;

use crate::card::{CARD, CARD_BYTES_MAX, Card};
use crate::error::HolderError;
use crate::make;
use crate::open::{ClosedVault, OpenVault, keys};

/// What opens the vault afterwards, beside this device where it opens the vault now.
#[derive(Debug)]
pub struct Ways<'a> {
    /// The password, by this device's own wrap.
    pub password: Option<&'a Secret<[u8]>>,
    /// What the same password gives at the vault's server.
    pub export_key: Option<&'a ExportKey>,
    /// The phrase of a wallet, and where the wallet is asked.
    pub seed: Option<(&'a Origin, &'a Seed)>,
    /// A new recovery code.
    pub recovery: &'a RecoveryCode,
}

impl<'a> Ways<'a> {
    /// The recovery code alone.
    pub const fn none_but(recovery: &'a RecoveryCode) -> Self {
        Self { password: None, export_key: None, seed: None, recovery }
    }
}

/// A rotation that is ready: nothing has changed yet.
#[derive(Debug)]
pub struct Rotation {
    pub(crate) card: Card,
    pub(crate) unlocked: Unlocked,
    /// Ways of before that are not at hand, and open the vault no longer.
    pub dropped: Vec<Method>,
}

impl Rotation {
    /// The epoch of the new data key.
    pub fn epoch(&self) -> u32 {
        self.card.custody.epoch()
    }
}

impl ClosedVault {
    /// The epoch of a rotation that was cut short, where there is one.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn begun_rotation(&self) -> Result<Option<u32>, HolderError> {
        Ok(self.next_card()?.map(|next| next.custody.epoch()))
    }

    /// Goes on with the keys of a rotation that the server took.
    ///
    /// # Errors
    /// [`HolderError::Io`].
    pub fn adopt_rotation(self) -> Result<Self, HolderError> {
        let _lock = self.folder().lock()?;
        match self.next_card()? {
            Some(next) => {
                self.folder().put_in_place(NEXT, CARD)?;
                Ok(self.with_card(next))
            }
            None => Ok(self),
        }
    }

    /// Forgets a rotation that nobody took: what was made for it opens nothing.
    ///
    /// # Errors
    /// [`HolderError::Io`].
    pub fn drop_rotation(&self) -> Result<(), HolderError> {
        let _lock = self.folder().lock()?;
        self.folder().remove(NEXT)
    }

    fn next_card(&self) -> Result<Option<Card>, HolderError> {
        let Some(bytes) = self.folder().read(NEXT, CARD_BYTES_MAX)? else { return Ok(None) };
        let damaged =
            || HolderError::Damaged { what: self.folder().file(NEXT).display().to_string() };
        Card::decode(&bytes).map(Some).ok_or_else(damaged)
    }
}

impl OpenVault {
    /// Makes another data key, and a wrap of it for each way that is at hand. A password takes as long as
    /// Argon2id does.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn make_rotation(
        &self,
        ways: &Ways<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Rotation, HolderError> {
        let device = match self.card.custody.methods().contains(&Method::Device) {
            true => Some(DeviceKey::read(&self.folder.file(make::DEVICE_KEY))?),
            false => None,
        };
        let password = ways.password.map(|it| Enrol::new(Opener::Passphrase(it)));
        let mut all: Vec<Enrol<'_>> = password.into_iter().collect();
        let here = match &device {
            Some(key) => Some(key.fingerprint(&Facts::read())?),
            None => None,
        };
        if let (Some(key), Some(here)) = (&device, &here) {
            all.push(Enrol::new(key.opener(here)));
        }
        let own = all.len();
        all.push(Enrol::new(Opener::Recovery(ways.recovery)));
        all.extend(ways.export_key.map(|key| Enrol::new(Opener::Password(key))));
        all.extend(ways.seed.map(|(at, seed)| Enrol::seed(at, seed, Chain::Ethereum)));
        let (change, unlocked) =
            self.card.custody.rotate_data_key(&self.unlocked, &all, rng, clock)?;
        let here: Vec<WrapId> = change.inserted.iter().take(own).map(Wrap::id).collect();
        let dropped = change.warnings.iter().filter_map(|warning| match warning {
            Warning::Dropped { method } => Some(*method),
            _ => None,
        });
        let dropped = dropped.collect();
        let card = Card { custody: change.vault, here, ..self.card.clone() };
        Ok(Rotation { card, unlocked, dropped })
    }

    /// Writes down what a rotation will be, before any server hears of it.
    ///
    /// # Errors
    /// [`HolderError::Io`].
    pub fn begin_rotation(&self, rotation: &Rotation) -> Result<(), HolderError> {
        self.folder.write(NEXT, &rotation.card.encode())
    }

    /// Goes on under the new data key, which this device alone, or its server too, has from now on.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn take_rotation(&mut self, rotation: Rotation) -> Result<(), HolderError> {
        self.replica.set_keys(keys(&rotation.card, &rotation.unlocked)?);
        self.folder.put_in_place(NEXT, CARD)?;
        self.card = rotation.card;
        self.unlocked = rotation.unlocked;
        Ok(())
    }

    /// Seals all that is of an older data key anew, some hundred items at a time, each kept before the next.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn reseal(&mut self, rng: &dyn Rng, clock: &dyn Clock) -> Result<(), HolderError> {
        loop {
            let left = self.replica.reseal(RESEAL_STEP, clock, rng)?;
            self.save(rng)?;
            if left == 0 {
                return Ok(());
            }
        }
    }
}

/// The card after a rotation that is under way.
pub(crate) const NEXT: &str = "vault.next";
const RESEAL_STEP: usize = 500;
