//! A node's connections, from outside: started with a key and told what to do.

use std::net::SocketAddr;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use symbolon_secret::Secret;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::gate::{Dials, Reach};
use crate::gossip::Bounds;
use crate::heard::{Heard, Order};
use crate::loops::{Command, Loop, WireState};
use crate::peer::Peer;
use crate::transport;

/// Why there is no wire.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The address is not one to listen at: another kind, or further than the node's sockets may reach.
    #[error("cannot listen at {way}: {reason}")]
    Listen {
        /// The address.
        way: Multiaddr,
        /// What is wrong with it.
        reason: String,
    },
    /// Sizes that do not fit each other: links would stall.
    #[error("the bounds do not hold together: {0:?}")]
    Bounds(Bounds),
    /// Ours: the library does not take what we set.
    #[error("the network library refuses: {0}")]
    Library(String),
    /// The wire has ended.
    #[error("the wire has ended")]
    Ended,
}

/// What a wire is started with.
pub struct Config {
    /// Seed of the endpoint's Ed25519 key.
    pub seed: Secret<[u8; 32]>,
    /// Where it listens.
    pub listen: Vec<Multiaddr>,
    /// How far its own sockets reach.
    pub reach: Reach,
    /// A SOCKS5 proxy that everything goes through which does not stay on this machine.
    pub proxy: Option<SocketAddr>,
    /// What it hears and publishes.
    pub topics: Vec<String>,
    /// Sizes of gossip.
    pub bounds: Bounds,
}

/// A running wire. It ends when every handle is dropped.
#[derive(Debug, Clone)]
pub struct Wire {
    peer: Peer,
    orders: mpsc::Sender<Command>,
}

impl Wire {
    /// Begins to listen; what is heard comes out of the receiver. It has to be taken: what does not fit is ignored, and
    /// counted.
    ///
    /// # Errors
    /// [`WireError`], all but `Ended`.
    pub fn start(
        config: &Config,
    ) -> Result<(Self, mpsc::Receiver<Heard>, JoinHandle<()>), WireError> {
        if !config.bounds.hold() {
            return Err(WireError::Bounds(config.bounds));
        }
        Self::dangerous_start_unbounded(config)
    }

    /// As [`Wire::start`], also with bounds that do not hold together. For the test that shows why they have to.
    ///
    /// # Errors
    /// As [`Wire::start`].
    pub fn dangerous_start_unbounded(
        config: &Config,
    ) -> Result<(Self, mpsc::Receiver<Heard>, JoinHandle<()>), WireError> {
        // EXPOSE: the library keeps the endpoint's key; it is no other's parent, and is certified for a time.
        let mut seed: [u8; 32] = *config.seed.expose();
        let key = Keypair::ed25519_from_bytes(&mut seed);
        let key = key.map_err(|error| WireError::Library(error.to_string()))?;
        let peer = Peer::of(&key.public().to_peer_id()).ok_or(WireError::Ended)?;
        // With a proxy nothing leaves this machine but through it; UDP does not go through it at all.
        let dials = Dials::new(config.proxy.map_or(config.reach, |_| Reach::Loopback));
        let mut swarm = transport::swarm(config, &dials, key)?;
        let widened = config.proxy.is_none().then_some(dials);
        for way in &config.listen {
            swarm.listen_on(way.clone()).map_err(|error| WireError::Listen {
                way: way.clone(),
                reason: error.to_string(),
            })?;
        }
        let (orders, ordered) = mpsc::channel(ORDERS_MAX);
        let (hear, heard) = mpsc::channel(HEARD_MAX);
        let task = tokio::spawn(Loop::new(swarm, widened, hear).run(ordered));
        Ok((Self { peer, orders }, heard, task))
    }

    /// This node, as peers know it.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Hands over an order, once there is room for it.
    ///
    /// # Errors
    /// [`WireError::Ended`].
    pub async fn order(&self, order: Order) -> Result<(), WireError> {
        self.orders.send(Command::Order(order)).await.map_err(|_| WireError::Ended)
    }

    /// How it stands.
    ///
    /// # Errors
    /// [`WireError::Ended`].
    pub async fn state(&self) -> Result<WireState, WireError> {
        let (tell, told) = oneshot::channel();
        self.orders.send(Command::State(tell)).await.map_err(|_| WireError::Ended)?;
        told.await.map_err(|_| WireError::Ended)
    }
}

/// Orders that wait.
const ORDERS_MAX: usize = 1024;
/// What is heard and waits to be judged.
const HEARD_MAX: usize = 4096;
