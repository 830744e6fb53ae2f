//! Answers on their way to a client: how many bytes of them may wait to be read.
//!
//! An answer costs its values, its text and its bytes on the wire, and a client may ask for many and read none.
//! So a call gives back its session's turn only when its answer has left, and a large answer needs room, of
//! its caller and of the process. A call whose answer finds none has been made: its caller gets the receipt.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use rmcp::model::RequestId;
use serde_json::Value;
use symbolon_broker::{CallError, CallReply, Fault};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::slots::Slot;

/// Room for one caller's answers, within the process's.
#[derive(Debug)]
pub struct Room {
    own: Arc<Semaphore>,
    shared: Arc<Semaphore>,
    own_units: u32,
    wait: Duration,
}

impl Room {
    /// Room for so many bytes; an answer that finds it full waits so long.
    pub fn new(bytes: usize, wait: Duration) -> Self {
        let own_units = units(bytes.min(PROCESS_BYTES_MAX));
        let own = Arc::new(Semaphore::new(own_units as usize));
        Self { own, shared: PROCESS.clone(), own_units, wait }
    }

    /// Room for an answer whose call has ended. Small ones need none.
    ///
    /// # Errors
    /// `answer_dropped` where no room came in time.
    pub async fn take(&self, answered: Answered, slot: Slot) -> Result<Held, CallError> {
        let bytes = answered.bytes;
        if bytes <= SMALL_BYTES {
            return Ok(Held { _turn: slot.ended(), _room: None });
        }
        // An answer that is larger than all the room there is has it to itself.
        let units = units(bytes).min(self.own_units);
        let room = async {
            let own = self.own.clone().acquire_many_owned(units).await.ok()?;
            let shared = self.shared.clone().acquire_many_owned(units).await.ok()?;
            Some((own, shared))
        };
        match timeout(self.wait, room).await {
            Ok(Some(room)) => Ok(Held { _turn: slot.ended(), _room: Some(room) }),
            _ => Err(dropped(answered)),
        }
    }
}

/// What is to be known of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// The upstream's status.
    pub status: u16,
    /// The receipt's number.
    pub receipt: u64,
    /// What it costs in memory.
    pub bytes: usize,
}

impl From<&CallReply> for Answered {
    fn from(reply: &CallReply) -> Self {
        Self { status: reply.status, receipt: reply.receipt, bytes: weight(&reply.body) }
    }
}

/// What an answer holds until it has left: its session's turn, and its room.
#[derive(Debug)]
pub struct Held {
    _turn: OwnedSemaphorePermit,
    _room: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Held {
    /// Ties it to the answer's bytes: it is given back when they are freed.
    pub fn until_freed(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Carried { bytes, _held: self })
    }
}

struct Carried {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Carried {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What answers hold between the handler, which has no bytes yet, and the transport, which has no answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaving(Arc<Mutex<HashMap<RequestId, (CancellationToken, Held)>>>);

impl Leaving {
    /// Called by the handler before it answers.
    pub(crate) fn put(&self, id: RequestId, cancelled: CancellationToken, held: Held) {
        let mut leaving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Answers of requests that were cancelled meanwhile never come to the transport.
        leaving.retain(|_, (cancelled, _)| !cancelled.is_cancelled());
        leaving.insert(id, (cancelled, held));
    }

    /// What the answer to this request holds.
    pub(crate) fn take(&self, id: &RequestId) -> Option<Held> {
        let mut leaving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leaving.remove(id).map(|(_, held)| held)
    }

    /// The same where there is but one request.
    pub(crate) fn take_any(&self) -> Option<Held> {
        let mut leaving = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = leaving.keys().next()?.clone();
        leaving.remove(&id).map(|(_, held)| held)
    }
}

/// About what a value costs: itself, and once more as text.
fn weight(value: &Value) -> usize {
    let own = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => 2 * text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| 2 * name.len() + VALUE_BYTES + weight(value)).sum()
        }
    };
    own + VALUE_BYTES
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}

fn dropped(reply: Answered) -> CallError {
    let says = "but its answer is dropped: too many large answers wait to be read.";
    CallError {
        code: "answer_dropped".into(),
        message: format!("The call was made, the upstream answered {}, {says}", reply.status),
        next: Some(format!("symbolon receipts show {}", reply.receipt)),
        fault: Fault::Environment,
        http_status: 503,
        receipt: Some(reply.receipt),
        retry_after_seconds: Some(RETRY_SECONDS),
    }
}

/// Answers of the whole process that wait to be read.
const PROCESS_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Room is counted in these.
const UNIT_BYTES: usize = 1024;
/// Answers that weigh no more are bounded by their sessions' turns alone.
const SMALL_BYTES: usize = 32 * 1024;
/// A value in memory, or its punctuation on the wire.
const VALUE_BYTES: usize = 48;
const RETRY_SECONDS: u64 = 5;

static PROCESS: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(units(PROCESS_BYTES_MAX) as usize)));

#[cfg(test)]
mod tests {
    use serde_json::json;
    use symbolon_broker::BodyEncoding;

    use super::*;
    use crate::slots::{Limits, Slots};

    fn reply(body: Value) -> CallReply {
        let encoding = BodyEncoding::Json;
        let headers = Vec::new();
        CallReply {
            status: 201,
            headers,
            body,
            encoding,
            redactions: 0,
            receipt: 4,
            duration_ms: 0,
        }
    }

    #[tokio::test]
    async fn a_large_answer_waits_for_room_and_then_is_dropped_with_its_receipt() {
        let room = Room::new(256 * 1024, Duration::from_millis(50));
        let slots = Slots::new(Limits::default());
        let take = async |bytes: usize| {
            let reply = reply(json!("x".repeat(bytes)));
            room.take(Answered::from(&reply), slots.enter().await.unwrap()).await
        };
        let first = take(100 * 1024).await.unwrap();
        let full = take(100 * 1024).await.unwrap_err();
        assert_eq!((full.code.as_str(), full.receipt), ("answer_dropped", Some(4)));
        assert!(full.message.contains("answered 201"), "{full:?}");
        let small = take(1024).await.unwrap();
        let bytes = first.until_freed(Bytes::from_static(b"abc"));
        let kept = bytes.slice(1..);
        drop(bytes);
        assert!(take(100 * 1024).await.is_err(), "some of its bytes are still there");
        drop((kept, small));
        assert!(take(100 * 1024).await.is_ok());
        assert!(take(10 * 1024 * 1024).await.is_ok(), "larger than the room: it has it to itself");
    }

    #[test]
    fn many_small_values_weigh_more_than_their_text() {
        let values = Value::Array(vec![json!(1); 100_000]);
        assert!(weight(&values) > 3_000_000);
        assert!(weight(&json!({ "aaaa": "bbbb" })) > 100);
    }
}
