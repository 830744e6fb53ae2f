//! A home's node: the wire, the mesh's state machine on it, and what of both is told.

use std::fs::File;
use std::net::SocketAddr;
use std::time::Duration;

use libp2p::Multiaddr;
use symbolon_ambient::SystemClock;
use symbolon_crypto::SigningKey;
use symbolon_log::WitnessKey;
use symbolon_mesh::{Certificate, FollowError, LogName, Mesh};
use symbolon_secret::Secret;
use symbolon_store::{FolderStorage, Home, LogPlace, TrustFileError, replace_file};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::Address;
use crate::ask;
use crate::believed::Believed;
use crate::drive::{Work, drive};
use crate::folder::{FolderError, NodeFolder};
use crate::gate::Reach;
use crate::gossip::Bounds;
use crate::heard::Order;
use crate::judge::{MeshJudge, topics};
use crate::own::Own;
use crate::status::{NodeStatus, REPORT};
use crate::wire::{Config, Wire, WireError};

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its connections.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// What the home knows of operators.
    #[error(transparent)]
    Trust(#[from] TrustFileError),
    /// The copy of a log.
    #[error("the log {origin}: {source}")]
    Follow {
        /// Which.
        origin: String,
        /// What is wrong.
        source: FollowError,
    },
    /// The home's own log.
    #[error("the home's own log cannot be read: {0}")]
    Own(std::io::Error),
    /// Where other processes ask it.
    #[error("the node's socket: {0}")]
    Socket(std::io::Error),
}

/// What a node is started with.
pub struct NodeConfig {
    /// Seed of the endpoint's key.
    pub seed: Secret<[u8; 32]>,
    /// The operator's word for it.
    pub certificate: Certificate,
    /// Addresses that it listens at, over TCP and QUIC each.
    pub listen: Vec<SocketAddr>,
    /// A SOCKS5 proxy that everything goes through which does not stay on this machine.
    pub proxy: Option<SocketAddr>,
    /// Logs of others that it follows.
    pub follow: Vec<LogName>,
    /// The home's own log, where its entries are spread.
    pub publish: Option<LogName>,
    /// Witnesses whose word counts: what they sign is kept, forwarded, and said for operators.
    pub witnesses: Vec<WitnessKey>,
}

/// A running node.
pub struct Node {
    wire: Wire,
    tell: mpsc::Sender<Work<Judging>>,
    tasks: Vec<JoinHandle<()>>,
    _lock: File,
}

type Judging = MeshJudge<SystemClock>;

impl Node {
    /// Starts it: it listens, dials the peers that were joined, and goes on where its copies end.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn start(home: &Home, config: NodeConfig) -> Result<Self, NodeError> {
        let folder = NodeFolder::open(home)?;
        let lock = folder.lock()?;
        let socket = ask::listen(&home.run()).map_err(NodeError::Socket)?;
        let peers = folder.peers()?;
        let (mesh, own, accusations) = make_mesh(home, &folder, &config)?;
        let believed = Believed::of(home, config.witnesses.clone())?;
        let is_far = config.listen.iter().any(|at| !at.ip().is_loopback())
            || peers.iter().any(Address::is_far);
        let wire = Config {
            seed: config.seed,
            listen: config.listen.iter().flat_map(ways).collect(),
            reach: if is_far { Reach::Everywhere } else { Reach::Loopback },
            proxy: config.proxy,
            topics: topics(),
            bounds: Bounds::default(),
        };
        let (wire, heard, looping) = Wire::start(&wire)?;
        let mut judge = MeshJudge::new(mesh, own, believed, SystemClock);
        accusations.iter().for_each(|evidence| judge.accuse(evidence));
        let (tell, work) = mpsc::channel::<Work<Judging>>(WORK_MAX);
        let judging = tokio::spawn({
            let wire = wire.clone();
            async move { drop(drive(wire, heard, judge, work).await) }
        });
        let keeping =
            tokio::spawn(keep(folder, home.run().join(REPORT), wire.clone(), tell.clone()));
        let asking = tokio::spawn(ask::serve(socket, tell.clone()));
        Ok(Self { wire, tell, tasks: vec![looping, judging, keeping, asking], _lock: lock })
    }

    /// How it stands.
    ///
    /// # Errors
    /// [`WireError::Ended`].
    pub async fn status(&self) -> Result<NodeStatus, WireError> {
        status(&self.wire, &self.tell).await
    }

    /// Ends it. What its copies have is on the disk.
    pub async fn stop(mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            // One that was ended has ended.
            let _ = task.await;
        }
    }
}

/// The state machine with the home's copies.
#[allow(clippy::type_complexity, reason = "three things of one place")]
fn make_mesh(
    home: &Home,
    folder: &NodeFolder,
    config: &NodeConfig,
) -> Result<(Mesh<FolderStorage>, Option<Own>, Vec<symbolon_mesh::Evidence>), NodeError> {
    let seed = Secret::make(|page: &mut [u8; 32]| {
        // EXPOSE: from one secret page to another.
        page.copy_from_slice(config.seed.expose());
    });
    let mut mesh = Mesh::new(
        SigningKey::from_seed(seed),
        config.certificate.clone(),
        symbolon_mesh::Forwards::default(),
    )
    .believing(config.witnesses.clone());
    let mut found = Vec::new();
    for log in &config.follow {
        let followed = mesh.follow(log.clone(), folder.copy(log)?);
        found.extend(followed.map_err(|source| follow_error(log, source))?);
    }
    let mut own = None;
    if let Some(log) = &config.publish {
        let owned = mesh.own(log.clone(), folder.copy(log)?);
        found.extend(owned.map_err(|source| follow_error(log, source))?);
        let place = LogPlace::of(home).map_err(|e| NodeError::Own(e.into()))?;
        let storage = place.reader(log.origin()).map_err(NodeError::Own)?;
        own = Some(Own::new(log.clone(), storage, home));
    }
    Ok((mesh, own, found))
}

fn follow_error(log: &LogName, source: FollowError) -> NodeError {
    NodeError::Follow { origin: log.origin().to_owned(), source }
}

/// Looks once a second whether peers were joined, and writes how it stands.
async fn keep(
    folder: NodeFolder,
    report: std::path::PathBuf,
    wire: Wire,
    tell: mpsc::Sender<Work<Judging>>,
) {
    let mut joined: Vec<Address> = Vec::new();
    let mut tick = interval(REPORT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        // A list that cannot be read is said by `symbolon node join`; those of before are dialled on.
        for address in folder.peers().unwrap_or_default() {
            if !joined.contains(&address) {
                let widen = address.is_far().then_some(Order::Widen);
                for order in widen.into_iter().chain([Order::Join(address.clone())]) {
                    if wire.order(order).await.is_err() {
                        return;
                    }
                }
                joined.push(address);
            }
        }
        let Ok(status) = status(&wire, &tell).await else { return };
        // Numbers and strings always serialize; a report that cannot be written is written with the next.
        let text = serde_json::to_vec(&status).unwrap_or_default();
        let _ = replace_file(&report, &text);
    }
}

async fn status(wire: &Wire, tell: &mpsc::Sender<Work<Judging>>) -> Result<NodeStatus, WireError> {
    let (state, peer) = (wire.state().await?, wire.peer());
    let (give, given) = oneshot::channel();
    let work: Work<Judging> = Box::new(move |judge, _| drop(give.send(judge.tell(peer, &state))));
    tell.send(work).await.map_err(|_| WireError::Ended)?;
    given.await.map_err(|_| WireError::Ended)
}

/// An address over TCP and over QUIC.
fn ways(at: &SocketAddr) -> [Multiaddr; 2] {
    use libp2p::multiaddr::Protocol;
    let ip = Multiaddr::from(at.ip());
    let udp = ip.clone().with(Protocol::Udp(at.port())).with(Protocol::QuicV1);
    [ip.with(Protocol::Tcp(at.port())), udp]
}

const WORK_MAX: usize = 16;
const REPORT_EVERY: Duration = Duration::from_secs(1);
