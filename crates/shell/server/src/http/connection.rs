//! One connection, and how many of them one agent may hold.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;
use symbolon_broker::CallError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::failure;

/// One connection: where it came from, and the place that its agent holds as long as it is open.
#[derive(Debug)]
pub struct Connection {
    peer: SocketAddr,
    place: Mutex<Option<(Arc<str>, OwnedSemaphorePermit)>>,
    channel: Option<[u8; 32]>,
}

impl From<SocketAddr> for Connection {
    fn from(peer: SocketAddr) -> Self {
        Self { peer, place: Mutex::new(None), channel: None }
    }
}

impl Connection {
    /// Where it came from.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The same with the exporter of its TLS connection (RFC 9266).
    pub(super) fn with_channel(self, channel: Option<[u8; 32]>) -> Self {
        Self { channel, ..self }
    }

    /// The exporter, where there is one.
    pub(super) fn channel(&self) -> Option<[u8; 32]> {
        self.channel
    }
}

/// Places for each agent's connections, so that no agent has all that the listener takes.
#[derive(Debug)]
pub(super) struct Places {
    each: usize,
    agents: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

impl Places {
    pub(super) fn new(each: usize) -> Self {
        Self { each, agents: Mutex::default() }
    }

    /// Gives the agent a place for this connection, which it keeps until the connection ends or speaks for
    /// another agent.
    ///
    /// # Errors
    /// `too_many_connections` where the agent has all that it may.
    pub(super) fn seat(&self, on: &Connection, agent: &Arc<str>) -> Result<(), CallError> {
        let mut place = on.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_some_and(|(seated, _)| seated == agent) {
            return Ok(());
        }
        *place = None;
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let places = agents.entry(agent.clone());
        let places = places.or_insert_with(|| Arc::new(Semaphore::new(self.each))).clone();
        drop(agents);
        let permit = places.try_acquire_owned().map_err(|_| self.full())?;
        *place = Some((agent.clone(), permit));
        Ok(())
    }

    fn full(&self) -> CallError {
        let says = format!("{} connections of this agent are open already.", self.each);
        let next = Some("Use a connection again, or close one.");
        let error = failure("too_many_connections", StatusCode::TOO_MANY_REQUESTS, says, next);
        CallError { retry_after_seconds: Some(1), ..error }
    }
}
