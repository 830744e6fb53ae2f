//! The loop that reads and writes sockets. It judges nothing: what it hears is handed on, and where nobody takes it, it
//! is ignored and counted. So it waits for nobody, and no connection waits for a verification.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageId, PublishError};
use libp2p::request_response::{self, Message, OutboundRequestId, ResponseChannel};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use crate::behaviour::{Net, NetEvent};
use crate::gate::Dials;
use crate::gossip::MESSAGE_BYTES_MAX;
use crate::heard::{Heard, Order, Verdict};
use crate::peer::Peer;
use crate::redial::Redial;

/// What the loop is told.
#[derive(Debug)]
pub(crate) enum Command {
    Order(Order),
    State(oneshot::Sender<WireState>),
}

/// A peer, as the wire sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Which.
    pub peer: Peer,
    /// Gossip's points; below -100 nothing that it sends is looked at.
    pub points: f64,
    /// Whether messages are sent on to it as they come.
    pub is_in_mesh: bool,
}

/// How it stands with the wire.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WireState {
    /// Where it listens.
    pub listening: Vec<Multiaddr>,
    /// Peers that are there.
    pub links: Vec<Link>,
    /// Peers that are cut off.
    pub cut: Vec<Peer>,
    /// Messages that were right, wrong, and neither.
    pub accepted: u64,
    /// Wrong: their senders are at fault.
    pub rejected: u64,
    /// Neither: known already, or not for this node.
    pub ignored: u64,
    /// Messages and requests that nobody took in time. Ranges bring what was in them.
    pub shed: u64,
    /// Verdicts that came when gossip had forgotten the message: it was kept, and not sent on.
    pub late: u64,
    /// Times that a peer did not take in a second what was sent to it.
    pub slow: u64,
    /// Connections that were closed for it, to be dialled again.
    pub renewed: u64,
    /// The last dials that failed, and why.
    pub unreached: Vec<(Peer, String)>,
}

/// The swarm, and what is under way.
pub(crate) struct Loop {
    swarm: Swarm<Net>,
    /// What lets it dial beyond this machine by itself; not where there is a proxy for that.
    dials: Option<Dials>,
    hear: mpsc::Sender<Heard>,
    /// What must not be lost, until there is room: bounded by the connections and requests that there are.
    owed: VecDeque<Heard>,
    next_token: u64,
    unjudged: HashMap<u64, Unjudged>,
    unjudged_bytes: usize,
    unjudged_of: HashMap<PeerId, usize>,
    unanswered: HashMap<u64, (ResponseChannel<Vec<u8>>, Instant)>,
    asked: HashMap<OutboundRequestId, u64>,
    slow: HashMap<PeerId, (u32, Instant)>,
    redial: Redial,
    state: WireState,
    unreached: HashMap<PeerId, String>,
}

struct Unjudged {
    id: MessageId,
    from: PeerId,
    bytes: usize,
}

impl Loop {
    pub(crate) fn new(swarm: Swarm<Net>, dials: Option<Dials>, hear: mpsc::Sender<Heard>) -> Self {
        Self {
            swarm,
            dials,
            hear,
            owed: VecDeque::new(),
            next_token: 0,
            unjudged: HashMap::new(),
            unjudged_bytes: 0,
            unjudged_of: HashMap::new(),
            unanswered: HashMap::new(),
            asked: HashMap::new(),
            slow: HashMap::new(),
            redial: Redial::default(),
            state: WireState::default(),
            unreached: HashMap::new(),
        }
    }

    /// Until nobody is left to give orders, or to hear.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Command>) {
        let hear = self.hear.clone();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                command = orders.recv() => match command {
                    Some(Command::Order(order)) => self.on_order(order),
                    Some(Command::State(tell)) => drop(tell.send(self.tell())),
                    None => return,
                },
                room = hear.reserve(), if !self.owed.is_empty() => {
                    let Ok(room) = room else { return };
                    if let Some(one) = self.owed.pop_front() {
                        room.send(one);
                    }
                }
                _ = tick.tick() => self.on_tick(Instant::now()),
            }
        }
    }

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Verdict { token, verdict } => self.judge(token, verdict),
            Order::Publish { topic, bytes } => self.publish(topic, bytes),
            Order::Ask { peer, id, bytes } => {
                let asked = peer.id().filter(|id| self.swarm.is_connected(id));
                match asked {
                    Some(to) => {
                        let request = self.swarm.behaviour_mut().requests.send_request(&to, bytes);
                        self.asked.insert(request, id);
                    }
                    None => self.owe(Heard::Failed { peer, id }),
                }
            }
            Order::Answer { token, bytes } => {
                if let Some((channel, _)) = self.unanswered.remove(&token) {
                    // One that is gone does not wait for it.
                    let _ = self.swarm.behaviour_mut().requests.send_response(channel, bytes);
                }
            }
            Order::Score { peer, value } => {
                if let Some(id) = peer.id() {
                    self.swarm.behaviour_mut().gossip.set_application_score(&id, value);
                }
            }
            Order::Cut { peer } => {
                if let Some(id) = peer.id() {
                    self.swarm.behaviour_mut().cut.block_peer(id);
                }
            }
            Order::Admit { peer } => {
                if let Some(id) = peer.id() {
                    self.swarm.behaviour_mut().cut.unblock_peer(id);
                }
            }
            Order::Widen => self.dials.iter().for_each(Dials::widen),
            Order::Join(address) => {
                if let Some(id) = address.peer().id().filter(|id| id != self.swarm.local_peer_id())
                {
                    self.redial.add(id, address.way().clone(), Instant::now());
                    self.dial(Instant::now());
                }
            }
        }
    }

    fn judge(&mut self, token: u64, verdict: Verdict) {
        let Some(one) = self.unjudged.remove(&token) else { return };
        self.unjudged_bytes -= one.bytes;
        if let Some(count) = self.unjudged_of.get_mut(&one.from) {
            *count -= 1;
            if *count == 0 {
                self.unjudged_of.remove(&one.from);
            }
        }
        self.report(&one.id, &one.from, verdict);
    }

    fn report(&mut self, id: &MessageId, from: &PeerId, verdict: Verdict) {
        let (count, acceptance) = match verdict {
            Verdict::Accept => (&mut self.state.accepted, MessageAcceptance::Accept),
            Verdict::Reject => (&mut self.state.rejected, MessageAcceptance::Reject),
            Verdict::Ignore => (&mut self.state.ignored, MessageAcceptance::Ignore),
        };
        *count += 1;
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        let is_known = gossip.report_message_validation_result(id, from, acceptance);
        if !is_known && verdict == Verdict::Accept {
            self.state.late += 1;
        }
    }

    fn publish(&mut self, topic: String, bytes: Vec<u8>) {
        if bytes.len() > MESSAGE_BYTES_MAX {
            tracing::error!("a message of {} bytes is too long to be published", bytes.len());
            return;
        }
        let published = self.swarm.behaviour_mut().gossip.publish(IdentTopic::new(topic), bytes);
        match published {
            // Nobody to send it to now, or not at once: whoever lacks it asks for the range.
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(PublishError::AllQueuesFull(_)) => self.state.shed += 1,
            Err(error) => tracing::warn!("a message was not published: {error}"),
        }
    }

    fn on_event(&mut self, event: SwarmEvent<NetEvent>) {
        match event {
            SwarmEvent::Behaviour(NetEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(NetEvent::Requests(event)) => self.on_request(event),
            SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } => {
                match Peer::of(&peer_id) {
                    Some(peer) if num_established.get() == 1 => {
                        self.redial.connected(&peer_id);
                        self.unreached.remove(&peer_id);
                        self.owe(Heard::Connected { peer });
                    }
                    Some(_) => {}
                    // An error says that it is gone already.
                    None => drop(self.swarm.disconnect_peer_id(peer_id)),
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.redial.disconnected(&peer_id, Instant::now());
                self.slow.remove(&peer_id);
                if let Some(peer) = Peer::of(&peer_id) {
                    self.owe(Heard::Disconnected { peer });
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(id), error, .. } => {
                let is_told = !matches!(error, DialError::DialPeerConditionFalse(_));
                if is_told
                    && (self.unreached.len() < UNREACHED_MAX || self.unreached.contains_key(&id))
                {
                    self.unreached.insert(id, short(&error));
                }
            }
            SwarmEvent::NewListenAddr { address, .. } => self.state.listening.push(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.state.listening.retain(|it| *it != address);
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!("a listener: {error}"),
            _ => {}
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message { propagation_source: from, message_id, message } => {
                let bytes = message.data.len();
                let of_peer = self.unjudged_of.get(&from).copied().unwrap_or_default();
                let peer = Peer::of(&from).filter(|_| {
                    bytes <= MESSAGE_BYTES_MAX
                        && of_peer < UNJUDGED_EACH_MAX
                        && self.unjudged_bytes + bytes <= UNJUDGED_BYTES_MAX
                });
                let token = self.next_token;
                let topic = message.topic.into_string();
                let is_taken = peer.is_some_and(|peer| {
                    let heard = Heard::Gossip { peer, topic, bytes: message.data, token };
                    self.hear.try_send(heard).is_ok()
                });
                if !is_taken {
                    self.state.shed += 1;
                    return self.report(&message_id, &from, Verdict::Ignore);
                }
                self.next_token += 1;
                self.unjudged_bytes += bytes;
                *self.unjudged_of.entry(from).or_default() += 1;
                self.unjudged.insert(token, Unjudged { id: message_id, from, bytes });
            }
            gossipsub::Event::SlowPeer { peer_id, .. } => self.on_slow(peer_id, Instant::now()),
            _ => {}
        }
    }

    /// A peer that has taken nothing for a while gets a new connection: whatever its streams wait for, new ones do not.
    fn on_slow(&mut self, id: PeerId, now: Instant) {
        self.state.slow += 1;
        let (count, last) = self.slow.entry(id).or_insert((0, now));
        *count = if now.duration_since(*last) > SLOW_GAP { 1 } else { *count + 1 };
        *last = now;
        if *count >= SLOW_MAX {
            self.slow.remove(&id);
            self.state.renewed += 1;
            // An error says that it is gone already.
            let _ = self.swarm.disconnect_peer_id(id);
        }
    }

    fn on_request(&mut self, event: request_response::Event<Vec<u8>, Vec<u8>>) {
        match event {
            request_response::Event::Message { peer: from, message, .. } => match message {
                Message::Request { request, channel, .. } => {
                    let is_room = self.unanswered.len() < UNANSWERED_MAX;
                    let Some(peer) = Peer::of(&from).filter(|_| is_room) else {
                        self.state.shed += 1;
                        return;
                    };
                    let token = self.next_token;
                    let heard = Heard::Request { peer, bytes: request, token };
                    if self.hear.try_send(heard).is_err() {
                        self.state.shed += 1;
                        return;
                    }
                    self.next_token += 1;
                    self.unanswered.insert(token, (channel, Instant::now()));
                }
                Message::Response { request_id, response } => {
                    let (Some(id), Some(peer)) = (self.asked.remove(&request_id), Peer::of(&from))
                    else {
                        return;
                    };
                    self.owe(Heard::Response { peer, id, bytes: response });
                }
            },
            request_response::Event::OutboundFailure { peer: from, request_id, .. } => {
                let (Some(id), Some(peer)) = (self.asked.remove(&request_id), Peer::of(&from))
                else {
                    return;
                };
                self.owe(Heard::Failed { peer, id });
            }
            _ => {}
        }
    }

    /// Hands on what must not be lost.
    fn owe(&mut self, heard: Heard) {
        if self.owed.is_empty() {
            match self.hear.try_send(heard) {
                Ok(()) => {}
                Err(
                    mpsc::error::TrySendError::Full(heard)
                    | mpsc::error::TrySendError::Closed(heard),
                ) => {
                    self.owed.push_back(heard);
                }
            }
        } else {
            self.owed.push_back(heard);
        }
    }

    fn on_tick(&mut self, now: Instant) {
        self.dial(now);
        // Whoever did not answer by now is not waited for by the other side.
        self.unanswered.retain(|_, (_, since)| now.duration_since(*since) < ANSWER_MAX);
    }

    fn dial(&mut self, now: Instant) {
        let swarm = &self.swarm;
        let cut = swarm.behaviour().cut.blocked_peers();
        for (id, ways) in self.redial.due(now, |id| swarm.is_connected(id) || cut.contains(id)) {
            let options = DialOpts::peer_id(id).addresses(ways).build();
            // One that is being dialled is no failure, and why another is not reached comes as an event.
            let _ = self.swarm.dial(options);
        }
    }

    fn tell(&self) -> WireState {
        let behaviour = self.swarm.behaviour();
        let mut links: Vec<_> = self
            .swarm
            .connected_peers()
            .filter_map(|id| {
                Some(Link {
                    peer: Peer::of(id)?,
                    points: behaviour.gossip.peer_score(id).unwrap_or_default(),
                    is_in_mesh: behaviour.gossip.all_mesh_peers().any(|it| it == id),
                })
            })
            .collect();
        links.sort_by_key(|link| link.peer);
        let mut cut: Vec<_> = behaviour.cut.blocked_peers().iter().filter_map(Peer::of).collect();
        cut.sort();
        let unreached = self.unreached.iter();
        let unreached = unreached.filter_map(|(id, why)| Some((Peer::of(id)?, why.clone())));
        WireState { links, cut, unreached: unreached.collect(), ..self.state.clone() }
    }
}

/// The innermost cause, which is what a person can do something about.
fn short(error: &DialError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

const TICK: Duration = Duration::from_millis(500);
/// What one peer, and all together, may have waiting to be judged.
const UNJUDGED_EACH_MAX: usize = 1024;
const UNJUDGED_BYTES_MAX: usize = 32 * 1024 * 1024;
const UNANSWERED_MAX: usize = 256;
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Heartbeats, a second each, in which a peer took nothing; messages wait up to five seconds before they count.
const SLOW_MAX: u32 = 3;
const SLOW_GAP: Duration = Duration::from_secs(3);
/// Failures of dials that are remembered.
const UNREACHED_MAX: usize = 64;
