//! One HTTP connection, driven by the task that waits on it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until};
use tokio_rustls::TlsConnector;

use super::client::Limits;
use super::error::{Phase, WireError};
use super::link::{Plain, Wire};
use super::outgoing::OutBody;
use super::resolve::{Resolver, resolve};
use super::stream::{Desk, SubstitutingStream};
use super::target::Upstream;

type Http = Connection<TokioIo<SubstitutingStream<Wire>>, OutBody>;

/// A connection with all that belongs to it. Nothing polls it but its user: no hop between tasks,
/// and no reading ahead.
pub(super) struct Pooled {
    pub(super) send: SendRequest<OutBody>,
    pub(super) desk: Arc<Desk>,
    http: Pin<Box<Http>>,
    /// One timer for the connection's life: moving it is cheaper than a new one for each call.
    timer: Pin<Box<Sleep>>,
    is_closed: bool,
    /// How it ended, where that was an error.
    failure: Option<hyper::Error>,
}

impl Pooled {
    /// Resolves, connects and shakes hands within the limits and before `deadline`.
    pub(super) async fn connect(
        upstream: &Upstream,
        resolver: &dyn Resolver,
        limits: &Limits,
        deadline: Instant,
    ) -> Result<Self, WireError> {
        let deadline = deadline.min(Instant::now() + limits.connect);
        let addresses =
            timed(deadline, Phase::Resolve, resolve(resolver, &upstream.authority, upstream.allow))
                .await?;
        let tcp = timed(deadline, Phase::Connect, tcp(&addresses)).await?;
        let wire = if upstream.is_tls() {
            let config = upstream.roots().map_err(WireError::Roots)?.config();
            let name = upstream.server_name.clone();
            let shaken = timed(deadline, Phase::Tls, async {
                TlsConnector::from(config).connect(name, tcp).await.map_err(|source| {
                    let host = upstream.authority.host().as_str().to_owned();
                    WireError::Tls { host, source }
                })
            });
            Wire::Tls(Box::new(shaken.await?))
        } else {
            Wire::Plain(Plain(tcp))
        };
        let desk = Arc::new(Desk::default());
        let stream = SubstitutingStream::new(wire, upstream.authority.clone(), desk.clone());
        let (send, http) = Builder::new()
            .max_header_size(limits.response_head_bytes_max)
            .max_buf_size(limits.response_head_bytes_max.max(64 * 1024))
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| WireError::from_hyper(error, false))?;
        Ok(Pooled {
            send,
            desk,
            http: Box::pin(http),
            timer: Box::pin(sleep_until(deadline.into())),
            is_closed: false,
            failure: None,
        })
    }

    /// Lets the connection do what it can. Whether it is at its end.
    #[inline]
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.is_closed
            && let Poll::Ready(end) = self.http.as_mut().poll(cx)
        {
            self.is_closed = true;
            self.failure = end.err();
        }
        self.is_closed
    }

    /// Whether it came to its end without an error.
    pub(super) fn is_over_well(&self) -> bool {
        self.is_closed && self.failure.is_none()
    }

    /// The bare connection, once the protocol has changed, and what came on it already.
    pub(super) fn into_wire(self) -> (Wire, Bytes) {
        let parts = Pin::into_inner(self.http).into_parts();
        (parts.io.into_inner().into_link(), parts.read_buf)
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

    /// The error to give for a request that got `error`: the connection's own end says more.
    pub(super) fn explain(&mut self, error: Option<hyper::Error>) -> WireError {
        let released = self.desk.released();
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
