//! The listener, and what its connections share.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use symbolon_broker::{Broker, CallError, Lanes, Route};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::front;
use crate::leaves::Leaves;
use crate::open::clear_left_over;
use crate::run::Runs;

/// The proxy of one broker. It listens from the first run on, on loopback, and until it is dropped.
#[derive(Clone)]
pub struct Proxy {
    pub(crate) shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

/// What connections share.
pub(crate) struct Shared {
    pub(crate) broker: Arc<Broker>,
    lanes: Lanes,
    pub(crate) runs: Runs,
    pub(crate) leaves: Leaves,
    /// Connections in force, and the generation that they were read at.
    routes: RwLock<(u64, Option<Arc<[Route]>>)>,
    generation: watch::Receiver<u64>,
    address: OnceCell<SocketAddr>,
    stop: CancellationToken,
}

impl Proxy {
    /// A proxy that does nothing yet; its connections will live on these lanes.
    pub fn new(broker: Arc<Broker>, lanes: Lanes) -> Self {
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            routes: RwLock::default(),
            generation: broker.generation(),
            broker,
            lanes,
            runs: Runs::default(),
            leaves: Leaves::default(),
            address: OnceCell::new(),
            stop: stop.clone(),
        });
        Self { shared, _stop: Arc::new(stop.drop_guard()) }
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("address", &self.shared.address.get()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Connections in force.
    ///
    /// # Errors
    /// [`CallError`] while locked.
    pub(crate) fn routes(&self) -> Result<Arc<[Route]>, CallError> {
        // Read before the routes: a change in between makes them stale, never the reverse.
        let now = *self.generation.borrow();
        {
            let held = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            if let (at, Some(routes)) = &*held
                && *at == now
            {
                return Ok(routes.clone());
            }
        }
        let routes: Arc<[Route]> = self.broker.routes()?.into();
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = (now, Some(routes.clone()));
        Ok(routes)
    }

    /// Cancelled when the proxy is no longer wanted.
    pub(crate) fn stopped(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Where it listens; listens now where it did not.
    pub(crate) async fn listen(self: &Arc<Self>) -> Result<SocketAddr, CallError> {
        let bound = self.address.get_or_try_init(|| async {
            clear_left_over(&self.broker.home().run());
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            tokio::spawn(accept(self.clone(), listener));
            tracing::info!(%address, "the proxy listens");
            Ok::<_, std::io::Error>(address)
        });
        let failed = |e: std::io::Error| {
            CallError::environment("proxy_listen", format!("the proxy cannot listen: {e}"))
        };
        bound.await.copied().map_err(failed)
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let stop = shared.stop.clone();
    loop {
        let taken = async {
            // A connection is taken only when there is a place for it; others wait in the queue.
            let place = places.clone().acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let (accepted, place) = tokio::select! {
            () = stop.cancelled() => return,
            Some(taken) = taken => taken,
        };
        match accepted {
            Ok((stream, _)) => {
                while connections.try_join_next().is_some() {}
                // Registered again by the lane that will wait for it.
                let Ok(stream) = stream.into_std() else { continue };
                let served = shared.clone();
                connections.spawn(shared.lanes.spawn(async move || {
                    match TcpStream::from_std(stream) {
                        Ok(stream) => front::serve(served, stream, place).await,
                        Err(error) => tracing::warn!(%error, "a connection was lost"),
                    }
                }));
            }
            Err(error) => {
                // Out of descriptors, most likely: a connection has to end first.
                tracing::warn!(%error, "the proxy could not take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

const CONNECTIONS_MAX: usize = 2048;
