//! A small HTTP/1.1 server: whole requests, whole answers, bounds on everything.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::rate::Rates;

/// What is asked.
#[derive(Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path, without its first `/`. Queries are passed over.
    pub path: String,
    /// The body, of [`Door::BODY_BYTES_MAX`] at most.
    pub body: Bytes,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its status.
    pub status: StatusCode,
    /// `Content-Type`.
    pub media_type: &'static str,
    /// `Cache-Control`.
    pub cache: &'static str,
    /// The body.
    pub body: Bytes,
}

impl Given {
    /// Plain text that is not kept.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        let body = Bytes::from(text.into());
        Self { status, media_type: TEXT, cache: "no-store", body }
    }
}

/// Answers requests. It may block: it is called on threads for that.
pub trait Door: Send + Sync + 'static {
    /// Longest body that is read.
    const BODY_BYTES_MAX: usize;

    /// Answers one request.
    fn answer(&self, asked: &Asked) -> Given;
}

/// What peers may cost.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Connections at once.
    pub connections_max: usize,
    /// Of them from one address.
    pub connections_each: usize,
    /// Requests a second from one address; ten times as many at once.
    pub requests_each: u32,
    /// For a request's head, and between requests.
    pub head: Duration,
    /// For a request's body.
    pub body: Duration,
    /// For a whole connection: it is taken again.
    pub connection: Duration,
    /// For requests on their way when the server stops.
    pub grace: Duration,
}

impl Bounds {
    /// With so many requests a second from one address.
    pub const fn new(requests_each: u32) -> Self {
        Self {
            connections_max: 512,
            connections_each: 32,
            requests_each,
            head: Duration::from_secs(15),
            body: Duration::from_secs(15),
            connection: Duration::from_secs(600),
            grace: Duration::from_secs(10),
        }
    }
}

/// A listener that is being served.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    done: JoinHandle<()>,
}

impl Serving {
    /// The bound address, with the real port where 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server has stopped and its connections have ended.
    pub async fn stopped(self) {
        let _ = self.done.await;
    }
}

/// Listens and serves until `stop` is cancelled; requests on their way are let end.
///
/// # Errors
/// What the system says of the address.
pub async fn serve<D: Door>(
    door: D,
    listen: SocketAddr,
    bounds: Bounds,
    stop: CancellationToken,
) -> io::Result<Serving> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let rates = Rates::new(bounds.requests_each, bounds.connections_each);
    let served = Arc::new(Served { door, rates, bounds });
    let done = tokio::spawn(run(listener, served, stop));
    Ok(Serving { address, done })
}

struct Served<D> {
    door: D,
    rates: Rates,
    bounds: Bounds,
}

async fn run<D: Door>(listener: TcpListener, served: Arc<Served<D>>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(served.bounds.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, taken) = tokio::select! {
            accepted = accepted => accepted,
            () = stop.cancelled() => break,
        };
        while connections.try_join_next().is_some() {}
        match taken {
            Ok((stream, peer)) => {
                let (served, stop) = (served.clone(), stop.clone());
                connections.spawn(async move {
                    let _place = place;
                    served.converse(stream, peer, stop).await;
                });
            }
            Err(cause) => {
                // Out of descriptors, most likely: a connection has to end first.
                tracing::warn!(%cause, "a connection could not be taken");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(served.bounds.grace, all).await;
}

impl<D: Door> Served<D> {
    async fn converse(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stop: CancellationToken,
    ) {
        let Some(_seat) = self.rates.seat(peer.ip()) else { return };
        // Answers are small and whole; a failure to say so costs only latency.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let served = self.clone();
            async move { Ok::<_, Infallible>(served.answer(peer, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.bounds.head)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // Errors are the peer's: it broke off or did not speak HTTP.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = sleep(self.bounds.connection) => {}
            () = stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(self.bounds.grace, connection).await;
    }

    async fn answer(
        self: Arc<Self>,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        if !self.rates.take(peer.ip()) {
            let mut many = whole(Given::text(StatusCode::TOO_MANY_REQUESTS, "too many requests\n"));
            many.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            return many;
        }
        let (parts, body) = request.into_parts();
        let read = Limited::new(body, D::BODY_BYTES_MAX).collect();
        let body = match timeout(self.bounds.body, read).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => {
                return last(Given::text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n"));
            }
            Err(_) => return last(Given::text(StatusCode::REQUEST_TIMEOUT, "too slow\n")),
        };
        let path = parts.uri.path().strip_prefix('/').unwrap_or_default().to_owned();
        let asked = Asked { method: parts.method, path, body };
        let answered = spawn_blocking(move || self.door.answer(&asked)).await;
        let failed = |_| Given::text(StatusCode::INTERNAL_SERVER_ERROR, "this server has a bug\n");
        whole(answered.unwrap_or_else(failed))
    }
}

/// An answer after which the rest of what the peer sends is not read.
fn last(given: Given) -> Response<Full<Bytes>> {
    let mut response = whole(given);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn whole(given: Given) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(given.body));
    *response.status_mut() = given.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(given.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(given.cache));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Everything here is public, and pages of others may check it.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Plain text.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
const HEAD_BYTES_MAX: usize = 16 * 1024;
