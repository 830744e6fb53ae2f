//! Messages that spread: what is checked before they go on.

use symbolon_log::Storage;

use super::{Followed, Forwards, Mesh};
use crate::checkpoint::RawCheckpoint;
use crate::entry::{RawEntry, SignedEntry};
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
            Topic::Entries => self.entry(bytes, now_ms, out),
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

    fn entry(&mut self, bytes: &[u8], now_ms: u64, out: &mut Vec<Output>) -> Result<(), Refused> {
        let fault = |error| Refused::Fault(Fault::Entry(error));
        let raw = RawEntry::parse(bytes).map_err(fault)?;
        let Some(id) = self.names.get(raw.log).copied() else {
            self.is_any_forwarded()?;
            let entry = SignedEntry::open(&raw).map_err(fault)?;
            entry.claim.certificate().check_time(now_ms).map_err(|_| Refused::Ignore)?;
            self.unfollowed(raw.log, out);
            return Ok(());
        };
        let Some(followed) = self.logs.get_mut(&id) else { return Err(Refused::Ignore) };
        if followed.is_forked {
            return Err(Refused::Ignore);
        }
        let log = followed.replica.name().clone();
        let entry = SignedEntry::open_of(&raw, log, &followed.certificates).map_err(fault)?;
        let certificate = entry.claim.certificate();
        certificate.check_time(now_ms).map_err(|_| Refused::Ignore)?;
        if !followed.certificates.contains(certificate) {
            followed.certificates.truncate(CERTIFICATES_MAX - 1);
            followed.certificates.insert(0, certificate.clone());
        }
        let arrived = Output::Arrived { log: id, index: raw.index, leaf: *entry.claim.leaf() };
        match followed.hold(entry).map_err(|error| Refused::Stopped(id, error))? {
            Held::New => {
                out.push(arrived);
                self.pursue_held(id, now_ms, out);
            }
            Held::Here => {}
            Held::Suspect => self.judge_suspects(id, out),
            Held::Contradicts(evidence) => self.accuse(id, &evidence, out),
            Held::TooFar => return Err(Refused::Ignore),
        }
        Ok(())
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
        if self.sight(id, &known, out) {
            // Its entries may be on their way: they are asked for a moment later.
            if let Some(followed) = self.logs.get_mut(&id) {
                followed.retry_at_ms = followed.retry_at_ms.max(now_ms.saturating_add(GRACE_MS));
            }
            self.pursue_held(id, now_ms, out);
            Ok(())
        } else {
            Err(Refused::Ignore)
        }
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
            let evidence = Evidence::check(entry.log, contradiction);
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
/// Claims that wait for a checkpoint to decide.
const SUSPECTS_MAX: usize = 16;
/// Certificates of one operator that are remembered.
const CERTIFICATES_MAX: usize = 4;
/// Logs that are named as not followed.
const UNFOLLOWED_MAX: usize = 256;
/// How long entries have to come after their checkpoint before they are asked for.
const GRACE_MS: u64 = 150;
