//! Dials onion services, and IP addresses where it is told to, through a SOCKS5 proxy. It does not listen: Tor hands
//! streams for an onion service to a plain listener on this machine.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use libp2p::Multiaddr;
use libp2p::core::transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;
use libp2p::tcp::tokio::TcpStream;
use tokio_socks::Error;
use tokio_socks::tcp::Socks5Stream;

/// A proxy, or none, which dials nothing.
pub(crate) struct Socks {
    pub proxy: Option<SocketAddr>,
}

impl Transport for Socks {
    type Output = TcpStream;
    type Error = Error;
    type ListenerUpgrade = BoxFuture<'static, Result<TcpStream, Error>>;
    type Dial = BoxFuture<'static, Result<TcpStream, Error>>;

    fn listen_on(&mut self, _: ListenerId, way: Multiaddr) -> Result<(), TransportError<Error>> {
        Err(TransportError::MultiaddrNotSupported(way))
    }

    fn remove_listener(&mut self, _: ListenerId) -> bool {
        false
    }

    fn dial(
        &mut self,
        way: Multiaddr,
        _: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        let (Some(proxy), Some((host, port))) = (self.proxy, target(&way)) else {
            return Err(TransportError::MultiaddrNotSupported(way));
        };
        let dial = async move {
            let stream = Socks5Stream::connect(proxy, (host.as_str(), port)).await?.into_inner();
            stream.set_nodelay(true)?;
            Ok(TcpStream(stream))
        };
        Ok(dial.boxed())
    }

    fn poll(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Poll::Pending
    }
}

/// What the proxy is asked for. This machine is not reached through others.
fn target(way: &Multiaddr) -> Option<(String, u16)> {
    let mut parts = way.iter().filter(|part| !matches!(part, Protocol::P2p(_)));
    let (host, port) = match (parts.next()?, parts.next()) {
        (Protocol::Onion3(onion), None) => {
            // Shown as /onion3/<56 letters>:<port>.
            let text = Protocol::Onion3(onion).to_string();
            let (host, port) = text.strip_prefix("/onion3/")?.split_once(':')?;
            return Some((format!("{host}.onion"), port.parse().ok()?));
        }
        (Protocol::Ip4(ip), Some(Protocol::Tcp(port))) if !ip.is_loopback() => {
            (ip.to_string(), port)
        }
        (Protocol::Ip6(ip), Some(Protocol::Tcp(port))) if !ip.is_loopback() => {
            (ip.to_string(), port)
        }
        _ => return None,
    };
    parts.next().is_none().then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_asked_for_onions_and_far_addresses_alone() {
        let target = |way: &str| target(&way.parse().unwrap());
        let onion = "a".repeat(56);
        assert_eq!(target(&format!("/onion3/{onion}:80")), Some((format!("{onion}.onion"), 80)));
        assert_eq!(target("/ip4/192.0.2.1/tcp/4001"), Some(("192.0.2.1".to_owned(), 4001)));
        assert_eq!(target("/ip6/2001:db8::1/tcp/4001"), Some(("2001:db8::1".to_owned(), 4001)));
        for way in ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1", "/ip4/192.0.2.1/udp/1/quic-v1"] {
            assert_eq!(target(way), None, "{way}");
        }
        assert_eq!(target("/ip4/192.0.2.1/tcp/1/ws"), None);
    }
}
