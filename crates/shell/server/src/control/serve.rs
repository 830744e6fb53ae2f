//! The broker's side: who is let in, and for how long.

use std::future::Future;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use symbolon_broker::{Broker, CallError, Lanes};
use symbolon_secret::Secret;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::dispatch::Door;
use super::error::ControlError;
use super::op::Op;
use super::place::{Listener, check_peer};
use super::{answer::Reply, conn};

/// How much the socket takes at once, and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections without an MCP session.
    pub connections: usize,
    /// MCP sessions.
    pub sessions: usize,
    /// Between requests.
    pub idle: Duration,
    /// For a frame once begun.
    pub frame: Duration,
    /// For a reply to be read.
    pub reply: Duration,
    /// For calls that have begun when the broker is told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            sessions: 64,
            idle: Duration::from_secs(60),
            frame: Duration::from_secs(10),
            reply: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves the control socket until `stop` is cancelled, by its owner or by the `stop` operation;
/// then waits for calls that have begun, [`Limits::drain`] at most.
///
/// The connection that asked to stop stays open until the lanes end: close the broker before.
pub async fn serve(
    listener: Listener,
    broker: Arc<Broker>,
    limits: Limits,
    lanes: &Lanes,
    stop: CancellationToken,
) {
    // Callers that wait for a person must not hold up the end.
    let stopped = stop.clone();
    let ending = async {
        stopped.cancelled().await;
        broker.end_waiting();
    };
    let door = Door::new(broker.clone(), lanes.clone());
    tokio::join!(serve_with(listener, door, limits, lanes, stop), ending);
}

/// What stands behind the socket. The broker; in tests something smaller.
pub(super) trait Handle: Send + Sync + 'static {
    /// What is kept from one request of a connection to the next.
    type Memory: Default + Send;

    /// `gone` is cancelled when the client closes its connection meanwhile.
    fn handle(
        &self,
        memory: &mut Self::Memory,
        op: Op,
        secret: Option<Secret<[u8]>>,
        gone: &CancellationToken,
    ) -> impl Future<Output = Result<Answer, CallError>> + Send;

    /// Whether the broker ended of itself.
    fn is_over(&self) -> bool {
        false
    }

    fn mcp(
        &self,
        agent: String,
        read: OwnedFd,
        write: OwnedFd,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// What all connections share.
pub(super) struct Shared<H> {
    pub handle: H,
    pub limits: Limits,
    pub sessions: Arc<Semaphore>,
    pub stop: CancellationToken,
}

pub(super) async fn serve_with<H: Handle>(
    listener: Listener,
    handle: H,
    limits: Limits,
    lanes: &Lanes,
    stop: CancellationToken,
) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let sessions = Arc::new(Semaphore::new(limits.sessions));
    let shared = Arc::new(Shared { handle, limits, sessions, stop });
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            accepted = listener.inner.accept() => match accepted {
                Ok((stream, _)) => {
                    let Ok(permit) = connections.clone().try_acquire_owned() else {
                        let limit = limits.reply;
                        tasks.spawn(async move {
                            turn_away(stream, limit).await;
                            Ok(())
                        });
                        continue;
                    };
                    // Registered again by the lane that will wait for it.
                    if is_ours(&stream) && let Ok(stream) = stream.into_std() {
                        tasks.spawn(lanes.spawn({
                            let shared = shared.clone();
                            async move || match UnixStream::from_std(stream) {
                                Ok(stream) => conn::run(stream, shared, permit).await,
                                Err(error) => tracing::warn!(%error, "a connection was lost"),
                            }
                        }));
                    }
                }
                Err(error) => {
                    // Such as no descriptors left: others will end.
                    tracing::warn!(%error, "the control socket could not accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    listener.remove();
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!("calls were still running when the broker stopped");
    }
}

fn is_ours(stream: &UnixStream) -> bool {
    match stream.peer_cred() {
        Ok(peer) => match check_peer(peer.uid()) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "a stranger was turned away from the control socket");
                false
            }
        },
        Err(_) => false,
    }
}

async fn turn_away(mut stream: UnixStream, patience: Duration) {
    let busy = Reply::Error(ControlError::Busy("connections").into());
    let _ = conn::reply(&mut stream, &busy, None, patience).await;
}
