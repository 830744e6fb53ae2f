//! A command's line to the broker, which unlocks the vault on the way where it can.

use serde::de::DeserializeOwned;
use symbolon_broker::{CallError, Method, Status};
use symbolon_secret::Secret;
use symbolon_server::control::{Answer, Client, Hangup, Op, Unlocked};

use crate::failure::Failure;
use crate::{prompt, secrets};

/// A connection to the home's broker.
#[derive(Debug)]
pub struct Link {
    client: Client,
}

/// How much a command may do to have the vault open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// Device and TPM; a prompt where somebody is at a terminal.
    Person,
    /// Device and TPM only: standard input belongs to somebody else.
    Nobody,
}

impl Link {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Asks; where the vault is locked, opens it and asks again.
    pub fn ask<T: DeserializeOwned>(&mut self, op: &Op) -> Result<T, Failure> {
        match self.client.ask(op) {
            Err(error) if is_locked(&error) => {
                self.open(Asking::Person, error)?;
                Ok(self.client.ask(op)?)
            }
            other => Ok(other?),
        }
    }

    /// As [`Link::ask`], with secrets beside.
    pub fn exchange(&mut self, op: &Op, secret: Option<&Secret<[u8]>>) -> Result<Answer, Failure> {
        match self.client.exchange(op, secret) {
            Err(error) if is_locked(&error) => {
                self.open(Asking::Person, error)?;
                Ok(self.client.exchange(op, secret)?)
            }
            other => Ok(other?),
        }
    }

    /// Asks, and leaves a locked vault locked.
    pub fn ask_as_is<T: DeserializeOwned>(&mut self, op: &Op) -> Result<T, Failure> {
        Ok(self.client.ask(op)?)
    }

    /// As [`Link::ask_as_is`], with a secret beside the question.
    pub fn tell(&mut self, op: &Op, secret: Option<&Secret<[u8]>>) -> Result<Answer, Failure> {
        Ok(self.client.exchange(op, secret)?)
    }

    /// How the broker is.
    pub fn status(&mut self) -> Result<Status, Failure> {
        self.ask_as_is(&Op::Status {})
    }

    /// Opens the vault now, before anything else is asked of a person.
    pub fn ensure_unlocked(&mut self, asking: Asking) -> Result<(), Failure> {
        if self.status()?.unlocked {
            return Ok(());
        }
        self.open_or(asking, Failure::locked("the vault is locked"))
    }

    /// What ends this line from elsewhere, and with it what is asked on it.
    pub fn hangup(&self) -> Result<Hangup, Failure> {
        Ok(self.client.hangup()?)
    }

    /// The connection itself.
    pub fn into_client(self) -> Client {
        self.client
    }

    fn open(&mut self, asking: Asking, refused: CallError) -> Result<(), Failure> {
        self.open_or(asking, refused.into())
    }

    fn open_or(&mut self, asking: Asking, locked: Failure) -> Result<(), Failure> {
        match self.client.ask(&Op::UnlockUnattended { asked: false }) {
            Ok(Unlocked { unlocked: true }) => return Ok(()),
            Ok(Unlocked { unlocked: false }) => {}
            // Locked by hand, or the device's key does not fit: a person may still open it.
            Err(error) if asking == Asking::Nobody => return Err(error.into()),
            Err(_) => {}
        }
        let locked = locked.next("symbolon unlock");
        let takes_passphrase = self.status()?.methods.contains(&Method::Passphrase);
        if asking == Asking::Nobody || !takes_passphrase || !prompt::is_possible() {
            return Err(locked);
        }
        let passphrase = secrets::ask("passphrase", "Passphrase (not shown): ", UNLOCK)?;
        self.tell(&Op::Unlock { method: Method::Passphrase }, Some(&passphrase))?;
        Ok(())
    }
}

/// What to run where nobody can be asked for the passphrase.
pub const UNLOCK: &str = "symbolon unlock --from-stdin < FILE";

fn is_locked(error: &CallError) -> bool {
    error.code == "locked"
}
