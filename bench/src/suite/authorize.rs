//! In process: mint, four gates, redeem, unseal, intent into the batch.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::Map;
use symbolon_ambient::{BatchedRng, Clock, SystemClock, SystemRng};
use symbolon_capability::catalog::Catalog;
use symbolon_capability::{
    AgentName, Ask, Chain, Connection, ConnectionName, Context, Door, Engine, LiveGrant, Policy,
    Registration, Scheme, SealedCredential, Session, request_digest,
};
use symbolon_codec::Digest32;
use symbolon_crypto::{AeadKey, MasterKey, labels};
use symbolon_log::Log;
use symbolon_store::FolderStorage;

use crate::home::{AGENT, SERVICE, TOOL, make_credential};
use crate::meter::Meter;
use crate::row::{Report, Row};
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let total = options.iterations.unwrap_or(400_000);
    for &threads in &options.concurrency {
        report.row(&measure(threads, total)?);
    }
    Ok(())
}

/// `total` authorizations on so many threads.
pub(crate) fn measure(threads: usize, total: usize) -> Result<Row, BenchError> {
    let world = World::make()?;
    let meter = Meter::start(std::process::id());
    let correct = std::thread::scope(|scope| {
        let drain = scope.spawn(|| world.drain());
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| world.work(total / threads, &meter))).collect();
        let correct = workers.into_iter().all(|w| w.join().unwrap_or(false));
        world.done.store(true, Relaxed);
        correct & drain.join().unwrap_or(false)
    });
    Ok(meter.row("authorize", "mint-gates-redeem-intent-unseal", threads, "none", correct))
}

struct World {
    engine: Engine,
    registration: Arc<Registration>,
    log: Log<FolderStorage>,
    done: AtomicBool,
    _folder: tempfile::TempDir,
}

impl World {
    fn make() -> Result<Self, BenchError> {
        let here = Digest32([7; 32]);
        let catalog = Catalog::empty().with_extra(SERVICE).map_err(BenchError::new)?;
        let service =
            catalog.service("bench").cloned().ok_or_else(|| BenchError::new("no service"))?;
        let scopes = catalog.scopes().expand("bench.*").map_err(BenchError::new)?;
        let engine =
            Engine::new(Arc::new(catalog), here, Arc::new(SystemClock), Arc::new(BatchedRng));
        let connection = Connection {
            name: ConnectionName::parse("bench").map_err(BenchError::new)?,
            service: "bench".to_owned(),
            base_url: "https://bench.invalid".to_owned(),
            auth: Scheme::Bearer,
            ca_pem: None,
            allow_loopback: false,
            allow_private: false,
            scopes: vec!["bench.*".to_owned()],
            fingerprint: here,
            created_unix_ms: 0,
        };
        let key: Arc<AeadKey> =
            Arc::new(MasterKey::make(&SystemRng).derive_aead(&labels::KEY_CONNECTIONS, b"bench"));
        let aad = connection.aad(b"bench");
        let credential = make_credential();
        // EXPOSE: sealed from its secret page.
        let envelope = key.seal_with(&aad, credential.expose(), &SystemRng);
        let registration = Arc::new(Registration {
            service,
            scopes: scopes.clone(),
            credential: SealedCredential::new(key, aad, envelope.into()),
            origin: "https://bench.invalid".to_owned(),
            connection,
        });
        let grant = LiveGrant {
            session: None,
            id: 1,
            connection: registration.connection.name.clone(),
            scopes,
            limits: Vec::new(),
            ask: Ask::default(),
            until_ns: SystemClock.mono_ns() + 3_600_000_000_000,
            rules: Chain::default(),
            lineage: None,
            delegable: 0,
        };
        let agent = AgentName::parse(AGENT).map_err(BenchError::new)?;
        engine.install(Some(Policy {
            connections: HashMap::from([(
                registration.connection.name.clone(),
                registration.clone(),
            )]),
            grants: HashMap::from([(agent, vec![Arc::new(grant)])]),
            away: HashMap::new(),
        }));
        let folder = tempfile::tempdir()?;
        let storage = FolderStorage::open(folder.path())?;
        let log = Log::open(storage, "symbolon.local/log/bench", None).map_err(BenchError::new)?;
        Ok(Self { engine, registration, log, done: AtomicBool::new(false), _folder: folder })
    }

    /// What the log's own thread does: writes out what the callers put into the batch.
    fn drain(&self) -> bool {
        loop {
            let done = self.done.load(Relaxed);
            if self.log.hand_over().is_err() {
                return false;
            }
            if done {
                return true;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    fn work(&self, count: usize, meter: &Meter) -> bool {
        let Ok(agent) = AgentName::parse(AGENT) else { return false };
        let session = Session::make(agent, Door::Http, &BatchedRng);
        let Ok(lease) = self.engine.lease(&session, TOOL, None) else { return false };
        let (context, arguments) = (Context::Direct, Map::new());
        let request = request_digest("GET", "https://bench.invalid", "/thing", "", "", b"");
        (0..count).all(|_| {
            let start = Instant::now();
            let done = self
                .engine
                .mint(&lease, &context, &arguments, &request)
                .and_then(|token| self.engine.redeem(&token, &session, &context, &request))
                .is_ok_and(|opening| {
                    let recorded = opening.record(|intent| {
                        self.log.append(intent).or_else(|_| {
                            // The batch is full: what the log service does then.
                            self.log.hand_over()?;
                            self.log.append(intent)
                        })
                    });
                    recorded.is_ok()
                        && self
                            .registration
                            .credential
                            .check(0, |c, _| c.len() == 48)
                            .unwrap_or(false)
                });
            meter.record(start);
            // What a broker does while it waits for the answer: no call's time, but this thread's.
            self.engine.restock(&lease);
            done
        })
    }
}
