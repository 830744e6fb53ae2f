//! How many relays there are at once, and how many bytes of request bodies they hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use symbolon_capability::AgentName;

use crate::api::{CallError, Session};
use crate::wire::{Pace, ProgramBody};

/// What relaying may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayLimits {
    /// Relays at once: of one agent, of all.
    pub relays_max: (u32, u32),
    /// A request body that is bound to its token, and so held whole.
    pub body_bytes_max: u64,
    /// All of those at once: of one agent, of all.
    pub bodies_bytes_max: (u64, u64),
    /// A request body that is sent on as it comes.
    pub streamed_body_bytes_max: u64,
    /// From the first to the last byte of a body that is held whole.
    pub body: Duration,
    /// From the request to the answer's head.
    pub head: Duration,
    /// The longest silence of an answer's body, or of a tunnel.
    pub idle: Duration,
    /// All of it.
    pub total: Duration,
    /// An answer's body, as it comes over the wire and as it is handed on.
    pub response_bytes_max: u64,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self {
            relays_max: (256, 1024),
            body_bytes_max: 8 << 20,
            bodies_bytes_max: (32 << 20, 128 << 20),
            streamed_body_bytes_max: 16 << 30,
            body: Duration::from_secs(60),
            // A model that thinks says nothing for minutes.
            head: Duration::from_secs(600),
            idle: Duration::from_secs(600),
            total: Duration::from_secs(24 * 3600),
            response_bytes_max: 64 << 30,
        }
    }
}

impl RelayLimits {
    pub(super) fn pace(&self) -> Pace {
        Pace {
            head: self.head,
            idle: Some(self.idle),
            total: self.total,
            response_body_bytes_max: self.response_bytes_max,
        }
    }
}

/// The bounds, and what of them is in use.
pub(crate) struct Room {
    pub(crate) limits: RelayLimits,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    all: Share,
    own: HashMap<AgentName, Share>,
}

#[derive(Default, Clone, Copy)]
struct Share {
    relays: u32,
    bytes: u64,
}

/// One relay's part of the room, given back when it is over.
pub(crate) struct Seat {
    room: Arc<Room>,
    session: Arc<Session>,
    bytes: u64,
}

impl Room {
    pub(crate) fn new(limits: RelayLimits) -> Arc<Self> {
        Arc::new(Self { limits, used: Mutex::default() })
    }

    /// A place for one more relay of this session's agent.
    pub(super) fn sit(self: &Arc<Self>, session: &Arc<Session>) -> Result<Seat, CallError> {
        let (own_max, all_max) = self.limits.relays_max;
        let mut used = self.lock();
        if used.all.relays >= all_max {
            return Err(busy("too_many_relays", "all", 503));
        }
        match used.own.get_mut(session.agent()) {
            Some(own) if own.relays >= own_max => {
                return Err(busy("too_many_relays", "this agent", 429));
            }
            Some(own) => own.relays += 1,
            None => {
                used.own.insert(session.agent().clone(), Share { relays: 1, bytes: 0 });
            }
        }
        used.all.relays += 1;
        Ok(Seat { room: self.clone(), session: session.clone(), bytes: 0 })
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// All of a body, paid for as it comes.
    pub(super) async fn read(&mut self, body: ProgramBody) -> Result<Bytes, CallError> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        if body.size_hint().lower() > self.room.limits.body_bytes_max {
            return Err(too_large(self.room.limits.body_bytes_max));
        }
        let within = self.room.limits.body;
        tokio::time::timeout(within, self.collect(body)).await.unwrap_or_else(|_| {
            let message = "the request's body did not come in time";
            Err(CallError::caller("slow_body", message).status(408))
        })
    }

    async fn collect(&mut self, mut body: ProgramBody) -> Result<Bytes, CallError> {
        let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| {
                CallError::caller("broken_body", "the request's body broke off before its end")
            })?;
            // Trailers are read past.
            let Ok(data) = frame.into_data() else { continue };
            self.pay(data.len() as u64)?;
            if first.is_empty() && rest.is_empty() {
                first = data; // one piece is not copied
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&std::mem::take(&mut first));
                }
                rest.extend_from_slice(&data);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    }

    fn pay(&mut self, more: u64) -> Result<(), CallError> {
        let limits = &self.room.limits;
        if self.bytes + more > limits.body_bytes_max {
            return Err(too_large(limits.body_bytes_max));
        }
        let (own_max, all_max) = limits.bodies_bytes_max;
        let mut used = self.room.lock();
        let Some(own) = used.own.get_mut(self.session.agent()) else {
            return Err(CallError::bug("a relay without a share"));
        };
        if own.bytes + more > own_max {
            return Err(busy("too_many_bodies", "this agent", 429));
        }
        own.bytes += more;
        if used.all.bytes + more > all_max {
            // What was just added is taken back with the rest when the seat goes.
            self.bytes += more;
            used.all.bytes += more;
            return Err(busy("too_many_bodies", "all", 503));
        }
        used.all.bytes += more;
        self.bytes += more;
        Ok(())
    }

    /// The body is out: its bytes are free again, the seat is kept.
    pub(super) fn body_sent(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes > 0 {
            self.give_back(bytes, 0);
        }
    }

    fn give_back(&self, bytes: u64, relays: u32) {
        let mut used = self.room.lock();
        used.all.bytes -= bytes;
        used.all.relays -= relays;
        if let Some(own) = used.own.get_mut(self.session.agent()) {
            own.bytes -= bytes;
            own.relays -= relays;
            if own.relays == 0 {
                used.own.remove(self.session.agent());
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.give_back(self.bytes, 1);
    }
}

pub(super) fn too_large(max: u64) -> CallError {
    CallError::caller("too_large", format!("the request's body is longer than {max} bytes"))
        .status(413)
        .next("send it in parts, or let the catalogue's operation stream it (streams = true)")
}

fn busy(code: &str, whose: &str, status: u16) -> CallError {
    let message = format!("the requests under way of {whose} fill the room that there is for them");
    let error = CallError::caller(code, message).status(status).next("wait for answers first");
    CallError { retry_after_seconds: Some(1), ..error }
}
