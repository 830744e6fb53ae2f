//! The mesh's state machine as what judges: what came is put to it, what it says is done, and what it finds is told.

use std::collections::{BTreeMap, VecDeque};

use symbolon_ambient::Clock;
use symbolon_codec::hex;
use symbolon_codec::time::rfc3339;
use symbolon_crypto::VerifyingKey;
use symbolon_mesh::{Input, LogId, LogName, Mesh, Output, Topic, Verified};
use symbolon_store::FolderStorage;
use tokio::sync::oneshot;

use crate::ask::{Outcome, Question};
use crate::believed::Believed;
use crate::drive::Judge;
use crate::heard::{Heard, Order, Verdict};
use crate::loops::WireState;
use crate::own::{Own, OwnError};
use crate::peer::Peer;
use crate::status::{CutOff, LogStatus, Messages, NodeStatus, PeerStatus, Refused, Unreached};

/// The topics of the mesh.
pub(crate) fn topics() -> Vec<String> {
    Topic::ALL.iter().map(|topic| topic.name().to_owned()).collect()
}

/// A node's judge.
pub(crate) struct MeshJudge<C> {
    mesh: Mesh<FolderStorage>,
    clock: C,
    own: Option<Own>,
    believed: Believed,
    ticks: u32,
    out: Vec<Output>,
    operators: BTreeMap<Peer, VerifyingKey>,
    cut: BTreeMap<Peer, u64>,
    refused: VecDeque<Refused>,
    accused: Vec<String>,
    next_question: u64,
    asking: BTreeMap<u64, oneshot::Sender<Outcome>>,
}

impl<C: Clock + Send + 'static> MeshJudge<C> {
    pub(crate) fn new(
        mesh: Mesh<FolderStorage>,
        own: Option<Own>,
        believed: Believed,
        clock: C,
    ) -> Self {
        Self {
            mesh,
            clock,
            own,
            believed,
            ticks: 0,
            out: Vec::new(),
            operators: BTreeMap::new(),
            cut: BTreeMap::new(),
            refused: VecDeque::new(),
            accused: Vec::new(),
            next_question: 0,
            asking: BTreeMap::new(),
        }
    }

    fn step(&mut self, input: Input, orders: &mut Vec<Order>) {
        let now = self.clock.unix_ms();
        self.mesh.step(input, now, &mut self.out);
        for output in std::mem::take(&mut self.out) {
            self.act(output, now, orders);
        }
    }

    fn act(&mut self, output: Output, now: u64, orders: &mut Vec<Order>) {
        match output {
            Output::Verdict { token, verdict, .. } => {
                let verdict = match verdict {
                    symbolon_mesh::Verdict::Accept => Verdict::Accept,
                    symbolon_mesh::Verdict::Ignore => Verdict::Ignore,
                    symbolon_mesh::Verdict::Reject => Verdict::Reject,
                };
                orders.push(Order::Verdict { token, verdict });
            }
            Output::Publish { topic, bytes } => {
                orders.push(Order::Publish { topic: topic.name().to_owned(), bytes });
            }
            Output::Ask { peer, id, bytes } => {
                orders.push(Order::Ask { peer: Peer(peer.0), id, bytes });
            }
            Output::Answer { token, bytes } => orders.push(Order::Answer { token, bytes }),
            Output::Score { peer, value } => {
                let peer = Peer(peer.0);
                let operator = self.operators.get(&peer);
                let penalty = operator.map_or(0.0, |it| self.believed.penalty(it, now));
                orders.push(Order::Score { peer, value: value + penalty });
            }
            Output::Faulty { peer, operator, fault } => {
                if let Some(operator) = &operator {
                    self.believed.faulty(operator, &fault, now);
                }
                self.refused.truncate(REFUSED_MAX - 1);
                self.refused.push_front(Refused {
                    at: rfc3339(now),
                    peer: Peer(peer.0).to_string(),
                    reason: fault.to_string(),
                });
            }
            Output::Cut { peer, until_ms } => {
                let peer = Peer(peer.0);
                tracing::warn!("{peer} is cut off until {}", rfc3339(until_ms));
                self.cut.insert(peer, until_ms);
                orders.push(Order::Cut { peer });
            }
            Output::Introduced { peer, operator } => {
                self.introduced(Peer(peer.0), operator, now, orders);
            }
            Output::Advanced { log, .. } => {
                let operator = self.mesh.logs().find(|it| it.id() == log).map(|it| *it.operator());
                if let Some(operator) = operator {
                    self.believed.advanced(&operator, now);
                }
            }
            Output::Cosigned { log, note } => {
                if let Some(log) = self.mesh.logs().find(|it| it.id() == log) {
                    self.believed.cosigned(log, &note, now);
                }
            }
            Output::Evidence(evidence) => {
                self.believed.proven(&evidence, now);
                self.accuse(&evidence);
            }
            Output::Verified { id, outcome } => {
                if let Some(tell) = self.asking.remove(&id) {
                    // Who asked may have gone.
                    let _ = tell.send(told(outcome));
                }
            }
            Output::Stopped { log, reason } => {
                tracing::error!("the copy of the log {log} takes no more: {reason}");
            }
            // The state says the rest.
            _ => {}
        }
    }

    /// Somebody of this home asks what other operators' nodes have: those count whom the policy believes.
    pub(crate) fn ask(
        &mut self,
        question: &Question,
        tell: oneshot::Sender<Outcome>,
        orders: &mut Vec<Order>,
    ) {
        let now = self.clock.unix_ms();
        let found = self.mesh.logs().find(|it| it.text() == question.log);
        let Some(log) = found.map(LogName::id) else {
            // Who asked may have gone.
            let _ = tell.send(Outcome::Unfollowed);
            return;
        };
        let operators = self.operators.values();
        let excluded = operators.filter(|it| !self.believed.believes(it, now)).copied().collect();
        let id = self.next_question;
        self.next_question += 1;
        self.asking.insert(id, tell);
        let (index, leaf, quorum) = (question.index, question.leaf, question.quorum.into());
        self.step(Input::Verify { id, log, index, leaf, quorum, excluded }, orders);
    }

    /// A node said whose it is: one whose operator the policy does not let in is cut off.
    fn introduced(
        &mut self,
        peer: Peer,
        operator: VerifyingKey,
        now: u64,
        orders: &mut Vec<Order>,
    ) {
        if !self.believed.admits(&operator, now) {
            return self.shut_out(peer, &operator, now, orders);
        }
        let value = self.believed.penalty(&operator, now);
        orders.push(Order::Score { peer, value });
        if self.operators.len() < OPERATORS_MAX {
            self.operators.insert(peer, operator);
        }
    }

    /// Scores or the policy changed: who is there and would not be let in now is cut off.
    fn let_in_no_longer(&mut self, now: u64, orders: &mut Vec<Order>) {
        let there = self.operators.iter();
        let out = there.filter(|(_, operator)| !self.believed.admits(operator, now));
        let out: Vec<_> = out.map(|(peer, operator)| (*peer, *operator)).collect();
        for (peer, operator) in out {
            self.operators.remove(&peer);
            self.shut_out(peer, &operator, now, orders);
        }
    }

    fn shut_out(&mut self, peer: Peer, operator: &VerifyingKey, now: u64, orders: &mut Vec<Order>) {
        tracing::warn!("{peer} is not let in: symbolon trust show {}", shown(operator));
        self.cut.insert(peer, now + NOT_LET_IN_MS);
        orders.push(Order::Cut { peer });
    }

    pub(crate) fn accuse(&mut self, evidence: &symbolon_mesh::Evidence) {
        let operator = shown(evidence.log().operator());
        tracing::warn!("the operator {operator} contradicted itself");
        if !self.accused.contains(&operator) {
            self.accused.push(operator);
        }
    }

    /// The home's own log, as far as a checkpoint covers it.
    fn read_own(&mut self, orders: &mut Vec<Order>) {
        for _ in 0..BATCHES_MAX {
            let Some(own) = &mut self.own else { return };
            let Some(size) = self.mesh.size(own.name().id()) else { return };
            match own.read(|own| own.grown(size)) {
                Ok(Some(grown)) => self.step(grown, orders),
                Ok(None) => return self.read_cosigned(orders),
                Err(error) => {
                    tracing::error!("the home's own log cannot be read: {error}");
                    if let OwnError::GaveWay = error {
                        self.own = None;
                    }
                    return;
                }
            }
        }
    }

    /// What witnesses said of it.
    fn read_cosigned(&mut self, orders: &mut Vec<Order>) {
        let read = self.own.as_mut().map(Own::cosigned);
        match read {
            Some(Ok(Some(cosigned))) => self.step(cosigned, orders),
            Some(Ok(None)) | None => {}
            Some(Err(error)) => tracing::error!("what witnesses said cannot be read: {error}"),
        }
    }

    /// How it stands, with what the wire knows.
    pub(crate) fn tell(&self, peer: Peer, wire: &WireState) -> NodeStatus {
        let own: Option<LogId> = self.own.as_ref().map(|own| own.name().id());
        let logs = self.mesh.logs().map(|log| LogStatus {
            origin: log.origin().to_owned(),
            id: log.id().to_string(),
            own: own == Some(log.id()),
            entries: self.mesh.size(log.id()).unwrap_or_default(),
            cosigned: self.mesh.cosigned(log.id()).map_or(0, |(size, _)| size),
            witnesses: self.mesh.cosigned(log.id()).map_or(0, |(_, count)| count),
            forked: self.mesh.is_forked(log.id()),
        });
        let peers = wire.links.iter().map(|link| PeerStatus {
            peer: link.peer.to_string(),
            operator: self.operators.get(&link.peer).map(shown),
            mesh: link.is_in_mesh,
            points: link.points,
        });
        let unreached = wire.unreached.iter();
        let unreached = unreached
            .map(|(peer, reason)| Unreached { peer: peer.to_string(), reason: reason.clone() });
        let cut = self.cut.iter();
        let cut =
            cut.map(|(peer, until)| CutOff { peer: peer.to_string(), until: rfc3339(*until) });
        NodeStatus {
            peer: peer.to_string(),
            at: rfc3339(self.clock.unix_ms()),
            listening: wire.listening.iter().map(|way| format!("{way}/p2p/{peer}")).collect(),
            peers: peers.collect(),
            unreached: unreached.collect(),
            logs: logs.collect(),
            messages: Messages {
                accepted: wire.accepted,
                refused: wire.rejected,
                ignored: wire.ignored,
                shed: wire.shed,
            },
            refused: self.refused.iter().cloned().collect(),
            cut: cut.collect(),
            accused: self.accused.clone(),
        }
    }
}

impl<C: Clock + Send + 'static> Judge for MeshJudge<C> {
    fn hear(&mut self, heard: Heard, orders: &mut Vec<Order>) {
        let of = |peer: Peer| symbolon_mesh::Peer(peer.0);
        let input = match heard {
            Heard::Connected { peer } => Input::Connected { peer: of(peer) },
            Heard::Disconnected { peer } => {
                self.operators.remove(&peer);
                Input::Disconnected { peer: of(peer) }
            }
            Heard::Gossip { peer, topic, bytes, token } => {
                let Some(topic) = Topic::ALL.into_iter().find(|it| it.name() == topic) else {
                    // Gossip is of topics that were subscribed to.
                    return orders.push(Order::Verdict { token, verdict: Verdict::Ignore });
                };
                Input::Gossip { peer: of(peer), topic, bytes, token }
            }
            Heard::Request { peer, bytes, token } => {
                Input::Request { peer: of(peer), bytes, token }
            }
            Heard::Response { peer, id, bytes } => Input::Response { peer: of(peer), id, bytes },
            Heard::Failed { peer, id } => Input::Failed { peer: of(peer), id },
        };
        self.step(input, orders);
    }

    fn tick(&mut self, orders: &mut Vec<Order>) {
        let now = self.clock.unix_ms();
        let over: Vec<_> = self.cut.iter().filter(|(_, until)| **until <= now).collect();
        let over: Vec<Peer> = over.into_iter().map(|(peer, _)| *peer).collect();
        for peer in over {
            self.cut.remove(&peer);
            orders.push(Order::Admit { peer });
        }
        self.read_own(orders);
        self.step(Input::Tick, orders);
        self.ticks += 1;
        if self.believed.take_written() {
            self.let_in_no_longer(now, orders);
        }
        if self.ticks.is_multiple_of(TICKS_BETWEEN_WRITES) {
            self.believed.write();
        }
    }
}

fn told(outcome: Verified) -> Outcome {
    let all = |by: Vec<VerifyingKey>| by.iter().map(shown).collect();
    match outcome {
        Verified::Confirmed { by } => Outcome::Confirmed { by: all(by) },
        Verified::Contradicted { note, leaf, .. } => Outcome::Contradicted { note, leaf },
        Verified::Unknown { by } => Outcome::Unknown { by: all(by) },
    }
}

fn shown(operator: &VerifyingKey) -> String {
    hex::encode(operator.as_bytes())
}

/// Five seconds of ticks.
const TICKS_BETWEEN_WRITES: u32 = 20;
/// As long as one that is cut off for what it did.
const NOT_LET_IN_MS: u64 = 10 * 60 * 1000;
/// What was refused last, as far as it is told.
const REFUSED_MAX: usize = 32;
/// As many as there are connections.
const OPERATORS_MAX: usize = 256;
/// Batches of one's own log at a time, so that others are heard between.
const BATCHES_MAX: usize = 4;
