//! What a node does that checks nothing, or lies.

use symbolon_log::ProofError;

use crate::answer::AnswerError;
use crate::certificate::CertificateError;
use crate::checkpoint::SpreadError;
use crate::entry::EntryError;
use crate::evidence::EvidenceError;
use crate::request::RequestError;

/// What a node did that none does which checks. None depends on the clock, on what one follows, or on what somebody
/// else did: who forwards had to check the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A message that is too long for its topic.
    #[error("a message of {found} bytes where {max} are allowed")]
    Long {
        /// Bytes.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// It forwarded an entry that does not hold.
    #[error("it forwarded an entry that does not hold: {0}")]
    Entry(EntryError),
    /// It forwarded a checkpoint that does not hold.
    #[error("it forwarded a checkpoint that does not hold: {0}")]
    Checkpoint(SpreadError),
    /// It accused somebody without evidence.
    #[error("it accused somebody without evidence: {0}")]
    Evidence(EvidenceError),
    /// It showed a certificate that does not hold.
    #[error("it showed a certificate that does not hold: {0}")]
    Certificate(CertificateError),
    /// It asked what is no question.
    #[error("{0}")]
    Request(RequestError),
    /// Its answer is none.
    #[error("{0}")]
    Answer(AnswerError),
    /// Its answer is one to another question.
    #[error("it answered another question")]
    Kind,
    /// It gave no entries, or more than were asked for.
    #[error("it gave {found} entries where 1 to {max} were asked for")]
    Count {
        /// Entries given.
        found: usize,
        /// Entries that the checkpoint has from there on.
        max: u64,
    },
    /// What it says the log began with does not belong to the checkpoint.
    #[error("what it says the log begins with is not of the checkpoint: {0}")]
    Prefix(ProofError),
    /// Its entries are not those of the checkpoint.
    #[error("its entries are not those of the checkpoint: {0}")]
    Entries(ProofError),
    /// What it says stands at a place does not.
    #[error("what it says stands at a place does not: {0}")]
    Inclusion(ProofError),
    /// It asks or sends far more than a node does.
    #[error("it sends more than a node has to")]
    Flood,
}

impl Fault {
    /// Points towards being cut off at [`CUT_POINTS`].
    pub(crate) fn points(&self) -> f64 {
        match self {
            Self::Flood => 0.1,
            Self::Kind | Self::Count { .. } | Self::Prefix(_) | Self::Entries(_) => 50.0,
            Self::Inclusion(_) => 50.0,
            _ => 25.0,
        }
    }
}

/// At so many points a node is cut off.
pub(crate) const CUT_POINTS: f64 = 100.0;
