//! The ways between peers: QUIC, and TCP with Noise and yamux, its own or a proxy's.

use std::time::Duration;

use futures::future::Either;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Swarm, Transport, noise, quic, swarm, tcp, yamux};

use crate::behaviour::Net;
use crate::gate::{Dials, Gate};
use crate::socks::Socks;
use crate::wire::{Config, WireError};

/// A swarm that listens nowhere yet.
pub(crate) fn swarm(config: &Config, dials: &Dials, key: Keypair) -> Result<Swarm<Net>, WireError> {
    let net = Net::new(config, key.public())?;
    let config_of_swarm = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE_MAX)
        // What has not been taken by our loop holds up its connection, and nobody else's.
        .with_per_connection_event_buffer_size(32);
    let id = key.public().to_peer_id();
    Ok(Swarm::new(ways(config, dials, &key)?, net, id, config_of_swarm))
}

fn ways(
    config: &Config,
    dials: &Dials,
    key: &Keypair,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, WireError> {
    let listen = config.reach;
    let noise = noise::Config::new(key).map_err(|error| WireError::Library(error.to_string()))?;
    let direct = Gate {
        inner: tcp::tokio::Transport::new(tcp::Config::new().nodelay(true)),
        dial: dials.clone(),
        listen,
    };
    let streams = Socks { proxy: config.proxy }
        .or_transport(direct)
        .map(|stream, _| stream)
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .timeout(if config.proxy.is_some() { CONNECT_WAIT_PROXY } else { CONNECT_WAIT })
        .map(|(id, muxer), _| (id, StreamMuxerBox::new(muxer)));
    let quic = Gate {
        inner: quic::tokio::Transport::new(quic::Config::new(key)),
        dial: dials.clone(),
        listen,
    }
    .map(|(id, muxer), _| (id, StreamMuxerBox::new(muxer)));
    let both = quic.or_transport(streams).map(|either, _| match either {
        Either::Left(it) | Either::Right(it) => it,
    });
    Ok(both.boxed())
}

/// Gossip keeps connections within its mesh alive; others are for requests, and dialled again by need.
const IDLE_MAX: Duration = Duration::from_secs(3600);
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// The first dial of an onion service takes half a minute at times.
const CONNECT_WAIT_PROXY: Duration = Duration::from_secs(90);
