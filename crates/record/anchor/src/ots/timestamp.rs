//! A message's place in a proof: what is said of it, and the steps that lead on from it.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use super::attestation::Attestation;
use super::error::OtsError;
use super::operation::Operation;
use super::read::Reader;

/// What is said of one message, and where it leads. The message itself is known to who walks there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Timestamp {
    pub(super) attestations: BTreeSet<Attestation>,
    pub(super) steps: BTreeMap<Operation, Timestamp>,
}

impl Timestamp {
    /// Reads one, `depth` steps below the digest.
    pub(super) fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, OtsError> {
        if depth > DEPTH_MAX {
            return Err(OtsError::TooMuch { what: "steps one behind the other", max: DEPTH_MAX });
        }
        let mut here = Self::default();
        loop {
            let tag = reader.byte()?;
            let (tag, is_last) = if tag == FORK { (reader.byte()?, false) } else { (tag, true) };
            reader.count()?;
            if tag == ATTESTATION {
                if !here.attestations.insert(Attestation::read(reader)?) {
                    return Err(OtsError::Twice);
                }
            } else {
                let operation = Operation::read(tag, reader)?;
                let next = Self::read(reader, depth + 1)?;
                match here.steps.entry(operation) {
                    Entry::Vacant(place) => place.insert(next),
                    Entry::Occupied(_) => return Err(OtsError::Twice),
                };
            }
            if is_last {
                return Ok(here);
            }
        }
    }

    /// Writes it: all but the last of what is here behind a mark, attestations before steps.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let mut left = self.attestations.len() + self.steps.len();
        let mut mark = |to: &mut Vec<u8>| {
            left -= 1;
            if left > 0 {
                to.push(FORK);
            }
        };
        for attestation in &self.attestations {
            mark(to);
            to.push(ATTESTATION);
            attestation.write(to);
        }
        for (operation, next) in &self.steps {
            mark(to);
            operation.write(to);
            next.write(to);
        }
    }

    /// Takes in what another says of the same message.
    pub(super) fn merge(&mut self, other: Self) {
        self.attestations.extend(other.attestations);
        for (operation, next) in other.steps {
            self.steps.entry(operation).or_default().merge(next);
        }
    }

    /// Calls `visit` with each place whose message is known, deepest last.
    pub(super) fn walk(&self, message: &[u8], visit: &mut dyn FnMut(&[u8], &Self)) {
        visit(message, self);
        for (operation, next) in &self.steps {
            if let Some(message) = operation.apply(message) {
                next.walk(&message, visit);
            }
        }
    }

    /// As [`Self::walk`], and may change each.
    pub(super) fn walk_mut(&mut self, message: &[u8], visit: &mut dyn FnMut(&[u8], &mut Self)) {
        for (operation, next) in &mut self.steps {
            if let Some(message) = operation.apply(message) {
                next.walk_mut(&message, visit);
            }
        }
        visit(message, self);
    }

    /// How many steps lie behind each other.
    pub(super) fn depth(&self) -> usize {
        self.steps.values().map(|next| 1 + next.depth()).max().unwrap_or(0)
    }
}

const FORK: u8 = 0xff;
const ATTESTATION: u8 = 0x00;
pub(super) const DEPTH_MAX: usize = 256;
