//! One caller's place at a door: session, turns, and the list of tools as last shown.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use symbolon_broker::{
    Asking, CallError, CallReply, CallRequest, Called, Context, Delegated, Door, Fault,
    NewDelegation, PendingCall, TokenReply,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    calls::Calls,
    finish::Finish,
    listing::Listing,
    room::{Answered, Held, Room},
    slots::{Limits, Slot, Slots},
};

/// What came of a turn.
#[derive(Debug)]
pub enum Turn {
    /// The reply, and what it holds until it has left.
    Done(CallReply, Held),
    /// A person is asked first; the turn was given back.
    Asked(Box<PendingCall>),
}

/// One caller's place at a door.
#[derive(Debug)]
pub struct Seat<C: Calls> {
    calls: C,
    agent: Arc<str>,
    session: Arc<C::Session>,
    slots: Arc<Slots>,
    room: Arc<Room>,
    listing: Mutex<Option<Arc<Listing>>>,
    listening: Arc<Semaphore>,
}

impl<C: Calls> Seat<C> {
    /// Opens a session for `agent` and seats it.
    ///
    /// # Errors
    /// The broker's, where it opens no session for this agent.
    pub fn open(
        calls: C,
        agent: Arc<str>,
        door: Door,
        limits: Limits,
    ) -> Result<Arc<Self>, CallError> {
        let room = Arc::new(Room::new(limits.answers_bytes_max, limits.answers_wait));
        Self::open_in(room, calls, agent, door, limits)
    }

    /// The same, its answers sharing a room with those of other seats.
    fn open_in(
        room: Arc<Room>,
        calls: C,
        agent: Arc<str>,
        door: Door,
        limits: Limits,
    ) -> Result<Arc<Self>, CallError> {
        let session = calls.open_session(&agent, door)?;
        let slots = Arc::new(Slots::new(limits));
        let listening = Arc::new(Semaphore::new(LISTENING_MAX));
        let listing = Mutex::new(None);
        Ok(Arc::new(Self { calls, agent, session, slots, room, listing, listening }))
    }

    /// Who sits here.
    pub fn agent(&self) -> &Arc<str> {
        &self.agent
    }

    /// The broker behind the door.
    pub fn calls(&self) -> &C {
        &self.calls
    }

    /// The session that tokens are bound to.
    pub fn session(&self) -> &Arc<C::Session> {
        &self.session
    }

    /// Turns of this seat, for doors with calls of their own.
    pub fn slots(&self) -> &Arc<Slots> {
        &self.slots
    }

    /// Room for large answers of this seat, for doors with calls of their own.
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Waits for a turn, then hands on a part of what was granted. It goes on after its caller has
    /// gone: what was made stands.
    ///
    /// # Errors
    /// The broker's, or `too_many_waiting`.
    pub async fn delegate(&self, new: NewDelegation) -> Result<Delegated, CallError> {
        let slot = self.slots.enter().await?;
        let made = self.calls.delegate(&self.session, new);
        Finish::new(async move {
            let _slot = slot;
            made.await
        })
        .await
    }

    /// Waits for a turn, then calls; where a person is asked, waits for them without a turn. A call
    /// that began goes on after its caller has gone; one that waits for a person does not. What comes
    /// with the reply is to be kept until the answer has left.
    ///
    /// # Errors
    /// The broker's, `too_many_waiting`, or `answer_dropped`.
    pub async fn call(
        &self,
        context: Context,
        request: CallRequest,
    ) -> Result<(CallReply, Held), CallError> {
        let stays = Asking { stays: true, ..Asking::default() };
        match self.call_asking(context.clone(), request, stays).await? {
            Turn::Done(reply, held) => Ok((reply, held)),
            Turn::Asked(pending) => self.wait(context, *pending).await,
        }
    }

    /// Waits for a turn, then calls; where a person is asked, gives the question instead.
    ///
    /// # Errors
    /// As of [`Seat::call`].
    pub async fn call_asking(
        &self,
        context: Context,
        request: CallRequest,
        asking: Asking,
    ) -> Result<Turn, CallError> {
        let slot = self.slots.enter().await?;
        self.finish(slot, self.calls.call_asking(&self.session, context, request, asking)).await
    }

    /// Waits on the line for the person's answer, then calls.
    async fn wait(
        &self,
        context: Context,
        pending: PendingCall,
    ) -> Result<(CallReply, Held), CallError> {
        self.calls.until_answered(pending.number, None).await;
        let again = Asking { state: Some(pending.state), stays: true, client: None };
        match self.call_asking(context, pending.request, again).await? {
            Turn::Done(reply, held) => Ok((reply, held)),
            Turn::Asked(pending) => Err(pending.to_error()),
        }
    }

    /// A token for one exact request.
    ///
    /// # Errors
    /// The broker's.
    pub fn request(
        &self,
        context: &Context,
        request: CallRequest,
    ) -> Result<TokenReply, CallError> {
        self.calls.request(&self.session, context, request)
    }

    /// Waits for a turn, then redeems.
    ///
    /// # Errors
    /// As of [`Seat::call`].
    pub async fn redeem(
        &self,
        context: Context,
        token: String,
    ) -> Result<(CallReply, Held), CallError> {
        let stays = Asking { stays: true, ..Asking::default() };
        let slot = self.slots.enter().await?;
        let redeem = self.calls.redeem_asking(&self.session, context.clone(), token, stays);
        match self.finish(slot, redeem).await? {
            Turn::Done(reply, held) => Ok((reply, held)),
            Turn::Asked(pending) => self.wait(context, *pending).await,
        }
    }

    async fn finish(
        &self,
        slot: Slot,
        call: impl Future<Output = Result<Called<CallReply>, CallError>> + Send + 'static,
    ) -> Result<Turn, CallError> {
        let room = self.room.clone();
        Finish::new(async move {
            match call.await? {
                Called::Done(reply) => {
                    let held = room.take(Answered::from(&reply), slot).await?;
                    Ok(Turn::Done(reply, held))
                }
                Called::Asked(pending) => Ok(Turn::Asked(pending)),
            }
        })
        .await
    }

    /// A place for one stream of notifications, given back on drop.
    ///
    /// # Errors
    /// `too_many_streams` where the seat has all that it may.
    pub fn listen(&self) -> Result<OwnedSemaphorePermit, CallError> {
        self.listening.clone().try_acquire_owned().map_err(|_| CallError {
            code: "too_many_streams".into(),
            message: format!("{LISTENING_MAX} subscriptions are open already."),
            next: Some("Close one of them.".into()),
            fault: Fault::Caller,
            http_status: 429,
            receipt: None,
            retry_after_seconds: None,
        })
    }

    /// The tools as a client sees them, rendered anew only where the grants have changed.
    pub fn listing(&self) -> Arc<Listing> {
        let granted = self.calls.granted_tools(&self.session);
        let delegates = self.calls.can_delegate(&self.session);
        let mut last = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some(listing) if listing.is_of(&granted, delegates) => listing.clone(),
            _ => {
                let listing = Arc::new(Listing::of(&granted, delegates));
                *last = Some(listing.clone());
                listing
            }
        }
    }
}

/// Streams of notifications that one seat may hold open.
const LISTENING_MAX: usize = 16;

/// Seats of a door that keeps no session of its own: one for each agent.
#[derive(Debug)]
pub struct Seats<C: Calls> {
    calls: C,
    door: Door,
    limits: Limits,
    seats: RwLock<HashMap<Arc<str>, Arc<Seat<C>>>>,
    rooms: Mutex<HashMap<Arc<str>, Arc<Room>>>,
}

impl<C: Calls> Seats<C> {
    /// Seats at one door.
    pub fn new(calls: C, door: Door, limits: Limits) -> Self {
        Self { calls, door, limits, seats: RwLock::default(), rooms: Mutex::default() }
    }

    /// The broker behind the door.
    pub fn calls(&self) -> &C {
        &self.calls
    }

    /// The agent's seat, opened at its first call.
    ///
    /// # Errors
    /// The broker's, where it opens no session for this agent.
    pub fn of(&self, agent: &Arc<str>) -> Result<Arc<Seat<C>>, CallError> {
        if let Some(seat) = self.seats.read().unwrap_or_else(PoisonError::into_inner).get(agent) {
            return Ok(seat.clone());
        }
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(agent) {
            return Ok(seat.clone());
        }
        let seat = self.open(agent)?;
        seats.insert(agent.clone(), seat.clone());
        Ok(seat)
    }

    /// A seat of its own for a session of this agent. All of its seats here share their answers' room.
    ///
    /// # Errors
    /// The broker's, where it opens no session for this agent.
    pub fn open(&self, agent: &Arc<str>) -> Result<Arc<Seat<C>>, CallError> {
        let limits = self.limits;
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let room = rooms
            .entry(agent.clone())
            .or_insert_with(|| Arc::new(Room::new(limits.answers_bytes_max, limits.answers_wait)));
        let room = room.clone();
        drop(rooms);
        Seat::open_in(room, self.calls.clone(), agent.clone(), self.door, limits)
    }
}
