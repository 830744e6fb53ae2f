//! What was approved for a while, and which operations were approved once. Forgotten with a lock.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::question::Approved;
use crate::GrantId;
use crate::catalog::{Effect, Operation, Place};
use crate::limit::compare;

/// An approval that stands for a while.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// The approval that it came of.
    pub approved: Approved,
    /// In which grant.
    pub grant: GrantId,
    /// For which operation.
    pub tool: String,
    /// Which rule it answers.
    pub rule: String,
    /// What was approved.
    pub arguments: Map<String, Value>,
    /// Which other arguments it is good for.
    pub covers: Covers,
    /// Until when, on the monotonic clock.
    pub until_ns: u64,
}

/// Which arguments a remembered approval is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// The shape of what was approved: the same parameters; values of the path the same; no number
    /// larger; every other value the same, but for text of operations that are not destructive.
    Shape,
    /// Whatever the arguments: the owner said so.
    Any,
}

/// Remembered approvals and first uses.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    remembered: Vec<Remembered>,
    used: HashSet<(GrantId, Box<str>)>,
}

/// Approvals that are remembered at once; one more is not remembered, so that it is asked again.
const REMEMBERED_MAX: usize = 1024;
/// First uses that are known; one more is asked about again.
const USED_MAX: usize = 1 << 16;

impl Memory {
    pub(crate) fn is_first(&self, grant: GrantId, tool: &str) -> bool {
        // A look-up without a copy is not worth a tree of its own here: this rule is rare.
        !self.used.contains(&(grant, tool.into()))
    }

    pub(crate) fn note_use(&mut self, grant: GrantId, tool: &str) {
        if self.used.len() < USED_MAX {
            self.used.insert((grant, tool.into()));
        }
    }

    /// False where there is no room.
    pub(crate) fn remember(&mut self, one: Remembered, now_ns: u64) -> bool {
        self.remembered.retain(|r| now_ns < r.until_ns);
        let has_room = self.remembered.len() < REMEMBERED_MAX;
        if has_room {
            self.remembered.push(one);
        }
        has_room
    }

    /// The approval that stands for this call, where there is one.
    pub(crate) fn covers(
        &self,
        grant: GrantId,
        rule: &str,
        operation: &Operation,
        arguments: &Map<String, Value>,
        now_ns: u64,
    ) -> Option<Approved> {
        let found = self.remembered.iter().find(|r| {
            r.grant == grant
                && now_ns < r.until_ns
                && r.rule == rule
                && r.tool == operation.name().as_str()
                && (r.covers == Covers::Any || same_shape(operation, &r.arguments, arguments))
        });
        found.map(|r| Approved { is_remembered: true, ..r.approved })
    }

    pub(crate) fn list(&self, now_ns: u64) -> Vec<Remembered> {
        self.remembered.iter().filter(|r| now_ns < r.until_ns).cloned().collect()
    }

    /// Whether there was one of this number.
    pub(crate) fn forget(&mut self, number: u64) -> bool {
        let before = self.remembered.len();
        self.remembered.retain(|r| r.approved.number != number);
        before != self.remembered.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn same_shape(
    operation: &Operation,
    approved: &Map<String, Value>,
    asked: &Map<String, Value>,
) -> bool {
    let in_path = |name: &str| {
        let mut parameters = operation.parameters().iter();
        parameters.any(|p| p.name() == name && matches!(p.place(), Place::Path(_)))
    };
    let is_text_free = operation.effect() != Effect::Destructive;
    approved.len() == asked.len()
        && approved.iter().all(|(name, was)| match asked.get(name) {
            None => false,
            Some(is) if in_path(name) => is == was,
            Some(is) => is_within(was, is, is_text_free),
        })
}

fn is_within(was: &Value, is: &Value, is_text_free: bool) -> bool {
    match (was, is) {
        (Value::Number(was), Value::Number(is)) => {
            let zero = serde_json::Number::from(0);
            let is_positive = compare(is, &zero).is_some_and(|o| o != Ordering::Less);
            was == is
                || is_positive && compare(is, was).is_some_and(|order| order == Ordering::Less)
        }
        (Value::String(was), Value::String(is)) => is_text_free || was == is,
        (Value::Array(was), Value::Array(is)) => {
            was.len() == is.len() && was.iter().zip(is).all(|(w, i)| is_within(w, i, is_text_free))
        }
        (Value::Object(was), Value::Object(is)) => {
            was.len() == is.len()
                && was
                    .iter()
                    .all(|(name, w)| is.get(name).is_some_and(|i| is_within(w, i, is_text_free)))
        }
        (was, is) => was == is,
    }
}
