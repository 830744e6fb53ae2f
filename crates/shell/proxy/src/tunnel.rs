//! What is inside of a `CONNECT`: our TLS, or bytes that are none of our business.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use symbolon_broker::Strict;
use symbolon_capability::url::Authority;
use symbolon_connector::ssrf::{Allow, check, check_host};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::front::{Place, last_if_open_ended};
use crate::proxy::Shared;
use crate::refusal::{Refusal, accepts_json};
use crate::request;
use crate::run::Run;

/// A place among all connections and one among the run's.
pub(crate) type Held = (Place, OwnedSemaphorePermit);

/// Ends the program's TLS here and serves what it asks, until either side ends or the run does.
pub(crate) async fn intercept(
    shared: Arc<Shared>,
    run: Arc<Run>,
    to: Authority,
    config: Arc<ServerConfig>,
    upgrade: OnUpgrade,
    held: Held,
) {
    let work = async {
        let Some(stream) = stream_of(upgrade).await else { return };
        match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
            Ok(Ok(stream)) => converse(&shared, &run, to, stream).await,
            // Most likely a program that does not trust the run's authority.
            Ok(Err(error)) => {
                tracing::info!(run = run.name, host = to.as_str(), %error, "no TLS");
            }
            Err(_) => tracing::info!(run = run.name, host = to.as_str(), "no TLS in time"),
        }
    };
    tokio::select! {
        () = work => {}
        () = run.ended.cancelled() => {}
        () = shared.stopped().cancelled_owned() => {}
    }
    drop(held);
}

async fn converse(
    shared: &Arc<Shared>,
    run: &Arc<Run>,
    to: Authority,
    stream: TlsStream<Prefixed>,
) {
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let to = Arc::new(to);
    let answer = |request: Request<Incoming>| {
        let (shared, run, to) = (shared.clone(), run.clone(), to.clone());
        async move {
            let is_json = accepts_json(request.headers());
            let answered = request::answer(&shared, &run, &to, request).await;
            answered.unwrap_or_else(|refusal| {
                let (host, code) = (to.as_str(), refusal.code());
                tracing::info!(run = run.name, host, code, "refused: {refusal}");
                refusal.into_response(is_json)
            })
        }
    };
    // Errors are the program's: it broke off or did not speak HTTP, and hyper has answered.
    if is_h2 {
        let service = service_fn(|request| {
            let answering = answer(request);
            async move { Ok::<_, Infallible>(answering.await) }
        });
        let _ = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_BYTES_MAX as u32)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(4 * WINDOW_BYTES)
            .max_send_buf_size(WINDOW_BYTES as usize)
            .keep_alive_interval(Some(HEAD))
            .serve_connection(TokioIo::new(stream), service)
            .await;
    } else {
        let stream = Strict::with_tunnels(stream);
        let watch = stream.watch();
        let service = service_fn(move |request| {
            let (answering, watch) = (answer(request), watch.clone());
            async move { Ok::<_, Infallible>(last_if_open_ended(&watch, answering.await)) }
        });
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await;
    }
}

/// Connects to a host that passes through: resolved once, every address checked, the checked one
/// used.
///
/// # Errors
/// [`Refusal`]: an address that the rule does not open, or nobody there.
pub(crate) async fn dial(to: &Authority, allow: Allow) -> Result<TcpStream, Refusal> {
    let blocked = |e: &dyn std::fmt::Display| Refusal::blocked(to, e);
    check_host(to.host(), allow).map_err(|e| blocked(&e))?;
    let addresses: Vec<SocketAddr> = match to.host().ip() {
        Some(ip) => vec![SocketAddr::new(ip, to.port())],
        None => {
            let found = timeout(DIAL, tokio::net::lookup_host((to.host().as_str(), to.port())));
            let found = found.await.map_err(|e| Refusal::unreachable(to, &e))?;
            found.map_err(|e| Refusal::unreachable(to, &e))?.collect()
        }
    };
    for address in &addresses {
        check(address.ip(), allow).map_err(|e| blocked(&e))?;
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        match timeout(DIAL, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(Refusal::unreachable(to, &last))
}

/// Copies both ways until both sides are done or the run is.
pub(crate) async fn pass(run: Arc<Run>, mut upstream: TcpStream, upgrade: OnUpgrade, held: Held) {
    let work = async {
        let Some(mut stream) = stream_of(upgrade).await else { return };
        // A side that breaks off ends both; there is nobody to tell.
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
    };
    tokio::select! {
        () = work => {}
        () = run.ended.cancelled() => {}
    }
    drop(held);
}

/// The socket itself, with what was read ahead of it.
async fn stream_of(upgrade: OnUpgrade) -> Option<Prefixed> {
    let upgraded = upgrade.await.ok()?;
    let parts = upgraded.downcast::<TokioIo<Strict<TcpStream>>>().ok()?;
    Some(Prefixed { ahead: parts.read_buf, stream: parts.io.into_inner().into_inner() })
}

/// A socket, and bytes of it that were read before.
pub(crate) struct Prefixed {
    ahead: Bytes,
    stream: TcpStream,
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let n = self.ahead.len().min(buf.remaining());
        buf.put_slice(&self.ahead[..n]);
        self.ahead.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

const HANDSHAKE: Duration = Duration::from_secs(10);
const DIAL: Duration = Duration::from_secs(10);
/// From the answer before to the end of a head; between pings of HTTP/2.
const HEAD: Duration = Duration::from_secs(60);
const HEAD_BYTES_MAX: usize = 64 * 1024;
const STREAMS_MAX: u32 = 128;
const WINDOW_BYTES: u32 = 1 << 20;
const ADDRESSES_MAX: usize = 8;
