//! A transport that goes only where it may, whatever a caller, a peer or a library's default suggests.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// How far a node dials. It begins on this machine, and is widened by the first address beyond it that its owner joins.
#[derive(Debug, Clone)]
pub(crate) struct Dials(Arc<AtomicBool>);

impl Dials {
    pub(crate) fn new(reach: Reach) -> Self {
        Self(Arc::new(AtomicBool::new(reach == Reach::Everywhere)))
    }

    /// From now on anywhere.
    pub(crate) fn widen(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn reach(&self) -> Reach {
        if self.0.load(Ordering::Relaxed) { Reach::Everywhere } else { Reach::Loopback }
    }
}

/// A transport behind a rule for dialling and one for listening.
pub(crate) struct Gate<T> {
    pub inner: T,
    pub dial: Dials,
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
        match self.dial.reach().allows(&way) {
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

    #[tokio::test]
    async fn what_is_far_is_dialled_once_its_owner_joined_something_far() {
        use libp2p::core::Endpoint;
        use libp2p::core::transport::PortUse;
        let dial = Dials::new(Reach::Loopback);
        let inner = libp2p::tcp::tokio::Transport::default();
        let mut gate = Gate { inner, dial: dial.clone(), listen: Reach::Loopback };
        // A dial that nobody polls goes nowhere.
        let mut is_dialled = |way: &str| {
            let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
            gate.dial(way.parse().unwrap(), options).is_ok()
        };
        assert!(is_dialled("/ip4/127.0.0.1/tcp/1") && !is_dialled("/ip4/192.0.2.1/tcp/1"));
        dial.widen();
        assert!(is_dialled("/ip4/192.0.2.1/tcp/1"));
    }

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
