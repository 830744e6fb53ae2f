//! One attempt at a step: a call through every gate, in a context of its own.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use symbolon_flow::{Failure, Start, StepState, Work};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::board::Live;
use super::journal::Entry;
use super::judge::{self, Verdict};
use super::sealed::{Sealer, StepBody};
use crate::Broker;
use crate::answer;
use crate::api::*;
use crate::call::Prepared;
use crate::retry::only_reads;

/// What came of an attempt.
pub(crate) enum Came {
    Done {
        output: Value,
        receipt: u64,
    },
    Failed {
        failure: Failure,
        receipt: Option<u64>,
    },
    Uncertain {
        why: String,
        receipt: Option<u64>,
    },
    Cancelled,
    /// The broker is being stopped or was locked; nothing was sent.
    Suspended,
}

/// What all attempts of a run share.
pub(crate) struct Maker {
    pub broker: Arc<Broker>,
    pub session: Arc<Session>,
    pub live: Arc<Live>,
    pub sealer: Sealer,
    /// Nobody need be asked any more.
    pub ending: CancellationToken,
    /// Calls that only read are dropped.
    pub aborting: CancellationToken,
    /// Where to say that a person is asked.
    pub asked: mpsc::UnboundedSender<(Work, u64)>,
}

/// What may be done with an attempt that failed.
#[derive(Clone, Copy)]
struct Traits {
    /// It changes nothing, and may be dropped and made again.
    reads: bool,
    /// The upstream knows a call that it has seen before.
    is_keyed: bool,
}

impl Maker {
    pub(crate) async fn make(&self, start: Start) -> Came {
        let (broker, work) = (&self.broker, start.work);
        let flow = self.live.flow();
        let Some(step) = flow.steps().get(work.step) else { return Came::Suspended };
        let context =
            judge::context(flow.kind(), self.live.id(), step.id(), self.live.epoch(), work);
        let request = CallRequest {
            tool: start.tool.into(),
            arguments: start.arguments,
            connection: start.connection.map(Into::into),
            minted: None,
        };
        let unread = Traits { reads: false, is_keyed: false };
        let prepared = broker.prepare(&self.session, &context, request);
        let prepared = prepared.and_then(|prepared| self.with_key(prepared, step.id(), work));
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(e) => return self.failed(&e, unread, work),
        };
        let reads = only_reads(&prepared.lease.operation);
        let traits = Traits { reads, is_keyed: prepared.own_key.is_some() };
        // Where the run is gone nobody need know.
        let told = |number| {
            let _ = self.asked.send((work, number));
        };
        let opening = tokio::select! {
            biased;
            () = self.ending.cancelled(), if !work.is_undo => return Came::Cancelled,
            opening = broker.obtain_telling(&self.session, &context, &prepared, told) => opening,
        };
        let opening = match opening {
            Ok(opening) => opening,
            Err(e) => return self.failed(&e, traits, work),
        };
        let limit = step.timeout_ms().map_or(FOREVER, Duration::from_millis);
        let call = tokio::time::timeout(limit, Box::pin(broker.execute(opening, prepared)));
        let answered = tokio::select! {
            biased;
            answered = call => answered,
            () = self.aborting.cancelled(), if reads && !work.is_undo => return Came::Cancelled,
        };
        match answered {
            Ok(Ok((answer, receipt))) => {
                let reply = answer::reply(answer, receipt, 0);
                if reply.is_failure() {
                    return self.refused_by_upstream(&reply, traits);
                }
                let output = self.output(work, reply);
                self.keep(work, output.as_ref(), receipt, reads).await;
                Came::Done { output: output.unwrap_or(Value::Null), receipt }
            }
            Ok(Err(e)) => self.failed(&e, traits, work),
            Err(_) => {
                let why = format!("no answer within {} ms", limit.as_millis());
                self.unknown(why, None, traits, work)
            }
        }
    }

    /// All attempts at a step of a run go out under one key, where the tool takes one.
    fn with_key(
        &self,
        mut prepared: Prepared,
        id: &str,
        work: Work,
    ) -> Result<Prepared, CallError> {
        let Some(name) = prepared.lease.operation.idempotency_key() else { return Ok(prepared) };
        let bug = |e: &dyn std::fmt::Display| CallError::bug(e.to_string());
        let purpose = if work.is_undo { "undo-key" } else { "key" };
        let key = self.live.id().derive_uuid(purpose, id);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| bug(&e))?;
        let key = HeaderValue::try_from(key).map_err(|e| bug(&e))?;
        prepared.own_key = Some((name, key));
        Ok(prepared)
    }

    /// What the step gives; `None` where nothing names it. A body that is too long is not kept.
    fn output(&self, work: Work, reply: CallReply) -> Option<Value> {
        let is_named = self.live.flow().steps().get(work.step).is_some_and(|s| s.is_named());
        if work.is_undo || !is_named {
            return None;
        }
        let bytes = serde_json::to_vec(&reply.body).map_or(usize::MAX, |json| json.len());
        let body = if self.live.has_room(bytes) { reply.body } else { Value::Null };
        Some(json!({"status": reply.status, "body": body, "receipt": reply.receipt}))
    }

    /// Writes down that it happened. Of what changes something before anything else begins: a read
    /// that a crash forgets is made again, a write is not.
    async fn keep(&self, work: Work, output: Option<&Value>, receipt: u64, reads: bool) {
        let state = if work.is_undo { StepState::Undone } else { StepState::Done };
        let body = StepBody { output: output.cloned(), why: None };
        let (place, order) = ((self.live.id(), work.step), self.live.next_order());
        match self.sealer.step_row(place, order, state, Some(receipt), &body) {
            Ok(row) if reads => self.broker.executions.journal.note(Entry::Step(row)),
            Ok(row) => self.broker.executions.journal.keep(Entry::Step(row)).await,
            Err(e) => tracing::error!("a step of a flow is not written down: {e}"),
        }
    }

    fn refused_by_upstream(&self, reply: &CallReply, traits: Traits) -> Came {
        let header = |name: &str| reply.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v);
        let seconds = header("retry-after").and_then(|value| value.parse::<u64>().ok());
        let may_repeat = match reply.status {
            429 | 503 => true,
            408 | 425 | 500..=599 => traits.reads || traits.is_keyed,
            _ => false,
        };
        let why = match reply.status {
            ..400 => "the tool answered with an error".to_owned(),
            status => format!("the service answered {status}"),
        };
        let at_least = Duration::from_secs(seconds.unwrap_or(0).min(RETRY_AFTER_SECONDS_MAX));
        let failure = Failure { why, may_repeat, at_least };
        Came::Failed { failure, receipt: Some(reply.receipt) }
    }

    fn failed(&self, error: &CallError, traits: Traits, work: Work) -> Came {
        let verdict = judge::of_error(&self.broker.log, error);
        if verdict == Verdict::Unsent && matches!(&*error.code, "locked" | "stopped") {
            return Came::Suspended;
        }
        let why = match &error.next {
            Some(next) => format!("{}; {next}", error.message),
            None => error.message.clone(),
        };
        if verdict == Verdict::Unknown {
            return self.unknown(why, error.receipt, traits, work);
        }
        let seconds = error.retry_after_seconds;
        let not_sent = matches!(error.fault, Fault::Peer) && error.receipt.is_some();
        let at_least = Duration::from_secs(seconds.unwrap_or(0).min(RETRY_AFTER_SECONDS_MAX));
        let failure = Failure { why, may_repeat: seconds.is_some() || not_sent, at_least };
        Came::Failed { failure, receipt: error.receipt }
    }

    /// It left, and no answer came.
    fn unknown(&self, why: String, receipt: Option<u64>, traits: Traits, work: Work) -> Came {
        let steps = self.live.flow().steps();
        let times = steps.get(work.step).map_or(0, |step| step.retry().times);
        let may_repeat = traits.reads || traits.is_keyed && work.attempt <= times;
        if may_repeat || work.is_undo {
            let failure = Failure { why, may_repeat, at_least: Duration::ZERO };
            return Came::Failed { failure, receipt };
        }
        Came::Uncertain { why: format!("{why}; it may have happened"), receipt }
    }
}

/// No limit but the broker's own.
const FOREVER: Duration = Duration::from_secs(24 * 3600);
/// More is for a person to wait.
const RETRY_AFTER_SECONDS_MAX: u64 = 3600;
