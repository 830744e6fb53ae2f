//! What this node saw of an operator, and verified itself.

use symbolon_crypto::VerifyingKey;
use symbolon_log::{Checkpoint, CheckpointError, Fork, WitnessKey};

/// What was seen. The order is that of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A receipt, or another entry with its proof, that verified.
    Receipt,
    /// A checkpoint that continues the one before, cosigned by a witness that is not the operator.
    Checkpoint,
    /// An answer to a request of this node that proved itself.
    Answer,
    /// A message that does not verify.
    Invalid,
    /// More messages than anybody may send.
    Flood,
    /// No answer to a request of this node.
    Silence,
    /// Two checkpoints of two histories.
    Fork,
    /// Two entries signed for one place.
    Equivocation,
    /// A signed entry that is not what the log's checkpoint has at its place.
    Contradiction,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Receipt,
        Self::Checkpoint,
        Self::Answer,
        Self::Invalid,
        Self::Flood,
        Self::Silence,
        Self::Fork,
        Self::Equivocation,
        Self::Contradiction,
    ];

    /// Whether it speaks for the operator.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Receipt | Self::Checkpoint | Self::Answer)
    }

    /// Whether anybody can check it, at any time: it is never forgiven.
    pub const fn is_proof(self) -> bool {
        matches!(self, Self::Fork | Self::Equivocation | Self::Contradiction)
    }

    /// Its place among those of its class (good, bad, proofs), which have three each.
    pub(super) const fn place(self) -> usize {
        self as usize % 3
    }
}

/// What a node is its own witness of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// [`Kind::Invalid`]
    Invalid,
    /// [`Kind::Flood`]
    Flood,
    /// [`Kind::Silence`]
    Silence,
}

/// Something that verified. To be implemented for types alone that nothing but their verification makes.
pub trait Verified {
    /// What it shows.
    fn shows(&self) -> Kind;
}

impl Verified for Fork {
    fn shows(&self) -> Kind {
        Kind::Fork
    }
}

/// One thing that this node verified. Hearsay has no constructor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence(Kind);

/// Why a checkpoint says nothing for its operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The note is not the log's.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// Nobody else signed it.
    #[error("no witness of yours cosigned the checkpoint, or none that is not the operator")]
    Witnesses,
}

impl Evidence {
    /// Of what verified.
    pub fn of(verified: &impl Verified) -> Self {
        Self(verified.shows())
    }

    /// Of what this node's own connections did.
    pub const fn behaviour(behaviour: Behaviour) -> Self {
        Self(match behaviour {
            Behaviour::Invalid => Kind::Invalid,
            Behaviour::Flood => Kind::Flood,
            Behaviour::Silence => Kind::Silence,
        })
    }

    /// Of a checkpoint that the node's mirror took: signed by the log, and by one at least of the witnesses
    /// that this node's user named and that do not have the operator's key.
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn cosigned(
        note: &str,
        origin: &str,
        operator: &VerifyingKey,
        witnesses: &[WitnessKey],
    ) -> Result<Self, EvidenceError> {
        Checkpoint::open(note, operator, origin)?;
        let mut others = witnesses.iter().filter(|it| it.key() != operator);
        if others.any(|it| it.verify(note).is_ok()) {
            Ok(Self(Kind::Checkpoint))
        } else {
            Err(EvidenceError::Witnesses)
        }
    }

    /// What it is.
    pub const fn kind(self) -> Kind {
        self.0
    }

    #[cfg(test)]
    pub(super) const fn test(kind: Kind) -> Self {
        Self(kind)
    }
}
