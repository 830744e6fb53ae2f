//! One lease.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

use symbolon_account::AccountId;
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::{CodecError, hex};
use symbolon_custody::{Purposes, RingError, Unlocked, VaultId};
use symbolon_vault::{EpochKeys, Keys, Replica};
use tokio::sync::Mutex;

use crate::room::Share;

/// Which lease: 16 random bytes, shown as hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId([u8; 16]);

impl LeaseId {
    pub(crate) fn make(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 16];
        rng.fill(&mut bytes);
        Self(bytes)
    }
}

impl FromStr for LeaseId {
    type Err = CodecError;
    fn from_str(text: &str) -> Result<Self, CodecError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| CodecError::Encoding("32 hex digits"))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a lease is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Its time is over.
    Time,
    /// Its owner took it back.
    Revoked,
    /// All sessions were ended.
    SignedOut,
    /// The vault's wraps or keys changed.
    Keys,
    /// The account may not be used any more, or is gone.
    Account,
    /// The process ends.
    Stopped,
}

impl Ended {
    /// The word in an account's events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Revoked => "revoked",
            Self::SignedOut => "signed-out",
            Self::Keys => "keys-changed",
            Self::Account => "account",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "its time ran out",
            Self::Revoked => "its owner took it back",
            Self::SignedOut => "all sessions were ended",
            Self::Keys => "the vault's keys changed",
            Self::Account => "the account is not in use",
            Self::Stopped => "the server ended",
        })
    }
}

/// A lease that is live, as its owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseView {
    /// Which.
    pub id: LeaseId,
    /// What for.
    pub purposes: Purposes,
    /// When it was granted, in Unix milliseconds.
    pub granted_unix_ms: u64,
    /// How long it lives, in milliseconds: from the monotonic clock.
    pub left_ms: u64,
}

/// What a lease holds while it is live.
pub(crate) struct Held {
    unlocked: Unlocked,
    /// Earlier epochs in the ring.
    epochs: Vec<u32>,
    /// Taken out while it is worked on: what breaks off leaves none, and it is loaded anew.
    pub replica: Option<Loaded>,
}

/// The vault in memory.
pub(crate) struct Loaded {
    pub replica: Replica,
    pub share: Share,
}

impl Held {
    pub const fn new(unlocked: Unlocked, epochs: Vec<u32>) -> Self {
        Self { unlocked, epochs, replica: None }
    }

    /// The keys of every epoch of the ring.
    pub fn keys(&self) -> Result<Keys, RingError> {
        let mut keys = Keys::new(&self.unlocked, self.unlocked.epoch());
        for epoch in &self.epochs {
            keys.add_older(*epoch, EpochKeys::derive(&self.unlocked.earlier(*epoch)?));
        }
        Ok(keys)
    }
}

/// Who lent what, and until when.
pub(crate) struct Lease {
    pub id: LeaseId,
    pub account: AccountId,
    pub vault: VaultId,
    pub keys_version: u64,
    pub purposes: Purposes,
    pub granted_unix_ms: u64,
    pub ends_mono_ns: u64,
    /// Written down, so that it may be used.
    is_granted: AtomicBool,
    ended: OnceLock<Ended>,
    held: Arc<Mutex<Option<Held>>>,
}

/// What a lease is made of.
pub(crate) struct Granted {
    pub id: LeaseId,
    pub account: AccountId,
    pub vault: VaultId,
    pub keys_version: u64,
    pub purposes: Purposes,
    pub granted_unix_ms: u64,
    pub ends_mono_ns: u64,
    pub held: Held,
}

impl Lease {
    pub fn new(granted: Granted) -> Self {
        let Granted { id, account, vault, keys_version, purposes, .. } = granted;
        let Granted { granted_unix_ms, ends_mono_ns, held, .. } = granted;
        Self {
            id,
            account,
            vault,
            keys_version,
            purposes,
            granted_unix_ms,
            ends_mono_ns,
            is_granted: AtomicBool::new(false),
            ended: OnceLock::new(),
            held: Arc::new(Mutex::new(Some(held))),
        }
    }

    pub fn begin(&self) {
        self.is_granted.store(true, SeqCst);
    }

    /// Why it is over, if it is.
    pub fn over(&self, clock: &dyn Clock) -> Option<Ended> {
        let by_time = || (clock.mono_ns() >= self.ends_mono_ns).then_some(Ended::Time);
        self.ended.get().copied().or_else(by_time)
    }

    pub fn is_live(&self, clock: &dyn Clock) -> bool {
        self.is_granted.load(SeqCst) && self.over(clock).is_none()
    }

    pub fn view(&self, clock: &dyn Clock) -> LeaseView {
        let left_ms = self.ends_mono_ns.saturating_sub(clock.mono_ns()) / 1_000_000;
        let Self { id, purposes, granted_unix_ms, .. } = *self;
        LeaseView { id, purposes, granted_unix_ms, left_ms }
    }

    /// From now on nothing begins under it.
    pub fn mark(&self, why: Ended) {
        let _ = self.ended.set(why);
    }

    /// Ends it: when this returns nothing works with its keys any more, and they are wiped.
    pub async fn end(&self, why: Ended) {
        self.mark(why);
        *self.held.lock().await = None;
    }

    /// What it holds, for one that works with it; one at a time.
    pub async fn hold(&self) -> tokio::sync::OwnedMutexGuard<Option<Held>> {
        self.held.clone().lock_owned().await
    }
}
