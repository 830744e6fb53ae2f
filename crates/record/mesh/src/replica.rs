//! Our copy of a log: its entries, the checkpoint that they reach, and those that it does not reach yet.
//!
//! **Invariant**: an entry of a log of others is in the copy only where a checkpoint that the operator signed has it
//! there. **Invariant**: a checkpoint is on the disk before anybody is told that it was seen.

use symbolon_codec::{Digest32, Fields, FieldsReader};
use symbolon_crypto::labels::MESH_NOTES;
use symbolon_log::{
    Log, LogError, LogOptions, Storage, WitnessKey, empty_root, leaf_hash, verify_consistency,
};

use crate::answer::{Answer, ENTRIES_BYTES_MAX, ENTRIES_MAX};
use crate::checkpoint::{NOTE_BYTES_MAX, SpreadError, open_note};
use crate::cosigned::Cosigned;
use crate::evidence::{Contradiction, EVIDENCE_BYTES_MAX, Evidence, EvidenceError, Side};
use crate::fault::Fault;
use crate::frontier::Frontier;
use crate::list::read_count;
use crate::name::LogName;

/// Why a copy takes no more.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// Ours: the storage.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Ours: what was kept beside the entries is damaged, or of another log.
    #[error("what was kept of the log's checkpoints is damaged")]
    State,
    /// Ours: our own log is not what it was. It may have been put back from a copy.
    #[error("our own log is not the one that was spread before")]
    Changed,
}

/// A checkpoint whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub size: u64,
    pub root: Digest32,
    pub note: String,
    /// How often nobody had it.
    stuck: u32,
}

/// What a checkpoint turned out to be.
#[derive(Debug)]
pub(crate) enum Sighting {
    /// One that was seen, or that the copy goes beyond.
    Old,
    /// One that was not seen.
    New,
    /// One of another history.
    Fork(Box<Evidence>),
}

/// What came of entries.
#[derive(Debug)]
pub(crate) enum Taken {
    /// They are in the copy. What was waiting for them may show a fork.
    Advanced { from: u64, to: u64, leaves: Vec<Digest32>, forks: Vec<Evidence> },
    /// The checkpoint that they are of does not begin with what we have.
    Fork(Box<Evidence>),
    /// They were asked for before something else came.
    Stale,
}

/// Why entries were not taken.
#[derive(Debug)]
pub(crate) enum TakeError {
    Fault(Fault),
    Replica(ReplicaError),
}

impl<E: Into<ReplicaError>> From<E> for TakeError {
    fn from(error: E) -> Self {
        Self::Replica(error.into())
    }
}

pub(crate) struct Replica<S> {
    name: LogName,
    /// Filled by its operator alone, and by nobody's answers.
    is_own: bool,
    log: Log<S>,
    frontier: Frontier,
    head: Option<Known>,
    /// Not reached yet. The first is the one that is asked for, and stays the first while only a part of it is here.
    waiting: Vec<Known>,
    /// The newest checkpoint within what is reached that witnesses signed.
    cosigned: Option<Cosigned>,
}

impl<S: Storage> Replica<S> {
    pub fn open(
        name: LogName,
        is_own: bool,
        storage: S,
    ) -> Result<(Self, Vec<Evidence>), ReplicaError> {
        let (origin, verifier) = (name.origin().to_owned(), Some(*name.operator()));
        let log = Log::open_with(storage, LogOptions { origin, signer: None, verifier })?;
        let frontier = Frontier::of(&log)?;
        let mut replica =
            Self { name, is_own, log, frontier, head: None, waiting: Vec::new(), cosigned: None };
        replica.read_notes()?;
        if let Some(head) = &replica.head
            && (head.size > replica.size() || replica.log.root(head.size)? != head.root)
        {
            return Err(ReplicaError::State);
        }
        let forks = replica.settle()?;
        Ok((replica, forks))
    }

    pub fn is_own(&self) -> bool {
        self.is_own
    }

    pub fn name(&self) -> &LogName {
        &self.name
    }

    /// Entries that are here.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The largest checkpoint that the entries reach.
    pub fn head(&self) -> Option<&Known> {
        self.head.as_ref()
    }

    /// Its note as others are shown it: with what witnesses said of it, where that is known.
    pub fn shown(&self) -> Option<String> {
        let head = self.head.as_ref()?;
        let cosigned = self.cosigned.as_ref();
        let cosigned = cosigned.filter(|it| (it.size, it.root) == (head.size, head.root));
        Some(cosigned.map_or_else(|| head.note.clone(), Cosigned::note))
    }

    pub fn head_size(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.size)
    }

    /// The newest checkpoint that witnesses signed, of those that the entries reach.
    pub fn cosigned(&self) -> Option<&Cosigned> {
        self.cosigned.as_ref()
    }

    /// Takes the lines of witnesses under a checkpoint that is not above the head. Whether they say anything new of this history.
    pub fn cosign(&mut self, cosigned: Cosigned) -> Result<bool, ReplicaError> {
        if self.log.root(cosigned.size)? != cosigned.root || !cosigned.join(&mut self.cosigned) {
            return Ok(false);
        }
        let note = self.cosigned.as_ref().map(Cosigned::note).unwrap_or_default();
        let kept = self.log.storage().publish(COSIGNED, note.as_bytes());
        kept.map_err(stored("write the cosignatures"))?;
        Ok(true)
    }

    /// Reads again what witnesses said, as far as they are believed today. What is damaged is as good as nothing: it comes again.
    pub fn read_cosigned(&mut self, witnesses: &[WitnessKey]) -> Result<(), ReplicaError> {
        let bytes = self.log.storage().get(COSIGNED, NOTE_BYTES_MAX as u64 + 1);
        let bytes = bytes.map_err(stored("read the cosignatures"))?;
        let note = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let known = note.and_then(|note| self.known(&note).ok());
        let known = known.filter(|known| known.size <= self.head_size());
        let read = known.and_then(|known| Cosigned::read(&self.name, &known, witnesses));
        if let Some(cosigned) = read
            && self.log.root(cosigned.size)? == cosigned.root
        {
            self.cosigned = Some(cosigned);
        }
        Ok(())
    }

    /// What a question for entries says of what is here: up to which checkpoint, and up to which entry. Of our own log
    /// it is asked only whether a checkpoint continues ours.
    pub fn places(&self) -> (u64, u64) {
        let base = self.head_size();
        (base, if self.is_own { base } else { self.size() })
    }

    /// The checkpoint to reach next.
    pub fn target(&self) -> Option<&Known> {
        self.waiting.first()
    }

    pub fn leaf(&self, index: u64) -> Result<Digest32, ReplicaError> {
        Ok(leaf_hash(&self.log.entry(index)?))
    }

    /// Checks a note, or finds that it was checked.
    pub fn known(&self, note: &str) -> Result<Known, SpreadError> {
        if let Some(known) = self.head.iter().chain(&self.waiting).find(|it| it.note == note) {
            return Ok(known.clone());
        }
        let found = open_note(&self.name, note)?;
        Ok(Known { size: found.size, root: found.root, note: note.to_owned(), stuck: 0 })
    }

    /// Holds a checkpoint against what is here, and keeps it where it goes beyond.
    pub fn observe(&mut self, known: &Known) -> Result<Sighting, ReplicaError> {
        if known.size <= self.head_size() {
            return Ok(match self.contradiction(known)? {
                Some(fork) => Sighting::Fork(fork.into()),
                None => Sighting::Old,
            });
        }
        if let Some(same) = self.waiting.iter().find(|it| it.size == known.size) {
            if same.root == known.root {
                return Ok(Sighting::Old);
            }
            let side = |it: &Known| Side { note: it.note.clone(), root: it.root, path: Vec::new() };
            return Ok(Sighting::Fork(self.fork(known.size, side(same), side(known))?.into()));
        }
        self.waiting.push(known.clone());
        self.order();
        self.waiting.truncate(WAITING_MAX);
        self.save()?;
        if known.size <= self.size()
            && let Some(fork) = self.settle()?.pop()
        {
            return Ok(Sighting::Fork(fork.into()));
        }
        Ok(Sighting::New)
    }

    /// Nobody has the checkpoint that is asked for: another first, where none is begun.
    pub fn rotate(&mut self) -> Result<(), ReplicaError> {
        if self.waiting.len() < 2 || (!self.is_own && self.size() > self.head_size()) {
            return Ok(());
        }
        self.waiting[0].stuck += 1;
        self.order();
        self.save()
    }

    /// Takes entries of our own log.
    pub fn grow(&mut self, entries: &[Vec<u8>]) -> Result<(), ReplicaError> {
        let mut frontier = self.frontier.clone();
        entries.iter().for_each(|entry| frontier.push(leaf_hash(entry)));
        self.append(entries, frontier)
    }

    /// Takes the newest checkpoint of our own log.
    pub fn sign_off(&mut self, note: &str) -> Result<Option<Evidence>, ReplicaError> {
        let known = self.known(note).map_err(|_| ReplicaError::Changed)?;
        if known.size > self.size() || self.log.root(known.size)? != known.root {
            return Err(ReplicaError::Changed);
        }
        if self.head.as_ref().is_some_and(|head| head.size >= known.size) {
            return Ok(None);
        }
        self.head = Some(known);
        let forks = self.settle()?;
        self.save()?;
        Ok(forks.into_iter().next())
    }

    /// Takes entries that gossip brought, where they lead to the checkpoint's root. False, and nothing is changed,
    /// where they do not.
    pub fn take_held(
        &mut self,
        target: &Known,
        entries: &[Vec<u8>],
    ) -> Result<Option<Taken>, ReplicaError> {
        let (from, mut frontier) = (self.size(), self.frontier.clone());
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        if frontier.size() != target.size || frontier.root() != target.root {
            return Ok(None);
        }
        self.append(entries, frontier)?;
        let forks = self.settle()?;
        Ok(Some(Taken::Advanced { from, to: self.size(), leaves, forks }))
    }

    /// Takes an answer's entries, each of which the checkpoint is shown to have at its place.
    pub fn take(
        &mut self,
        (base, from): (u64, u64),
        target: &Known,
        (prefix, prefix_path): (Digest32, &[Digest32]),
        (entries, path): (&[Vec<u8>], &[Digest32]),
    ) -> Result<Taken, TakeError> {
        let max = target.size.saturating_sub(from);
        if entries.is_empty() || entries.len() as u64 > max {
            return Err(TakeError::Fault(Fault::Count { found: entries.len(), max }));
        }
        if base > 0 {
            let is_prefix =
                verify_consistency(base, target.size, prefix_path, &prefix, &target.root);
            is_prefix.map_err(|error| TakeError::Fault(Fault::Prefix(error)))?;
        }
        if self.places() != (base, from) || self.is_begun_for_other(target) {
            return Ok(Taken::Stale);
        }
        if let Some(head) = self.head.as_ref().filter(|head| head.root != prefix) {
            let one = Side { note: head.note.clone(), root: head.root, path: Vec::new() };
            let path = prefix_path.to_vec();
            let other = Side { note: target.note.clone(), root: prefix, path };
            return Ok(Taken::Fork(self.fork(base, one, other)?.into()));
        }
        if self.is_own {
            return Ok(Taken::Stale);
        }
        let mut frontier = self.frontier.clone();
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        let (to, root) = (frontier.size(), frontier.root());
        let led = verify_consistency(to, target.size, path, &root, &target.root);
        led.map_err(|error| TakeError::Fault(Fault::Entries(error)))?;
        self.append(entries, frontier)?;
        let forks = self.settle()?;
        Ok(Taken::Advanced { from, to, leaves, forks })
    }

    /// Entries under a checkpoint that this copy reaches, and what shows them to be its.
    pub fn range(
        &self,
        (base, from): (u64, u64),
        known: &Known,
    ) -> Result<Option<Answer>, ReplicaError> {
        let size = known.size;
        if size > self.size() || from >= size || self.log.root(size)? != known.root {
            return Ok(None);
        }
        let end = from.saturating_add(ENTRIES_MAX as u64).min(size);
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (_, entry) in self.log.entries(from..end)? {
            bytes += entry.len();
            if bytes > ENTRIES_BYTES_MAX {
                break;
            }
            entries.push(entry);
        }
        let path = self.log.consistency(from + entries.len() as u64, size)?;
        let (prefix, prefix_path) = match base {
            0 => (empty_root(), Vec::new()),
            _ => (self.log.root(base)?, self.log.consistency(base, size)?),
        };
        Ok(Some(Answer::Entries { prefix, prefix_path, entries, path }))
    }

    /// What stands at a place, under the checkpoint that is reached.
    pub fn included(
        &self,
        index: u64,
    ) -> Result<Option<(String, Digest32, Vec<Digest32>)>, ReplicaError> {
        let Some(head) = self.head.as_ref().filter(|head| index < head.size) else {
            return Ok(None);
        };
        let path = self.log.inclusion(index, head.size)?;
        Ok(Some((head.note.clone(), self.leaf(index)?, path)))
    }

    /// What was shown of the log's operator, if it was kept.
    pub fn evidence(&self) -> Result<Option<Evidence>, ReplicaError> {
        let bytes = self.log.storage().get(EVIDENCE, EVIDENCE_BYTES_MAX as u64 + 1);
        let Some(bytes) = bytes.map_err(stored("read the evidence"))? else { return Ok(None) };
        let evidence = Evidence::open(&bytes).map_err(|_| ReplicaError::State)?;
        if evidence.log() == &self.name { Ok(Some(evidence)) } else { Err(ReplicaError::State) }
    }

    /// Keeps what was shown of the operator.
    pub fn keep_evidence(&self, evidence: &Evidence) -> Result<(), ReplicaError> {
        let kept = self.log.storage().publish(EVIDENCE, &evidence.to_bytes());
        Ok(kept.map_err(stored("write the evidence"))?)
    }

    /// Whether entries under another checkpoint are here, which are asked for first.
    fn is_begun_for_other(&self, target: &Known) -> bool {
        let is_begun = !self.is_own && self.size() > self.head_size();
        is_begun && self.target().is_none_or(|now| now.root != target.root)
    }

    /// Entries first, durably; then what can be made again of them.
    fn append(&mut self, entries: &[Vec<u8>], frontier: Frontier) -> Result<(), ReplicaError> {
        for entry in entries {
            self.log.append(entry)?;
        }
        self.log.commit()?;
        self.frontier = frontier;
        match self.log.checkpoint() {
            // Nobody signs a copy: the tiles are written all the same.
            Ok(_) | Err(LogError::NoKey) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds the largest checkpoint that the entries reach, and holds all below against it.
    fn settle(&mut self) -> Result<Vec<Evidence>, ReplicaError> {
        let mut reached = None;
        for (at, known) in self.waiting.iter().enumerate() {
            let best = reached.map_or(self.head_size(), |at: usize| self.waiting[at].size);
            let is_here = known.size > best && known.size <= self.size();
            if is_here && self.log.root(known.size)? == known.root {
                reached = Some(at);
            }
        }
        if let Some(at) = reached {
            self.head = Some(self.waiting.remove(at));
        }
        let (below, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|known| known.size <= self.head_size());
        self.waiting = waiting;
        if reached.is_some() || !below.is_empty() {
            self.order();
            self.save()?;
        }
        let mut forks = Vec::new();
        for known in below {
            forks.extend(self.contradiction(&known)?);
        }
        Ok(forks)
    }

    /// Whether a checkpoint that is not above the head is of another history.
    fn contradiction(&self, known: &Known) -> Result<Option<Evidence>, ReplicaError> {
        let Some(head) = &self.head else { return Ok(None) };
        let root = self.log.root(known.size)?;
        if root == known.root {
            return Ok(None);
        }
        let path = self.log.consistency(known.size, head.size)?;
        let one = Side { note: head.note.clone(), root, path };
        let other = Side { note: known.note.clone(), root: known.root, path: Vec::new() };
        self.fork(known.size, one, other).map(Some)
    }

    fn fork(&self, at: u64, one: Side, other: Side) -> Result<Evidence, ReplicaError> {
        let checked = |error: EvidenceError| {
            debug_assert!(false, "evidence that was made does not hold: {error}");
            ReplicaError::State
        };
        let contradiction = Contradiction::Histories { at, one, other };
        Evidence::check(self.name.clone(), contradiction).map_err(checked)
    }

    /// The largest first, those that nobody had last; what is begun stays where it is.
    fn order(&mut self) {
        let is_begun = !self.is_own && self.size() > self.head_size();
        let begun = usize::from(is_begun).min(self.waiting.len());
        self.waiting[begun..].sort_by_key(|known| (known.stuck, u64::MAX - known.size));
    }

    fn save(&self) -> Result<(), ReplicaError> {
        let head = self.head.as_ref().map_or("", |head| &head.note);
        let fields = Fields::new(MESH_NOTES.as_str()).str(head).u64(self.waiting.len() as u64);
        let fields = self.waiting.iter().fold(fields, |fields, known| fields.str(&known.note));
        let written = self.log.storage().publish(NOTES, &fields.finish());
        Ok(written.map_err(stored("write the checkpoints"))?)
    }

    fn read_notes(&mut self) -> Result<(), ReplicaError> {
        let max = (WAITING_MAX + 2) * (NOTE_BYTES_MAX + 8);
        let bytes = self.log.storage().get(NOTES, max as u64);
        let Some(bytes) = bytes.map_err(stored("read the checkpoints"))? else { return Ok(()) };
        let state = |_| ReplicaError::State;
        let mut r = FieldsReader::new(MESH_NOTES.as_str(), &bytes).map_err(state)?;
        let head = r.str(NOTE_BYTES_MAX).map_err(state)?;
        if !head.is_empty() {
            self.head = Some(self.known(head).map_err(|_| ReplicaError::State)?);
        }
        for _ in 0..read_count(&mut r, WAITING_MAX).map_err(state)? {
            let note = r.str(NOTE_BYTES_MAX).map_err(state)?;
            let known = self.known(note).map_err(|_| ReplicaError::State)?;
            self.waiting.push(known);
        }
        r.end().map_err(state)
    }
}

fn stored(action: &'static str) -> impl FnOnce(std::io::Error) -> LogError {
    move |source| LogError::Storage { action, source: source.into() }
}

/// Checkpoints that wait for entries.
const WAITING_MAX: usize = 8;
const NOTES: &str = "mesh.notes";
const COSIGNED: &str = "mesh.cosigned";
const EVIDENCE: &str = "mesh.evidence";
