//! What is spoken on a connection.

use std::time::Duration;

use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::PublicKey;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{StreamProtocol, gossipsub, identify};

use crate::codec::Bytes;
use crate::gossip;
use crate::wire::{Config, WireError};

/// Those who are cut off, bounds on connections, names, gossip, requests.
#[derive(NetworkBehaviour)]
pub(crate) struct Net {
    pub cut: allow_block_list::Behaviour<BlockedPeers>,
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    pub gossip: gossipsub::Behaviour,
    pub requests: request_response::Behaviour<Bytes>,
}

impl Net {
    pub(crate) fn new(config: &Config, key: PublicKey) -> Result<Self, WireError> {
        let limits = ConnectionLimits::default()
            .with_max_established_per_peer(Some(CONNECTIONS_EACH_MAX))
            .with_max_established(Some(CONNECTIONS_MAX))
            .with_max_established_incoming(Some(CONNECTIONS_INCOMING_MAX))
            .with_max_pending_incoming(Some(CONNECTIONS_PENDING_MAX));
        let named = identify::Config::new(PROTOCOL.to_owned(), key)
            .with_agent_version("symbolon".to_owned())
            // Addresses that others tell of themselves are not dialled.
            .with_cache_size(0);
        let asked = request_response::Config::default()
            .with_request_timeout(ANSWER_WAIT)
            .with_max_concurrent_streams(REQUESTS_EACH_MAX);
        let protocol = StreamProtocol::new("/symbolon/ask/1");
        Ok(Self {
            cut: Default::default(),
            limits: connection_limits::Behaviour::new(limits),
            identify: identify::Behaviour::new(named),
            gossip: gossip::behaviour(&config.topics, &config.bounds)?,
            requests: request_response::Behaviour::with_codec(
                Bytes,
                [(protocol, ProtocolSupport::Full)],
                asked,
            ),
        })
    }
}

const PROTOCOL: &str = "/symbolon/mesh/1";
/// Two that dial each other at once have two, and need not decide which one goes.
const CONNECTIONS_EACH_MAX: u32 = 2;
const CONNECTIONS_MAX: u32 = 256;
/// Places are left for those that this node chose.
const CONNECTIONS_INCOMING_MAX: u32 = 192;
const CONNECTIONS_PENDING_MAX: u32 = 64;
const REQUESTS_EACH_MAX: usize = 16;
const ANSWER_WAIT: Duration = Duration::from_secs(30);
