//! Connections: taking them, bounding them, letting them end.

use std::{net::SocketAddr, sync::Arc};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use symbolon_broker::{Lanes, Strict};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    backend::Backend,
    connection::Connection,
    front::Front,
    options::{Bounds, ServeError, ServeOptions},
    patient::Patient,
    tls,
};

/// A listener that is being served.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    tls: bool,
    done: JoinHandle<()>,
}

impl Serving {
    /// The bound address, with the real port where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as people type it.
    pub fn url(&self) -> String {
        url(self.address, self.tls)
    }

    /// Waits until the server has stopped and its connections have ended.
    pub async fn stopped(self) {
        let _ = self.done.await;
    }
}

/// An address that is taken, at which nobody is answered yet: who connects waits.
pub struct Bound<B: Backend> {
    address: SocketAddr,
    loop_: Loop<B>,
}

impl<B: Backend> std::fmt::Debug for Bound<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound").field("address", &self.address).finish_non_exhaustive()
    }
}

impl<B: Backend> Bound<B> {
    /// The address as people type it.
    pub fn url(&self) -> String {
        url(self.address, self.loop_.acceptor.is_some())
    }

    /// Serves in a task until `shutdown` ends; then takes no more connections and lets requests end.
    pub fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Serving {
        let Self { address, loop_ } = self;
        let tls = loop_.acceptor.is_some();
        Serving { address, tls, done: tokio::spawn(loop_.run(shutdown)) }
    }
}

fn url(address: SocketAddr, tls: bool) -> String {
    format!("{}://{address}", if tls { "https" } else { "http" })
}

/// Takes the address. Connections are taken once it serves; until then the system keeps them waiting.
///
/// # Errors
/// See [`ServeError`]; a listener off loopback without TLS is refused before anything is bound.
pub async fn bind<B: Backend>(backend: B, options: ServeOptions) -> Result<Bound<B>, ServeError> {
    let listen = options.listen;
    if !listen.ip().is_loopback() && options.tls.is_none() {
        return Err(ServeError::NeedsTls { listen });
    }
    #[cfg(feature = "conformance")]
    if options.conformance && !listen.ip().is_loopback() {
        return Err(ServeError::NeedsLoopback { listen });
    }
    let acceptor = options.tls.as_ref().map(tls::config).transpose()?;
    let failed = |cause| ServeError::Listen { listen, cause };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let stop = CancellationToken::new();
    let front = Arc::new(Front::new(backend, address, &options, stop.clone()));
    let (bounds, lanes) = (options.bounds, options.lanes.unwrap_or_else(Lanes::here));
    Ok(Bound { address, loop_: Loop { listener, front, acceptor, bounds, lanes, stop } })
}

/// [`bind`] and [`Bound::serve`] in one.
///
/// # Errors
/// Those of [`bind`].
pub async fn serve<B: Backend>(
    backend: B,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Serving, ServeError> {
    Ok(bind(backend, options).await?.serve(shutdown))
}

struct Loop<B: Backend> {
    listener: TcpListener,
    front: Arc<Front<B>>,
    acceptor: Option<Arc<ServerConfig>>,
    bounds: Bounds,
    lanes: Lanes,
    stop: CancellationToken,
}

impl<B: Backend> Loop<B> {
    async fn run(self, shutdown: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(self.bounds.connections_max));
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let taken = tokio::select! {
                taken = self.take(&places) => taken,
                () = shutdown.as_mut() => break,
            };
            while connections.try_join_next().is_some() {}
            if let Some((stream, peer, place)) = taken {
                // Registered again by the lane that will wait for it.
                if let Ok(stream) = stream.into_std() {
                    connections.spawn(self.connection(stream, peer, place));
                }
            }
        }
        drop(self.listener);
        self.stop.cancel();
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(self.bounds.grace, all).await.is_err() {
            tracing::warn!("connections were cut off after their grace");
        }
    }

    /// A connection is taken only when there is a place for it; the others wait in the system's queue.
    async fn take(
        &self,
        places: &Arc<Semaphore>,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = places.clone().acquire_owned().await.ok()?;
        match self.listener.accept().await {
            Ok((stream, peer)) => Some((stream, peer, place)),
            Err(cause) => {
                // Out of descriptors, most likely: a connection has to end first.
                tracing::warn!(%cause, "a connection could not be taken");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                None
            }
        }
    }

    fn connection(
        &self,
        stream: std::net::TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> impl Future<Output = ()> + Send + 'static {
        let acceptor = self.acceptor.clone().map(TlsAcceptor::from);
        let (front, bounds, stop) = (self.front.clone(), self.bounds.clone(), self.stop.clone());
        let talk = async move || {
            let _place = place;
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            // Answers are small and whole; a failure to say so costs only latency.
            let _ = stream.set_nodelay(true);
            match acceptor {
                None => converse(stream, peer.into(), front, &bounds, stop).await,
                Some(acceptor) => {
                    if let Ok(Ok(stream)) = timeout(bounds.head, acceptor.accept(stream)).await {
                        let channel = tls::channel(stream.get_ref().1);
                        let on = Connection::from(peer).with_channel(channel);
                        converse(stream, on, front, &bounds, stop).await;
                    }
                }
            }
        };
        let talking = self.lanes.spawn(talk);
        async move {
            // One that panicked has ended as well.
            let _ = talking.await;
        }
    }
}

async fn converse<B: Backend>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    on: Connection,
    front: Arc<Front<B>>,
    bounds: &Bounds,
    stop: CancellationToken,
) {
    let on = Arc::new(on);
    let service = service_fn(move |request| {
        let (front, on) = (front.clone(), on.clone());
        async move { Ok::<_, std::convert::Infallible>(front.answer(&on, request).await) }
    });
    let stream = Strict::requests(Patient::new(stream, bounds.unread));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // Errors are the peer's: it broke off or did not speak HTTP. hyper has answered what can be answered.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// What is buffered of a connection, and with it a request's head, which may be read past it once.
const HEAD_BYTES_MAX: usize = 64 * 1024;
