//! Bodies of requests: for whom one is read at all, how long, and how many bytes of them there may be at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::BoxError;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use symbolon_broker::CallError;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{failure::failure, options::Bounds};

/// The bytes of bodies that are being read or worked on: of one agent, of all.
#[derive(Debug)]
pub(super) struct Bodies {
    shared: Arc<Semaphore>,
    own: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
    own_bytes: usize,
    body_bytes_max: usize,
    within: Duration,
}

/// A body that was read, and the bytes that it holds of the budget.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub bytes: Bytes,
    /// Kept until the answer, since what is parsed of a body outlives its bytes.
    pub held: Option<Arc<Held>>,
}

/// Bytes of the budget.
#[derive(Debug)]
pub(super) struct Held {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

struct Charged {
    bytes: Vec<u8>,
    _held: Arc<Held>,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Bodies {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            shared: Arc::new(Semaphore::new(bounds.bodies_bytes_max)),
            own: Mutex::default(),
            // One agent cannot use up what there is for all.
            own_bytes: bounds.bodies_bytes_max / 4,
            body_bytes_max: bounds.body_bytes_max,
            within: bounds.body,
        }
    }

    /// Reads a body to its end, for an agent whose key was checked.
    ///
    /// # Errors
    /// 413, 408 or 400 for the body itself; 429 where this agent's bodies fill its share, 503 where
    /// everybody's fill it all.
    pub(super) async fn read<In>(&self, agent: &Arc<str>, body: In) -> Result<Whole, CallError>
    where
        In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        self.read_at_most(agent, body, self.body_bytes_max).await
    }

    /// As [`Bodies::read`], for a route with a bound of its own.
    pub(super) async fn read_at_most<In>(
        &self,
        agent: &Arc<str>,
        body: In,
        bytes_max: usize,
    ) -> Result<Whole, CallError>
    where
        In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        if body.is_end_stream() {
            return Ok(Whole::default());
        }
        if body.size_hint().lower() > bytes_max as u64 {
            return Err(too_large(bytes_max));
        }
        timeout(self.within, self.collect(agent, body, bytes_max)).await.unwrap_or_else(|_| {
            let says = "The body did not come in time.";
            Err(failure("slow_body", StatusCode::REQUEST_TIMEOUT, says, None))
        })
    }

    async fn collect<In>(
        &self,
        agent: &Arc<str>,
        body: In,
        bytes_max: usize,
    ) -> Result<Whole, CallError>
    where
        In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let own = self.of(agent);
        let mut body = std::pin::pin!(body);
        let mut bytes = Vec::new();
        let mut held: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> = None;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(failure(
                    "broken_body",
                    StatusCode::BAD_REQUEST,
                    "The body broke off.",
                    None,
                ));
            };
            // Trailers are read past.
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            // Paid for as it comes: what a head only announces costs nobody anything.
            let more = (take(&own, data.len()).ok_or_else(own_full)?, {
                take(&self.shared, data.len()).ok_or_else(all_full)?
            });
            match &mut held {
                Some((own, shared)) => {
                    own.merge(more.0);
                    shared.merge(more.1);
                }
                None => held = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(match held {
            None => Whole::default(),
            Some((own, shared)) => {
                let held = Arc::new(Held { _own: own, _shared: shared });
                let charged = Charged { bytes, _held: held.clone() };
                Whole { bytes: Bytes::from_owner(charged), held: Some(held) }
            }
        })
    }

    fn of(&self, agent: &Arc<str>) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(self.own_bytes));
        if own.len() >= NAMES_MAX {
            // Who has no body on its way has its whole share: nothing is lost with its entry.
            own.retain(|_, share| Arc::strong_count(share) > 1);
        }
        own.entry(agent.clone()).or_insert_with(new).clone()
    }
}

fn too_large(bytes_max: usize) -> CallError {
    failure(
        "too_large",
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body is larger than {bytes_max} bytes."),
        None,
    )
}

/// A body where none is taken.
pub(super) fn none_taken() -> CallError {
    let says = "This takes no body.";
    failure("too_large", StatusCode::PAYLOAD_TOO_LARGE, says, Some("GET /api/openapi.json"))
}

fn take(bytes: &Arc<Semaphore>, more: usize) -> Option<OwnedSemaphorePermit> {
    bytes.clone().try_acquire_many_owned(u32::try_from(more).ok()?).ok()
}

fn own_full() -> CallError {
    let says = "The bodies of this agent's requests fill its share of the memory for them.";
    let next = Some("Wait for answers before sending more.");
    let error = failure("too_many_bodies", StatusCode::TOO_MANY_REQUESTS, says, next);
    CallError { retry_after_seconds: Some(RETRY_SECONDS), ..error }
}

fn all_full() -> CallError {
    let says = "The bodies of running requests fill the memory for them.";
    let next = Some("Send it again in a moment.");
    let error = failure("busy", StatusCode::SERVICE_UNAVAILABLE, says, next);
    CallError { retry_after_seconds: Some(RETRY_SECONDS), ..error }
}

const RETRY_SECONDS: u64 = 1;
/// Agents and accounts that are remembered between two bodies.
const NAMES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn the_budget_is_held_until_the_answer_and_shared_by_all() {
        let bounds = Bounds { bodies_bytes_max: 400, ..Bounds::default() };
        let bodies = Bodies::new(&bounds);
        let read = async |agent: &str, bytes: usize| {
            bodies.read(&agent.into(), Full::new(Bytes::from(vec![b'x'; bytes]))).await
        };
        let mut held = Vec::new();
        for agent in ["a", "b", "c", "d"] {
            held.push(read(agent, 90).await.unwrap());
            let own = read(agent, 90).await.unwrap_err();
            assert_eq!((own.code.as_str(), own.http_status), ("too_many_bodies", 429));
        }
        let all = read("e", 90).await.unwrap_err();
        assert_eq!((all.code.as_str(), all.http_status), ("busy", 503));
        assert_eq!(all.retry_after_seconds, Some(1));
        assert!(read("e", 0).await.is_ok());
        let Whole { bytes, held: first } = held.pop().unwrap();
        drop(first);
        assert_eq!(read("e", 90).await.unwrap_err().code, "busy", "its bytes are still there");
        drop(bytes);
        assert_eq!(read("e", 90).await.unwrap().bytes.len(), 90);
    }
}
