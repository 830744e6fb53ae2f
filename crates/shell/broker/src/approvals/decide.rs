//! What the owner sees and says.

use symbolon_capability::approval::{AskVia, Covers, Remembered, Via};
use symbolon_codec::time::rfc3339;

use super::api::*;
use super::table::{Ending, Pending, State};
use crate::Broker;
use crate::api::CallError;
use crate::errors;

/// How much of a body stands in a list.
const LISTED_BODY_BYTES: usize = 4096;
/// The longest time that an approval is remembered.
const REMEMBER_SECONDS_MAX: u64 = 8 * 3600;
/// The longest reason of a no.
const REASON_BYTES_MAX: usize = 256;

impl Broker {
    /// Every question that waits, what stands for a while, and the last that ended.
    pub fn approvals(&self) -> ApprovalsView {
        let now = self.clock.mono_ns();
        let mut table = self.approvals.table();
        self.expire(&mut table);
        let pending = table.open.values().map(|p| self.open_view(p, LISTED_BODY_BYTES)).collect();
        let ended = table.ended.iter().rev().take(20).map(|e| e.view.clone()).collect();
        drop(table);
        let remembered = self.engine.remembered().iter().map(|r| view(r, now)).collect();
        ApprovalsView { pending, remembered, ended }
    }

    /// One question, with its whole body while it waits.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that number, or it ended long ago.
    pub fn approval(&self, number: u64) -> Result<ApprovalView, CallError> {
        let mut table = self.approvals.table();
        self.expire(&mut table);
        match table.open.get(&number) {
            Some(pending) => Ok(self.open_view(pending, usize::MAX)),
            None => table.ended(number).map(|e| e.view.clone()).ok_or_else(|| none(number)),
        }
    }

    /// The questions of one agent, without their requests: it knows them, and another session of
    /// the same agent need not.
    pub fn approvals_of(&self, agent: &str) -> Vec<ApprovalView> {
        let mut all = self.approvals().pending;
        all.retain(|one| one.agent == agent);
        for one in &mut all {
            one.request = None;
        }
        all
    }

    /// Yes. Durable when it returns; the call may then be made, once, by whoever asked.
    ///
    /// # Errors
    /// [`CallError`]: no such question, answered or ended already, too late, the log.
    pub async fn approve(
        &self,
        number: u64,
        via: Via,
        yes: Yes,
    ) -> Result<ApprovalView, CallError> {
        let remember = yes.remember_seconds.unwrap_or(0);
        if remember > REMEMBER_SECONDS_MAX {
            let message = "an approval is remembered for 8 hours at most";
            return Err(CallError::caller("remember", message).next("--remember 15m"));
        }
        let answered = {
            let mut table = self.approvals.table();
            self.expire(&mut table);
            let Some(pending) = table.open.get_mut(&number) else {
                return Err(table.ended(number).map_or_else(|| none(number), |e| over(&e.view)));
            };
            if !matches!(pending.state, State::Open) {
                return Err(decided(number));
            }
            if remember > 0 && pending.asked.need().grant == 0 {
                let message = "shadow mode lets this call through without a grant, so no grant \
                               would end an approval that is remembered";
                return Err(CallError::caller("approval_remember", message)
                    .next(format!("symbolon approve {number}")));
            }
            let answered = pending.asked.approve(via, self.clock.unix_ms(), remember);
            pending.state = State::Deciding;
            answered
        };
        // Until the yes is durable there is no evidence of it, and nobody else may answer.
        let undone = Undecided { broker: self, number };
        let recorded = answered.record(|leaf| self.log.append(leaf)).map_err(log_approval)?;
        let durable = self.log.durable(*recorded.ticket()).await.map_err(log_approval)?;
        let approval = recorded.approval(&durable).map_err(|e| CallError::bug(e.to_string()))?;
        std::mem::forget(undone);
        let mut table = self.approvals.table();
        // A lock may have ended it while the log was written.
        let Some(pending) = table.open.get_mut(&number) else {
            return Err(table.ended(number).map_or_else(|| none(number), |e| over(&e.view)));
        };
        let approved = approval.approved();
        pending.state = State::Approved(approval);
        // What was too late for the clock is too late, whatever the log says.
        if self.expire(&mut table) > 0 && !table.open.contains_key(&number) {
            return Err(table.ended(number).map_or_else(|| none(number), |e| over(&e.view)));
        }
        let Some(pending) = table.open.get(&number) else { return Err(none(number)) };
        if remember > 0 {
            let one = Remembered {
                approved,
                grant: pending.asked.need().grant,
                tool: pending.asked.lease().operation.name().to_string(),
                rule: pending.asked.need().rule.to_string(),
                arguments: pending.arguments.clone(),
                covers: if yes.any_arguments { Covers::Any } else { Covers::Shape },
                until_ns: self.clock.mono_ns() + remember * 1_000_000_000,
            };
            if !self.engine.remember(one) {
                tracing::warn!(number, "no room to remember this approval");
            }
        }
        let view = self.open_view(pending, LISTED_BODY_BYTES);
        drop(table);
        self.approvals.tell();
        Ok(view)
    }

    /// No, with a reason that the agent is told.
    ///
    /// # Errors
    /// [`CallError`]: no such question, answered or ended already, a reason that is too long.
    pub fn deny(
        &self,
        number: u64,
        via: Via,
        reason: Option<String>,
    ) -> Result<ApprovalView, CallError> {
        let reason = reason.map(|r| super::visible(&r).replace(['\n', '\t'], " "));
        if reason.as_ref().is_some_and(|r| r.len() > REASON_BYTES_MAX) {
            return Err(CallError::caller("reason", "a reason has at most 256 bytes"));
        }
        let mut table = self.approvals.table();
        self.expire(&mut table);
        match table.open.get(&number).map(|p| &p.state) {
            Some(State::Open) => {
                self.end(&mut table, number, Ending::Denied(via), reason);
                table.ended(number).map(|e| e.view.clone()).ok_or_else(|| none(number))
            }
            Some(_) => Err(decided(number)),
            None => Err(table.ended(number).map_or_else(|| none(number), |e| over(&e.view))),
        }
    }

    /// Ends a remembered approval.
    ///
    /// # Errors
    /// [`CallError`] where none of that number stands.
    pub fn forget_approval(&self, number: u64) -> Result<(), CallError> {
        if self.engine.forget(number) { Ok(()) } else { Err(none(number)) }
    }

    /// What the person at the client said, where the grant lets them; without effect otherwise, so
    /// that an agent's client cannot answer in the owner's place.
    pub(super) async fn answer_of_client(
        &self,
        number: u64,
        nonce: &[u8; 32],
        yes: bool,
    ) -> Result<(), CallError> {
        let may = {
            let table = self.approvals.table();
            table.open.get(&number).is_some_and(|p| {
                p.asked.nonce() == nonce
                    && p.asked.need().via == AskVia::Client
                    && matches!(p.state, State::Open)
            })
        };
        if !may {
            return Ok(());
        }
        match yes {
            true => self.approve(number, Via::Mcp, Yes::default()).await.map(drop),
            false => self.deny(number, Via::Mcp, None).map(drop),
        }
    }

    fn open_view(&self, pending: &Pending, body_bytes_max: usize) -> ApprovalView {
        let state = match pending.state {
            State::Open | State::Deciding => "pending",
            State::Approved(_) => "approved",
        };
        let now = self.clock.mono_ns();
        let mut view = pending.shown.view(&pending.asked, state, now, Some(body_bytes_max));
        if let State::Approved(approval) = &pending.state {
            let approved = approval.approved();
            put_answer(&mut view, Some((approved.via, approved.at_unix_ms)));
        }
        view
    }
}

/// Opens a question again whose yes did not get into the log.
struct Undecided<'a> {
    broker: &'a Broker,
    number: u64,
}

impl Drop for Undecided<'_> {
    fn drop(&mut self) {
        let mut table = self.broker.approvals.table();
        if let Some(pending) = table.open.get_mut(&self.number)
            && matches!(pending.state, State::Deciding)
        {
            pending.state = State::Open;
        }
    }
}

pub(super) fn put_answer(view: &mut ApprovalView, answer: Option<(Via, u64)>) {
    if let Some((via, at_unix_ms)) = answer {
        view.decided_by = Some(via.who().to_owned());
        view.decided_via = Some(via.as_str().to_owned());
        view.decided = Some(rfc3339(at_unix_ms));
    }
}

fn view(r: &Remembered, now_ns: u64) -> RememberedView {
    RememberedView {
        number: r.approved.number,
        grant: r.grant,
        tool: r.tool.clone(),
        rule: r.rule.clone(),
        covers: match r.covers {
            Covers::Shape => "shape",
            Covers::Any => "any",
        }
        .to_owned(),
        left_seconds: r.until_ns.saturating_sub(now_ns).div_ceil(1_000_000_000),
    }
}

fn none(number: u64) -> CallError {
    CallError::caller("no_approval", format!("there is no question {number}"))
        .status(404)
        .next("symbolon approvals")
}

fn decided(number: u64) -> CallError {
    CallError::caller("approval_decided", format!("question {number} was answered already"))
        .status(409)
        .next("symbolon approvals")
}

/// A question that has ended cannot be answered.
fn over(view: &ApprovalView) -> CallError {
    let (number, state) = (view.number, &view.state);
    if matches!(&**state, "used" | "denied") {
        return decided(number);
    }
    let message = format!("question {number} has ended: {state}; the call was refused");
    CallError::caller("approval_over", message)
        .status(409)
        .next("let the agent ask again")
        .receipt(view.receipt)
}

/// The log does not take the answer: nothing was approved.
fn log_approval(error: symbolon_log::LogError) -> CallError {
    let CallError { next, .. } = errors::log_intent(error);
    let message = "the log cannot keep the approval, so nothing was approved";
    CallError { next, ..CallError::environment("log", message) }
}
