//! Beginning runs, looking at them, and ending them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::AgentName;
use symbolon_capability::catalog::Operation;
use symbolon_codec::Digest32;
use symbolon_flow::{Call, Flow, FlowError, FlowStore, InputError, Run, RunId, RunRow, RunState};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::board::{Live, next_of, row_view};
use super::drive::Driver;
use super::journal::Entry;
use super::sealed::{RunBody, Sealer};
use super::step::Maker;
use super::view::*;
use crate::Broker;
use crate::api::{CallError, Door};
use crate::errors;

/// An event that begins at most one run.
pub(super) struct Delivery {
    /// Hash of the event's id.
    pub id: Digest32,
    /// Events from before this time are forgotten, in Unix milliseconds.
    pub forget_before_ms: u64,
}

/// What a beginning came to.
pub(super) enum Begun {
    Now(Box<FlowRunView>),
    /// The same delivery began this run before.
    Before(RunId),
}

impl Broker {
    /// Looks at a definition, and whether the agent could run it now.
    ///
    /// # Errors
    /// [`CallError`] with line and column: the definition, a tool that is not there, an argument
    /// that the tool does not take, or one that it wants.
    pub fn flow_check(&self, agent: &str, definition: &str) -> Result<FlowCheck, CallError> {
        let flow = Flow::parse(definition.as_bytes()).map_err(of_definition)?;
        self.check_calls(&flow)?;
        let inputs = flow.inputs().iter();
        Ok(FlowCheck {
            flow: flow.name().to_string(),
            kind: flow.kind().as_str().to_owned(),
            steps: flow.steps().len(),
            concurrency: flow.concurrency(),
            inputs: inputs.map(|i| (i.name().to_owned(), i.kind().as_str().to_owned())).collect(),
            missing: self.missing_grants(agent, &flow)?,
        })
    }

    /// Begins a run: on disk when this returns, and on its way.
    ///
    /// # Errors
    /// [`CallError`]: locked, the definition, the inputs, a grant that is missing, too many runs.
    /// Nothing has begun then.
    pub async fn flow_run(
        self: &Arc<Self>,
        request: FlowRequest,
    ) -> Result<FlowRunView, CallError> {
        match self.flow_begin(request, None).await? {
            Begun::Now(view) => Ok(*view),
            Begun::Before(_) => Err(CallError::bug("a run without a delivery began before")),
        }
    }

    /// As [`Broker::flow_run`], at most once for a delivery: its id and the run are on disk together.
    pub(super) async fn flow_begin(
        self: &Arc<Self>,
        request: FlowRequest,
        delivery: Option<Delivery>,
    ) -> Result<Begun, CallError> {
        let sealer = self.flow_sealer()?;
        let flow = Flow::parse(request.definition.as_bytes()).map_err(of_definition)?;
        self.check_calls(&flow)?;
        let missing = self.missing_grants(&request.agent, &flow)?;
        if let Some(grant) = missing.first().filter(|_| !self.engine.is_shadow()) {
            let message = format!("{} may not make every call of {}", request.agent, flow.name());
            return Err(CallError::caller("no_grant", message).status(403).next(grant));
        }
        let agent = AgentName::parse(&request.agent)
            .map_err(|e| CallError::caller("agent_name", e.to_string()))?;
        let (flow, now) = (Arc::new(flow), self.clock.unix_ms());
        let id = RunId(SystemRng.bytes());
        let run = Run::new(flow.clone(), id, request.inputs.clone(), now).map_err(of_inputs)?;
        let mut row = RunRow {
            id,
            flow: flow.name().clone(),
            agent,
            state: RunState::Running,
            epoch: 0,
            log_from: self.log.size(),
            created_unix_ms: now,
            changed_unix_ms: now,
            body: Vec::new(),
        };
        let body = RunBody { definition: request.definition, inputs: request.inputs };
        sealer.seal_run(&mut row, &body)?;
        let live = Arc::new(Live::new(row.clone(), flow, 0, self.clock.mono_ns()));
        let _one = self.executions.beginning.lock().await;
        self.executions.add(live.clone())?;
        let kept = match &delivery {
            None => self.store.put_run(&row).await.map(|()| None),
            Some(Delivery { id, forget_before_ms }) => {
                self.store.put_delivered(id, &row, *forget_before_ms).await
            }
        };
        match kept {
            Ok(None) => {}
            Ok(Some(before)) => {
                self.executions.forget(id);
                return Ok(Begun::Before(before));
            }
            Err(e) => {
                live.set_interrupted();
                return Err(e.into());
            }
        }
        self.set_out(live.clone(), run, sealer)?;
        Ok(Begun::Now(Box::new(live.view())))
    }

    /// Lets a run go on by itself.
    pub(super) fn set_out(
        self: &Arc<Self>,
        live: Arc<Live>,
        run: Run,
        sealer: Sealer,
    ) -> Result<(), CallError> {
        let (tell, asked) = mpsc::unbounded_channel();
        let suspended = self.executions.suspended();
        let session = self.open_session(live.agent(), Door::Cli)?;
        let maker = Maker {
            broker: self.clone(),
            session,
            live,
            sealer,
            ending: CancellationToken::new(),
            aborting: CancellationToken::new(),
            asked: tell,
        };
        let driver = Driver { maker: Arc::new(maker), run, asked, suspended };
        self.executions.tasks.spawn(driver.drive());
        Ok(())
    }

    /// The newest runs.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn flow_runs(&self, limit: Option<u32>) -> Result<Vec<FlowRunRow>, CallError> {
        let rows = self.store.runs(limit.unwrap_or(50).clamp(1, 1000)).await?;
        let row = |row: &RunRow| match self.executions.get(row.id) {
            Some(live) => live.view().row,
            None => row_view(row),
        };
        Ok(rows.iter().map(row).collect())
    }

    /// One run, with its steps.
    ///
    /// # Errors
    /// [`CallError`]: no such run, or locked where it is not on its way.
    pub async fn flow_show(&self, run: &str) -> Result<FlowRunView, CallError> {
        let id = run_id(run)?;
        if let Some(live) = self.executions.get(id) {
            return Ok(live.view());
        }
        let kept = self.flow_kept(id).await?;
        let mut view = Live::new(kept.row.clone(), kept.flow.clone(), 0, 0).view();
        for (row, body) in &kept.steps {
            match view.steps.get_mut(row.step as usize) {
                Some(step) => {
                    (step.state, step.receipt) = (row.state.to_string(), row.receipt);
                    step.why.clone_from(&body.why);
                }
                None => view.output.clone_from(&body.output),
            }
        }
        view.row = row_view(&kept.row);
        view.next = next_of(&view.row.state, &view.row.run, &view.steps);
        Ok(view)
    }

    /// What happened in a run after its first `after` events; waits a while for something to happen.
    ///
    /// # Errors
    /// [`CallError`] where no such run goes on, or ended lately.
    pub async fn flow_progress(&self, run: &str, after: u64) -> Result<FlowProgress, CallError> {
        let live = self.executions.get(run_id(run)?).ok_or_else(|| {
            CallError::caller("flow_still", "this run does not go on")
                .status(409)
                .next(format!("symbolon flow show {run}"))
        })?;
        Ok(live.progress(after, PROGRESS_PATIENCE).await)
    }

    /// Ends a run: no new step, and what is on its way is waited for.
    ///
    /// # Errors
    /// [`CallError`]: no such run, or one that is over.
    pub async fn flow_cancel(&self, run: &str) -> Result<FlowRunView, CallError> {
        let id = run_id(run)?;
        let _one = self.executions.beginning.lock().await;
        if let Some(live) = self.executions.get(id).filter(|live| !live.is_over()) {
            live.cancel.cancel();
            return Ok(live.view());
        }
        let kept = self.flow_kept(id).await?;
        if !matches!(kept.row.state, RunState::Running) {
            let message = format!("the run is {}", kept.row.state);
            return Err(CallError::caller("flow_over", message).status(409));
        }
        let state = RunState::Ended(symbolon_flow::Outcome::Cancelled);
        self.executions.journal.keep(Entry::State(id, state, self.clock.unix_ms())).await;
        self.executions.forget(id);
        self.flow_show(run).await
    }

    pub(super) fn flow_sealer(&self) -> Result<Sealer, CallError> {
        let key = self.opened()?.flows_key.clone();
        Ok(Sealer { key, vault: *self.manifest.vault.as_bytes() })
    }

    /// Every call is of a tool that is there, with arguments that it knows.
    pub(super) fn check_calls(&self, flow: &Flow) -> Result<(), CallError> {
        let catalog = self.engine.catalog();
        let calls = flow.steps().iter().flat_map(|step| [Some(step.call()), step.undo()]);
        for call in calls.flatten() {
            let operation = catalog.operation(&call.tool).ok_or_else(|| {
                let word = call.tool.split('.').next().unwrap_or_default();
                let what = format!("there is no tool {}", call.tool);
                at(call, what).next(format!("symbolon tools search {word}"))
            })?;
            check_arguments(call, operation)?;
        }
        Ok(())
    }

    /// Commands that give what the agent lacks, each once.
    fn missing_grants(&self, agent: &str, flow: &Flow) -> Result<Vec<String>, CallError> {
        let session = self.open_session(agent, Door::Cli)?;
        let mut missing = BTreeSet::new();
        let calls = flow.steps().iter().flat_map(|step| [Some(step.call()), step.undo()]);
        let tools: BTreeSet<&str> = calls.flatten().map(|call| &*call.tool).collect();
        for tool in tools {
            let view = self.describe_tool(&session, tool)?;
            if !view.granted {
                let service = view.scope.split('.').next().unwrap_or_default();
                missing.insert(errors::grant_command(agent, &view.scope, service));
            }
        }
        Ok(missing.into_iter().collect())
    }
}

fn check_arguments(call: &Call, operation: &Operation) -> Result<(), CallError> {
    let schema = operation.input_schema();
    let properties = schema.get("properties").and_then(|p| p.as_object());
    let is_known = |name: &str| properties.is_some_and(|p| p.contains_key(name));
    let next = format!("symbolon tools show {}", call.tool);
    let shown = |name: &str| name.chars().filter(|c| !c.is_control()).take(64).collect::<String>();
    if let Some(name) = call.argument_names().find(|name| !is_known(name)) {
        let what = format!("{} takes no argument {}", call.tool, shown(name));
        return Err(at(call, what).next(next));
    }
    let required = schema.get("required").and_then(|r| r.as_array());
    let mut required = required.into_iter().flatten().filter_map(|name| name.as_str());
    match required.find(|name| !call.argument_names().any(|own| own == *name)) {
        Some(name) => Err(at(call, format!("{} wants the argument {name}", call.tool)).next(next)),
        None => Ok(()),
    }
}

fn at(call: &Call, what: String) -> CallError {
    let (line, column) = call.at();
    of_definition(FlowError { line, column, what, next: None })
}

pub(super) fn of_definition(error: FlowError) -> CallError {
    let shown = CallError::caller("flow", error.to_string());
    match error.next {
        Some(next) => shown.next(next),
        None => shown.next("symbolon flow check FILE"),
    }
}

pub(super) fn of_inputs(error: InputError) -> CallError {
    CallError::caller("flow_input", error.to_string()).next("--input NAME=VALUE, or NAME:=JSON")
}

pub(super) fn run_id(text: &str) -> Result<RunId, CallError> {
    RunId::parse(text).ok_or_else(no_run)
}

pub(super) fn no_run() -> CallError {
    let message = "there is no run of this name";
    CallError::caller("no_run", message).status(404).next("symbolon flow ls")
}

/// How long somebody who asks for progress waits for some.
const PROGRESS_PATIENCE: Duration = Duration::from_secs(10);
