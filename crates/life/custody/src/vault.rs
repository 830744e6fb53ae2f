//! A vault: its wraps, and what may be done to them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::MasterKey;

use crate::id::{VaultId, WrapId};
use crate::method::{Enrol, Method, Opener};
use crate::unlocked::Unlocked;
use crate::wrap::Wrap;

mod error;
#[cfg(test)]
mod tests;

pub use error::{EnrolError, UnlockError, VaultError, WrapError};

/// A vault's id and the wraps of its data key. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Vault {
    id: VaultId,
    created_unix_ms: u64,
    wraps: Vec<Wrap>,
}

/// What an operation on wraps came to. The store writes `inserted` and deletes `removed` in one
/// transaction; `vault` is what it then holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change takes effect when the store has written it"]
#[non_exhaustive]
pub struct Change {
    /// The vault after the change.
    pub vault: Vault,
    /// The wrap to write.
    pub inserted: Option<Wrap>,
    /// The wrap to delete, after the other is written.
    pub removed: Option<WrapId>,
    /// What the person should hear.
    pub warnings: Vec<Warning>,
}

/// A state of custody that is allowed and unwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// Recovery codes are the only way in: every unlock needs the paper.
    RecoveryAlone,
    /// All wraps are bound to this machine: with it the vault is lost.
    MachineAlone,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::RecoveryAlone => {
                "the recovery code is now the only way to open this vault; add a passphrase or \
                 this device's key"
            }
            Self::MachineAlone => {
                "this vault opens on this machine only; add a passphrase or a recovery code"
            }
        })
    }
}

impl Vault {
    /// Makes a vault with a new data key and its first wrap.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn create(
        first: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<(Self, Unlocked), EnrolError> {
        let id = VaultId::make(rng);
        let data_key = MasterKey::make(rng);
        let wrap = Wrap::make(id, &data_key, first, rng, clock)?;
        let vault = Self { id, created_unix_ms: clock.unix_ms(), wraps: vec![wrap] };
        Ok((vault, Unlocked::new(id, None, data_key)))
    }

    /// What a store read back.
    ///
    /// # Errors
    /// [`VaultError`], rule 1 of the spec.
    pub fn from_parts(
        id: VaultId,
        created_unix_ms: u64,
        wraps: Vec<Wrap>,
    ) -> Result<Self, VaultError> {
        let ids: HashSet<_> = wraps.iter().map(Wrap::id).collect();
        match wraps.len() {
            0 => Err(VaultError::NoWrap),
            found if found > WRAPS_MAX => Err(VaultError::TooMany { found, max: WRAPS_MAX }),
            found if found != ids.len() => Err(VaultError::SameId),
            _ => Ok(Self { id, created_unix_ms, wraps }),
        }
    }

    /// Its name.
    pub fn id(&self) -> VaultId {
        self.id
    }

    /// Milliseconds since 1970.
    pub fn created_unix_ms(&self) -> u64 {
        self.created_unix_ms
    }

    /// One at least.
    pub fn wraps(&self) -> &[Wrap] {
        &self.wraps
    }

    /// The methods that there are wraps for, each once.
    pub fn methods(&self) -> Vec<Method> {
        let mut methods: Vec<_> = self.wraps.iter().map(Wrap::method).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }

    /// What is unwise about the wraps as they are.
    pub fn warnings(&self) -> Vec<Warning> {
        let all = |test: fn(Method) -> bool| self.wraps.iter().all(|w| test(w.method()));
        let mut warnings = Vec::new();
        if all(|m| m == Method::Recovery) {
            warnings.push(Warning::RecoveryAlone);
        }
        if all(Method::is_bound_to_machine) {
            warnings.push(Warning::MachineAlone);
        }
        warnings
    }

    /// Opens the vault. A passphrase takes as long as its Argon2id cost says, for each passphrase
    /// wrap that it does not open.
    ///
    /// # Errors
    /// [`UnlockError`]; a wrong secret is told apart from damage.
    pub fn unlock(&self, opener: &Opener<'_>) -> Result<Unlocked, UnlockError> {
        let method = opener.method();
        let mut error = None;
        for wrap in self.wraps.iter().filter(|w| w.method() == method) {
            match wrap.open(self.id, opener) {
                Ok(data_key) => {
                    return Ok(Unlocked::new(self.id, Some((wrap.id(), method)), data_key));
                }
                Err(wrong @ UnlockError::WrongSecret { .. }) => error = Some(wrong),
                Err(other) => error = error.or(Some(other)),
            }
        }
        Err(error
            .unwrap_or_else(|| UnlockError::NoSuchMethod { method, available: self.methods() }))
    }

    /// Adds a way to open the vault.
    ///
    /// # Errors
    /// [`WrapError::OtherVault`], [`WrapError::Full`], [`WrapError::Enrol`].
    pub fn add_wrap(
        &self,
        unlocked: &Unlocked,
        enrol: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Change, WrapError> {
        if self.wraps.len() >= WRAPS_MAX {
            return Err(WrapError::Full { max: WRAPS_MAX });
        }
        let wrap = self.make_wrap(unlocked, enrol, rng, clock)?;
        Ok(self.change(Some(wrap), None))
    }

    /// Removes a way to open the vault; never the last.
    ///
    /// # Errors
    /// [`WrapError::OtherVault`], [`WrapError::NoSuchWrap`], [`WrapError::LastWrap`].
    pub fn remove_wrap(&self, unlocked: &Unlocked, wrap: WrapId) -> Result<Change, WrapError> {
        self.check(unlocked, Some(wrap))?;
        if self.wraps.len() == 1 {
            return Err(WrapError::LastWrap);
        }
        Ok(self.change(None, Some(wrap)))
    }

    /// Puts a new wrap in the place of an old one, of the same method or another. Until the
    /// store's transaction is durable the old one opens the vault; after it, the new one.
    ///
    /// # Errors
    /// [`WrapError::OtherVault`], [`WrapError::NoSuchWrap`], [`WrapError::Enrol`].
    pub fn rotate_wrap(
        &self,
        unlocked: &Unlocked,
        old: WrapId,
        enrol: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Change, WrapError> {
        self.check(unlocked, Some(old))?;
        let wrap = self.make_wrap(unlocked, enrol, rng, clock)?;
        Ok(self.change(Some(wrap), Some(old)))
    }

    fn make_wrap(
        &self,
        unlocked: &Unlocked,
        enrol: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Wrap, WrapError> {
        self.check(unlocked, None)?;
        Ok(Wrap::make(self.id, unlocked.data_key(), enrol, rng, clock)?)
    }

    fn check(&self, unlocked: &Unlocked, wrap: Option<WrapId>) -> Result<(), WrapError> {
        if unlocked.vault_id() != self.id {
            return Err(WrapError::OtherVault { expected: self.id, found: unlocked.vault_id() });
        }
        match wrap {
            Some(id) if self.wraps.iter().all(|w| w.id() != id) => {
                Err(WrapError::NoSuchWrap { wrap: id })
            }
            _ => Ok(()),
        }
    }

    fn change(&self, inserted: Option<Wrap>, removed: Option<WrapId>) -> Change {
        let mut vault = self.clone();
        vault.wraps.retain(|w| Some(w.id()) != removed);
        vault.wraps.extend(inserted.clone());
        let warnings = vault.warnings();
        Change { vault, inserted, removed, warnings }
    }
}

/// The vault as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    id: VaultId,
    created_unix_ms: u64,
    wraps: Vec<Wrap>,
}

impl TryFrom<Stored> for Vault {
    type Error = VaultError;
    fn try_from(s: Stored) -> Result<Self, VaultError> {
        Self::from_parts(s.id, s.created_unix_ms, s.wraps)
    }
}

impl From<Vault> for Stored {
    fn from(v: Vault) -> Self {
        Self { id: v.id, created_unix_ms: v.created_unix_ms, wraps: v.wraps }
    }
}

/// More than anybody has, few enough to try one after the other.
const WRAPS_MAX: usize = 64;
