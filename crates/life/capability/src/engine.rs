//! The engine: who may do what now, and tokens that let it happen once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use symbolon_ambient::{Clock, Rng};
use symbolon_codec::Digest32;

use crate::approval::Memory;
use crate::budget::Ledger;
use crate::calendar::{Calendar, Reading};
use crate::catalog::{Catalog, ScopeId};
use crate::gate::{Gates, Refusal};
use crate::rate::Bucket;
use crate::token::Table;
use crate::{AgentName, ConnectionName, LiveGrant, Registration};

pub use self::lease::Lease;
pub use self::minting::TOKEN_TTL_SECONDS;

pub(crate) mod asking;
mod gates;
mod lease;
mod minting;
mod redeeming;
mod standing;

/// Everything that is in force, replaced as a whole when anything changes.
#[derive(Debug, Default)]
pub struct Policy {
    /// Connections by name.
    pub connections: HashMap<ConnectionName, Arc<Registration>>,
    /// Grants by agent, ended ones left out.
    pub grants: HashMap<AgentName, Vec<Arc<LiveGrant>>>,
    /// Connections of the owner's vault that are not lent now, with their services: a call of one is
    /// told what to do.
    pub away: HashMap<ConnectionName, String>,
}

/// The engine. One a broker; every door goes through it.
pub struct Engine {
    pub(crate) clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    pub(crate) fingerprint: Digest32,
    calendar: Calendar,
    ledger: Arc<Ledger>,
    shadow: AtomicBool,
    catalog: RwLock<Arc<Catalog>>,
    policy: RwLock<Option<Arc<Policy>>>,
    generation: AtomicU64,
    tokens: Table,
    buckets: Mutex<HashMap<(ConnectionName, ScopeId), Arc<Bucket>>>,
    memory: Mutex<Memory>,
}

impl Engine {
    /// An engine with nothing in force: everything is refused as locked.
    pub fn new(
        catalog: Arc<Catalog>,
        fingerprint: Digest32,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self {
            calendar: Calendar::new(&*clock),
            ledger: Arc::default(),
            shadow: AtomicBool::new(false),
            clock,
            rng,
            fingerprint,
            catalog: RwLock::new(catalog),
            policy: RwLock::new(None),
            generation: AtomicU64::new(0),
            tokens: Table::new(),
            buckets: Mutex::default(),
            memory: Mutex::default(),
        }
    }

    /// The tools it knows.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the catalogue that comes after (see [`Catalog::successor`]) in the place of the one in force,
    /// and gives that. What is in force stays so: scopes have the same numbers in both.
    pub fn replace_catalog(&self, next: Arc<Catalog>) -> Arc<Catalog> {
        let mut slot = self.catalog.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *slot, next);
        self.generation.fetch_add(1, Ordering::Release);
        before
    }

    /// What is counted: for the rules of grants that are put into force.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// What time it is, for rules that go by the calendar.
    pub fn reading(&self) -> Reading {
        self.calendar.read(&*self.clock)
    }

    /// Turns shadow mode on or off. A token that shadow mode let out does not outlive it.
    pub fn set_shadow(&self, on: bool) {
        self.shadow.store(on, Ordering::SeqCst);
    }

    /// Whether shadow mode is on.
    pub fn is_shadow(&self) -> bool {
        self.shadow.load(Ordering::SeqCst)
    }

    /// Puts a policy into force, or none (locked). Leases of before are resolved again at their
    /// next use, so what was taken away is gone at once; tokens that wait are judged anew when they
    /// are redeemed, and die with a lock. Those that were made ahead and are nobody's are wiped.
    pub fn install(&self, policy: Option<Policy>) {
        let locked = policy.is_none();
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy.map(Arc::new);
        self.generation.fetch_add(1, Ordering::Release);
        // After the policy: a pool is filled only where one is in force, and while it is looked at.
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.values().for_each(|bucket| bucket.pools.clear());
        drop(buckets);
        if locked {
            self.tokens.clear();
            self.memory().clear();
        }
    }

    /// What is in force; `None` while locked.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts changes of policy.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

/// A refusal, and the gates that held before it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{refusal}")]
pub struct Refused {
    /// Why.
    #[source]
    pub refusal: Refusal,
    /// Which gates held.
    pub gates: Gates,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, gates: Gates::default() }
    }
}
