//! Drives a run to its end: begins what the run says, and tells it what came.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use symbolon_flow::{Change, Outcome, Run, RunState, StepState, Work};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::journal::Entry;
use super::sealed::StepBody;
use super::step::{Came, Maker};

/// A run that goes on.
pub(crate) struct Driver {
    pub maker: Arc<Maker>,
    pub run: Run,
    pub asked: mpsc::UnboundedReceiver<(Work, u64)>,
    pub suspended: CancellationToken,
}

impl Driver {
    pub(crate) async fn drive(mut self) {
        let (mut tasks, mut works) = (JoinSet::new(), HashMap::<Id, Work>::new());
        let (mut is_suspended, mut was_cancelled) = (false, false);
        loop {
            while !is_suspended && let Some(start) = self.run.next(self.now_ms()) {
                self.note_rollback().await;
                let (maker, work) = (self.maker.clone(), start.work);
                let task = tasks.spawn(async move { maker.make(start).await });
                works.insert(task.id(), work);
            }
            if self.run.is_ending() || is_suspended {
                self.maker.ending.cancel();
            }
            if self.run.is_aborting() {
                self.maker.aborting.cancel();
            }
            self.tell(is_suspended);
            if is_suspended && tasks.is_empty() {
                return self.maker.live.set_interrupted();
            }
            if let Some(outcome) = self.run.outcome() {
                return self.end(outcome).await;
            }
            let wake = self.run.wakes_at().filter(|_| !is_suspended);
            let pause = Duration::from_millis(wake.unwrap_or(0).saturating_sub(self.now_ms()));
            let live = self.maker.live.clone();
            tokio::select! {
                Some(joined) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    let (id, came) = match joined {
                        Ok((id, came)) => (id, Some(came)),
                        Err(e) => (e.id(), None),
                    };
                    let Some(work) = works.remove(&id) else { continue };
                    is_suspended |= matches!(came, Some(Came::Suspended));
                    self.settle(work, came);
                }
                Some((work, question)) = self.asked.recv() => self.run.waits(work, question),
                () = tokio::time::sleep(pause), if wake.is_some() => {}
                () = live.cancel.cancelled(), if !was_cancelled => {
                    was_cancelled = true;
                    self.run.cancel();
                }
                () = self.suspended.cancelled(), if !is_suspended => is_suspended = true,
            }
        }
    }

    /// `None` where the task broke: nobody knows how far it came.
    fn settle(&mut self, work: Work, came: Option<Came>) {
        let (live, now) = (&self.maker.live, self.now_ms());
        let rng = self.maker.broker.rng.clone();
        match came {
            Some(Came::Done { output, receipt }) => {
                live.set_receipt(work.step, Some(receipt));
                self.run.done(work, output);
            }
            Some(Came::Failed { failure, receipt }) => {
                live.set_receipt(work.step, receipt);
                self.run.failed(work, failure, now, &*rng);
            }
            Some(Came::Uncertain { why, receipt }) => {
                live.set_receipt(work.step, receipt);
                self.run.uncertain(work, why);
            }
            Some(Came::Cancelled | Came::Suspended) => self.run.cancelled(work),
            None => self.run.uncertain(work, "the broker has a bug: the step broke off".to_owned()),
        }
    }

    /// Says what changed, and writes down what did not happen. What happened is written down
    /// already; of a run that is suspended the receipts decide.
    fn tell(&mut self, is_suspended: bool) {
        let changes = self.run.take_changes();
        if changes.is_empty() {
            return;
        }
        let clock = &self.maker.broker.clock;
        if !is_suspended {
            changes.iter().for_each(|change| self.note(change));
        }
        self.maker.live.tell(&changes, clock.mono_ns());
    }

    fn note(&self, change: &Change) {
        use StepState::{Cancelled, Failed, Skipped, Uncertain, UndoFailed};
        if !matches!(change.state, Failed | Skipped | Cancelled | Uncertain | UndoFailed) {
            return;
        }
        let live = &self.maker.live;
        // A step whose undoing failed has happened: what it gave stays, for another try.
        let output = self.run.output_of(change.step).cloned();
        let body = StepBody { output, why: change.why.clone() };
        let receipt = live.receipt_of(change.step);
        let place = (live.id(), change.step);
        let row =
            self.maker.sealer.step_row(place, live.next_order(), change.state, receipt, &body);
        match row {
            Ok(row) => self.maker.broker.executions.journal.note(Entry::Step(row)),
            Err(e) => tracing::error!("a step of a flow is not written down: {e}"),
        }
    }

    /// Before the first undoing: after a crash nothing goes forward again.
    async fn note_rollback(&self) {
        let live = &self.maker.live;
        if self.run.is_undoing() && live.set_rolling_back() {
            self.keep_state(RunState::RollingBack).await;
        }
    }

    async fn end(&mut self, outcome: Outcome) {
        let (live, broker) = (&self.maker.live, &self.maker.broker);
        let output = match self.run.output() {
            Some(Ok(output)) => Some(output),
            Some(Err(e)) => {
                live.tell_output(e.to_string());
                None
            }
            None => None,
        };
        if let Some(output) = &output {
            self.keep_output(output);
        }
        self.keep_state(RunState::Ended(outcome)).await;
        live.set_state(RunState::Ended(outcome), output, broker.clock.unix_ms());
    }

    fn keep_output(&self, output: &Value) {
        let live = &self.maker.live;
        let body = StepBody { output: Some(output.clone()), why: None };
        let place = (live.id(), usize::MAX);
        let row =
            self.maker.sealer.step_row(place, live.next_order(), StepState::Done, None, &body);
        if let Ok(row) = row {
            self.maker.broker.executions.journal.note(Entry::Step(row));
        }
    }

    async fn keep_state(&self, state: RunState) {
        let (broker, id) = (&self.maker.broker, self.maker.live.id());
        broker.executions.journal.keep(Entry::State(id, state, broker.clock.unix_ms())).await;
    }

    fn now_ms(&self) -> u64 {
        self.maker.broker.clock.mono_ns() / 1_000_000
    }
}
