//! One HTTP connection, driven by the task that waits on it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until};
use tokio_rustls::TlsConnector;

use super::armed::Armed;
use super::client::Limits;
use super::error::{Phase, WireError};
use super::http::{Http, Protocol, Sender};
use super::link::{Plain, Wire};
use super::resolve::{Resolver, resolve};
use super::stream::Desk;
use super::target::Upstream;

/// A connection with all that belongs to it. Nothing polls it but its user: no hop between tasks,
/// and no reading ahead.
pub(super) struct Pooled {
    pub(super) send: Sender,
    pub(super) desk: Arc<Desk>,
    http: Http,
    /// One timer for the connection's life: moving it is cheaper than a new one for each call.
    timer: Pin<Box<Sleep>>,
    is_closed: bool,
    /// How it ended, where that was an error.
    failure: Option<hyper::Error>,
    /// A client certificate was shown and its key proved.
    is_proved: bool,
}

impl Pooled {
    /// Resolves, connects and shakes hands within the limits and before `deadline`. Where the
    /// upstream wants a client certificate, it is the credential that `armed` has the right to.
    pub(super) async fn connect(
        upstream: &Upstream,
        protocol: Protocol,
        armed: &Armed,
        resolver: &dyn Resolver,
        limits: &Limits,
        deadline: Instant,
    ) -> Result<Self, WireError> {
        let deadline = deadline.min(Instant::now() + limits.connect);
        let addresses =
            timed(deadline, Phase::Resolve, resolve(resolver, &upstream.authority, upstream.allow))
                .await?;
        let tcp = timed(deadline, Phase::Connect, tcp(&addresses)).await?;
        let mut is_proved = false;
        let wire = if upstream.is_tls() {
            let mut config = protocol.config(upstream.roots().map_err(WireError::Roots)?.config());
            let mut right = None;
            if let Some(identity) = &upstream.identity {
                let (own, its) = identity.shown(&config, armed.opener.clone());
                (config, right) = (Arc::new(own), Some(its));
            }
            let name = upstream.server_name.clone();
            let shaken = timed(deadline, Phase::Tls, async {
                let shaken = TlsConnector::from(config).connect(name, tcp).await;
                shaken
                    .and_then(|tls| protocol.chosen(tls))
                    .map_err(|source| WireError::from_tls(upstream.authority.host(), source))
            });
            let shaken = shaken.await;
            is_proved = right.is_some_and(|right| right.end());
            Wire::Tls(Box::new(shaken.map_err(|e| e.proved(is_proved))?))
        } else {
            Wire::Plain(Plain(tcp))
        };
        let desk = Arc::new(Desk::default());
        let (send, http) = protocol
            .begin(wire, upstream, &desk, limits)
            .await
            .map_err(|error| WireError::from_hyper(error, is_proved))?;
        Ok(Pooled {
            send,
            desk,
            http,
            timer: Box::pin(sleep_until(deadline.into())),
            is_closed: false,
            failure: None,
            is_proved,
        })
    }

    /// Lets the connection do what it can. Whether it is at its end.
    #[inline]
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.is_closed
            && let Poll::Ready(end) = self.http.poll(cx)
        {
            self.is_closed = true;
            self.failure = end.err();
        }
        self.is_closed
    }

    /// What is to be woken by parts of the connection: over HTTP/1.1 nothing, for they move only when
    /// this connection is polled; over HTTP/2 the task that asks, for another task moves them.
    pub(super) fn waker<'w>(&self, cx: &'w Context<'_>) -> &'w Waker {
        match self.protocol() {
            Protocol::Http1 => Waker::noop(),
            Protocol::Http2 => cx.waker(),
        }
    }

    /// Whether it came to its end without an error.
    pub(super) fn is_over_well(&self) -> bool {
        self.is_closed && self.failure.is_none()
    }

    /// The bare connection, once the protocol has changed, and what came on it already. `None` for
    /// HTTP/2, which does not change to another.
    pub(super) fn into_wire(self) -> Option<(Wire, Bytes)> {
        self.http.into_wire()
    }

    /// What is spoken on it.
    pub(super) fn protocol(&self) -> Protocol {
        self.send.protocol()
    }

    /// Whether it can take a request. A peer that closed it, or spoke out of turn, shows here.
    pub(super) fn is_usable(&mut self) -> bool {
        !self.drive(&mut Context::from_waker(Waker::noop())) && self.send.is_ready()
    }

    /// Sets when [`poll_late`](Self::poll_late) is.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        let deadline = deadline.into();
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
    }

    /// Ready when the deadline has passed.
    pub(super) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().poll(cx)
    }

    /// Whether the credential was opened for this connection: for the head, or for the handshake.
    pub(super) fn released(&self) -> bool {
        self.is_proved || self.desk.released()
    }

    /// The error to give for a request that got `error`: the connection's own end says more.
    pub(super) fn explain(&mut self, error: Option<hyper::Error>) -> WireError {
        let released = self.released();
        if let Some(source) = self.desk.refused() {
            return WireError::Refused { source, released };
        }
        match self.failure.take().or(error) {
            Some(error) => WireError::from_hyper(error, released),
            None => WireError::Reset { released, source: None },
        }
    }
}

/// The first address that answers.
pub(super) async fn tcp(addresses: &[std::net::SocketAddr]) -> Result<TcpStream, WireError> {
    let mut failed = None;
    for address in addresses {
        match TcpStream::connect(address).await.and_then(|tcp| {
            tcp.set_nodelay(true)?;
            Ok(tcp)
        }) {
            Ok(tcp) => return Ok(tcp),
            Err(source) => failed = Some(WireError::Connect { address: *address, source }),
        }
    }
    // `resolve` gives at least one address.
    Err(failed.unwrap_or(WireError::Reset { released: false, source: None }))
}

pub(super) async fn timed<T>(
    deadline: Instant,
    phase: Phase,
    work: impl Future<Output = Result<T, WireError>>,
) -> Result<T, WireError> {
    match tokio::time::timeout_at(deadline.into(), work).await {
        Ok(result) => result,
        Err(_) => Err(WireError::Timeout { phase, released: false }),
    }
}
