//! What shows, to anybody, that an operator signed two things that cannot both be true.

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::labels::MESH_EVIDENCE;
use symbolon_log::{ProofError, verify_consistency, verify_inclusion};

use crate::checkpoint::{NOTE_BYTES_MAX, SpreadError, open_note};
use crate::entry::{Claim, EntryError};
use crate::list::{push_path, read_path};
use crate::name::{LOG_NAME_BYTES_MAX, LogName, NameError};
use crate::request::KIND_BYTES_MAX;

/// Longest evidence that is read: two notes, two paths, and what is around them.
pub const EVIDENCE_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 8 * 1024;

/// Why evidence shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Its bytes are no evidence.
    #[error("this is no evidence of the mesh: {0}")]
    Form(#[from] CodecError),
    /// It is of a kind that is not known.
    #[error("the evidence is of a kind that is not known")]
    Kind,
    /// It names no log.
    #[error("{0}")]
    Log(#[from] NameError),
    /// A checkpoint in it.
    #[error("{0}")]
    Checkpoint(#[from] SpreadError),
    /// A signed entry in it.
    #[error("{0}")]
    Entry(#[from] EntryError),
    /// A path does not lead to its checkpoint.
    #[error("a path does not lead to its checkpoint: {0}")]
    Path(#[from] ProofError),
    /// Both can be true.
    #[error("what the evidence shows can all be true")]
    NoContradiction,
}

/// A checkpoint, and the root of its first entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The signed note.
    pub note: String,
    /// Root of its first entries.
    pub root: Digest32,
    /// The path from that root to the note's.
    pub path: Vec<Digest32>,
}

/// What contradicts what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// Two checkpoints whose first `at` entries differ: the log was forked.
    Histories {
        /// How many first entries are compared.
        at: u64,
        /// One checkpoint.
        one: Side,
        /// The other.
        other: Side,
    },
    /// Two entries were signed for one place.
    Entries {
        /// One.
        one: Box<Claim>,
        /// The other.
        other: Box<Claim>,
    },
    /// An entry was signed, and a checkpoint has another in its place.
    Checkpoint {
        /// The signed entry.
        claim: Box<Claim>,
        /// The checkpoint.
        note: String,
        /// What it has at the place.
        leaf: Digest32,
        /// The path from that to the checkpoint.
        path: Vec<Digest32>,
    },
}

/// Evidence against the operator of a log. It holds: only checked evidence exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    log: LogName,
    contradiction: Contradiction,
}

impl Evidence {
    /// Checks what is said of a log.
    ///
    /// # Errors
    /// [`EvidenceError`]: the first check that fails. Claims were checked when they were read, for a log that
    /// may be another: they are checked again for this one.
    pub fn check(log: LogName, contradiction: Contradiction) -> Result<Self, EvidenceError> {
        let differ = match &contradiction {
            Contradiction::Histories { at, one, other } => {
                check_side(&log, *at, one)?;
                check_side(&log, *at, other)?;
                one.root != other.root
            }
            Contradiction::Entries { one, other } => {
                one.check(&log)?;
                other.check(&log)?;
                one.index() == other.index() && one.leaf() != other.leaf()
            }
            Contradiction::Checkpoint { claim, note, leaf, path } => {
                claim.check(&log)?;
                let checkpoint = open_note(&log, note)?;
                verify_inclusion(leaf, claim.index(), checkpoint.size, path, &checkpoint.root)?;
                claim.leaf() != leaf
            }
        };
        if differ { Ok(Self { log, contradiction }) } else { Err(EvidenceError::NoContradiction) }
    }

    /// Of which log.
    pub fn log(&self) -> &LogName {
        &self.log
    }

    /// What it shows.
    pub fn contradiction(&self) -> &Contradiction {
        &self.contradiction
    }

    /// Whether the log was forked: two signed histories.
    pub fn is_fork(&self) -> bool {
        matches!(self.contradiction, Contradiction::Histories { .. })
    }

    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = Fields::new(MESH_EVIDENCE.as_str()).str(self.log.text());
        match &self.contradiction {
            Contradiction::Histories { at, one, other } => {
                let fields = fields.str("histories").u64(*at);
                push_side(push_side(fields, one), other)
            }
            Contradiction::Entries { one, other } => other.push(one.push(fields.str("entries"))),
            Contradiction::Checkpoint { claim, note, leaf, path } => {
                let fields = claim.push(fields.str("checkpoint")).str(note);
                push_path(fields.bytes(leaf.as_bytes()), path)
            }
        }
        .finish()
    }

    /// Reads evidence and checks it.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn open(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let mut r = FieldsReader::new(MESH_EVIDENCE.as_str(), bytes)?;
        let log = LogName::parse(r.str(LOG_NAME_BYTES_MAX)?)?;
        let contradiction = match r.str(KIND_BYTES_MAX)? {
            "histories" => {
                let (at, one) = (r.u64()?, read_side(&mut r)?);
                Contradiction::Histories { at, one, other: read_side(&mut r)? }
            }
            "entries" => {
                let (one, other) = (Claim::read(&mut r, &log)?, Claim::read(&mut r, &log)?);
                Contradiction::Entries { one: one.into(), other: other.into() }
            }
            "checkpoint" => {
                let claim = Claim::read(&mut r, &log)?.into();
                let note = r.str(NOTE_BYTES_MAX)?.to_owned();
                let leaf = Digest32(r.array()?);
                Contradiction::Checkpoint { claim, note, leaf, path: read_path(&mut r)? }
            }
            _ => return Err(EvidenceError::Kind),
        };
        r.end()?;
        Self::check(log, contradiction)
    }
}

fn check_side(log: &LogName, at: u64, side: &Side) -> Result<(), EvidenceError> {
    let checkpoint = open_note(log, &side.note)?;
    Ok(verify_consistency(at, checkpoint.size, &side.path, &side.root, &checkpoint.root)?)
}

fn push_side(fields: Fields, side: &Side) -> Fields {
    push_path(fields.str(&side.note).bytes(side.root.as_bytes()), &side.path)
}

fn read_side(r: &mut FieldsReader<'_>) -> Result<Side, CodecError> {
    let (note, root) = (r.str(NOTE_BYTES_MAX)?.to_owned(), Digest32(r.array()?));
    Ok(Side { note, root, path: read_path(r)? })
}
