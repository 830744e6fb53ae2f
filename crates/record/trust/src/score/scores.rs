//! The scores of all operators that a node knows.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use symbolon_codec::{CodecError, hex};
use symbolon_crypto::VerifyingKey;

use super::evidence::{Evidence, Kind};
use super::history::History;
use super::policy::{Alarm, Bar, Policy};
use super::reason::Score;

/// Operators that are remembered.
pub const OPERATORS_MAX: usize = 4096;
/// Strangers with a proof against them are not taken beyond so many: making keys and convicting them is free.
const CONVICTED_MAX: usize = 1024;

/// An operator, by its public key. Shown as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator(pub [u8; 32]);

/// Whether evidence was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Observed {
    /// It was.
    Kept,
    /// It was not: the operator is a stranger, and the memory is full of those with more to remember.
    Full,
}

/// What is known of operators, and the policy. Bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scores {
    pub(super) policy: Policy,
    pub(super) known: BTreeMap<Operator, History>,
}

impl Scores {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what this node verified of an operator, at a moment by its own clock.
    pub fn observe(&mut self, operator: Operator, evidence: Evidence, at_ms: u64) -> Observed {
        let kind = evidence.kind();
        if !self.make_room(&operator, kind.is_proof(), at_ms) {
            return Observed::Full;
        }
        self.known.entry(operator).or_default().add(kind, at_ms);
        Observed::Kept
    }

    /// Takes in the user's word: its score is 0 until it is forgotten.
    pub fn distrust(&mut self, operator: Operator, at_ms: u64) -> Observed {
        if !self.make_room(&operator, false, at_ms) {
            return Observed::Full;
        }
        self.known.entry(operator).or_default().distrusted = true;
        Observed::Kept
    }

    /// Forgets all of an operator, proofs too. False where nothing was known.
    pub fn forget(&mut self, operator: &Operator) -> bool {
        self.known.remove(operator).is_some()
    }

    /// The score of an operator, known or not.
    pub fn score(&self, operator: &Operator, now_ms: u64) -> Score {
        self.known
            .get(operator)
            .map_or_else(|| History::default().score(now_ms), |it| it.score(now_ms))
    }

    /// Whether anything is known of it.
    pub fn knows(&self, operator: &Operator) -> bool {
        self.known.contains_key(operator)
    }

    /// All that something is known of, by key.
    pub fn operators(&self) -> impl ExactSizeIterator<Item = &Operator> {
        self.known.keys()
    }

    /// The policy.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// Another policy.
    pub const fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// How many operators misbehaved in the last 16 to 32 days.
    pub fn alarm(&self, now_ms: u64) -> Alarm {
        Alarm(self.known.values().filter(|it| it.is_bad_now(now_ms)).count())
    }

    /// What the policy asks now. To be asked for once for many operators.
    pub fn bar(&self, now_ms: u64) -> Bar {
        self.policy.bar(self.alarm(now_ms))
    }

    /// Whether the policy lets an operator in now.
    pub fn admits(&self, operator: &Operator, now_ms: u64) -> bool {
        self.bar(now_ms).admits(&self.score(operator, now_ms))
    }

    /// Whether the policy counts its word now.
    pub fn believes(&self, operator: &Operator, now_ms: u64) -> bool {
        self.bar(now_ms).believes(&self.score(operator, now_ms))
    }

    /// Whether there is room for it. Somebody of whom there is less to remember is forgotten for it; nobody who
    /// was convicted or is distrusted.
    fn make_room(&mut self, operator: &Operator, is_proof: bool, now_ms: u64) -> bool {
        if self.known.contains_key(operator) {
            return true;
        }
        if is_proof && self.known.values().filter(|it| it.proofs != 0).count() >= CONVICTED_MAX {
            return false;
        }
        if self.known.len() < OPERATORS_MAX {
            return true;
        }
        let rest = self.known.iter().filter(|(_, it)| !it.is_out());
        let least = rest.min_by_key(|(key, it)| (it.witnessed_days(now_ms), it.days.len(), **key));
        let Some(least) = least.map(|(key, _)| *key) else { return false };
        self.known.remove(&least).is_some()
    }
}

impl Operator {
    /// What was proven of it.
    pub fn convictions(self, scores: &Scores) -> impl Iterator<Item = Kind> {
        let proofs = scores.known.get(&self).map_or(0, |it| it.proofs);
        let of_proof = Kind::ALL.into_iter().filter(|it| it.is_proof());
        of_proof.filter(move |it| proofs >> it.place() & 1 == 1)
    }
}

impl From<&VerifyingKey> for Operator {
    fn from(key: &VerifyingKey) -> Self {
        Self(*key.as_bytes())
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operator({self})")
    }
}

impl FromStr for Operator {
    type Err = CodecError;

    fn from_str(text: &str) -> Result<Self, CodecError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|_| CodecError::Encoding("64 hex digits"))?;
        Ok(Self(key))
    }
}
