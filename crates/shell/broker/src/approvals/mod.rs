//! Approvals: calls that wait for a person (`specs/approvals.md`).
//!
//! A rule of the grant stops a call ([`symbolon_capability::Refusal::Approval`]); a question about
//! its exact bytes goes into the log and waits here; the owner's yes becomes durable before the
//! evidence of it exists; the evidence opens that one request, once. However a question ends
//! without a call, a receipt says so.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use http::HeaderMap;
use symbolon_capability::approval::{AskVia, Consent};
use symbolon_capability::engine::Refused;
use symbolon_capability::{Approval, GrantId, Opening, Refusal};
use symbolon_codec::Digest32;
use tokio::sync::{Notify, watch};

use self::table::{Ended, Pending, State, Table};
use self::view::Shown;
use crate::Broker;
use crate::api::*;
use crate::call::Prepared;
use crate::errors;
use crate::receipts::Marks;

pub mod api;
mod decide;
mod owner;
mod receipt;
mod state;
mod table;
mod view;

pub use api::*;
pub(crate) use receipt::stood_on;
pub(crate) use table::Ending;
pub use view::visible;

/// Questions, who waits for them, and who may answer over HTTP.
pub(crate) struct Approvals {
    options: ApprovalOptions,
    table: Mutex<Table>,
    changed: watch::Sender<u64>,
    wake: Arc<Notify>,
    owners: RwLock<HashSet<Digest32>>,
}

impl Approvals {
    pub(crate) fn new(options: ApprovalOptions) -> Self {
        Self {
            options,
            table: Mutex::default(),
            changed: watch::Sender::new(0),
            wake: Arc::default(),
            owners: RwLock::default(),
        }
    }

    /// Changes with every question and every answer.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self, number: u64) -> bool {
        self.table().open.get(&number).is_some_and(|p| !matches!(p.state, State::Approved(_)))
    }

    fn tell(&self) {
        self.changed.send_modify(|n| *n += 1);
        self.wake.notify_one();
    }
}

/// A call that may begin, or the number of the question that it waits for.
#[allow(clippy::large_enum_variant, reason = "moved once, and never kept")]
pub(crate) enum Opened {
    Now(Opening),
    Asked(u64),
}

/// What there is for a caller that comes for its answer.
enum Taken {
    Approved(Approval),
    Waits,
    Ended(CallError),
}

impl Broker {
    /// The right to make this exact call. Where a rule of the grant wants a person asked, asks and
    /// waits; dropped meanwhile, the question is withdrawn.
    ///
    /// # Errors
    /// What a gate refuses; `approval_denied`, `approval_expired` and their like. With a receipt.
    pub(crate) async fn obtain(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
    ) -> Result<Opening, CallError> {
        self.obtain_for(session, context, prepared, None).await
    }

    /// As [`Broker::obtain`]; `asked` is told the question's number where a person is asked.
    pub(crate) async fn obtain_telling(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        asked: impl FnOnce(u64) + Send,
    ) -> Result<Opening, CallError> {
        let opened = self.open_or_ask(session, context, prepared, None, true);
        self.obtained(session, context, prepared, opened?, asked).await
    }

    /// As [`Broker::obtain`], of a request that carries headers of its caller's, which are shown.
    pub(crate) async fn obtain_for(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        headers: Option<&HeaderMap>,
    ) -> Result<Opening, CallError> {
        let opened = self.open_or_ask(session, context, prepared, headers, true);
        self.obtained(session, context, prepared, opened?, |_| {}).await
    }

    async fn obtained(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        opened: Opened,
        asked: impl FnOnce(u64) + Send,
    ) -> Result<Opening, CallError> {
        let number = match opened {
            Opened::Now(opening) => return Ok(opening),
            Opened::Asked(number) => number,
        };
        asked(number);
        let waiting = Waiting { broker: self, number };
        self.until_answered(number, None).await;
        let taken = self.take(number, None, session);
        std::mem::forget(waiting);
        match taken {
            Taken::Approved(approval) => self
                .open_with(session, context, prepared, Consent::Given(approval))
                .map_err(|r| self.refused(session, context, prepared, r)),
            Taken::Ended(error) => Err(error),
            // The question's life is as long as the wait, so nothing else can be.
            Taken::Waits => Err(CallError::bug("a question outlived its caller's patience")),
        }
    }

    /// The same for a caller that comes again: the question's number in place of a wait.
    pub(crate) async fn obtain_now(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        asking: &Asking,
    ) -> Result<Opened, CallError> {
        let Some(state) = &asking.state else {
            return self.open_or_ask(session, context, prepared, None, asking.stays);
        };
        let of = self.open_state(state, session, context, &prepared.digest)?;
        if let Some(yes) = asking.client {
            self.answer_of_client(of.number, &of.nonce, yes).await?;
        }
        match self.take(of.number, Some(&of.nonce), session) {
            Taken::Approved(approval) => {
                let opened = self.open_with(session, context, prepared, Consent::Given(approval));
                opened.map(Opened::Now).map_err(|r| self.refused(session, context, prepared, r))
            }
            Taken::Waits => Ok(Opened::Asked(of.number)),
            Taken::Ended(error) => Err(error),
        }
    }

    fn open_or_ask(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        headers: Option<&HeaderMap>,
        stays: bool,
    ) -> Result<Opened, CallError> {
        match self.open_with(session, context, prepared, Consent::None) {
            Ok(opening) => Ok(Opened::Now(opening)),
            Err(r) if matches!(r.refusal, Refusal::Approval(_)) => {
                self.ask(session, context, prepared, headers, &r, stays).map(Opened::Asked)
            }
            Err(r) => Err(self.refused(session, context, prepared, r)),
        }
    }

    fn open_with(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        consent: Consent,
    ) -> Result<Opening, Refused> {
        let token = self.engine.mint_with(
            &prepared.lease,
            context,
            &prepared.arguments,
            &prepared.digest,
            consent,
        )?;
        self.engine.redeem(&token, session, context, &prepared.digest)
    }

    /// Puts a question. Gives its number.
    fn ask(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        headers: Option<&HeaderMap>,
        refused: &Refused,
        stays: bool,
    ) -> Result<u64, CallError> {
        let Refusal::Approval(need) = &refused.refusal else {
            return Err(CallError::bug("a question that no rule wants"));
        };
        if prepared.is_streamed {
            let error = self.refused(session, context, prepared, refused.clone());
            let message = "a body that is sent on as it comes cannot be shown, so it is not asked";
            let (code, message) = ("approval_unseen".to_owned(), message.to_owned());
            return Err(CallError { code, message, ..error }.next("symbolon grant … --ask never"));
        }
        let too_many = || {
            let error = CallError::caller(
                "too_many_approvals",
                "too many calls of this agent wait for approval, or too many did lately",
            );
            CallError { retry_after_seconds: Some(30), ..error.status(429) }
                .next("symbolon approvals")
        };
        // Asking costs its agent nothing, and each question is an entry of the log.
        if !self.refusals.admits(session.agent().as_str(), self.clock.mono_ns()) {
            return Err(too_many());
        }
        let options = &self.approvals.options;
        let lives = if stays { options.wait_seconds } else { options.lives_seconds };
        let size = prepared.size();
        let mut table = self.approvals.table();
        if !table.has_room(session.agent().as_str(), size) {
            return Err(too_many());
        }
        let question = self.engine.question(
            &prepared.lease,
            context,
            &prepared.digest,
            (**need).clone(),
            refused.gates,
            lives,
        );
        let asked = question.record(|leaf| self.log.append(leaf)).map_err(errors::log_intent)?;
        let marks = Marks::new(self, prepared, session, asked.asked_unix_ms())?;
        let shown = Shown::of(prepared, &asked.need().rule, headers);
        let number = asked.number();
        tracing::info!(number, agent = asked.lease().agent(), "a call waits for approval");
        let arguments = prepared.arguments.clone();
        let pending = Pending { asked, shown, arguments, marks, size, state: State::Open };
        table.open.insert(number, pending);
        drop(table);
        self.approvals.tell();
        Ok(number)
    }

    /// Gives evidence to the caller whose question it is, once. `nonce`: of its state.
    fn take(&self, number: u64, nonce: Option<&[u8; 32]>, session: &Session) -> Taken {
        let mut table = self.approvals.table();
        self.expire(&mut table);
        let is_own = |of: &[u8; 16], own: &[u8; 32]| {
            of == session.id() && nonce.is_none_or(|nonce| nonce == own)
        };
        if let Some(pending) = table.open.get(&number) {
            if !is_own(pending.asked.lease().session().id(), pending.asked.nonce()) {
                return Taken::Ended(gone(number));
            }
            if !matches!(pending.state, State::Approved(_)) {
                return Taken::Waits;
            }
            return match self.end(&mut table, number, Ending::Used, None) {
                Some(State::Approved(approval)) => Taken::Approved(approval),
                _ => Taken::Ended(gone(number)),
            };
        }
        let ended = table.ended(number).filter(|e| is_own(&e.session, &e.nonce));
        Taken::Ended(ended.map_or_else(|| gone(number), Ended::to_error))
    }

    /// What a caller is told whose call waits.
    ///
    /// # Errors
    /// [`CallError`]: the question has ended, or the vault is locked.
    pub(crate) fn pending_call(
        &self,
        number: u64,
        request: CallRequest,
    ) -> Result<PendingCall, CallError> {
        let table = self.approvals.table();
        let Some(pending) = table.open.get(&number) else {
            return Err(table.ended(number).map_or_else(|| gone(number), Ended::to_error));
        };
        let asked = &pending.asked;
        let left = asked.until_ns().saturating_sub(self.clock.mono_ns());
        Ok(PendingCall {
            number,
            state: self.seal_state(asked)?,
            sentence: pending.shown.sentence().to_owned(),
            expires_in_seconds: left / 1_000_000_000,
            next: format!("symbolon approve {number}"),
            client_answers: asked.need().via == AskVia::Client,
            request,
        })
    }

    /// Waits until a question is answered or has ended, or for `within`.
    pub async fn until_answered(&self, number: u64, within: Option<Duration>) {
        let mut changed = self.approvals.changed.subscribe();
        let answered = async {
            loop {
                if !self.approvals.waits(number) || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        match within {
            Some(within) => drop(tokio::time::timeout(within, answered).await),
            None => answered.await,
        }
    }

    /// As [`Broker::until_answered`], for a caller that stays on the line: dropped meanwhile, the
    /// question is withdrawn.
    pub async fn until_answered_or_gone(&self, number: u64) {
        let waiting = Waiting { broker: self, number };
        self.until_answered(number, None).await;
        std::mem::forget(waiting);
    }

    /// Ends a question: out of those that wait, with a receipt unless its call goes on.
    fn end(
        &self,
        table: &mut Table,
        number: u64,
        ending: Ending,
        reason: Option<String>,
    ) -> Option<State> {
        let pending = table.open.remove(&number)?;
        let receipt = match ending {
            Ending::Used => None,
            _ => self.write_ended(&pending, ending),
        };
        let now_ns = self.clock.mono_ns();
        let mut view = pending.shown.view(&pending.asked, ending.as_str(), now_ns, None);
        view.receipt = receipt;
        let answer = match (&pending.state, ending) {
            (State::Approved(approval), _) => {
                Some((approval.approved().via, approval.approved().at_unix_ms))
            }
            (_, Ending::Denied(via)) => Some((via, self.clock.unix_ms())),
            _ => None,
        };
        decide::put_answer(&mut view, answer);
        table.keep(Ended {
            session: *pending.asked.lease().session().id(),
            nonce: *pending.asked.nonce(),
            ending,
            reason,
            view,
        });
        tracing::info!(number, how = ending.as_str(), "a call waits for approval no more");
        self.approvals.tell();
        Some(pending.state)
    }

    /// Ends what nobody answered in time, or nobody came for. A yes that is on its way into the log
    /// is let finish; what comes of it is judged by the same clock.
    fn expire(&self, table: &mut Table) -> usize {
        let now = self.clock.mono_ns();
        let is_over =
            |p: &&Pending| now >= p.asked.until_ns() && !matches!(p.state, State::Deciding);
        let over: Vec<u64> =
            table.open.values().filter(is_over).map(|p| p.asked.number()).collect();
        for number in &over {
            self.end(table, *number, Ending::Expired, None);
        }
        over.len()
    }

    /// Refuses every call that waits for a person: the broker is about to stop.
    pub fn end_waiting(&self) {
        self.end_approvals(Ending::Stopped);
    }

    /// Ends every question: with a lock, and when the broker stops.
    pub(crate) fn end_approvals(&self, ending: Ending) {
        let mut table = self.approvals.table();
        let all: Vec<u64> = table.open.keys().copied().collect();
        for number in all {
            self.end(&mut table, number, ending, None);
        }
    }

    /// Ends questions whose grant is in force no more: nothing could come of a yes.
    pub(crate) fn end_fallen(&self) {
        let Some(policy) = self.engine.policy() else { return };
        let stand: HashSet<GrantId> = policy.grants.values().flatten().map(|g| g.id).collect();
        let mut table = self.approvals.table();
        // Shadow mode asks without any grant: 0.
        let has_fallen = |grant: GrantId| grant != 0 && !stand.contains(&grant);
        let fallen: Vec<u64> = table
            .open
            .values()
            .filter(|p| has_fallen(p.asked.need().grant))
            .map(|p| p.asked.number())
            .collect();
        for number in fallen {
            self.end(&mut table, number, Ending::Fallen, None);
        }
    }

    fn withdraw(&self, number: u64) {
        let mut table = self.approvals.table();
        self.end(&mut table, number, Ending::Withdrawn, None);
    }
}

/// Ends questions in their time, for as long as there is a broker. Keeps none alive meanwhile: a
/// broker that is gone has given its home's lock back.
pub(crate) async fn sweep(broker: Weak<Broker>) {
    loop {
        let (nap, wake) = {
            let Some(alive) = broker.upgrade() else { return };
            let mut table = alive.approvals.table();
            alive.expire(&mut table);
            // One that is being decided is looked at again soon.
            let left = table
                .next_end_ns()
                .map(|end| end.saturating_sub(alive.clock.mono_ns()).max(SOON_NS));
            let nap = Duration::from_nanos(left.unwrap_or(IDLE_NS).min(IDLE_NS));
            (nap, alive.approvals.wake.clone())
        };
        let _ = tokio::time::timeout(nap, wake.notified()).await;
    }
}

const IDLE_NS: u64 = 60_000_000_000;
const SOON_NS: u64 = 20_000_000;

/// A caller on the line. Gone before its answer, its question is withdrawn.
struct Waiting<'a> {
    broker: &'a Broker,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.broker.withdraw(self.number);
    }
}

impl Ended {
    fn to_error(&self) -> CallError {
        let number = self.view.number;
        let (code, message) = match self.ending {
            Ending::Used => {
                ("approval_used", format!("approval {number} was used: each is good for one call"))
            }
            Ending::Denied(_) => {
                let why = self.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
                ("approval_denied", format!("the owner denied this call{why}"))
            }
            Ending::Expired => {
                ("approval_expired", format!("nobody approved question {number} in time"))
            }
            Ending::Withdrawn => {
                ("approval_withdrawn", format!("the caller of question {number} went away"))
            }
            Ending::Locked => {
                ("approval_locked", format!("the vault was locked while question {number} waited"))
            }
            Ending::Fallen => (
                "approval_ended",
                format!("the grant ended or was taken back while question {number} waited"),
            ),
            Ending::Stopped => {
                ("approval_stopped", format!("the broker stopped while question {number} waited"))
            }
        };
        let next = match self.ending {
            Ending::Denied(_) => "ask the owner before you try again",
            Ending::Locked => "symbolon unlock; then call again",
            Ending::Fallen => "symbolon grants",
            _ => "call again: the owner is asked anew",
        };
        CallError::caller(code, message).status(403).next(next).receipt(self.view.receipt)
    }
}

/// Of an earlier run, of another session, or long ended: nobody learns which.
fn gone(number: u64) -> CallError {
    let message = format!("there is no question {number} of yours that waits");
    CallError::caller("approval_gone", message)
        .status(403)
        .next("call again: the owner is asked anew")
}
