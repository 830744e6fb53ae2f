//! A vault that leaves its server, or this device.

use std::fs;

use symbolon_custody::Unlocked;

use crate::card::{Account, CARD, Card};
use crate::error::HolderError;
use crate::folder::Lock;
use crate::open::ClosedVault;
use crate::server::{By, Client, ClientError};

/// A vault whose account is being deleted. The step is written down first, so that a run that was cut
/// short is told from a device that was removed by somebody else.
#[derive(Debug)]
pub struct Leaving {
    vault: ClosedVault,
    was_begun: bool,
    _lock: Lock,
}

impl ClosedVault {
    /// Writes down that the account is about to be deleted.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn begin_leaving(self) -> Result<Leaving, HolderError> {
        let lock = self.folder().lock()?;
        let was_begun = self.folder().read(MARK, 1)?.is_some();
        if !was_begun {
            self.folder().write(MARK, b"")?;
        }
        Ok(Leaving { vault: self, was_begun, _lock: lock })
    }

    /// Removes the vault's folder from this device.
    ///
    /// # Errors
    /// [`HolderError`].
    pub fn remove(self) -> Result<(), HolderError> {
        let lock = self.folder().lock()?;
        // A half of a vault would be found as one that is damaged; one under this name is found by nobody.
        let (from, gone) =
            (self.path(), self.path().with_file_name(format!(".{}.gone", self.name())));
        let io = HolderError::io(&from);
        match fs::remove_dir_all(&gone) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        fs::rename(&from, &gone).map_err(&io)?;
        drop(lock);
        fs::remove_dir_all(&gone).map_err(&io)
    }
}

impl Leaving {
    /// The account.
    pub fn account(&self) -> Option<&Account> {
        self.vault.card().account.as_ref()
    }

    /// Whether an earlier run got as far as the server, and the server knows this device no longer: then the
    /// account is gone.
    ///
    /// # Errors
    /// [`HolderError`], where the device's key does not open.
    pub async fn is_gone(
        &self,
        client: &mut Client,
        unlocked: &Unlocked,
    ) -> Result<bool, HolderError> {
        let Some(account) = self.account().filter(|_| self.was_begun) else { return Ok(false) };
        let key = account.device.open(unlocked)?;
        let answer = client.vault(By::Device(&account.device.key_id, &key)).await;
        Ok(matches!(answer, Err(ClientError::Refused(refusal)) if refusal.code == "unknown_key"))
    }

    /// The vault of before, where nothing was deleted.
    ///
    /// # Errors
    /// [`HolderError::Io`].
    pub fn give_up(self) -> Result<(), HolderError> {
        self.vault.folder().remove(MARK)
    }

    /// The account is gone: the vault is this device's alone from now on.
    ///
    /// # Errors
    /// [`HolderError::Io`].
    pub fn finish(self) -> Result<ClosedVault, HolderError> {
        let card = Card { account: None, ..self.vault.card().clone() };
        self.vault.folder().write(CARD, &card.encode())?;
        self.vault.folder().remove(MARK)?;
        Ok(self.vault.with_card(card))
    }
}

/// Stands in a vault's folder while its account is being deleted.
const MARK: &str = "leaving";
