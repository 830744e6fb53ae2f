//! Questions that wait, and the last that ended. Bounded in number and bytes, in all and by agent.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Map, Value};
use symbolon_capability::Approval;
use symbolon_capability::approval::{Asked, Via};

use super::api::ApprovalView;
use super::view::Shown;
use crate::receipts::Marks;

/// Questions of one home.
#[derive(Default)]
pub(super) struct Table {
    pub(super) open: BTreeMap<u64, Pending>,
    pub(super) ended: VecDeque<Ended>,
}

/// A question that has not ended.
pub(super) struct Pending {
    pub(super) asked: Asked,
    pub(super) shown: Shown,
    pub(super) arguments: Map<String, Value>,
    pub(super) marks: Marks,
    pub(super) size: usize,
    pub(super) state: State,
}

/// Where a question stands.
pub(super) enum State {
    /// Nobody answered.
    Open,
    /// A yes is on its way into the log. Nothing else can be said meanwhile.
    Deciding,
    /// Yes; the evidence waits for its call.
    Approved(Approval),
}

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its call took the approval.
    Used,
    /// No.
    Denied(Via),
    /// Nobody answered in time, or nobody came for the answer.
    Expired,
    /// Its caller went away.
    Withdrawn,
    /// The vault was locked.
    Locked,
    /// The broker was stopped.
    Stopped,
    /// The grant whose rule asked is in force no more.
    Fallen,
}

/// What is kept of a question that ended.
pub(super) struct Ended {
    pub(super) session: [u8; 16],
    pub(super) nonce: [u8; 32],
    pub(super) ending: Ending,
    pub(super) reason: Option<String>,
    pub(super) view: ApprovalView,
}

impl Ending {
    /// The word in receipts, listings and errors.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Denied(_) => "denied",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Locked => "locked",
            Self::Stopped => "stopped",
            Self::Fallen => "ended",
        }
    }
}

struct Bound {
    count: usize,
    bytes: usize,
}

const ALL: Bound = Bound { count: 256, bytes: 64 << 20 };
const ONE: Bound = Bound { count: 16, bytes: 20 << 20 };
const ENDED_MAX: usize = 256;

impl Table {
    /// Whether one more question of this size may wait.
    pub(super) fn has_room(&self, agent: &str, size: usize) -> bool {
        let fits = |bound: &Bound, mine: &dyn Fn(&Pending) -> bool| {
            let (count, bytes) = self
                .open
                .values()
                .filter(|p| mine(p))
                .fold((1, size), |(count, bytes), p| (count + 1, bytes + p.size));
            count <= bound.count && bytes <= bound.bytes
        };
        fits(&ONE, &|p| p.asked.lease().agent() == agent) && fits(&ALL, &|_| true)
    }

    pub(super) fn keep(&mut self, ended: Ended) {
        if self.ended.len() == ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(ended);
    }

    pub(super) fn ended(&self, number: u64) -> Option<&Ended> {
        self.ended.iter().rev().find(|e| e.view.number == number)
    }

    /// When the next question ends.
    pub(super) fn next_end_ns(&self) -> Option<u64> {
        self.open.values().map(|p| p.asked.until_ns()).min()
    }
}
