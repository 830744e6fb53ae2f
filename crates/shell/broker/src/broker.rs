//! The broker: what lives for as long as one process serves one home.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use symbolon_ambient::{BatchedRng, Clock, Rng, SystemClock, SystemRng};
use symbolon_capability::{AgentName, ConnectionName, Engine};
use symbolon_codec::Digest32;
use symbolon_crypto::{AeadKey, SigningKey, VerifyingKey};
use symbolon_custody::Unlocked;
use symbolon_device::Fingerprint;
use symbolon_log::{Durability, Log, LogOptions};
use symbolon_secret::Secret;
use symbolon_store::audit::{Audit, AuditFault, Keeper};
use symbolon_store::{
    Faults, Home, HomeLock, LogPlace, LogService, LogSettings, Manifest, ManifestError, SqliteStore,
};
use symbolon_witness::{Asker, Gathered};
use tokio::sync::watch;

use crate::api::*;
use crate::approvals::{self, Approvals, Ending};
use crate::calls::Calls;
use crate::desk::Desk;
use crate::errors;
use crate::flow::Executions;
use crate::held::Held;
use crate::metrics::Counters;
use crate::minted;
use crate::oauth::{Flows, Office};
use crate::policy::Spending;
use crate::refusals::Refusals;
use crate::relay::{RelayLimits, Relays};
use crate::setup::{Delegations, KnownAgent, SealedConnections};
use crate::taps::Taps;
use crate::upstream::{Live, Upstream, Wire};
use crate::wire::{Client, Limits, Resolver};

/// How a broker is started.
#[derive(Clone, Default)]
pub struct Options {
    /// When a credential may be released.
    pub durability: Durability,
    /// Services beside the built-in ones, each the text of a catalogue file.
    pub services: Vec<String>,
    /// In place of the network: for benchmarks, which measure everything but it.
    pub upstream: Option<Arc<dyn Upstream>>,
    /// What relaying for whole programs may cost.
    pub relay: RelayLimits,
    /// How long and how large a call may be.
    pub limits: Limits,
    /// In place of the system's resolver; its answers are checked all the same.
    pub resolver: Option<Arc<dyn Resolver>>,
    /// A disk of the log that fails on purpose: for tests.
    pub faults: Faults,
    /// How long people are waited for.
    pub approvals: ApprovalOptions,
}

/// See the crate's page.
pub struct Broker {
    pub(crate) home: Home,
    pub(crate) manifest: Manifest,
    pub(crate) operator: VerifyingKey,
    /// The operator's own word that it is believed no more.
    pub(crate) revocation: RwLock<Option<Arc<symbolon_trust::Revocation>>>,
    pub(crate) vkey: String,
    pub(crate) store: SqliteStore,
    pub(crate) log: Arc<LogService>,
    pub(crate) log_place: String,
    /// Makes the log searchable, beside everything else.
    audit: Keeper,
    /// What witnesses said of the log's checkpoints, and the thread that asks them.
    pub(crate) witnessed: Arc<Gathered>,
    asker: Asker,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) engine: Engine,
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) limits: Limits,
    pub(crate) open: RwLock<Option<Arc<Open>>>,
    pub(crate) held: Held,
    /// The owner locked by hand: nothing unlocks by itself until they unlock by hand.
    pub(crate) by_hand: AtomicBool,
    pub(crate) approvals: Approvals,
    /// Calls between intent and receipt.
    pub(crate) calls: Calls,
    pub(crate) refusals: Refusals,
    pub(crate) relays: Relays,
    /// The keys that runs of capsules are proven by.
    pub(crate) run_keys: crate::identity::RunKeys,
    /// Sessions of whole programs, with what they were granted for as long as they last.
    pub(crate) runs: crate::runs::Runs,
    pub(crate) spending: Spending,
    /// What gets and renews access tokens.
    pub(crate) office: Arc<Office>,
    /// What mounted servers are spoken to with.
    pub(crate) mounting: crate::mount::Office,
    /// The owner's browsers.
    pub(crate) desk: Desk,
    /// What they were asked to open the home with.
    pub(crate) taps: Taps,
    /// Connections that are being made by a flow of OAuth.
    pub(crate) flows: Flows,
    /// Runs of flows.
    pub(crate) executions: Executions,
    /// Services beside the home's own, as the catalogue is read anew.
    pub(crate) services: Vec<String>,
    setup: RwLock<Setup>,
    pub(crate) agents: RwLock<HashMap<Digest32, KnownAgent>>,
    /// How fast agents may hand on what they have.
    pub(crate) delegations: Delegations,
    /// Connections of the owner's vault.
    pub(crate) lent: crate::setup::Lent,
    /// One change of setup at a time.
    pub(crate) changes: tokio::sync::Mutex<()>,
    pub(crate) generation: watch::Sender<u64>,
    pub(crate) counters: Counters,
    pub(crate) durability: Durability,
    sessions: Mutex<Vec<Weak<Session>>>,
    pub(crate) open_intents: AtomicU64,
    started_ns: u64,
    _lock: HomeLock,
}

/// What the status tells of the setup, without asking the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    connections: u64,
    methods: Vec<Method>,
}

/// What exists only while the vault is open.
pub(crate) struct Open {
    pub(crate) unlocked: Unlocked,
    pub(crate) connections_key: Arc<AeadKey>,
    pub(crate) operator: Arc<SigningKey>,
    pub(crate) receipt_salt: Secret<[u8; 32]>,
    pub(crate) flows_key: Arc<AeadKey>,
    pub(crate) live: RwLock<HashMap<ConnectionName, Arc<Live>>>,
    pub(crate) minted: minted::Index,
    /// Connections that were lent, sealed as the others are, and on no disk.
    pub(crate) lent: RwLock<Option<SealedConnections>>,
}

/// How long a stop waits for calls on their way.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(10);

impl Broker {
    /// Takes the home's lock and opens its store and log; the vault stays locked.
    ///
    /// # Errors
    /// [`CallError`]: no home, wider permissions, another broker, damage.
    pub async fn start(home: &Path, options: Options) -> Result<Arc<Self>, CallError> {
        let home = Home::open(home)?;
        let manifest = Manifest::read(&home).map_err(|e| match &e {
            ManifestError::Missing(_) => {
                crate::custody::lost_manifest(&home).unwrap_or_else(|| e.into())
            }
            _ => e.into(),
        })?;
        let lock = home.lock()?;
        crate::rotation::finish(&home).await?;
        let (vkey, operator) = read_operator(&home)?;
        let revocation = crate::revocation::read(&home, &operator)?;
        let store = SqliteStore::open(&home.database()).await?;
        let log = LogOptions {
            origin: crate::custody::origin(manifest.vault),
            signer: None,
            verifier: Some(operator),
        };
        let log_place = LogPlace::of(&home).map_err(errors::log_database)?;
        let storage = log_place.writer(&log.origin, options.faults).map_err(errors::log_storage)?;
        let log = Log::open_with(storage, log).map_err(errors::log_read)?;
        let log = LogService::start(log, LogSettings::new(options.durability))
            .map_err(errors::log_read)?;
        let log = Arc::new(log);
        let (witnessed, asker) = ask_witnesses(&home, &log, &operator)?;
        let catalog = crate::services::home_catalog(&home, &options.services)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let audit = keep_audit(&home, clock.clone())?;
        let rng: Arc<dyn Rng> = Arc::new(BatchedRng);
        let fingerprint = Fingerprint::read()
            .map_err(|e| CallError::environment("fingerprint", e.to_string()))?;
        let taps =
            Taps::new(&SystemRng).map_err(|e| CallError::environment("memory", e.to_string()))?;
        let engine = Engine::new(Arc::new(catalog), fingerprint.digest, clock.clone(), rng.clone());
        let upstream = match options.upstream {
            Some(upstream) => upstream,
            None => Arc::new(Wire::new(options.limits, options.resolver.clone())),
        };
        let spending = Spending::start(store.clone());
        let executions = Executions::start(store.clone());
        let way_out = Client::of(options.limits, options.resolver.clone());
        let office = Office::new(store.clone(), clock.clone(), way_out);
        let mounting = crate::mount::Office::new(
            Client::of(options.limits, options.resolver.clone()),
            clock.clone(),
        );
        let broker = Arc::new(Self {
            mounting,
            started_ns: clock.mono_ns(),
            home,
            manifest,
            operator,
            revocation: RwLock::new(revocation.map(Arc::new)),
            vkey,
            store,
            log,
            log_place: log_place.to_string(),
            audit,
            witnessed,
            asker,
            clock,
            rng,
            fingerprint,
            engine,
            upstream,
            limits: options.limits,
            open: RwLock::new(None),
            held: Held::default(),
            by_hand: AtomicBool::new(false),
            approvals: Approvals::new(options.approvals),
            calls: Calls::default(),
            refusals: Refusals::default(),
            relays: Relays::new(options.relay, Client::of(options.limits, options.resolver)),
            run_keys: crate::identity::RunKeys::default(),
            runs: crate::runs::Runs::default(),
            spending,
            office,
            desk: Desk::default(),
            taps,
            flows: Flows::default(),
            executions,
            services: options.services,
            setup: RwLock::default(),
            agents: RwLock::default(),
            delegations: Delegations::default(),
            lent: crate::setup::Lent::default(),
            changes: tokio::sync::Mutex::default(),
            generation: watch::Sender::new(0),
            counters: Counters::default(),
            durability: options.durability,
            sessions: Mutex::default(),
            open_intents: AtomicU64::new(0),
            _lock: lock,
        });
        broker.reload_agents().await?;
        broker.reload_owners().await?;
        broker.count_setup().await?;
        broker.count_flows().await?;
        broker.find_open_intents()?;
        tokio::spawn(approvals::sweep(Arc::downgrade(&broker)));
        tokio::spawn(crate::flow::schedule::watch(Arc::downgrade(&broker)));
        broker.load_spending().await?;
        broker.restore_shadow().await?;
        Ok(broker)
    }

    /// Refuses new calls, waits for those on their way (and ends the wait of those that take too
    /// long: their receipts say so), syncs the log, signs a last checkpoint while it can, wipes
    /// keys, closes the store.
    pub async fn close(&self) {
        self.settle().await;
        self.store.close().await;
    }

    /// As [`Broker::close`], and the store stays open.
    pub(crate) async fn settle(&self) {
        self.executions.suspend();
        self.end_approvals(Ending::Stopped);
        self.calls.close(DRAIN).await;
        self.end_approvals(Ending::Stopped);
        self.office.renewals.close(DRAIN).await;
        self.executions.close(DRAIN).await;
        self.spending.close().await;
        self.audit.stop();
        self.asker.stop();
        if let Err(e) = self.log.close() {
            tracing::error!("the log did not close: {e}");
        }
        self.lock();
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let policy = self.engine.policy();
        let now = self.clock.mono_ns();
        let clear = symbolon_secret::CLEAR.snapshot();
        let setup = self.setup.read().unwrap_or_else(PoisonError::into_inner).clone();
        Status {
            unlocked: policy.is_some() && self.opened().is_ok(),
            home: self.home.path().display().to_string(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            memory: symbolon_secret::protection().to_string(),
            fingerprint: self.fingerprint.strength.to_string(),
            durability: self.durability.to_string(),
            log_place: self.log_place.clone(),
            log_entries: self.log.size(),
            open_intents: self.open_intents.load(Relaxed),
            connections: setup.connections,
            grants: policy.map_or(0, |p| {
                p.grants.values().flatten().filter(|g| now < g.until_ns).count() as u64
            }),
            methods: setup.methods,
            sessions: self.living().len() as u64,
            shadow: self.engine.is_shadow(),
            uptime_ms: (now - self.started_ns) / 1_000_000,
            clear_ns: Clear { count: clear.count, p50: clear.p50, p99: clear.p99 },
        }
    }

    /// Gives the programs of mounted servers a proxy to use connections through.
    pub fn set_surroundings(&self, surroundings: std::sync::Weak<dyn crate::mount::Surroundings>) {
        self.mounting.set_surroundings(surroundings);
    }

    /// The folder that everything of it lives in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Text of operator.pub: what verifies this home's receipts.
    pub fn operator_vkey(&self) -> String {
        self.vkey.clone()
    }

    /// Reads what [`Broker::status`] tells of the setup.
    pub(crate) async fn count_setup(&self) -> Result<(), CallError> {
        use symbolon_capability::Store;
        let mut methods: Vec<Method> =
            self.store.wraps().await?.iter().map(symbolon_custody::Wrap::method).collect();
        methods.sort_unstable();
        methods.dedup();
        let connections = self.store.connections().await?.len() as u64;
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) =
            Setup { connections, methods };
        Ok(())
    }

    /// Changes whenever a grant or connection changes: doors announce `tools/list_changed`.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// A session for this agent. Any name may have one: without a grant it can do nothing.
    ///
    /// # Errors
    /// [`CallError`] where the name is not one.
    pub fn open_session(&self, agent: &str, door: Door) -> Result<Arc<Session>, CallError> {
        let agent = AgentName::parse(agent).map_err(|e| {
            CallError::caller("agent_name", e.to_string()).next("symbolon mcp --agent NAME")
        })?;
        let session = Arc::new(Session::make(agent, door, &*self.rng));
        self.living().push(Arc::downgrade(&session));
        Ok(session)
    }

    /// Sessions whose callers are still there.
    fn living(&self) -> MutexGuard<'_, Vec<Weak<Session>>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|s| s.strong_count() > 0);
        sessions
    }

    pub(crate) fn opened(&self) -> Result<Arc<Open>, CallError> {
        self.open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(crate::errors::locked)
    }
}

/// The thread that writes the audit's files from the log's.
fn keep_audit(home: &Home, clock: Arc<dyn Clock>) -> Result<Keeper, CallError> {
    let damaged = |e: AuditFault| CallError::environment("operator_pub", e.to_string());
    let audit = Audit::open(home).map_err(damaged)?;
    let failed = |e: &AuditFault| tracing::warn!("the audit is not kept: {e}");
    Keeper::start(audit, move || clock.unix_ms(), failed).map_err(errors::io)
}

/// Witnesses are asked beside everything else, from the first checkpoint on.
fn ask_witnesses(
    home: &Home,
    log: &Arc<LogService>,
    operator: &VerifyingKey,
) -> Result<(Arc<Gathered>, Asker), CallError> {
    let gathered = Gathered::open(&home.log(), log.log().origin(), operator);
    let gathered = Arc::new(gathered);
    let asker = Asker::start(log.clone(), home, gathered.clone()).map_err(errors::io)?;
    Ok((gathered, asker))
}

/// `operator.pub`: the public key that checkpoints and receipts are checked with.
fn read_operator(home: &Home) -> Result<(String, VerifyingKey), CallError> {
    let damaged = |e: &dyn std::fmt::Display| {
        CallError::environment("operator_pub", format!("operator.pub: {e}"))
            .next("put operator.pub back from a backup")
    };
    let text = std::fs::read_to_string(home.operator_pub()).map_err(|e| damaged(&e))?;
    let (_, key) = symbolon_log::parse_vkey(text.trim_end()).map_err(|e| damaged(&e))?;
    Ok((text.trim_end().to_owned(), key))
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("home", &self.home.path()).finish_non_exhaustive()
    }
}
