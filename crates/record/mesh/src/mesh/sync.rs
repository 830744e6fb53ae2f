//! From what was seen to what is here: checkpoints are pursued until the copy has every entry under them.

use symbolon_log::Storage;

use super::asks::Asked;
use super::{Followed, Mesh};
use crate::answer::Answer;
use crate::batch::{Batch, split};
use crate::checkpoint::{RawCheckpoint, SpreadError};
use crate::evidence::{Contradiction, Evidence};
use crate::fault::Fault;
use crate::name::LogId;
use crate::replica::{Known, ReplicaError, Sighting, TakeError, Taken};
use crate::request::Request;
use crate::seen::Seen;
use crate::{Output, Peer, Topic};

impl<S: Storage> Mesh<S> {
    /// Holds a checkpoint against what is known. Whether it is news.
    pub(super) fn sight(&mut self, id: LogId, known: &Known, out: &mut Vec<Output>) -> bool {
        let Some(followed) = self.logs.get_mut(&id).filter(|it| !it.is_forked) else {
            return false;
        };
        match followed.replica.observe(known) {
            Ok(Sighting::Old) => false,
            Ok(Sighting::New) => {
                followed.tried.clear();
                self.judge_suspects(id, out);
                true
            }
            Ok(Sighting::Fork(evidence)) => {
                self.accuse(id, &evidence, out);
                true
            }
            Err(error) => {
                self.stop(id, &error, out);
                false
            }
        }
    }

    /// Evidence that holds: kept, told here and spread, once.
    pub(super) fn accuse(&mut self, id: LogId, evidence: &Evidence, out: &mut Vec<Output>) {
        let Some(followed) = self.logs.get_mut(&id) else { return };
        if followed.has_accused(evidence) {
            return;
        }
        followed.is_accused = true;
        followed.is_forked |= evidence.is_fork();
        let kept = followed.replica.keep_evidence(evidence);
        let bytes = evidence.to_bytes();
        self.seen.add(Seen::digest(Topic::Evidence, &bytes));
        out.push(Output::Evidence(Box::new(evidence.clone())));
        out.push(Output::Publish { topic: Topic::Evidence, bytes });
        if let Err(error) = kept {
            self.stop(id, &error, out);
        }
    }

    /// Entries of our own log are durable here before they are spread.
    pub(super) fn grown(
        &mut self,
        id: LogId,
        from: u64,
        entries: &[Vec<u8>],
        note: Option<&str>,
        out: &mut Vec<Output>,
    ) {
        let Some(followed) = self.logs.get_mut(&id) else { return };
        // A log without entries has nothing to say.
        let note =
            note.filter(|note| !matches!(followed.replica.known(note), Err(SpreadError::Empty)));
        let first = followed.replica.size();
        let grown = match followed.replica.is_own() && !followed.is_forked {
            true => followed.grow(from, entries),
            false => return,
        };
        let signed = grown.and_then(|()| match note {
            Some(note) => followed.replica.sign_off(note),
            None => Ok(None),
        });
        let name = followed.replica.name().clone();
        let fork = match signed {
            Ok(fork) => fork,
            Err(error) => return self.stop(id, &error, out),
        };
        let known = usize::try_from(first.saturating_sub(from)).unwrap_or(usize::MAX);
        let (mut next, mut rest) = (first.max(from), entries.get(known..).unwrap_or_default());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(split(rest));
            let certificate = self.certificate.clone();
            let batch = Batch::sign(name.clone(), next, now.to_vec(), certificate, &self.endpoint);
            self.publish(Topic::Entries, batch.to_bytes(), out);
            (next, rest) = (next + now.len() as u64, later);
        }
        if let Some(note) = note {
            let bytes = RawCheckpoint { log: name.text(), note }.to_bytes();
            self.publish(Topic::Checkpoints, bytes, out);
        }
        if let Some(evidence) = fork {
            self.accuse(id, &evidence, out);
        }
        self.judge_suspects(id, out);
    }

    pub(super) fn publish(&mut self, topic: Topic, bytes: Vec<u8>, out: &mut Vec<Output>) {
        let message = Seen::digest(topic, &bytes);
        if !self.seen.has(&message) {
            self.seen.add(message);
            out.push(Output::Publish { topic, bytes });
        }
    }

    /// Takes entries that are held, and asks for what is lacking.
    pub(super) fn pursue(&mut self, id: LogId, now_ms: u64, out: &mut Vec<Output>) {
        self.pursue_held(id, now_ms, out);
        let Some(followed) = self.logs.get_mut(&id) else { return };
        let is_due = now_ms >= followed.retry_at_ms
            || followed.retry_at_ms > now_ms.saturating_add(RETRY_MS);
        let (base, from) = followed.replica.places();
        // There is nothing of our own log that a checkpoint could contradict yet.
        let is_nothing = followed.replica.is_own() && base == 0;
        if is_nothing || followed.is_forked || followed.ask.is_some() || !is_due {
            return;
        }
        let Some(target) = followed.replica.target().cloned() else { return };
        let (peers, tried) = (&self.peers, &followed.tried);
        let free = peers.iter().filter(|(peer, it)| it.is_free(now_ms) && !tried.contains(peer));
        // Whoever was asked longest ago.
        let Some(peer) = free.min_by_key(|(_, it)| it.asked_at).map(|(peer, _)| *peer) else {
            followed.tried.clear();
            followed.retry_at_ms = now_ms.saturating_add(RETRY_MS);
            if let Err(error) = followed.replica.rotate() {
                self.stop(id, &error, out);
            }
            return;
        };
        let request = Request::Range { log: id, base, from, note: target.note.clone() };
        let asked = Asked::Range { log: id, base, from, target };
        let ask = self.ask(peer, asked, &request, now_ms, out);
        if let Some(followed) = self.logs.get_mut(&id) {
            match ask {
                Some(ask) => followed.ask = Some(ask),
                // It was asked as often as it may be: a moment later.
                None => followed.retry_at_ms = now_ms.saturating_add(PACE_MS),
            }
        }
    }

    /// Takes entries that gossip brought, where a checkpoint is reached by them.
    pub(super) fn pursue_held(&mut self, id: LogId, now_ms: u64, out: &mut Vec<Output>) {
        let Some(followed) = self.logs.get_mut(&id) else { return };
        match followed.take_held() {
            Ok(Some(taken)) => self.taken(id, taken, now_ms, out),
            Ok(None) => {}
            Err(error) => self.stop(id, &error, out),
        }
    }

    /// An answer with entries came. Whether who gave it is to blame.
    pub(super) fn entries(
        &mut self,
        id: LogId,
        places: (u64, u64),
        (peer, target): (Peer, &Known),
        answer: &Answer,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Result<(), Fault> {
        let Answer::Entries { prefix, prefix_path, entries, path } = answer else {
            return Err(Fault::Kind);
        };
        let Some(followed) = self.logs.get_mut(&id).filter(|it| !it.is_forked) else {
            return Ok(());
        };
        let taken = followed.replica.take(places, target, (*prefix, prefix_path), (entries, path));
        match taken {
            Ok(taken) => {
                if followed.replica.is_own() {
                    // It continues ours, and has more: whoever wrote it, it is asked for no more for now.
                    followed.tried.insert(peer);
                }
                self.taken(id, taken, now_ms, out);
                Ok(())
            }
            Err(TakeError::Fault(fault)) => Err(fault),
            Err(TakeError::Replica(error)) => {
                self.stop(id, &error, out);
                Ok(())
            }
        }
    }

    fn taken(&mut self, id: LogId, taken: Taken, now_ms: u64, out: &mut Vec<Output>) {
        let Some(followed) = self.logs.get_mut(&id) else { return };
        match taken {
            Taken::Advanced { from, to, leaves, forks } => {
                followed.tried.clear();
                followed.retry_at_ms = followed.retry_at_ms.min(now_ms);
                followed.drop_held(from, to, &leaves);
                out.push(Output::Advanced { log: id, from, to });
                for fork in forks {
                    self.accuse(id, &fork, out);
                }
                self.judge_suspects(id, out);
                self.reach_witnessed(id, out);
                self.pursue_held(id, now_ms, out);
            }
            Taken::Fork(evidence) => self.accuse(id, &evidence, out),
            Taken::Stale => {}
        }
    }

    /// Claims of which the checkpoint that is reached says another thing.
    pub(super) fn judge_suspects(&mut self, id: LogId, out: &mut Vec<Output>) {
        let Some(followed) = self.logs.get_mut(&id) else { return };
        if followed.suspects.is_empty() {
            return;
        }
        match followed.judge() {
            Ok(found) => found.iter().for_each(|evidence| self.accuse(id, evidence, out)),
            Err(error) => self.stop(id, &error, out),
        }
    }

    /// Somebody has not what was asked of it.
    pub(super) fn has_not(&mut self, id: LogId, peer: Peer) {
        if let Some(followed) = self.logs.get_mut(&id) {
            followed.tried.insert(peer);
        }
    }
}

impl<S: Storage> Followed<S> {
    pub(super) fn has_accused(&self, evidence: &Evidence) -> bool {
        self.is_forked || (self.is_accused && !evidence.is_fork())
    }

    /// What is given again has to be what was given before.
    fn grow(&mut self, from: u64, entries: &[Vec<u8>]) -> Result<(), ReplicaError> {
        let size = self.replica.size();
        let again = size.checked_sub(from).ok_or(ReplicaError::Changed)?;
        let again = usize::try_from(again).unwrap_or(usize::MAX).min(entries.len());
        let (again, new) = entries.split_at(again);
        for (index, entry) in (from..).zip(again) {
            if self.replica.leaf(index)? != symbolon_log::leaf_hash(entry) {
                return Err(ReplicaError::Changed);
            }
        }
        if new.is_empty() { Ok(()) } else { self.replica.grow(new) }
    }

    fn take_held(&mut self) -> Result<Option<Taken>, ReplicaError> {
        let Some(target) = self.replica.target().cloned() else { return Ok(None) };
        let size = self.replica.size();
        let wanted = target.size.saturating_sub(size);
        let is_plain =
            !self.replica.is_own() && !self.is_forked && self.doubted != Some(target.root);
        if !is_plain || wanted == 0 || (self.held.len() as u64) < wanted {
            return Ok(None);
        }
        let held = self.held.range(size..target.size);
        let entries: Vec<_> = held.map(|(_, it)| it.entry.clone()).collect();
        if (entries.len() as u64) < wanted {
            return Ok(None);
        }
        let taken = self.replica.take_held(&target, &entries)?;
        if taken.is_none() {
            // Some claim is not what the checkpoint says: a node that has the entries tells which.
            self.doubted = Some(target.root);
        }
        Ok(taken)
    }

    /// What is here need not be held; a claim of something else is suspect.
    fn drop_held(&mut self, from: u64, to: u64, leaves: &[symbolon_codec::Digest32]) {
        let later = self.held.split_off(&to);
        for (index, entry) in std::mem::replace(&mut self.held, later) {
            self.held_bytes = self.held_bytes.saturating_sub(entry.entry.len());
            let place = index.checked_sub(from).and_then(|at| usize::try_from(at).ok());
            let leaf = place.and_then(|at| leaves.get(at));
            if leaf.is_some_and(|leaf| leaf != entry.claim.leaf()) {
                self.suspect(entry.claim);
            }
        }
    }

    fn judge(&mut self) -> Result<Vec<Evidence>, ReplicaError> {
        let (name, mut found) = (self.replica.name().clone(), Vec::new());
        let covered = self.replica.head_size();
        let (ripe, rest) = std::mem::take(&mut self.suspects)
            .into_iter()
            .partition::<Vec<_>, _>(|claim| claim.index() < covered);
        self.suspects = rest;
        for claim in ripe {
            let Some((note, leaf, path)) = self.replica.included(claim.index())? else { continue };
            let claim = Box::new(claim);
            let contradiction = Contradiction::Checkpoint { claim, note, leaf, path };
            found.extend(Evidence::check(name.clone(), contradiction));
        }
        Ok(found)
    }
}

/// When a checkpoint that nobody had is asked for again.
const RETRY_MS: u64 = 1000;
/// When a node that was asked often is asked again.
const PACE_MS: u64 = 50;
