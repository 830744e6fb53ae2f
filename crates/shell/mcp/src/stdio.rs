//! MCP over a pair of streams.

use std::{os::fd::OwnedFd, sync::Arc};

use rmcp::service::{ServerInitializeError, serve_server};
use symbolon_broker::{Broker, CallError, Door};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    calls::Calls,
    descriptor::{Input, Output},
    handler::{Handler, Place},
    lines::Lines,
    room::Leaving,
    seat::Seat,
    slots::Limits,
};

/// Why a session over streams did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A descriptor cannot be read from or written to. The caller passed the wrong ones.
    #[error("the client's streams cannot be used")]
    Streams(#[source] std::io::Error),
    /// The broker opened no session for this agent.
    #[error("the broker opened no session")]
    Session(#[source] CallError),
    /// The client broke off or could not agree before its first request. Carries no message of its own, for
    /// a message could hold anything.
    #[error("the client did not begin a session")]
    NotBegun,
    /// A task of the session ended abnormally. A bug here.
    #[error("the session's task failed")]
    Task(#[source] tokio::task::JoinError),
}

/// Serves one agent on descriptors that another process passed us, until the client closes them.
///
/// Pipes and sockets are driven by the reactor; files and terminals by blocking threads.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve_io(
    broker: Arc<Broker>,
    agent: &str,
    read: OwnedFd,
    write: OwnedFd,
) -> Result<(), ServeError> {
    serve_descriptors(broker, agent, read, write).await
}

/// The same over any broker.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve_descriptors<C: Calls>(
    calls: C,
    agent: &str,
    read: OwnedFd,
    write: OwnedFd,
) -> Result<(), ServeError> {
    let read = Input::open(read).map_err(ServeError::Streams)?;
    let write = Output::open(write).map_err(ServeError::Streams)?;
    serve_streams(calls, agent, read, write).await
}

/// The same over any streams.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve_streams<C: Calls>(
    calls: C,
    agent: &str,
    read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), ServeError> {
    let seat = Seat::open(calls, agent.into(), Door::McpStdio, Limits::default())
        .map_err(ServeError::Session)?;
    serve_seat(seat, read, write).await
}

pub(crate) async fn serve_seat<C: Calls>(
    seat: Arc<Seat<C>>,
    read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), ServeError> {
    let leaving = Leaving::default();
    let handler = Arc::new(Handler::new(Place::Seated(seat, leaving.clone())));
    let running = match serve_server(handler, Lines::new(read, write, leaving)).await {
        Ok(running) => running,
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
            return Ok(());
        }
        Err(_) => return Err(ServeError::NotBegun),
    };
    running.waiting().await.map(drop).map_err(ServeError::Task)
}
