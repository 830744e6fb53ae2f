//! A transport that goes only where it may, whatever a caller, a peer or a library's default suggests.

use std::pin::Pin;
use std::task::{Context, Poll};

use libp2p::Multiaddr;
use libp2p::core::transport::{DialOpts, ListenerId, Transport, TransportError, TransportEvent};

use crate::peer::ip;

/// How far a node's own sockets reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// This machine alone.
    #[default]
    Loopback,
    /// Any IP address.
    Everywhere,
}

impl Reach {
    fn allows(self, way: &Multiaddr) -> bool {
        match (self, ip(way)) {
            (_, None) => false,
            (Self::Loopback, Some(ip)) => ip.is_loopback(),
            (Self::Everywhere, Some(_)) => true,
        }
    }
}

/// A transport behind a rule for dialling and one for listening.
pub(crate) struct Gate<T> {
    pub inner: T,
    pub dial: Reach,
    pub listen: Reach,
}

impl<T: Transport + Unpin> Transport for Gate<T> {
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = T::Dial;

    fn listen_on(
        &mut self,
        id: ListenerId,
        way: Multiaddr,
    ) -> Result<(), TransportError<Self::Error>> {
        match self.listen.allows(&way) {
            true => self.inner.listen_on(id, way),
            false => Err(TransportError::MultiaddrNotSupported(way)),
        }
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        way: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        match self.dial.allows(&way) {
            true => self.inner.dial(way, options),
            false => Err(TransportError::MultiaddrNotSupported(way)),
        }
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_not_any_address_and_a_name_is_no_address() {
        let allows = |reach: Reach, way: &str| reach.allows(&way.parse().unwrap());
        for way in ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/udp/1/quic-v1"] {
            assert!(allows(Reach::Loopback, way) && allows(Reach::Everywhere, way));
        }
        for way in ["/ip4/0.0.0.0/tcp/0", "/ip4/192.0.2.1/tcp/1", "/ip6/::/tcp/0"] {
            assert!(!allows(Reach::Loopback, way), "{way}");
            assert!(allows(Reach::Everywhere, way), "{way}");
        }
        // A name would be looked up somewhere else.
        assert!(!allows(Reach::Everywhere, "/dns/localhost/tcp/1"));
    }
}
