//! The whole way from a grant to a release, and every way off it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};
use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_codec::Digest32;
use symbolon_crypto::{AeadKey, labels};
use symbolon_log::{Durability, Log, MemoryStorage};
use symbolon_secret::Secret;

use crate::catalog::Catalog;
use crate::engine::{Lease, Policy, Refused, TOKEN_TTL_SECONDS};
use crate::gate::Gate;
use crate::*;

mod lineage;
mod policy;
mod pools;

struct World {
    clock: Arc<ManualClock>,
    engine: Engine,
    log: Log<MemoryStorage>,
    key: Arc<AeadKey>,
}

/// Read once: it takes longer than most of these tests.
static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::builtin().unwrap()));

const HERE: Digest32 = Digest32([9; 32]);

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(1_800_000_000_000));
        let engine = Engine::new(CATALOG.clone(), HERE, clock.clone(), Arc::new(SeededRng::new(3)));
        let log = Log::open(MemoryStorage::new(), "symbolon.test/log", None).unwrap();
        let key = Arc::new(AeadKey::from_secret(&Secret::<[u8; 32]>::make(|b| b.fill(5))));
        Self { clock, engine, log, key }
    }

    fn connection(&self, name: &str) -> Connection {
        Connection {
            name: ConnectionName::parse(name).unwrap(),
            service: "github".into(),
            base_url: "https://api.github.com".into(),
            auth: Scheme::Bearer,
            ca_pem: None,
            allow_loopback: false,
            allow_private: false,
            scopes: vec!["github.*".into()],
            fingerprint: HERE,
            created_unix_ms: 1,
        }
    }

    fn register(&self, connection: Connection) -> Arc<Registration> {
        let scopes = &connection.scopes;
        let scopes = scopes.iter().map(|s| self.engine.catalog().scopes().expand(s).unwrap());
        let scopes = scopes.reduce(|a, b| a.union(&b)).unwrap();
        let aad = connection.aad(b"vault");
        let envelope = self.key.seal_with(&aad, b"ghp_the_credential", &SeededRng::new(8));
        Arc::new(Registration {
            service: self.engine.catalog().service("github").unwrap().clone(),
            credential: SealedCredential::new(self.key.clone(), aad, envelope.into()),
            origin: "https://api.github.com".into(),
            scopes,
            connection,
        })
    }

    fn grant(
        &self,
        r: &Registration,
        id: u64,
        scopes: &[&str],
        limits: &[&str],
        seconds: u64,
    ) -> Arc<LiveGrant> {
        let unix = symbolon_ambient::Clock::unix_ms(&*self.clock);
        let grant = Grant {
            id,
            agent: AgentName::parse("claude").unwrap(),
            connection: r.connection.name.clone(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            limits: limits.iter().map(|l| Limit::parse(l).unwrap()).collect(),
            ask: Ask::default(),
            budgets: Vec::new(),
            cooldown_seconds: None,
            hours: Vec::new(),
            created_unix_ms: unix,
            expires_unix_ms: unix + seconds * 1000,
            revoked: false,
            parent: None,
            delegable: 0,
            by_agent: false,
        };
        let given = scopes.iter().map(|s| self.engine.catalog().scopes().expand(s).unwrap());
        let given = given.reduce(|a, b| a.union(&b)).unwrap();
        let mono = symbolon_ambient::Clock::mono_ns(&*self.clock);
        Arc::new(
            LiveGrant::new(&grant, &r.scopes, &given, unix, mono, None, Chain::default()).unwrap(),
        )
    }

    fn install(&self, registrations: &[Arc<Registration>], grants: Vec<Arc<LiveGrant>>) {
        let connections =
            registrations.iter().map(|r| (r.connection.name.clone(), r.clone())).collect();
        let grants = HashMap::from([(AgentName::parse("claude").unwrap(), grants)]);
        self.engine.install(Some(Policy { connections, grants, ..Policy::default() }));
    }

    /// The usual world: one connection, one grant of issues to claude for 15 minutes.
    fn usual() -> (Self, Arc<Registration>, Arc<Session>) {
        let w = Self::new();
        let r = w.register(w.connection("github"));
        w.install(
            std::slice::from_ref(&r),
            vec![w.grant(&r, 1, &["github.issues.read"], &[], 900)],
        );
        let s = session("claude");
        (w, r, s)
    }

    fn lease(&self, s: &Session) -> Arc<Lease> {
        self.engine.lease(s, "github.issues.list", None).unwrap()
    }

    fn mint(&self, lease: &Arc<Lease>) -> Result<Token, Refused> {
        self.engine.mint(lease, &Context::Direct, &arguments(), &REQUEST)
    }

    fn redeem(&self, t: &Token, s: &Session) -> Result<Opening, Refused> {
        self.engine.redeem(t, s, &Context::Direct, &REQUEST)
    }
}

const REQUEST: Digest32 = Digest32([1; 32]);

fn session(agent: &str) -> Arc<Session> {
    let seed = agent.bytes().fold(7, |a, b| a * 31 + u64::from(b));
    Arc::new(Session::make(AgentName::parse(agent).unwrap(), Door::McpStdio, &SeededRng::new(seed)))
}

fn arguments() -> Map<String, Value> {
    match json!({"owner": "acme", "repo": "widgets"}) {
        Value::Object(map) => map,
        _ => unreachable!(),
    }
}

#[test]
fn a_grant_becomes_a_release_once_its_intent_is_durable() {
    let (w, _, s) = World::usual();
    let token = w.mint(&w.lease(&s)).unwrap();
    let opening = w.redeem(&token, &s).unwrap();
    let recorded = opening.record(|leaf| w.log.append(leaf)).unwrap();
    assert!(w.log.durable(recorded.ticket(), Durability::Group).is_none(), "nothing is synced yet");
    w.log.commit().unwrap();
    let durable = w.log.durable(recorded.ticket(), Durability::Group).unwrap();

    let intent = Intent::parse(&w.log.entry(durable.index()).unwrap()).unwrap();
    assert_eq!((intent.agent.as_str(), intent.tool.as_str()), ("claude", "github.issues.list"));
    assert_eq!((intent.grant, intent.gates), (1, 0b1111));
    assert_ne!(intent.request, REQUEST, "a guessed request cannot be confirmed by the log");

    let release = recorded.release(durable).unwrap();
    let mut out = [0; 64];
    let n = release.open_into(&mut out).unwrap();
    assert_eq!(&out[..n], b"ghp_the_credential");
    assert_eq!(release.wire_len(), n);
}

#[test]
fn the_proof_of_another_entry_releases_nothing() {
    let (w, _, s) = World::usual();
    let open = || w.redeem(&w.mint(&w.lease(&s)).unwrap(), &s).unwrap();
    let (a, b) = (open(), open());
    let a = a.record(|leaf| w.log.append(leaf)).unwrap();
    let b = b.record(|leaf| w.log.append(leaf)).unwrap();
    w.log.commit().unwrap();
    let of_b = w.log.durable(b.ticket(), Durability::Group).unwrap();
    assert_eq!(a.release(of_b).unwrap_err(), ReleaseError::OtherEntry);
}

#[test]
fn a_token_is_good_once_here_and_for_this() {
    let (w, _, s) = World::usual();
    let lease = w.lease(&s);
    let code = |r: Result<Opening, Refused>| r.unwrap_err().refusal.code();

    let t = w.mint(&lease).unwrap();
    assert!(w.redeem(&t, &s).is_ok());
    assert_eq!(code(w.redeem(&t, &s)), "token_used");

    // Shown in the wrong place it dies, and the right place cannot use it either.
    let t = w.mint(&lease).unwrap();
    assert_eq!(code(w.redeem(&t, &session("claude2"))), "token_session");
    assert_eq!(code(w.redeem(&t, &s)), "token_used");

    let t = w.mint(&lease).unwrap();
    let step = Context::Pipeline { run: "r".into(), step: "s".into() };
    assert_eq!(code(w.engine.redeem(&t, &s, &step, &REQUEST)), "token_context");
    let t = w.engine.mint(&lease, &step, &arguments(), &REQUEST).unwrap();
    let other = Context::AssemblyLine { run: "r".into(), step: "s".into() };
    assert_eq!(code(w.engine.redeem(&t, &s, &other, &REQUEST)), "token_context");

    let t = w.mint(&lease).unwrap();
    assert_eq!(
        code(w.engine.redeem(&t, &s, &Context::Direct, &Digest32([2; 32]))),
        "token_request"
    );

    let t = w.mint(&lease).unwrap();
    w.clock.advance_ms(TOKEN_TTL_SECONDS * 1000);
    assert_eq!(code(w.redeem(&t, &s)), "token_expired");
}

#[test]
fn of_a_thousand_redeemers_one_wins() {
    let (w, _, s) = World::usual();
    let t = w.mint(&w.lease(&s)).unwrap();
    let wins: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| (0..50).filter(|_| w.redeem(&t, &s).is_ok()).count()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(wins, 1);
}

#[test]
fn each_gate_refuses_alone_and_says_which_held() {
    let refused = |w: &World, s| w.mint(&w.lease(s)).unwrap_err();

    // Scope: never granted; and granted wider than the connection allows.
    let (w, r, s) = World::usual();
    let e =
        w.engine.lease(&s, "github.issues.create", None).map(|l| w.mint(&l).unwrap_err()).unwrap();
    assert_eq!((e.refusal.code(), e.refusal.gate()), ("no_grant", Some(Gate::Scope)));
    assert_eq!(e.gates.bits(), 0);
    let narrow =
        w.register(Connection { scopes: vec!["github.pulls.*".into()], ..w.connection("github") });
    w.install(&[narrow], vec![w.grant(&r, 1, &["github.issues.read"], &[], 900)]);
    assert_eq!(refused(&w, &s).refusal.code(), "connection_scope");

    // TTL: the calendar that is set back does not help.
    let (w, _, s) = World::usual();
    w.clock.advance_ms(900_000);
    w.clock.set_unix_ms(1_700_000_000_000);
    let e = refused(&w, &s);
    assert_eq!(
        (e.refusal.code(), e.gates.held(Gate::Scope), e.gates.held(Gate::Ttl)),
        ("grant_ended", true, false)
    );

    // Fingerprint.
    let (w, _, s) = World::usual();
    let moved = w.register(Connection { fingerprint: Digest32([8; 32]), ..w.connection("github") });
    w.install(
        std::slice::from_ref(&moved),
        vec![w.grant(&moved, 1, &["github.issues.read"], &[], 900)],
    );
    let e = refused(&w, &s);
    assert_eq!((e.refusal.code(), e.gates.held(Gate::Fingerprint)), ("fingerprint", false));

    // Rate: the bucket runs dry, time fills it.
    let (w, _, s) = World::usual();
    let lease = w.lease(&s);
    let e = loop {
        if let Err(e) = w.mint(&lease) {
            break e;
        }
    };
    assert_eq!(
        (e.refusal.code(), e.gates.held(Gate::Fingerprint), e.gates.held(Gate::Rate)),
        ("rate_limited", true, false)
    );
    w.clock.advance_ms(60_000);
    assert!(w.mint(&lease).is_ok());
}

#[test]
fn limits_hold_and_two_grants_do_not_add_up() {
    let (w, r, s) = World::usual();
    w.install(
        std::slice::from_ref(&r),
        vec![
            w.grant(&r, 1, &["github.issues.read"], &["owner=other"], 900),
            w.grant(&r, 2, &["github.issues.write"], &["owner=acme"], 900),
        ],
    );
    let e = w.mint(&w.lease(&s)).unwrap_err();
    assert_eq!(e.refusal.code(), "limit");
    assert!(e.to_string().contains("owner=other") && !e.to_string().contains("acme"), "{e}");
    w.install(
        std::slice::from_ref(&r),
        vec![
            w.grant(&r, 1, &["github.issues.read"], &["owner=other"], 900),
            w.grant(&r, 3, &["github.issues.read"], &["owner=acme"], 900),
        ],
    );
    let opening = w.redeem(&w.mint(&w.lease(&s)).unwrap(), &s).unwrap();
    assert_eq!(opening.grant, 3);
}

#[test]
fn what_is_taken_away_is_gone_at_once() {
    // A token that waits does not outlive its grant.
    let (w, r, s) = World::usual();
    let lease = w.lease(&s);
    let t = w.mint(&lease).unwrap();
    w.install(std::slice::from_ref(&r), vec![]);
    assert_eq!(w.redeem(&t, &s).unwrap_err().refusal.code(), "grant_ended");
    // A stale lease is resolved again: renewal narrows.
    assert_eq!(w.mint(&lease).unwrap_err().refusal.code(), "no_grant");

    // Nor its connection, also where another takes its name.
    let (w, _, s) = World::usual();
    let t = w.mint(&w.lease(&s)).unwrap();
    let again = w.register(w.connection("github"));
    w.install(
        std::slice::from_ref(&again),
        vec![w.grant(&again, 1, &["github.issues.read"], &[], 900)],
    );
    assert_eq!(w.redeem(&t, &s).unwrap_err().refusal.code(), "grant_ended");

    // A lock ends everything.
    let (w, _, s) = World::usual();
    let (lease, t) = (w.lease(&s), w.mint(&w.lease(&s)).unwrap());
    w.engine.install(None);
    assert_eq!(w.redeem(&t, &s).unwrap_err().refusal.code(), "token_unknown");
    assert_eq!(w.mint(&lease).unwrap_err().refusal.code(), "locked");
}

#[test]
fn the_connection_is_the_named_the_granted_or_asked_for() {
    let (w, home, s) = World::usual();
    let work = w.register(w.connection("github-work"));
    let both = [home.clone(), work.clone()];
    let read = &["github.issues.read"][..];
    w.install(&both, vec![w.grant(&work, 1, read, &[], 900)]);
    assert_eq!(w.lease(&s).registration.connection.name.as_str(), "github-work");
    w.install(&both, vec![w.grant(&work, 1, read, &[], 900), w.grant(&home, 2, read, &[], 900)]);
    let e = w.engine.lease(&s, "github.issues.list", None).unwrap_err();
    assert_eq!(e.code(), "which_connection");
    assert!(w.engine.lease(&s, "github.issues.list", Some("github")).is_ok());
    for bad in ["nothing", "../github", "GITHUB", ""] {
        let e = w.engine.lease(&s, "github.issues.list", Some(bad)).unwrap_err();
        assert_eq!(e.code(), "no_connection", "{bad}");
    }
    assert_eq!(w.engine.lease(&s, "github.nothing", None).unwrap_err().code(), "unknown_tool");
}

#[test]
fn a_credential_that_was_moved_to_another_host_does_not_open() {
    let w = World::new();
    let original = w.connection("github");
    let aad = original.aad(b"vault");
    let envelope = w.key.seal_with(&aad, b"ghp_the_credential", &SeededRng::new(8));
    let opens = |c: &Connection, vault: &[u8]| {
        SealedCredential::new(w.key.clone(), c.aad(vault), envelope.clone().into())
            .check(0, |_, _| ())
            .is_ok()
    };
    assert!(opens(&original, b"vault"));
    assert!(!opens(&original, b"other"));
    for changed in [
        Connection { name: ConnectionName::parse("other").unwrap(), ..original.clone() },
        Connection { service: "gitlab".into(), ..original.clone() },
        Connection { base_url: "https://evil.example".into(), ..original.clone() },
        Connection { auth: Scheme::Query { name: "key".into() }, ..original.clone() },
        Connection { ca_pem: Some("x".into()), ..original.clone() },
        Connection { allow_loopback: true, ..original.clone() },
        Connection { allow_private: true, ..original.clone() },
        Connection { fingerprint: Digest32([0; 32]), ..original.clone() },
    ] {
        assert!(!opens(&changed, b"vault"), "{changed:?}");
    }
    let wider = Connection { scopes: vec![], ..original.clone() };
    assert!(opens(&wider, b"vault"), "scopes can be changed without the credential");
    assert_eq!(labels::CONNECTION_CREDENTIAL.object(), "connection");
}

#[test]
fn the_digest_of_a_request_has_every_part_and_their_borders() {
    let base = ["GET", "https://h", "/p", "q=1", "text/plain", "body"];
    let digest = |p: [&str; 6]| request_digest(p[0], p[1], p[2], p[3], p[4], p[5].as_bytes());
    let mut seen = vec![digest(base)];
    for i in 0..base.len() {
        let mut changed = base;
        changed[i] = "other";
        seen.push(digest(changed));
    }
    seen.push(digest(["GET", "https://h", "/pq", "=1", "text/plain", "body"]));
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}
