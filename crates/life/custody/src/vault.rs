//! A vault: its wraps, and what may be done to them.

use serde::{Deserialize, Serialize};
use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::MasterKey;

use crate::id::{VaultId, WrapId};
use crate::method::{Enrol, Method, Opener};
use crate::ring::OldKey;
use crate::unlocked::Unlocked;
use crate::wrap::{self, Wrap};

mod error;
mod rotate;
#[cfg(test)]
mod rotate_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod ways_tests;

pub use error::{EnrolError, RingError, UnlockError, VaultError, WrapError};

/// A vault's id and the wraps of its data key. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Vault {
    id: VaultId,
    created_unix_ms: u64,
    wraps: Vec<Wrap>,
    ring: Vec<OldKey>,
}

/// What an operation on wraps came to. The store writes `inserted` and deletes `removed` in one
/// transaction, with the vault's ring where that is another; `vault` is what it then holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change takes effect when the store has written it"]
#[non_exhaustive]
pub struct Change {
    /// The vault after the change.
    pub vault: Vault,
    /// The wraps to write.
    pub inserted: Vec<Wrap>,
    /// The wraps to delete, after the others are written.
    pub removed: Vec<WrapId>,
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
    /// What opened the vault before its key was rotated does not any more.
    Dropped {
        /// Whose wraps are gone.
        method: Method,
    },
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RecoveryAlone => f.write_str(
                "the recovery code is now the only way to open this vault; add a passphrase or \
                 this device's key",
            ),
            Self::MachineAlone => f.write_str(
                "this vault opens on this machine only; add a passphrase or a recovery code",
            ),
            Self::Dropped { method } => {
                write!(f, "the {method} does not open this vault any more; add it again")
            }
        }
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
        Self::create_as(VaultId::make(rng), first, rng, clock)
    }

    /// As [`Vault::create`], under an id that was made before: a wallet signs for a vault by its id.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn create_as(
        id: VaultId,
        first: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<(Self, Unlocked), EnrolError> {
        let (epoch, data_key) = (wrap::first(), MasterKey::make(rng));
        let wrap = Wrap::make(id, epoch, &data_key, first, rng, clock)?;
        let wraps = vec![wrap];
        let vault = Self { id, created_unix_ms: clock.unix_ms(), wraps, ring: Vec::new() };
        Ok((vault, Unlocked::new(id, None, (epoch, data_key), Vec::new())))
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
        match wraps.len() {
            0 => Err(VaultError::NoWrap),
            found if found > WRAPS_MAX => Err(VaultError::TooMany { found, max: WRAPS_MAX }),
            _ if has_twice(&wraps, Wrap::id) => Err(VaultError::SameId),
            _ => Ok(Self { id, created_unix_ms, wraps, ring: Vec::new() }),
        }
    }

    /// With the data keys of earlier epochs that a store read back.
    ///
    /// # Errors
    /// [`VaultError::Ring`].
    pub fn with_ring(self, ring: Vec<OldKey>) -> Result<Self, VaultError> {
        let are_earlier = ring.iter().all(|old| old.epoch() < self.epoch());
        if ring.len() > RING_MAX || has_twice(&ring, OldKey::epoch) || !are_earlier {
            return Err(VaultError::Ring);
        }
        Ok(Self { ring, ..self })
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

    /// The data keys of earlier epochs, each sealed under the present one.
    pub fn ring(&self) -> &[OldKey] {
        &self.ring
    }

    /// Which data key the vault has now: the latest that a wrap holds.
    pub fn epoch(&self) -> u32 {
        self.wraps.iter().map(Wrap::epoch).max().unwrap_or(wrap::first().get())
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
        let epoch = self.epoch();
        let mut found: Option<UnlockError> = None;
        for wrap in self.wraps.iter().filter(|w| opener.opens(w.method())) {
            let error = match wrap.open_at(epoch, self.id, opener) {
                Ok(data_key) => {
                    let by = Some((wrap.id(), wrap.method()));
                    return Ok(Unlocked::new(self.id, by, data_key, self.ring.clone()));
                }
                Err(error) => error,
            };
            if found.as_ref().is_none_or(|found| found.weight() < error.weight()) {
                found = Some(error);
            }
        }
        let method = opener.method();
        Err(found
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
        // One of before a rotation opens nothing, and would bring the old key back if it were alone.
        let opens = |w: &Wrap| w.epoch() == self.epoch() && w.id() != wrap;
        if !self.wraps.iter().any(opens) {
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
        let (epoch, data_key) = unlocked.data_key();
        Ok(Wrap::make(self.id, epoch, data_key, enrol, rng, clock)?)
    }

    fn check(&self, unlocked: &Unlocked, wrap: Option<WrapId>) -> Result<(), WrapError> {
        if unlocked.vault_id() != self.id {
            return Err(WrapError::OtherVault { expected: self.id, found: unlocked.vault_id() });
        }
        if unlocked.epoch() != self.epoch() {
            return Err(WrapError::OldEpoch);
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
        let (inserted, removed) = (inserted.into_iter().collect(), removed.into_iter().collect());
        Change { vault, inserted, removed, warnings }
    }
}

/// Whether two of a few are called the same. A set would be more code to load than the vault is to look through.
fn has_twice<T, N: PartialEq>(all: &[T], name: impl Fn(&T) -> N) -> bool {
    all.iter().enumerate().any(|(n, one)| all[..n].iter().any(|other| name(other) == name(one)))
}

/// The vault as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    id: VaultId,
    created_unix_ms: u64,
    wraps: Vec<Wrap>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ring: Vec<OldKey>,
}

impl TryFrom<Stored> for Vault {
    type Error = VaultError;
    fn try_from(s: Stored) -> Result<Self, VaultError> {
        Self::from_parts(s.id, s.created_unix_ms, s.wraps)?.with_ring(s.ring)
    }
}

impl From<Vault> for Stored {
    fn from(v: Vault) -> Self {
        Self { id: v.id, created_unix_ms: v.created_unix_ms, wraps: v.wraps, ring: v.ring }
    }
}

/// More than anybody has, few enough to try one after the other.
const WRAPS_MAX: usize = 64;
/// More rotations than any vault goes through before its items are sealed again.
const RING_MAX: usize = 64;
