//! `--self`: a throw-away home, a broker on it with its doors open, and a grant for the attacker.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use symbolon_ambient::{Rng, SystemRng};
use symbolon_broker::wire::{Limits, Resolver, Resolving};
use symbolon_broker::{
    ApprovalOptions, Broker, CallError, Lanes, Method, NewConnection, NewGrant, Options,
};
use symbolon_codec::b64;
use symbolon_proxy::{NewRun, RunGuard};
use symbolon_secret::Secret;
use symbolon_server::http::{self, ServeOptions, Serving};
use tokio::sync::oneshot;

use crate::canary::Canary;
use crate::door::{Gateway, Proxy};
use crate::target::{Inside, Target};
use crate::upstream::{Identity, IdentityError, Upstream};
use crate::{NAMED_HOST, SERVICE, SHUT_HOST};

/// Symbolon itself as the target, gone when it is closed.
#[derive(Debug)]
pub struct SelfTarget {
    /// Its doors.
    pub target: Target,
    /// Where its connections lead.
    pub upstream: Upstream,
    /// Its credential.
    pub canary: Canary,
    broker: Arc<Broker>,
    serving: Option<(Serving, oneshot::Sender<()>)>,
    _runs: (symbolon_proxy::Proxy, [RunGuard; 2]),
    _folder: tempfile::TempDir,
}

/// Why it does not stand.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfError {
    /// The broker refuses.
    #[error(transparent)]
    Broker(#[from] CallError),
    /// Folder or socket.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No certificate for the upstream.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The door does not open.
    #[error(transparent)]
    Serve(#[from] symbolon_server::http::ServeError),
}

impl SelfTarget {
    /// Makes all of it.
    ///
    /// # Errors
    /// [`SelfError`], where the machine has no room for it.
    pub async fn start() -> Result<Self, SelfError> {
        let folder = tempfile::Builder::new().prefix("symbolon-attack-").tempdir()?;
        let home = folder.path().join("home");
        let canary = make_canary();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let upstream = Upstream::start(any, Identity::make()?, canary.clone()).await?;
        Broker::init(&home, Method::Device, None).await?;
        let names = Arc::new(Names::default());
        let options = Options {
            services: vec![SERVICE.to_owned()],
            limits: LIMITS,
            resolver: Some(names.clone()),
            approvals: ApprovalOptions { lives_seconds: QUESTIONS_LIVE, ..Default::default() },
            ..Options::default()
        };
        let broker = Broker::start(&home, options).await?;
        broker.unlock_unattended().await?;
        let port = upstream.port();
        let main = format!("https://localhost:{port}");
        let named = format!("https://{NAMED_HOST}:{port}");
        let shut = format!("https://{SHUT_HOST}:{port}");
        let connections = [("attack", main, true), ("named", named, true), ("shut", shut, false)];
        for (name, base_url, allow_loopback) in connections {
            let connection = NewConnection {
                name: Some(name.to_owned()),
                base_url: Some(base_url),
                ca_pem: Some(upstream.authority_pem().to_owned()),
                allow_loopback,
                ..NewConnection::of("attack")
            };
            broker.connect(connection, secret(canary.bytes())).await?;
            let both = ["attack.things.read", "attack.things.write"];
            let mallory = |scopes: &[&str]| to("mallory", name, scopes);
            // What reads may be handed on, once.
            let reads = ["attack.things.read"];
            broker.grant(NewGrant { delegable: 1, ..mallory(&reads) }).await?;
            broker.grant(mallory(&both)).await?;
            let limits = vec!["amount<=100".to_owned()];
            broker.grant(NewGrant { limits, ..mallory(&["attack.money.write"]) }).await?;
            // Destructive: a person is asked.
            broker.grant(mallory(&["attack.risk.write"])).await?;
            let budgets = vec!["5 calls/total".to_owned()];
            broker.grant(NewGrant { budgets, ..mallory(&["attack.count.write"]) }).await?;
            let budgets = vec!["100 credits/total of amount".to_owned()];
            broker.grant(NewGrant { budgets, ..mallory(&["attack.spend.write"]) }).await?;
            broker.grant(to("trudy", name, &["attack.things.read", "attack.risk.write"])).await?;
        }
        let mut serve = ServeOptions::on(any);
        serve.bounds.head = Duration::from_secs(3);
        serve.bounds.body = Duration::from_secs(3);
        serve.bounds.answer = Duration::from_secs(12);
        let (stop, stopped) = oneshot::channel();
        let serving = http::serve(broker.clone(), serve, async {
            // Told to stop, or nobody is left to tell.
            let _ = stopped.await;
        });
        let serving = serving.await?;
        let gateway = Gateway {
            address: serving.address(),
            paths: ["attack", "named", "shut"].map(|name| format!("/to/{name}")),
            mallory: key(&broker, "mallory").await?,
            trudy: Some(key(&broker, "trudy").await?),
            owner: Some(bearer(&broker.add_owner_token().await?.1)),
        };
        let (proxy, runs) = open_runs(&broker).await?;
        let target = Target {
            gateway: Some(gateway),
            proxy: Some(proxy),
            api: true,
            h2: true,
            inside: Some(Box::new(Within { broker: broker.clone(), names })),
        };
        let serving = Some((serving, stop));
        Ok(Self { target, upstream, canary, broker, serving, _runs: runs, _folder: folder })
    }

    /// Stops the doors and the broker; the home goes with it.
    pub async fn close(mut self) {
        if let Some((serving, stop)) = self.serving.take() {
            // It may have stopped already.
            let _ = stop.send(());
            serving.stopped().await;
        }
        self.broker.close().await;
    }
}

/// The proxy, with a run of each agent.
async fn open_runs(
    broker: &Arc<Broker>,
) -> Result<(Proxy, (symbolon_proxy::Proxy, [RunGuard; 2])), SelfError> {
    let proxy = symbolon_proxy::Proxy::new(broker.clone(), Lanes::here());
    let open = async |agent: &str| {
        let new = NewRun { agent: agent.to_owned(), grants: Vec::new(), pass_through: Vec::new() };
        let (view, key, guard) = proxy.open(new).await?;
        // EXPOSE: a key of a throw-away run, for the requests of the attacker in this process.
        let pair = [view.user.as_bytes(), b":", key.expose()].concat();
        Ok::<_, CallError>((view, format!("Basic {}", b64::encode(&pair)), guard))
    };
    let (view, mallory, first) = open("mallory").await?;
    let (_, trudy, second) = open("trudy").await?;
    let placeholder = |name: &str| {
        let found = view.connections.iter().find(|c| c.name == name);
        found.map(|c| c.placeholder.clone()).unwrap_or_default()
    };
    let door = Proxy {
        address: view.proxy.parse().map_err(std::io::Error::other)?,
        mallory: Some(mallory),
        trudy: Some(trudy),
        ca_pem: std::fs::read_to_string(&view.ca_file)?,
        placeholders: ["attack", "named", "shut"].map(placeholder),
    };
    Ok((door, (proxy, [first, second])))
}

fn to(agent: &str, connection: &str, scopes: &[&str]) -> NewGrant {
    NewGrant {
        agent: agent.to_owned(),
        scopes: scopes.iter().map(|&one| one.to_owned()).collect(),
        for_seconds: 3600,
        connection: Some(connection.to_owned()),
        ..NewGrant::default()
    }
}

async fn key(broker: &Broker, agent: &str) -> Result<String, CallError> {
    Ok(bearer(&broker.add_agent(agent).await?.key))
}

fn bearer(key: &Secret<[u8]>) -> String {
    // EXPOSE: a key of a throw-away home, for the requests of the attacker in this process.
    format!("Bearer {}", String::from_utf8_lossy(key.expose()))
}

/// A canary of 40 characters, some of which every encoding has to write otherwise.
pub(crate) fn make_canary() -> Canary {
    let mut bytes = [0; 40];
    SystemRng.fill(&mut bytes);
    for byte in &mut bytes {
        *byte = ALPHABET[usize::from(*byte) % ALPHABET.len()];
    }
    bytes[..5].copy_from_slice(b"cnry_");
    bytes[11] = b'/';
    bytes[19] = b'+';
    bytes[27] = b'&';
    bytes[33] = b'~';
    Canary::new(bytes.to_vec())
}

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |out| out.copy_from_slice(bytes))
}

struct Within {
    broker: Arc<Broker>,
    names: Arc<Names>,
}

impl Inside for Within {
    fn resolve(&self, answers: &[Vec<IpAddr>]) {
        *self.names.0.lock().unwrap_or_else(PoisonError::into_inner) = answers.to_vec().into();
    }

    fn ledger(&self) -> (u64, u64) {
        let status = self.broker.status();
        (status.log_entries, status.open_intents)
    }
}

/// A resolver that changes its mind.
#[derive(Default)]
struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

impl Resolver for Names {
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Resolving<'a> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        };
        drop(answers);
        let answer = match answer {
            Some(answer) if name != "localhost" => answer,
            _ => vec![Ipv4Addr::LOCALHOST.into()],
        };
        Box::pin(async move { Ok(answer.iter().map(|ip| SocketAddr::new(*ip, port)).collect()) })
    }
}

/// Long enough for an owner who is a program, short enough to be waited for.
const QUESTIONS_LIVE: u64 = 5;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Short enough that slow upstreams do not make a slow suite; the sizes are the product's.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(2),
    head: Duration::from_secs(3),
    total: Duration::from_secs(5),
    response_head_bytes_max: 64 * 1024,
    response_body_bytes_max: 8 * 1024 * 1024,
};
