//! The state machine: what came, and what to do.

mod asks;
mod gossip;
mod question;
mod serve;
mod sync;
mod witnessed;

use std::collections::{BTreeMap, BTreeSet};

use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_log::{Storage, WitnessKey};

use crate::certificate::Certificate;
use crate::cosigned::Cosigned;
use crate::entry::{Claim, SignedEntry};
use crate::evidence::Evidence;
use crate::fault::Fault;
use crate::name::{LogId, LogName};
use crate::remote::Remote;
use crate::replica::{Replica, ReplicaError};
use crate::request::Request;
use crate::seen::Seen;
use crate::{Input, Output, Peer};

use asks::{Ask, Asked};
use question::Question;

/// Why a log was not taken up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// As many as one node follows.
    #[error("{LOGS_MAX} logs are followed; no more are")]
    TooMany,
    /// It is followed already.
    #[error("the log is followed already")]
    Known,
    /// Our own log has to be signed by the operator that our certificate names.
    #[error("the log is not of the operator that this node's certificate names")]
    Operator,
    /// Its storage.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

/// What a node forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Forwards {
    /// What is of logs that it follows.
    #[default]
    Followed,
    /// What any operator signed.
    Anything,
}

/// A log that is followed.
struct Followed<S> {
    replica: Replica<S>,
    /// Entries whose claim holds and which no checkpoint that is checked covers.
    held: BTreeMap<u64, SignedEntry>,
    held_bytes: usize,
    /// Claims that are not what is here, until a checkpoint decides.
    suspects: Vec<Claim>,
    /// Certificates that were checked.
    certificates: Vec<Certificate>,
    /// The question for a range that is open.
    ask: Option<u64>,
    /// Who has not what is wanted.
    tried: BTreeSet<Peer>,
    retry_at_ms: u64,
    /// A checkpoint's root that held entries do not lead to.
    doubted: Option<symbolon_codec::Digest32>,
    is_forked: bool,
    is_accused: bool,
    /// What witnesses signed beyond what is reached.
    ahead: Option<Cosigned>,
}

/// A node of the mesh. It has no socket, no clock and no thread: it is told what came, with the time in
/// milliseconds since 1970, and says what to do.
pub struct Mesh<S> {
    endpoint: SigningKey,
    certificate: Certificate,
    forwards: Forwards,
    witnesses: Vec<WitnessKey>,
    logs: BTreeMap<LogId, Followed<S>>,
    names: BTreeMap<String, LogId>,
    peers: BTreeMap<Peer, Remote>,
    asks: BTreeMap<u64, Ask>,
    next_ask: u64,
    questions: BTreeMap<u64, Question>,
    seen: Seen,
    unfollowed: BTreeSet<String>,
    heads_at_ms: u64,
}

impl<S: Storage> Mesh<S> {
    /// A node with its key and the operator's certificate for it.
    pub fn new(endpoint: SigningKey, certificate: Certificate, forwards: Forwards) -> Self {
        Self {
            endpoint,
            certificate,
            forwards,
            witnesses: Vec::new(),
            logs: BTreeMap::new(),
            names: BTreeMap::new(),
            peers: BTreeMap::new(),
            asks: BTreeMap::new(),
            next_ask: 0,
            questions: BTreeMap::new(),
            seen: Seen::default(),
            unfollowed: BTreeSet::new(),
            heads_at_ms: 0,
        }
    }

    /// Believes these witnesses, the first [`WITNESSES_MAX`] of them: what they sign is kept and forwarded.
    #[must_use]
    pub fn believing(mut self, mut witnesses: Vec<WitnessKey>) -> Self {
        witnesses.truncate(WITNESSES_MAX);
        self.witnesses = witnesses;
        self
    }

    /// Follows a log of somebody else, with a copy of it in this storage. Gives what its operator is known to have
    /// done.
    ///
    /// # Errors
    /// [`FollowError`].
    pub fn follow(&mut self, log: LogName, storage: S) -> Result<Vec<Evidence>, FollowError> {
        self.take_up(log, storage, false)
    }

    /// Spreads a log of this node's operator. The storage is the mesh's own copy, which
    /// [`Input::Grown`](crate::Input::Grown) fills, from [`Mesh::size`] on.
    ///
    /// # Errors
    /// [`FollowError`].
    pub fn own(&mut self, log: LogName, storage: S) -> Result<Vec<Evidence>, FollowError> {
        if log.operator() != self.certificate.operator() {
            return Err(FollowError::Operator);
        }
        self.take_up(log, storage, true)
    }

    fn take_up(
        &mut self,
        log: LogName,
        storage: S,
        is_own: bool,
    ) -> Result<Vec<Evidence>, FollowError> {
        if self.logs.contains_key(&log.id()) {
            return Err(FollowError::Known);
        }
        if self.logs.len() >= LOGS_MAX {
            return Err(FollowError::TooMany);
        }
        let (id, text) = (log.id(), log.text().to_owned());
        let (mut replica, mut found) = Replica::open(log, is_own, storage)?;
        replica.read_cosigned(&self.witnesses)?;
        found.truncate(1);
        if found.is_empty() {
            found.extend(replica.evidence()?);
        }
        for evidence in &found {
            replica.keep_evidence(evidence)?;
        }
        let is_forked = found.iter().any(Evidence::is_fork);
        let followed = Followed {
            replica,
            held: BTreeMap::new(),
            held_bytes: 0,
            suspects: Vec::new(),
            certificates: Vec::new(),
            ask: None,
            tried: BTreeSet::new(),
            retry_at_ms: 0,
            doubted: None,
            is_forked,
            is_accused: !found.is_empty(),
            ahead: None,
        };
        self.logs.insert(id, followed);
        self.unfollowed.remove(&text);
        self.names.insert(text, id);
        Ok(found)
    }

    /// Follows a log no more. What was kept stays in its storage.
    pub fn unfollow(&mut self, log: LogId) {
        if let Some(followed) = self.logs.remove(&log) {
            self.names.remove(followed.replica.name().text());
        }
    }

    /// Entries of a log that are here, durable.
    pub fn size(&self, log: LogId) -> Option<u64> {
        self.logs.get(&log).map(|followed| followed.replica.size())
    }

    /// The largest checkpoint of a log that is reached: its entries, its note.
    pub fn head(&self, log: LogId) -> Option<(u64, &str)> {
        let head = self.logs.get(&log)?.replica.head()?;
        Some((head.size, &head.note))
    }

    /// The newest checkpoint of a log that is reached and that believed witnesses signed: its entries, how many witnesses.
    pub fn cosigned(&self, log: LogId) -> Option<(u64, usize)> {
        let cosigned = self.logs.get(&log)?.replica.cosigned()?;
        Some((cosigned.size, cosigned.count()))
    }

    /// Whether a log was shown to have two histories. Nothing more of it is taken then.
    pub fn is_forked(&self, log: LogId) -> bool {
        self.logs.get(&log).is_some_and(|followed| followed.is_forked)
    }

    /// The logs that are followed, our own among them.
    pub fn logs(&self) -> impl Iterator<Item = &LogName> {
        self.logs.values().map(|followed| followed.replica.name())
    }

    /// Whose node a peer said that it is.
    pub fn operator(&self, peer: &Peer) -> Option<&VerifyingKey> {
        self.peers.get(peer)?.operator.as_ref()
    }

    /// Takes what came, and adds what to do.
    pub fn step(&mut self, input: Input, now_ms: u64, out: &mut Vec<Output>) {
        match input {
            Input::Connected { peer } => self.connected(peer, now_ms, out),
            Input::Disconnected { peer } => self.disconnected(peer, now_ms, out),
            Input::Introduced { peer, certificate } => {
                self.introduced(peer, &certificate, now_ms, out);
            }
            Input::Gossip { peer, topic, bytes, token } => {
                let verdict = self.gossip(peer, topic, &bytes, now_ms, out);
                out.push(Output::Verdict { peer, token, verdict });
            }
            Input::Request { peer, bytes, token } => {
                let answer = self.answer(peer, &bytes, now_ms, out);
                out.push(Output::Answer { token, bytes: answer.to_bytes() });
            }
            Input::Response { peer, id, bytes } => self.response(peer, id, &bytes, now_ms, out),
            Input::Failed { peer, id } => self.failed(peer, id, now_ms, out),
            Input::Grown { log, from, entries, note } => {
                self.grown(log, from, &entries, note.as_deref(), out);
            }
            Input::Cosigned { log, note } => self.own_witnessed(log, &note, out),
            Input::Verify { id, log, index, leaf, quorum, excluded } => {
                self.verify(id, (log, index, leaf), (quorum, &excluded), now_ms, out);
            }
            Input::Tick => self.tick(now_ms, out),
        }
    }

    fn connected(&mut self, peer: Peer, now_ms: u64, out: &mut Vec<Output>) {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&peer) {
            let plain = self.peers.iter().find(|(_, remote)| remote.is_plain(now_ms));
            let Some(plain) = plain.map(|(peer, _)| *peer) else { return };
            self.peers.remove(&plain);
        }
        let remote = self.peers.entry(peer).or_default();
        if remote.is_connected || remote.is_cut(now_ms) {
            return;
        }
        remote.is_connected = true;
        let certificate = self.certificate.bytes().to_vec();
        self.ask(peer, Asked::Introduce, &Request::Introduce { certificate }, now_ms, out);
        self.ask_heads(peer, None, now_ms, out);
    }

    fn disconnected(&mut self, peer: Peer, now_ms: u64, out: &mut Vec<Output>) {
        if let Some(remote) = self.peers.get_mut(&peer) {
            remote.is_connected = false;
        }
        self.fail_all(peer, now_ms, out);
    }

    fn introduced(&mut self, peer: Peer, certificate: &[u8], now_ms: u64, out: &mut Vec<Output>) {
        let Some(remote) = self.peers.get_mut(&peer) else { return };
        let opened = Certificate::open(certificate);
        match opened.and_then(|it| it.check_subject(&peer).map(|()| it)) {
            // One that is over or early is no fault: clocks differ.
            Ok(it) if it.check_time(now_ms).is_err() => {}
            Ok(it) => {
                let is_news = remote.operator.replace(*it.operator()) != Some(*it.operator());
                if is_news {
                    out.push(Output::Introduced { peer, operator: *it.operator() });
                }
            }
            Err(error) => self.fault(peer, Fault::Certificate(error), now_ms, out),
        }
    }

    /// Counts what a node did, and cuts it off where that was too much.
    fn fault(&mut self, peer: Peer, fault: Fault, now_ms: u64, out: &mut Vec<Output>) {
        let Some(remote) = self.peers.get_mut(&peer) else { return };
        let cut = remote.count(&fault, now_ms);
        let (operator, news) = (remote.operator, remote.news(now_ms));
        out.push(Output::Faulty { peer, operator, fault });
        out.extend(news.map(|value| Output::Score { peer, value }));
        let Some(until_ms) = cut else { return };
        out.push(Output::Cut { peer, until_ms });
        remote.is_connected = false;
        self.fail_all(peer, now_ms, out);
    }

    /// A copy takes no more. Others go on.
    fn stop(&mut self, log: LogId, error: &ReplicaError, out: &mut Vec<Output>) {
        self.unfollow(log);
        out.push(Output::Stopped { log, reason: error.to_string() });
    }

    fn tick(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        self.expire_asks(now_ms, out);
        self.expire_questions(now_ms, out);
        self.ask_next_heads(now_ms, out);
        for (peer, remote) in &mut self.peers {
            let news = remote.news(now_ms);
            out.extend(news.map(|value| Output::Score { peer: *peer, value }));
        }
        let ids: Vec<_> = self.logs.keys().copied().collect();
        for id in ids {
            self.pursue(id, now_ms, out);
        }
    }
}

/// Logs that one node follows.
pub const LOGS_MAX: usize = 1024;
/// Witnesses that one node believes.
pub const WITNESSES_MAX: usize = 64;
/// Nodes that are remembered.
const PEERS_MAX: usize = 1024;
