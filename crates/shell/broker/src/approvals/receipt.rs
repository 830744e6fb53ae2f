//! Receipts of questions: how a person's answer stands in them.

use std::borrow::Cow;

use symbolon_capability::Refusal;
use symbolon_capability::approval::{Approved, Via};
use symbolon_capability::engine::Refused;
use symbolon_receipt::{Approval, ApprovalOutcome, Predicate, Statement, Time, Times};

use super::table::{Ending, Pending, State};
use crate::Broker;
use crate::errors;
use crate::policy::refused_decision;
use crate::receipts::about;

/// The approval that a call was made on.
pub(crate) fn stood_on(approved: Approved) -> Approval<'static> {
    Approval {
        number: approved.number,
        outcome: match approved.is_remembered {
            true => ApprovalOutcome::Remembered,
            false => ApprovalOutcome::Approved,
        },
        by: Some(Cow::Borrowed(approved.via.who())),
        via: Some(Cow::Borrowed(approved.via.as_str())),
        decided: Some(approved.decided),
        at: Some(Time::from_unix_ms(approved.at_unix_ms)),
    }
}

impl Broker {
    /// A receipt of a call that was not made, since its question ended without one.
    pub(super) fn write_ended(&self, pending: &Pending, ending: Ending) -> Option<u64> {
        let (asked, now) = (&pending.asked, self.clock.unix_ms());
        let answer = match (&pending.state, ending) {
            (State::Approved(approval), _) => {
                let approved = approval.approved();
                Some((approved.via, approved.at_unix_ms, Some(approved.decided)))
            }
            (_, Ending::Denied(via)) => Some((via, now, None)),
            _ => None,
        };
        let outcome = match ending {
            Ending::Denied(_) => ApprovalOutcome::Denied,
            Ending::Expired => ApprovalOutcome::Expired,
            Ending::Withdrawn => ApprovalOutcome::Withdrawn,
            Ending::Locked => ApprovalOutcome::Locked,
            Ending::Fallen => ApprovalOutcome::Ended,
            Ending::Stopped | Ending::Used => ApprovalOutcome::Stopped,
        };
        let by = |via: Via| Cow::Borrowed(via.who());
        let approval = Approval {
            number: asked.number(),
            outcome,
            by: answer.map(|(via, ..)| by(via)),
            via: answer.map(|(via, ..)| Cow::Borrowed(via.as_str())),
            decided: answer.and_then(|(.., decided)| decided),
            at: answer.map(|(_, at, _)| Time::from_unix_ms(at)),
        };
        let refused = Refused {
            refusal: Refusal::Approval(Box::new(asked.need().clone())),
            gates: asked.gates(),
        };
        let mut decision = refused_decision(&refused);
        if let Some(gate) = decision.gates.last_mut() {
            gate.detail = Cow::Borrowed(ending.as_str());
        }
        let statement = Statement {
            request: pending.marks.request(),
            predicate: Predicate {
                parameters: pending.marks.parameters(),
                decision,
                approval: Some(approval),
                times: Times {
                    requested: Time::from_unix_ms(asked.asked_unix_ms()),
                    released: None,
                    completed: Time::from_unix_ms(now),
                },
                durability: self.durability,
                ..about(asked.lease(), asked.context_kind())
            },
        };
        let written = self.append(&statement, errors::log_receipt);
        written.inspect_err(|e| tracing::error!("a refusal has no receipt: {e}")).ok()
    }
}
