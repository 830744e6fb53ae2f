//! Questions to other nodes, and their answers.

use symbolon_codec::Digest32;
use symbolon_log::{Storage, verify_inclusion};

use super::Mesh;
use crate::answer::{ANSWER_BYTES_MAX, Answer, HEADS_MAX};
use crate::evidence::Evidence;
use crate::fault::Fault;
use crate::name::LogId;
use crate::replica::Known;
use crate::request::Request;
use crate::{Output, Peer};

/// A question that is open.
pub(super) struct Ask {
    pub peer: Peer,
    pub asked: Asked,
    at_ms: u64,
}

/// What was asked.
pub(super) enum Asked {
    Introduce,
    Heads { after: Option<LogId> },
    Range { log: LogId, base: u64, from: u64, target: Known },
    Inclusion { question: u64, log: LogId, index: u64 },
}

impl<S: Storage> Mesh<S> {
    /// Asks a node, unless it was asked too much. Gives the question's name.
    pub(super) fn ask(
        &mut self,
        peer: Peer,
        asked: Asked,
        request: &Request,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Option<u64> {
        let remote = self.peers.get_mut(&peer)?;
        if !remote.is_free(now_ms) || !remote.asked.take(now_ms) {
            return None;
        }
        self.next_ask += 1;
        let id = self.next_ask;
        remote.waiting += 1;
        remote.asked_at = id;
        self.asks.insert(id, Ask { peer, asked, at_ms: now_ms });
        out.push(Output::Ask { peer, id, bytes: request.to_bytes() });
        Some(id)
    }

    pub(super) fn ask_heads(
        &mut self,
        peer: Peer,
        after: Option<LogId>,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) {
        self.ask(peer, Asked::Heads { after }, &Request::Heads { after }, now_ms, out);
    }

    /// Once a second the node that was asked longest ago: what gossip lost is found so.
    pub(super) fn ask_next_heads(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let passed = now_ms.abs_diff(self.heads_at_ms);
        let is_open = self.asks.values().any(|ask| matches!(ask.asked, Asked::Heads { .. }));
        if passed < HEADS_MS || (is_open && passed < ANSWER_MS) {
            return;
        }
        let free = self.peers.iter().filter(|(_, remote)| remote.is_free(now_ms));
        let next = free.min_by_key(|(_, remote)| remote.asked_at).map(|(peer, _)| *peer);
        if let Some(peer) = next {
            self.heads_at_ms = now_ms;
            self.ask_heads(peer, None, now_ms, out);
        }
    }

    /// Takes a question off the table.
    fn end_ask(&mut self, id: u64) -> Option<Ask> {
        let ask = self.asks.remove(&id)?;
        if let Some(remote) = self.peers.get_mut(&ask.peer) {
            remote.waiting = remote.waiting.saturating_sub(1);
        }
        if let Asked::Range { log, .. } = &ask.asked
            && let Some(followed) = self.logs.get_mut(log)
            && followed.ask == Some(id)
        {
            followed.ask = None;
        }
        Some(ask)
    }

    pub(super) fn failed(&mut self, peer: Peer, id: u64, now_ms: u64, out: &mut Vec<Output>) {
        if self.asks.get(&id).is_none_or(|ask| ask.peer != peer) {
            return;
        }
        match self.end_ask(id).map(|ask| ask.asked) {
            Some(Asked::Range { log, .. }) => {
                self.has_not(log, peer);
                self.pursue(log, now_ms, out);
            }
            Some(Asked::Inclusion { question, .. }) => self.unanswered(question, out),
            _ => {}
        }
    }

    pub(super) fn fail_all(&mut self, peer: Peer, now_ms: u64, out: &mut Vec<Output>) {
        let ids = self.asks.iter().filter(|(_, ask)| ask.peer == peer);
        for id in ids.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.failed(peer, id, now_ms, out);
        }
    }

    pub(super) fn expire_asks(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let is_over = |ask: &Ask| now_ms.abs_diff(ask.at_ms) >= ANSWER_MS;
        let over = self.asks.iter().filter(|(_, ask)| is_over(ask));
        for (peer, id) in over.map(|(id, ask)| (ask.peer, *id)).collect::<Vec<_>>() {
            self.failed(peer, id, now_ms, out);
        }
    }

    pub(super) fn response(
        &mut self,
        peer: Peer,
        id: u64,
        bytes: &[u8],
        now_ms: u64,
        out: &mut Vec<Output>,
    ) {
        // One that came too late is nobody's fault.
        if self.asks.get(&id).is_none_or(|ask| ask.peer != peer) {
            return;
        }
        let Some(ask) = self.end_ask(id) else { return };
        if self.peers.get(&peer).is_none_or(|remote| remote.is_cut(now_ms)) {
            return;
        }
        let parsed = match bytes.len() {
            found if found > ANSWER_BYTES_MAX => Err(Fault::Long { found, max: ANSWER_BYTES_MAX }),
            _ => Answer::parse(bytes).map_err(Fault::Answer),
        };
        let (log, question) = match &ask.asked {
            Asked::Range { log, .. } => (Some(*log), None),
            Asked::Inclusion { question, .. } => (None, Some(*question)),
            _ => (None, None),
        };
        let judged = parsed.and_then(|answer| self.answered(peer, ask.asked, answer, now_ms, out));
        if let Err(fault) = judged {
            if let Some(log) = log {
                self.has_not(log, peer);
            }
            if let Some(question) = question {
                self.unanswered(question, out);
            }
            self.fault(peer, fault, now_ms, out);
        }
        if let Some(log) = log {
            self.pursue(log, now_ms, out);
        }
    }

    fn answered(
        &mut self,
        peer: Peer,
        asked: Asked,
        answer: Answer,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Result<(), Fault> {
        match (asked, answer) {
            (Asked::Introduce, Answer::Introduced { certificate }) => {
                self.introduced(peer, &certificate, now_ms, out);
                Ok(())
            }
            (Asked::Introduce | Asked::Heads { .. }, Answer::Busy) => Ok(()),
            (Asked::Heads { after }, Answer::Heads { heads }) => {
                self.heads(peer, after, &heads, now_ms, out)
            }
            (Asked::Range { log, .. }, Answer::Absent | Answer::Busy) => {
                self.has_not(log, peer);
                Ok(())
            }
            (Asked::Range { log, .. }, Answer::Behind { note }) => {
                self.has_not(log, peer);
                let note = note.as_deref();
                note.map_or(Ok(()), |note| self.shown(log, note, now_ms, out))
            }
            (Asked::Range { log, .. }, Answer::Forked { evidence }) => {
                let evidence = Evidence::open(&evidence).map_err(Fault::Evidence)?;
                if evidence.log().id() != log || !evidence.is_fork() {
                    return Err(Fault::Kind);
                }
                self.accuse(log, &evidence, out);
                Ok(())
            }
            (Asked::Range { log, base, from, target }, answer) => {
                self.entries(log, (base, from), (peer, &target), &answer, now_ms, out)
            }
            (Asked::Inclusion { question, .. }, Answer::Absent | Answer::Busy) => {
                self.unanswered(question, out);
                Ok(())
            }
            (Asked::Inclusion { question, log, index }, answer) => {
                self.included(peer, question, (log, index), answer, now_ms, out)
            }
            _ => Err(Fault::Kind),
        }
    }

    /// A node's checkpoints came. They are in order, so that asking for more ends.
    fn heads(
        &mut self,
        peer: Peer,
        after: Option<LogId>,
        heads: &[(LogId, String)],
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Result<(), Fault> {
        let mut last = after;
        for (log, note) in heads {
            if last.is_some_and(|last| *log <= last) {
                return Err(Fault::Kind);
            }
            last = Some(*log);
            self.shown(*log, note, now_ms, out)?;
        }
        if heads.len() == HEADS_MAX {
            self.ask_heads(peer, last, now_ms, out);
        }
        Ok(())
    }

    /// A node showed a checkpoint of a log.
    fn shown(
        &mut self,
        log: LogId,
        note: &str,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Result<(), Fault> {
        let Some(followed) = self.logs.get(&log) else { return Ok(()) };
        let known = followed.replica.known(note).map_err(Fault::Checkpoint)?;
        let is_news = self.sight(log, &known, out);
        self.witnessed(log, &known, out);
        if is_news {
            self.pursue(log, now_ms, out);
        }
        Ok(())
    }

    fn included(
        &mut self,
        peer: Peer,
        question: u64,
        (log, index): (LogId, u64),
        answer: Answer,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Result<(), Fault> {
        let Answer::Included { note, leaf, path } = answer else { return Err(Fault::Kind) };
        let Some(followed) = self.logs.get(&log) else { return Ok(()) };
        let known = followed.replica.known(&note).map_err(Fault::Checkpoint)?;
        let held: Result<(), _> = verify_inclusion(&leaf, index, known.size, &path, &known.root);
        held.map_err(Fault::Inclusion)?;
        let shown: (String, Digest32, _) = (note, leaf, path);
        self.counted(peer, question, shown, out);
        if self.sight(log, &known, out) {
            self.pursue(log, now_ms, out);
        }
        Ok(())
    }
}

/// How often a node is asked for its checkpoints.
const HEADS_MS: u64 = 1000;
/// How long an answer may take.
const ANSWER_MS: u64 = 15_000;
