//! Messages that spread: what is checked before they go on.

use symbolon_log::Storage;

use super::{Followed, Forwards, Mesh};
use crate::batch::{Batch, RawBatch};
use crate::checkpoint::RawCheckpoint;
use crate::entry::SignedEntry;
use crate::evidence::{Contradiction, Evidence};
use crate::fault::Fault;
use crate::name::LogId;
use crate::replica::ReplicaError;
use crate::seen::Seen;
use crate::{Output, Peer, Topic, Verdict};

/// Why a message is not forwarded.
enum Refused {
    /// Nobody's fault.
    Ignore,
    /// Who forwarded it did not check it.
    Fault(Fault),
    /// Our copy of the log.
    Stopped(LogId, ReplicaError),
}

impl<S: Storage> Mesh<S> {
    pub(super) fn gossip(
        &mut self,
        peer: Peer,
        topic: Topic,
        bytes: &[u8],
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Verdict {
        let Some(remote) = self.peers.get_mut(&peer) else { return Verdict::Ignore };
        if remote.is_cut(now_ms) {
            return Verdict::Reject;
        }
        if !remote.gossip.take(now_ms) {
            self.fault(peer, Fault::Flood, now_ms, out);
            return Verdict::Ignore;
        }
        if bytes.len() > topic.bytes_max() {
            let fault = Fault::Long { found: bytes.len(), max: topic.bytes_max() };
            self.fault(peer, fault, now_ms, out);
            return Verdict::Reject;
        }
        let message = Seen::digest(topic, bytes);
        if self.seen.has(&message) {
            return Verdict::Ignore;
        }
        let taken = match topic {
            Topic::Entries => self.batch(bytes, now_ms, out),
            Topic::Checkpoints => self.checkpoint(bytes, now_ms, out),
            Topic::Evidence => self.accusation(bytes, out),
        };
        match taken {
            Ok(()) => {
                self.seen.add(message);
                Verdict::Accept
            }
            Err(Refused::Ignore) => Verdict::Ignore,
            Err(Refused::Fault(fault)) => {
                self.fault(peer, fault, now_ms, out);
                Verdict::Reject
            }
            Err(Refused::Stopped(log, error)) => {
                self.stop(log, &error, out);
                Verdict::Ignore
            }
        }
    }

    /// One signature is checked for all entries of a message; then each is looked at by itself.
    fn batch(&mut self, bytes: &[u8], now_ms: u64, out: &mut Vec<Output>) -> Result<(), Refused> {
        let fault = |error| Refused::Fault(Fault::Entry(error));
        let raw = RawBatch::parse(bytes).map_err(fault)?;
        let Some(id) = self.names.get(raw.log).copied() else {
            self.is_any_forwarded()?;
            let batch = Batch::open(&raw).map_err(fault)?;
            batch.certificate().check_time(now_ms).map_err(|_| Refused::Ignore)?;
            self.unfollowed(raw.log, out);
            return Ok(());
        };
        let is_full = self.logs.values().map(|it| it.held_bytes).sum::<usize>() > HELD_IN_ALL_MAX;
        let Some(followed) = self.logs.get_mut(&id) else { return Err(Refused::Ignore) };
        if followed.is_forked || is_full {
            return Err(Refused::Ignore);
        }
        let log = followed.replica.name().clone();
        let batch = Batch::open_of(&raw, log, &followed.certificates).map_err(fault)?;
        let certificate = batch.certificate();
        certificate.check_time(now_ms).map_err(|_| Refused::Ignore)?;
        if !followed.certificates.contains(certificate) {
            followed.certificates.truncate(CERTIFICATES_MAX - 1);
            followed.certificates.insert(0, certificate.clone());
        }
        let (mut is_taken, mut is_suspect) = (false, false);
        let (mut arrived, mut found) = (Vec::new(), Vec::new());
        for entry in batch.into_entries() {
            let (index, leaf) = (entry.claim.index(), *entry.claim.leaf());
            match followed.hold(entry).map_err(|error| Refused::Stopped(id, error))? {
                Held::New => arrived.push(Output::Arrived { log: id, index, leaf }),
                Held::Here => {}
                Held::Suspect => is_suspect = true,
                Held::Contradicts(evidence) => found.push(evidence),
                Held::TooFar => continue,
            }
            is_taken = true;
        }
        let is_news = !arrived.is_empty();
        out.append(&mut arrived);
        for evidence in &found {
            self.accuse(id, evidence, out);
        }
        if is_suspect {
            self.judge_suspects(id, out);
        }
        if is_news {
            self.pursue_held(id, now_ms, out);
        }
        if is_taken { Ok(()) } else { Err(Refused::Ignore) }
    }

    fn checkpoint(
        &mut self,
        bytes: &[u8],
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let fault = |error| Refused::Fault(Fault::Checkpoint(error));
        let raw = RawCheckpoint::parse(bytes).map_err(fault)?;
        let Some(id) = self.names.get(raw.log).copied() else {
            self.is_any_forwarded()?;
            raw.open().map_err(fault)?;
            self.unfollowed(raw.log, out);
            return Ok(());
        };
        let Some(followed) = self.logs.get_mut(&id) else { return Err(Refused::Ignore) };
        let known = followed.replica.known(raw.note).map_err(fault)?;
        let is_news = self.sight(id, &known, out);
        let is_witnessed = self.witnessed(id, &known, out);
        if is_news {
            // Its entries may be on their way: they are asked for a moment later.
            if let Some(followed) = self.logs.get_mut(&id) {
                followed.retry_at_ms = followed.retry_at_ms.max(now_ms.saturating_add(GRACE_MS));
            }
            self.pursue_held(id, now_ms, out);
        }
        if is_news || is_witnessed { Ok(()) } else { Err(Refused::Ignore) }
    }

    fn accusation(&mut self, bytes: &[u8], out: &mut Vec<Output>) -> Result<(), Refused> {
        let evidence =
            Evidence::open(bytes).map_err(|error| Refused::Fault(Fault::Evidence(error)))?;
        let id = evidence.log().id();
        let Some(followed) = self.logs.get(&id) else { return Err(Refused::Ignore) };
        if followed.has_accused(&evidence) {
            return Err(Refused::Ignore);
        }
        self.accuse(id, &evidence, out);
        Ok(())
    }

    fn is_any_forwarded(&self) -> Result<(), Refused> {
        match self.forwards {
            Forwards::Anything => Ok(()),
            Forwards::Followed => Err(Refused::Ignore),
        }
    }

    fn unfollowed(&mut self, log: &str, out: &mut Vec<Output>) {
        if self.unfollowed.len() < UNFOLLOWED_MAX && self.unfollowed.insert(log.to_owned()) {
            out.push(Output::Unfollowed { log: log.to_owned() });
        }
    }
}

/// What an entry turned out to be.
enum Held {
    New,
    Here,
    /// Another one stands there, under no checkpoint that is reached.
    Suspect,
    Contradicts(Box<Evidence>),
    /// So far ahead that it is found by its checkpoint.
    TooFar,
}

impl<S: Storage> Followed<S> {
    fn hold(&mut self, entry: SignedEntry) -> Result<Held, ReplicaError> {
        let (index, size) = (entry.claim.index(), self.replica.size());
        if index < size {
            if self.replica.leaf(index)? == *entry.claim.leaf() {
                return Ok(Held::Here);
            }
            self.suspect(entry.claim);
            return Ok(Held::Suspect);
        }
        if let Some(known) = self.held.get(&index) {
            if known.claim.leaf() == entry.claim.leaf() {
                return Ok(Held::Here);
            }
            let one = Box::new(known.claim.clone());
            let contradiction = Contradiction::Entries { one, other: entry.claim.into() };
            let evidence = Evidence::check(self.replica.name().clone(), contradiction);
            return Ok(evidence.map_or(Held::Here, |it| Held::Contradicts(it.into())));
        }
        let bytes = self.held_bytes + entry.entry.len();
        if index - size >= HELD_MAX || bytes > HELD_BYTES_MAX {
            return Ok(Held::TooFar);
        }
        self.held_bytes = bytes;
        self.held.insert(index, entry);
        Ok(Held::New)
    }

    pub(super) fn suspect(&mut self, claim: crate::Claim) {
        if self.suspects.len() < SUSPECTS_MAX {
            self.suspects.push(claim);
        }
    }
}

/// Entries after those that are here which wait for a checkpoint.
const HELD_MAX: u64 = 4096;
/// Their bytes.
const HELD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// As many of all logs together.
const HELD_IN_ALL_MAX: usize = 64 * 1024 * 1024;
/// Claims that wait for a checkpoint to decide.
const SUSPECTS_MAX: usize = 16;
/// Certificates of one operator that are remembered.
const CERTIFICATES_MAX: usize = 4;
/// Logs that are named as not followed.
const UNFOLLOWED_MAX: usize = 256;
/// How long entries have to come after their checkpoint before they are asked for.
const GRACE_MS: u64 = 150;
