//! A broker on a throw-away home, with an upstream that sees what is released.
#![allow(dead_code)] // each test file uses its part

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use symbolon_broker::{
    Answer, ApprovalOptions, Broker, CallRequest, Method, NewConnection, NewGrant, Options,
    Outgoing, Upstream, UpstreamError, Via, Yes,
};
use symbolon_capability::Intent;
use symbolon_log::Durability;
use symbolon_secret::Secret;
use symbolon_store::Faults;

pub const CREDENTIAL: &[u8] = b"a-credential-of-these-tests-0123456789";
pub const TOOL: &str = "shop.things.get";
pub const SERVICE: &str = r#"
[service]
id = "shop"
name = "Shop"
base_url = "https://shop.example"
self_hosted = true
docs = "https://shop.example"
auth = { scheme = "bearer" }
verify = "things.list"
rate = { burst = 60, per_second = 20.0 }

[[operation]]
id = "things.list"
title = "List things"
description = "Lists all things."
method = "GET"
path = "/things"
scope = "shop.things.read"
effect = "read"

[[operation]]
id = "things.get"
title = "Get a thing"
description = "Returns one thing."
method = "GET"
path = "/things/{id:int}"
scope = "shop.things.read"
effect = "read"

[[operation]]
id = "things.delete"
title = "Delete a thing"
description = "Deletes one thing for good."
method = "DELETE"
path = "/things/{id:int}"
scope = "shop.things.admin"
effect = "destructive"

[[operation]]
id = "refunds.create"
title = "Give money back"
description = "Pays an order back; all of it without an amount."
method = "POST"
path = "/refunds"
scope = "shop.refunds.write"
effect = "write"
[operation.body]
order = { type = "integer" }
amount = { type = "integer", description = "In cents." }
currency = { type = "string", maxLength = 3 }

[[operation]]
id = "refunds.cancel"
title = "Take a refund back"
description = "Stops one that is on its way."
method = "POST"
path = "/refunds/{id:int}/cancel"
scope = "shop.refunds.write"
effect = "write"
"#;

/// What an upstream double does with a released credential.
pub type Behave = Box<dyn Fn(u64) -> Result<Answer, UpstreamError> + Send + Sync>;

/// Opens every credential, as the wire would, and asks before it does whether the intent is in
/// the log's file.
pub struct Witness {
    entries: PathBuf,
    pub released: AtomicU64,
    pub without_intent: AtomicU64,
    pub stall: Mutex<Option<Arc<tokio::sync::Notify>>>,
    behave: Behave,
}

impl Witness {
    pub fn new(home: &Path, behave: Behave) -> Arc<Self> {
        Arc::new(Self {
            entries: home.join("log/entries"),
            released: AtomicU64::new(0),
            without_intent: AtomicU64::new(0),
            stall: Mutex::new(None),
            behave,
        })
    }

    pub fn ok(home: &Path) -> Arc<Self> {
        Self::new(home, Box::new(|_| Ok(Answer::text(200, "{}"))))
    }
}

impl Upstream for Witness {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'a>> {
        Box::pin(async move {
            let release = outgoing.release();
            let written = std::fs::read(&self.entries).unwrap_or_default();
            let session = release.session().id();
            let there = written.windows(16).any(|w| w == session)
                && written.windows(18).any(|w| w == b"symbolon/intent/v1");
            if !there {
                self.without_intent.fetch_add(1, SeqCst);
            }
            let mut out = [0; 128];
            let n = release.open_into(&mut out).expect("the credential opens");
            assert_eq!(&out[..n], CREDENTIAL);
            let number = self.released.fetch_add(1, SeqCst);
            let stall = self.stall.lock().unwrap().clone();
            if let Some(stall) = stall {
                stall.notified().await;
            }
            (self.behave)(number)
        })
    }
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub broker: Arc<Broker>,
    pub witness: Arc<Witness>,
    pub faults: Faults,
}

pub fn home_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("home")
}

pub fn credential() -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(CREDENTIAL.len(), |out| out.copy_from_slice(CREDENTIAL))
}

impl World {
    pub async fn new(durability: Durability) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = home_of(&folder);
        Broker::init(&home, Method::Device, None).await.unwrap();
        let witness = Witness::ok(&home);
        Self::open(folder, witness, durability).await
    }

    pub async fn open(
        folder: tempfile::TempDir,
        witness: Arc<Witness>,
        durability: Durability,
    ) -> Self {
        Self::open_with(folder, witness, durability, ApprovalOptions::default()).await
    }

    pub async fn open_with(
        folder: tempfile::TempDir,
        witness: Arc<Witness>,
        durability: Durability,
        approvals: ApprovalOptions,
    ) -> Self {
        let faults = Faults::none();
        let options = Options {
            durability,
            services: vec![SERVICE.to_owned()],
            upstream: Some(witness.clone()),
            faults: faults.clone(),
            approvals,
            ..Options::default()
        };
        let broker = Broker::start(&home_of(&folder), options).await.unwrap();
        assert!(broker.unlock_unattended().await.unwrap());
        let w = Self { folder, broker, witness, faults };
        if w.broker.connections().await.unwrap().is_empty() {
            w.broker.connect(NewConnection::of("shop"), credential()).await.unwrap();
            w.grant("claude", &["shop.things.read"], &[]).await;
        }
        w
    }

    pub async fn grant(&self, agent: &str, scopes: &[&str], limits: &[&str]) -> u64 {
        let grant = NewGrant {
            agent: agent.into(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            for_seconds: 900,
            connection: None,
            limits: limits.iter().map(ToString::to_string).collect(),
            ..NewGrant::default()
        };
        self.broker.grant(grant).await.unwrap().id
    }

    pub fn released(&self) -> u64 {
        self.witness.released.load(SeqCst)
    }
}

/// A broker whose connection to a service, by its id and catalogue file, goes over the real wire to
/// `base`; `claude` has these scopes.
pub async fn wired(
    (id, service): (&str, &str),
    base: &str,
    scopes: &[&str],
    limits: &[&str],
) -> (tempfile::TempDir, Arc<Broker>) {
    let folder = tempfile::tempdir().unwrap();
    Broker::init(&home_of(&folder), Method::Device, None).await.unwrap();
    let options = Options {
        durability: Durability::Relaxed,
        services: vec![service.to_owned()],
        ..Options::default()
    };
    let broker = Broker::start(&home_of(&folder), options).await.unwrap();
    broker.unlock_unattended().await.unwrap();
    let new = NewConnection {
        base_url: Some(base.into()),
        allow_loopback: true,
        ..NewConnection::of(id)
    };
    broker.connect(new, credential()).await.unwrap();
    let grant = NewGrant {
        agent: "claude".into(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        for_seconds: 900,
        limits: limits.iter().map(ToString::to_string).collect(),
        ..NewGrant::default()
    };
    broker.grant(grant).await.unwrap();
    (folder, broker)
}

/// The number of the one question that waits.
pub async fn waiting(broker: &Broker) -> u64 {
    for _ in 0..500 {
        if let [one] = &broker.approvals().pending[..] {
            return one.number;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing waits");
}

/// The owner's yes, on the command line.
pub async fn yes(w: &World, number: u64) {
    w.broker.approve(number, Via::Cli, Yes::default()).await.unwrap();
}

pub fn get(id: u64) -> CallRequest {
    let arguments = serde_json::json!({ "id": id });
    CallRequest {
        tool: TOOL.into(),
        arguments: arguments.as_object().unwrap().clone(),
        connection: None,
        minted: None,
    }
}

/// Every intent in the log's file, as far as whole ones can be read out of it.
pub fn intents(home: &Path) -> usize {
    let bytes = std::fs::read(home.join("log/entries")).unwrap();
    bytes.windows(18).filter(|w| *w == b"symbolon/intent/v1").count()
}

pub fn is_intent(entry: &[u8]) -> bool {
    Intent::is(entry)
}
