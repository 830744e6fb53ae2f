//! How far operators are believed: the home's scores, and what this node saw since they were written.

use symbolon_crypto::VerifyingKey;
use symbolon_mesh::{Contradiction, Evidence as Proof, Fault};
use symbolon_store::{Home, TrustFile, TrustFileError};
use symbolon_trust::score::{Behaviour, Evidence, Kind, Operator, Scores, Verified};

/// Scores are read when the node starts and every few seconds, so that what a person says of an operator comes into
/// force; what was seen meanwhile is written then, in one update.
pub(crate) struct Believed {
    file: TrustFile,
    scores: Scores,
    seen: Vec<(Operator, Evidence, u64)>,
}

/// Entries that a checkpoint was shown to have at their places.
struct Advanced;

impl Verified for Advanced {
    fn shows(&self) -> Kind {
        Kind::Receipt
    }
}

/// A proof that held.
struct Proven<'a>(&'a Proof);

impl Verified for Proven<'_> {
    fn shows(&self) -> Kind {
        match self.0.contradiction() {
            Contradiction::Histories { .. } => Kind::Fork,
            Contradiction::Entries { .. } => Kind::Equivocation,
            Contradiction::Checkpoint { .. } => Kind::Contradiction,
        }
    }
}

impl Believed {
    /// What the home knows.
    pub(crate) fn of(home: &Home) -> Result<Self, TrustFileError> {
        let file = TrustFile::of(home);
        Ok(Self { scores: file.read()?, file, seen: Vec::new() })
    }

    /// Entries of an operator's log came into our copy.
    pub(crate) fn advanced(&mut self, operator: &VerifyingKey, now: u64) {
        self.saw(operator, Evidence::of(&Advanced), now);
    }

    /// An operator contradicted itself.
    pub(crate) fn proven(&mut self, proof: &Proof, now: u64) {
        self.saw(proof.log().operator(), Evidence::of(&Proven(proof)), now);
    }

    /// A node of an operator did what none does that checks.
    pub(crate) fn faulty(&mut self, operator: &VerifyingKey, fault: &Fault, now: u64) {
        let behaviour = match fault {
            Fault::Flood => Behaviour::Flood,
            _ => Behaviour::Invalid,
        };
        self.saw(operator, Evidence::behaviour(behaviour), now);
    }

    fn saw(&mut self, operator: &VerifyingKey, evidence: Evidence, now: u64) {
        let operator = Operator(*operator.as_bytes());
        // One more stranger than are remembered is not.
        let _ = self.scores.observe(operator, evidence, now);
        if self.seen.len() < SEEN_MAX {
            self.seen.push((operator, evidence, now));
        }
    }

    /// Whether nodes of an operator are let in, by the policy that is in force.
    pub(crate) fn admits(&self, operator: &VerifyingKey, now: u64) -> bool {
        self.scores.admits(&Operator(*operator.as_bytes()), now)
    }

    /// What an operator's score adds to its nodes' scores in gossip: nothing from where it began, less below.
    pub(crate) fn penalty(&self, operator: &VerifyingKey, now: u64) -> f64 {
        let score = self.scores.score(&Operator(*operator.as_bytes()), now);
        f64::from(score.points()).min(BEGIN) - BEGIN
    }

    /// Writes what was seen and reads what others wrote. What cannot be written is kept for the next time.
    pub(crate) fn write(&mut self) {
        let seen = &self.seen;
        let written = self.file.update(|scores| {
            for (operator, evidence, at) in seen {
                let _ = scores.observe(*operator, *evidence, *at);
            }
            scores.clone()
        });
        match written {
            Ok(scores) => {
                self.scores = scores;
                self.seen.clear();
            }
            Err(error) => tracing::error!("what was seen of operators is not written: {error}"),
        }
    }
}

/// Where a score begins.
const BEGIN: f64 = 50.0;
/// Of what is seen between two updates the rest counts until this process ends.
const SEEN_MAX: usize = 4096;
