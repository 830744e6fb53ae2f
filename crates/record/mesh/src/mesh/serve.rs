//! Answers to other nodes' questions.

use symbolon_log::Storage;

use super::Mesh;
use crate::answer::{Answer, HEADS_MAX};
use crate::fault::Fault;
use crate::name::LogId;
use crate::replica::ReplicaError;
use crate::request::{REQUEST_BYTES_MAX, Request};
use crate::{Output, Peer};

impl<S: Storage> Mesh<S> {
    pub(super) fn answer(
        &mut self,
        peer: Peer,
        bytes: &[u8],
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Answer {
        let Some(remote) = self.peers.get_mut(&peer) else { return Answer::Busy };
        if remote.is_cut(now_ms) {
            return Answer::Busy;
        }
        if !remote.requests.take(now_ms) {
            self.fault(peer, Fault::Flood, now_ms, out);
            return Answer::Busy;
        }
        let parsed = match bytes.len() {
            found if found > REQUEST_BYTES_MAX => {
                Err(Fault::Long { found, max: REQUEST_BYTES_MAX })
            }
            _ => Request::parse(bytes).map_err(Fault::Request),
        };
        let served = match parsed {
            Ok(Request::Introduce { certificate }) => {
                self.introduced(peer, &certificate, now_ms, out);
                Ok(Answer::Introduced { certificate: self.certificate.bytes().to_vec() })
            }
            Ok(Request::Heads { after }) => Ok(self.reached(after)),
            Ok(Request::Range { log, base, from, note }) => {
                self.range(log, (base, from), &note, now_ms, out)
            }
            Ok(Request::Inclusion { log, index }) => Ok(self.inclusion(log, index, out)),
            Err(fault) => Err(fault),
        };
        served.unwrap_or_else(|fault| {
            self.fault(peer, fault, now_ms, out);
            Answer::Absent
        })
    }

    /// Checkpoints that are reached, of logs after one.
    fn reached(&self, after: Option<LogId>) -> Answer {
        let logs = self.logs.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
        let heads = logs.filter_map(|(id, it)| Some((*id, it.replica.shown()?)));
        Answer::Heads { heads: heads.take(HEADS_MAX).collect() }
    }

    /// The asked checkpoint is held against what is here: it may be news, or of another history.
    fn range(
        &mut self,
        id: LogId,
        places: (u64, u64),
        note: &str,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Result<Answer, Fault> {
        let Some(followed) = self.logs.get(&id) else { return Ok(Answer::Absent) };
        let known = followed.replica.known(note).map_err(Fault::Checkpoint)?;
        if self.sight(id, &known, out) {
            self.pursue(id, now_ms, out);
        }
        let Some(followed) = self.logs.get(&id) else { return Ok(Answer::Absent) };
        let answer = match (followed.is_forked, followed.replica.range(places, &known)) {
            (_, Ok(Some(answer))) => Ok(answer),
            (true, Ok(None)) => match followed.replica.evidence() {
                Ok(Some(evidence)) => Ok(Answer::Forked { evidence: evidence.to_bytes() }),
                Ok(None) => Ok(Answer::Absent),
                Err(error) => Err(error),
            },
            (false, Ok(None)) => {
                let note = followed.replica.head().map(|head| head.note.clone());
                Ok(Answer::Behind { note })
            }
            (_, Err(error)) => Err(error),
        };
        Ok(self.or_stop(id, answer, out))
    }

    fn inclusion(&mut self, id: LogId, index: u64, out: &mut Vec<Output>) -> Answer {
        let Some(followed) = self.logs.get(&id) else { return Answer::Absent };
        let found = followed.replica.included(index);
        let answer = found.map(|found| match found {
            Some((note, leaf, path)) => Answer::Included { note, leaf, path },
            None => Answer::Absent,
        });
        self.or_stop(id, answer, out)
    }

    fn or_stop(
        &mut self,
        id: LogId,
        answer: Result<Answer, ReplicaError>,
        out: &mut Vec<Output>,
    ) -> Answer {
        answer.unwrap_or_else(|error| {
            self.stop(id, &error, out);
            Answer::Absent
        })
    }
}
