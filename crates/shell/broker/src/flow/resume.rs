//! Going on after a crash, a failure or a stop; and undoing by hand.

use std::collections::HashMap;
use std::sync::Arc;

use symbolon_flow::{Flow, FlowStore, Outcome, Run, RunId, RunRow, RunState, StepRow, StepState};

use super::begin::{no_run, of_definition, of_inputs, run_id};
use super::board::Live;
use super::journal::Entry;
use super::judge::{self, Found, Verdict};
use super::sealed::{RunBody, Sealer, StepBody};
use super::view::{FlowDecision, FlowRunView};
use crate::Broker;
use crate::api::CallError;
use crate::retry::only_reads;

/// What is kept of a run.
pub(super) struct Kept {
    pub row: RunRow,
    pub body: RunBody,
    pub flow: Arc<Flow>,
    pub steps: Vec<(StepRow, StepBody)>,
    sealer: Sealer,
}

/// What is known of a step before a run goes on.
enum Known {
    Done { output: Option<serde_json::Value>, receipt: Option<u64>, is_undone: bool },
    Uncertain { receipt: Option<u64> },
}

impl Broker {
    /// Lets a run go on: what happened is not made again, what only reads is, and what nobody knows
    /// of waits for a decision.
    ///
    /// # Errors
    /// [`CallError`]: no such run, one that goes on or is done, `flow_uncertain` with the next
    /// command.
    pub async fn flow_resume(
        self: &Arc<Self>,
        run: &str,
        decisions: &[FlowDecision],
    ) -> Result<FlowRunView, CallError> {
        let kept = self.to_go_on(run).await?;
        let _one = self.executions.beginning.lock().await;
        self.stands_still(kept.row.id)?;
        let undoes = matches!(
            kept.row.state,
            RunState::RollingBack | RunState::Ended(Outcome::RollbackFailed)
        );
        if matches!(kept.row.state, RunState::Ended(Outcome::Done | Outcome::RolledBack)) {
            let message = format!("the run is {}", kept.row.state);
            return Err(CallError::caller("flow_over", message)
                .status(409)
                .next("symbolon flow run FILE"));
        }
        let known = self.learn(&kept, decisions).await?;
        self.go_on(kept, known, undoes.then_some(None)).await
    }

    /// Undoes what happened in a run that stands still: all of it, or of these steps alone.
    ///
    /// # Errors
    /// As [`Broker::flow_resume`].
    pub async fn flow_rollback(
        self: &Arc<Self>,
        run: &str,
        steps: &[String],
    ) -> Result<FlowRunView, CallError> {
        let kept = self.to_go_on(run).await?;
        let _one = self.executions.beginning.lock().await;
        self.stands_still(kept.row.id)?;
        let place = |id: &String| kept.flow.place(id).ok_or_else(|| no_step(id));
        let only = steps.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let known = self.learn(&kept, &[]).await?;
        self.go_on(kept, known, Some((!only.is_empty()).then_some(only))).await
    }

    /// What the store has of a run.
    pub(super) async fn flow_kept(&self, id: RunId) -> Result<Kept, CallError> {
        let sealer = self.flow_sealer()?;
        let row = self.store.run(id).await?.ok_or_else(no_run)?;
        let body = sealer.open_run(&row)?;
        let flow = Flow::parse(body.definition.as_bytes()).map_err(of_definition)?;
        let mut steps = Vec::new();
        for step in self.store.steps(id).await? {
            match sealer.open_step(&step) {
                Some(body) => steps.push((step, body)),
                // Not as it was written: receipts decide.
                None => tracing::warn!("a kept step of the run {id} does not open"),
            }
        }
        Ok(Kept { row, body, flow: Arc::new(flow), steps, sealer })
    }

    async fn to_go_on(&self, run: &str) -> Result<Kept, CallError> {
        let id = run_id(run)?;
        self.stands_still(id)?;
        self.flow_kept(id).await
    }

    fn stands_still(&self, id: RunId) -> Result<(), CallError> {
        if self.executions.goes_on(id) {
            let message = "the run goes on";
            let next = format!("symbolon flow show {id}, or symbolon flow cancel {id}");
            return Err(CallError::caller("flow_goes_on", message).status(409).next(next));
        }
        Ok(())
    }

    /// What happened, by what was written down, by the log, and by what a person says.
    async fn learn(
        &self,
        kept: &Kept,
        decisions: &[FlowDecision],
    ) -> Result<HashMap<usize, Known>, CallError> {
        let of_log = self.attempts_of(kept).await?;
        let mut known = HashMap::new();
        for (row, body) in &kept.steps {
            let step = row.step as usize;
            if step >= kept.flow.steps().len() {
                continue;
            }
            let done = |is_undone| Known::Done {
                output: body.output.clone(),
                receipt: row.receipt,
                is_undone,
            };
            match row.state {
                StepState::Done | StepState::UndoFailed => drop(known.insert(step, done(false))),
                StepState::Undone => drop(known.insert(step, done(true))),
                StepState::Uncertain if !self.may_repeat(&kept.flow, step) => {
                    known.insert(step, Known::Uncertain { receipt: row.receipt });
                }
                _ => {}
            }
        }
        for ((step, is_undo), found) in of_log {
            let happened = matches!(found.verdict, Verdict::Answered(status) if status < 400);
            if is_undo {
                if let (true, Some(Known::Done { is_undone, .. })) =
                    (happened, known.get_mut(&step))
                {
                    *is_undone = true;
                }
                continue;
            }
            if known.contains_key(&step) {
                continue;
            }
            // Its answer is lost: where nothing names it nobody misses it.
            let is_named = kept.flow.steps().get(step).is_some_and(|s| s.is_named());
            let receipt = found.receipt;
            if happened && !is_named {
                known.insert(step, Known::Done { output: None, receipt, is_undone: false });
            } else if (happened || found.verdict == Verdict::Unknown)
                && !self.may_repeat(&kept.flow, step)
            {
                known.insert(step, Known::Uncertain { receipt });
            }
        }
        self.decide(kept, &mut known, decisions)?;
        Ok(known)
    }

    fn decide(
        &self,
        kept: &Kept,
        known: &mut HashMap<usize, Known>,
        decisions: &[FlowDecision],
    ) -> Result<(), CallError> {
        for decision in decisions {
            let step = kept.flow.place(&decision.step).ok_or_else(|| no_step(&decision.step))?;
            let Some(Known::Uncertain { receipt }) = known.get(&step) else {
                let message = format!("nothing is uncertain about the step {}", decision.step);
                let next = format!("symbolon flow show {}", kept.row.id);
                return Err(CallError::caller("flow_certain", message).status(409).next(next));
            };
            let receipt = *receipt;
            known.remove(&step);
            if decision.as_done {
                let output = decision.output.clone();
                known.insert(step, Known::Done { output, receipt, is_undone: false });
            }
        }
        Ok(())
    }

    async fn attempts_of(&self, kept: &Kept) -> Result<HashMap<(usize, bool), Found>, CallError> {
        let (log, flow) = (self.log.clone(), kept.flow.clone());
        let which = (kept.row.id, kept.row.epoch, kept.row.log_from);
        let work = move || judge::attempts(&log, &flow, which);
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }

    /// Whether making a step's call again cannot do a thing twice.
    fn may_repeat(&self, flow: &Flow, step: usize) -> bool {
        let tool = flow.steps().get(step).map(|step| &step.call().tool);
        let operation = tool.and_then(|tool| self.engine.catalog().operation(tool).cloned());
        operation.is_some_and(|o| only_reads(&o) || o.idempotency_key().is_some())
    }

    /// `undo`: instead of going forward, of all steps or of some.
    async fn go_on(
        self: &Arc<Self>,
        kept: Kept,
        known: HashMap<usize, Known>,
        undo: Option<Option<Vec<usize>>>,
    ) -> Result<FlowRunView, CallError> {
        let Kept { mut row, body, flow, steps, sealer } = kept;
        let order = steps.iter().map(|(row, _)| row.order + 1).max().unwrap_or(0);
        let begun = row.created_unix_ms;
        let mut run =
            Run::new(flow.clone(), row.id, body.inputs.clone(), begun).map_err(of_inputs)?;
        let uncertain = known.values().any(|known| matches!(known, Known::Uncertain { .. }));
        let now = self.clock.unix_ms();
        (row.epoch, row.log_from) = (row.epoch + 1, self.log.size());
        (row.state, row.changed_unix_ms) = match (&undo, uncertain) {
            (_, true) => (RunState::Ended(Outcome::Uncertain), now),
            (Some(_), _) => (RunState::RollingBack, now),
            (None, _) => (RunState::Running, now),
        };
        sealer.seal_run(&mut row, &body)?;
        let live = Arc::new(Live::new(row.clone(), flow, order, self.clock.mono_ns()));
        // What was learnt of the epoch before is on disk before a new one begins.
        let places: HashMap<usize, u64> =
            steps.iter().map(|(row, _)| (row.step as usize, row.order)).collect();
        let mut known: Vec<(usize, Known)> = known.into_iter().collect();
        known.sort_by_key(|(step, _)| (places.get(step).copied().unwrap_or(u64::MAX), *step));
        for (step, known) in known {
            let (state, receipt, body) = match known {
                Known::Done { output, receipt, is_undone } => {
                    run.restore_done(step, output.clone());
                    if is_undone {
                        run.restore_undone(step);
                    }
                    let state = if is_undone { StepState::Undone } else { StepState::Done };
                    (state, receipt, StepBody { output, why: None })
                }
                Known::Uncertain { receipt } => {
                    let why = "the broker ended before its answer was kept; it may have happened";
                    let body = StepBody { output: None, why: Some(why.to_owned()) };
                    (StepState::Uncertain, receipt, body)
                }
            };
            live.restore(step, state, receipt);
            let order = live.next_order();
            let step = sealer.step_row((row.id, step), order, state, receipt, &body)?;
            self.executions.journal.keep(Entry::Step(step)).await;
        }
        self.store.put_run(&row).await?;
        if uncertain {
            self.executions.forget(row.id);
            let view = live.view();
            let message = "nobody knows whether a step of this run happened";
            let error = CallError::caller("flow_uncertain", message).status(409);
            return Err(match view.next {
                Some(next) => error.next(next),
                None => error,
            });
        }
        if let Some(only) = &undo {
            run.roll_back(only.as_deref());
        }
        self.executions.add(live.clone())?;
        self.set_out(live.clone(), run, sealer)?;
        Ok(live.view())
    }
}

fn no_step(id: &str) -> CallError {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
    CallError::caller("no_step", format!("the flow has no step {shown}")).status(404)
}
