//! Whether an entry stands in a log, asked of nodes of several operators. Each answer is checked: it is evidence, and
//! no hearsay.

use std::collections::BTreeMap;

use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;
use symbolon_log::Storage;

use super::Mesh;
use super::asks::Asked;
use crate::name::LogId;
use crate::request::Request;
use crate::{Output, Peer, Verified};

/// A question that somebody here asked.
pub(super) struct Question {
    leaf: Digest32,
    quorum: usize,
    by: Vec<VerifyingKey>,
    /// Nodes that have not answered.
    open: usize,
    until_ms: u64,
}

impl<S: Storage> Mesh<S> {
    pub(super) fn verify(
        &mut self,
        id: u64,
        (log, index, leaf): (LogId, u64, Digest32),
        (quorum, excluded): (usize, &[VerifyingKey]),
        now_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let nobody = Verified::Unknown { by: Vec::new() };
        let is_taken = self.questions.contains_key(&id) || self.questions.len() >= QUESTIONS_MAX;
        let followed = self.logs.get(&log).filter(|_| !is_taken && quorum > 0);
        let Some(followed) = followed else {
            return out.push(Output::Verified { id, outcome: nobody });
        };
        // One node of each operator that is neither ours nor the log's.
        let mut nodes = BTreeMap::new();
        for (peer, remote) in &self.peers {
            let Some(operator) = remote.operator.filter(|_| remote.is_free(now_ms)) else {
                continue;
            };
            let is_party = operator == *self.certificate.operator()
                || operator == *followed.replica.name().operator();
            if !is_party && !excluded.contains(&operator) {
                nodes.entry(*operator.as_bytes()).or_insert(*peer);
            }
        }
        let until_ms = now_ms.saturating_add(QUESTION_MS);
        let question = Question { leaf, quorum, by: Vec::new(), open: 0, until_ms };
        self.questions.insert(id, question);
        let mut open = 0;
        for peer in nodes.into_values().take(quorum.saturating_mul(2).min(ASKED_MAX)) {
            let asked = Asked::Inclusion { question: id, log, index };
            let request = Request::Inclusion { log, index };
            open += usize::from(self.ask(peer, asked, &request, now_ms, out).is_some());
        }
        if let Some(question) = self.questions.get_mut(&id) {
            question.open = open;
        }
        if open == 0 {
            self.questions.remove(&id);
            out.push(Output::Verified { id, outcome: nobody });
        }
    }

    /// A node did not answer, or not that.
    pub(super) fn unanswered(&mut self, id: u64, out: &mut Vec<Output>) {
        let Some(question) = self.questions.get_mut(&id) else { return };
        question.open = question.open.saturating_sub(1);
        if question.open == 0 {
            self.end_question(id, out);
        }
    }

    /// A node showed what stands there; that was checked.
    pub(super) fn counted(
        &mut self,
        peer: Peer,
        id: u64,
        (note, leaf, path): (String, Digest32, Vec<Digest32>),
        out: &mut Vec<Output>,
    ) {
        let operator = self.peers.get(&peer).and_then(|remote| remote.operator);
        let Some(question) = self.questions.get_mut(&id) else { return };
        if question.leaf != leaf {
            self.questions.remove(&id);
            let outcome = Verified::Contradicted { note, leaf, path };
            return out.push(Output::Verified { id, outcome });
        }
        question.by.extend(operator.filter(|operator| !question.by.contains(operator)));
        if question.by.len() < question.quorum {
            return self.unanswered(id, out);
        }
        let by = std::mem::take(&mut question.by);
        self.questions.remove(&id);
        out.push(Output::Verified { id, outcome: Verified::Confirmed { by } });
    }

    pub(super) fn expire_questions(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let over = self.questions.iter().filter(|(_, it)| now_ms >= it.until_ms);
        for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end_question(id, out);
        }
    }

    fn end_question(&mut self, id: u64, out: &mut Vec<Output>) {
        if let Some(question) = self.questions.remove(&id) {
            out.push(Output::Verified { id, outcome: Verified::Unknown { by: question.by } });
        }
    }
}

/// Questions at once.
const QUESTIONS_MAX: usize = 64;
/// Nodes that one question goes to.
const ASKED_MAX: usize = 16;
/// How long a question stays open.
const QUESTION_MS: u64 = 30_000;
