//! Who a peer is, and where it is dialled.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use libp2p::identity::PublicKey;
use libp2p::identity::ed25519;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// A peer: the public key of its endpoint, Ed25519.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub [u8; 32]);

impl Peer {
    /// The name that libp2p has for it. None where the bytes are no key.
    pub(crate) fn id(&self) -> Option<PeerId> {
        let key = ed25519::PublicKey::try_from_bytes(&self.0).ok()?;
        Some(PublicKey::from(key).to_peer_id())
    }

    /// Of a name. None where its key is of another kind: such a peer is not spoken with.
    pub(crate) fn of(id: &PeerId) -> Option<Self> {
        // An Ed25519 key is short enough to stand in its name whole (identity multihash).
        let hash = id.as_ref();
        if hash.code() != IDENTITY_HASH {
            return None;
        }
        let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
        key.try_into_ed25519().ok().map(|key| Self(key.to_bytes()))
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id() {
            Some(id) => id.fmt(f),
            None => f.write_str(&symbolon_codec::hex::encode(self.0)),
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({self})")
    }
}

/// Why a text names no peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no multiaddr.
    #[error("`{0}` is no multiaddr")]
    Form(String),
    /// It does not end with the peer's name.
    #[error("`{0}` does not end with /p2p/ and the peer's name")]
    Nameless(String),
    /// The name is of a key of another kind.
    #[error("the peer's key is not Ed25519")]
    Key,
    /// It leads over something that a node does not speak.
    #[error("`{0}` is neither TCP nor QUIC at an IP address, nor an onion service")]
    Way(String),
}

/// Where a peer is dialled, and who has to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    peer: Peer,
    way: Multiaddr,
}

impl Address {
    /// Who has to answer.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Where, without the name at its end.
    pub fn way(&self) -> &Multiaddr {
        &self.way
    }

    /// Whether it leads to this machine.
    pub fn is_loopback(&self) -> bool {
        ip(&self.way).is_some_and(|ip| ip.is_loopback())
    }

    /// Whether it is beyond this machine, and can be reached without a proxy.
    pub fn is_far(&self) -> bool {
        !self.is_loopback() && !self.is_onion()
    }

    /// Whether it can be reached through a proxy alone.
    pub fn is_onion(&self) -> bool {
        matches!(self.way.iter().next(), Some(Protocol::Onion3(_)))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let told = || text.chars().take(SHOWN_MAX).collect::<String>();
        if text.len() > TEXT_BYTES_MAX {
            return Err(AddressError::Form(told()));
        }
        let mut way: Multiaddr = text.parse().map_err(|_| AddressError::Form(told()))?;
        let Some(Protocol::P2p(id)) = way.pop() else { return Err(AddressError::Nameless(told())) };
        let peer = Peer::of(&id).ok_or(AddressError::Key)?;
        let parts: Vec<_> = way.iter().collect();
        let is_spoken = matches!(
            &parts[..],
            [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)]
                | [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(_), Protocol::QuicV1]
                | [Protocol::Onion3(_)]
        );
        if !is_spoken {
            return Err(AddressError::Way(told()));
        }
        Ok(Self { peer, way })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/p2p/{}", self.way, self.peer)
    }
}

/// The IP address that an address begins with.
pub(crate) fn ip(way: &Multiaddr) -> Option<IpAddr> {
    match way.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

/// The multihash code of bytes that stand for themselves.
const IDENTITY_HASH: u64 = 0;
/// Longer than any address that is spoken.
const TEXT_BYTES_MAX: usize = 256;
/// Of a text that is none, in an error.
const SHOWN_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "12D3KooWHjJQJPttwFv3zKqL4YFLsuK9J7jW2FBFpmhBv84QvhkX";

    #[test]
    fn an_address_names_who_answers_and_a_way_that_is_spoken() {
        for way in ["/ip4/127.0.0.1/tcp/4001", "/ip6/::1/udp/4001/quic-v1"] {
            let address: Address = format!("{way}/p2p/{NAME}").parse().unwrap();
            assert_eq!(address.to_string(), format!("{way}/p2p/{NAME}"));
            assert_eq!(address.peer().to_string(), NAME);
            assert!(address.is_loopback() && !address.is_onion());
        }
        let onion = format!("/onion3/{}:4001/p2p/{NAME}", "a".repeat(56));
        assert!(onion.parse::<Address>().unwrap().is_onion());
        let refused = |text: String| text.parse::<Address>().unwrap_err();
        assert!(matches!(refused("127.0.0.1:4001".into()), AddressError::Form(_)));
        assert!(matches!(refused("/ip4/127.0.0.1/tcp/4001".into()), AddressError::Nameless(_)));
        assert!(matches!(
            refused(format!("/ip4/127.0.0.1/tcp/1/ws/p2p/{NAME}")),
            AddressError::Way(_)
        ));
        assert!(matches!(
            refused(format!("/dns/a.example/tcp/1/p2p/{NAME}")),
            AddressError::Way(_)
        ));
        // The name of an RSA key is a hash of it.
        let rsa = "QmSr1176n6xAE97nxsZtRk1qLEcrg2m8LzJZxKwXepK1nJ";
        let of_rsa = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        for name in [rsa, of_rsa] {
            let error = refused(format!("/ip4/127.0.0.1/tcp/1/p2p/{name}"));
            assert!(matches!(error, AddressError::Key | AddressError::Form(_)), "{error}");
        }
        assert_eq!(
            refused(format!("/ip4/127.0.0.1/tcp/1/p2p/{of_rsa}", of_rsa = of_rsa)),
            AddressError::Key
        );
    }

    #[test]
    fn a_peer_and_its_name_are_one() {
        let key = libp2p::identity::Keypair::ed25519_from_bytes([7; 32]).unwrap();
        let id = key.public().to_peer_id();
        let peer = Peer::of(&id).unwrap();
        assert_eq!(peer.id(), Some(id));
    }
}
