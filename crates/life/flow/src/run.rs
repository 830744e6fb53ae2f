//! A run of a flow: told what came of each step, it says what to begin next.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use symbolon_ambient::Rng;

use crate::error::{ExpandError, InputError};
use crate::flow::{Call, Flow, Kind, OnFailure, Rollback};
use crate::shape::EXPANDED_BYTES_MAX;
use crate::state::{Change, RunId, Scope, StepState};

/// One attempt at a step, or at undoing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// The step's place in the flow.
    pub step: usize,
    /// From 1.
    pub attempt: u32,
    /// Whether the step is undone.
    pub is_undo: bool,
}

/// What to begin now.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Which attempt at which step it is.
    pub work: Work,
    /// The tool to call.
    pub tool: Box<str>,
    /// The connection, where it is named.
    pub connection: Option<Box<str>>,
    /// With templates filled in.
    pub arguments: Map<String, Value>,
}

/// Why an attempt failed, and whether another can do no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A sentence.
    pub why: String,
    /// Whether trying again cannot do a thing twice.
    pub may_repeat: bool,
    /// How long somebody asked to wait.
    pub at_least: Duration,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every step happened or was skipped by its condition.
    Done,
    /// A step failed.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// What happened was undone.
    RolledBack,
    /// Something that happened could not be undone.
    RollbackFailed,
    /// Nobody knows whether a step happened: a person must say.
    Uncertain,
}

impl Outcome {
    /// The word that people and programs see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
            Self::Uncertain => "uncertain",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Forward,
    /// Nothing new begins; what is on its way is waited for.
    Ending(Outcome),
    Undoing,
    Over(Outcome),
}

/// A run. Time is a monotonic clock's, in milliseconds.
#[derive(Debug)]
pub struct Run {
    flow: Arc<Flow>,
    id: RunId,
    inputs: Map<String, Value>,
    started_unix_ms: u64,
    phase: Phase,
    states: Vec<StepState>,
    attempts: Vec<u32>,
    outputs: Vec<Option<Value>>,
    needed_by: Vec<Vec<usize>>,
    missing: Vec<usize>,
    ready: BTreeSet<usize>,
    /// When a step is tried again.
    paused: BTreeSet<(u64, usize)>,
    on_its_way: usize,
    /// Of a radial burst: which wave runs, and how many steps of each are not over.
    wave: usize,
    waves: Vec<Vec<usize>>,
    wave_left: Vec<usize>,
    /// Steps that happened, the first first.
    happened: Vec<usize>,
    failures: Vec<usize>,
    undo: VecDeque<usize>,
    changes: Vec<Change>,
}

impl Run {
    /// A run with these inputs, which began at this moment of the calendar.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn new(
        flow: Arc<Flow>,
        id: RunId,
        inputs: Map<String, Value>,
        started_unix_ms: u64,
    ) -> Result<Self, InputError> {
        let inputs = flow.with_defaults(inputs)?;
        let count = flow.steps.len();
        let mut needed_by = vec![Vec::new(); count];
        let mut waves: Vec<Vec<usize>> = Vec::new();
        for (place, step) in flow.steps.iter().enumerate() {
            step.needs.iter().for_each(|need| needed_by[*need].push(place));
            waves.resize(waves.len().max(step.wave + 1), Vec::new());
            waves[step.wave].push(place);
        }
        let ready = waves.first().into_iter().flatten().copied().collect();
        Ok(Self {
            missing: flow.steps.iter().map(|step| step.needs.len()).collect(),
            id,
            inputs,
            started_unix_ms,
            phase: Phase::Forward,
            states: vec![StepState::Pending; count],
            attempts: vec![0; count],
            outputs: vec![None; count],
            needed_by,
            ready,
            paused: BTreeSet::new(),
            on_its_way: 0,
            wave: 0,
            wave_left: waves.iter().map(Vec::len).collect(),
            waves,
            happened: Vec::new(),
            failures: Vec::new(),
            undo: VecDeque::new(),
            changes: Vec::new(),
            flow,
        })
    }

    /// A step happened before a crash, or a person says that it did. Only before the first
    /// [`next`](Self::next), in the order in which steps happened.
    pub fn restore_done(&mut self, step: usize, output: Option<Value>) {
        self.states[step] = StepState::Done;
        self.outputs[step] = output;
        self.happened.push(step);
        self.over(step);
    }

    /// A step that happened was undone before a crash.
    pub fn restore_undone(&mut self, step: usize) {
        self.states[step] = StepState::Undone;
    }

    /// What to do now; `None` where there is nothing until something changes, or the time of
    /// [`wakes_at`](Self::wakes_at) has come.
    pub fn next(&mut self, now_ms: u64) -> Option<Start> {
        self.wake(now_ms);
        loop {
            match self.phase {
                Phase::Over(_) => return None,
                Phase::Forward => {
                    if self.on_its_way >= self.flow.concurrency {
                        return None;
                    }
                    let Some(step) = self.ready.pop_first() else {
                        if self.on_its_way > 0 || !self.paused.is_empty() {
                            return None;
                        }
                        let is_done = self.failures.is_empty();
                        self.phase = if is_done {
                            Phase::Over(Outcome::Done)
                        } else {
                            Phase::Ending(Outcome::Failed)
                        };
                        continue;
                    };
                    if let Some(start) = self.begin(step) {
                        return Some(start);
                    }
                }
                Phase::Ending(outcome) => {
                    self.give_up_paused();
                    if self.on_its_way > 0 {
                        return None;
                    }
                    self.end(outcome);
                }
                Phase::Undoing => {
                    if self.on_its_way > 0 || !self.paused.is_empty() {
                        return None;
                    }
                    let Some(step) = self.undo.pop_front() else {
                        let failed = self.states.contains(&StepState::UndoFailed);
                        let outcome =
                            if failed { Outcome::RollbackFailed } else { Outcome::RolledBack };
                        self.phase = Phase::Over(outcome);
                        return None;
                    };
                    if let Some(start) = self.begin_undo(step) {
                        return Some(start);
                    }
                }
            }
        }
    }

    /// When [`next`](Self::next) has more to say though nothing happened.
    #[must_use]
    pub fn wakes_at(&self) -> Option<u64> {
        self.paused.first().map(|(due, _)| *due)
    }

    /// The call was answered well. `output` is kept where something names it.
    pub fn done(&mut self, work: Work, output: Value) {
        self.on_its_way -= 1;
        if work.is_undo {
            return self.set(work.step, StepState::Undone, None);
        }
        if self.flow.steps[work.step].is_named {
            self.outputs[work.step] = Some(output);
        }
        self.happened.push(work.step);
        self.set(work.step, StepState::Done, None);
        self.over(work.step);
    }

    /// The call failed, or was refused.
    pub fn failed(&mut self, work: Work, failure: Failure, now_ms: u64, rng: &dyn Rng) {
        self.on_its_way -= 1;
        let step = &self.flow.steps[work.step];
        let goes_on = matches!(self.phase, Phase::Forward | Phase::Undoing);
        if goes_on && failure.may_repeat && work.attempt <= step.retry.times {
            let pause = step.retry.pause(work.attempt, failure.at_least, rng);
            let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            self.paused.insert((now_ms.saturating_add(ms), work.step));
            let why = format!("{}; again in {ms} ms", failure.why);
            return self.set(work.step, StepState::Paused, Some(why));
        }
        if work.is_undo {
            return self.set(work.step, StepState::UndoFailed, Some(failure.why));
        }
        self.fail(work.step, failure.why);
    }

    /// Nobody knows whether the call happened: it left, and no answer came. Nothing new begins, and
    /// nothing is undone until a person has said.
    pub fn uncertain(&mut self, work: Work, why: String) {
        self.on_its_way -= 1;
        self.set(work.step, StepState::Uncertain, Some(why));
        self.phase = Phase::Ending(Outcome::Uncertain);
    }

    /// The call was ended before its answer, and changed nothing.
    pub fn cancelled(&mut self, work: Work) {
        self.on_its_way -= 1;
        self.set(work.step, StepState::Cancelled, None);
        if work.is_undo {
            self.set(work.step, StepState::UndoFailed, Some("cancelled".to_owned()));
        }
    }

    /// A person is asked.
    pub fn waits(&mut self, work: Work, question: u64) {
        let why = format!("symbolon approve {question}, or symbolon deny {question}");
        self.set(work.step, StepState::Waiting, Some(why));
    }

    /// Nothing new begins; what is on its way is waited for, then undone if the flow says so.
    pub fn cancel(&mut self) {
        if matches!(self.phase, Phase::Forward) {
            self.phase = Phase::Ending(Outcome::Cancelled);
        }
    }

    /// Undoes what happened, the last first: all of it, or of these steps alone. Nothing else begins
    /// any more.
    pub fn roll_back(&mut self, only: Option<&[usize]>) {
        let is_chosen = |step: &usize| only.is_none_or(|only| only.contains(step));
        let is_undoable = |step: &usize| {
            self.flow.steps[*step].undo.is_some()
                && matches!(self.states[*step], StepState::Done | StepState::UndoFailed)
        };
        let steps = self.happened.iter().rev().filter(|s| is_chosen(s) && is_undoable(s));
        self.undo = steps.copied().collect();
        self.ready.clear();
        self.paused.clear();
        self.phase = Phase::Undoing;
    }

    /// How it ended; `None` while there is more to do.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        match self.phase {
            Phase::Over(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether nobody need be asked any more, and nothing be waited for that changes nothing.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_))
    }

    /// Whether calls on their way that only read are to be dropped: a radial burst is aborted.
    #[must_use]
    pub fn is_aborting(&self) -> bool {
        let ends = matches!(self.phase, Phase::Ending(Outcome::Failed | Outcome::Cancelled));
        ends && self.flow.kind == Kind::RadialBurst
    }

    /// Whether what happened is being undone.
    #[must_use]
    pub fn is_undoing(&self) -> bool {
        matches!(self.phase, Phase::Undoing)
    }

    /// What the flow gives, once it is done; `None` where it is not, or says nothing of it.
    #[must_use]
    pub fn output(&self) -> Option<Result<Value, ExpandError>> {
        let shape =
            self.flow.output.as_ref().filter(|_| self.phase == Phase::Over(Outcome::Done))?;
        Some(shape.expand(&self.scope(None), &mut EXPANDED_BYTES_MAX.clone()))
    }

    /// What a step gave, where something names it.
    #[must_use]
    pub fn output_of(&self, step: usize) -> Option<&Value> {
        self.outputs.get(step)?.as_ref()
    }

    /// What changed since this was asked last.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// The states of all steps.
    #[must_use]
    pub fn states(&self) -> &[StepState] {
        &self.states
    }

    /// The flow.
    #[must_use]
    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }

    fn scope<'s>(&'s self, step: Option<&'s str>) -> Scope<'s> {
        Scope {
            inputs: &self.inputs,
            outputs: &self.outputs,
            started_unix_ms: self.started_unix_ms,
            run: self.id,
            step,
        }
    }

    /// Steps whose pause is over are ready again.
    fn wake(&mut self, now_ms: u64) {
        while let Some((due, step)) = self.paused.first().copied().filter(|(due, _)| *due <= now_ms)
        {
            self.paused.remove(&(due, step));
            if self.phase == Phase::Undoing {
                self.undo.push_front(step);
            } else {
                self.states[step] = StepState::Pending;
                self.ready.insert(step);
            }
        }
    }

    /// `None` where the step is over without a call.
    fn begin(&mut self, step: usize) -> Option<Start> {
        if self.states[step] != StepState::Pending {
            return None;
        }
        let flow = self.flow.clone();
        let of = &flow.steps[step];
        let scope = self.scope(Some(&of.id));
        match of.when.as_ref().map_or(Ok(true), |when| when.holds(&scope)) {
            Ok(true) => {}
            Ok(false) => {
                self.set(step, StepState::Skipped, Some("its condition does not hold".to_owned()));
                self.over(step);
                return None;
            }
            Err(error) => {
                self.fail(step, error.to_string());
                return None;
            }
        }
        match arguments(&of.call, &scope) {
            Ok(arguments) => Some(self.start(step, &of.call, arguments, false)),
            Err(error) => {
                self.fail(step, error.to_string());
                None
            }
        }
    }

    fn begin_undo(&mut self, step: usize) -> Option<Start> {
        let flow = self.flow.clone();
        let call = flow.steps[step].undo.as_ref()?;
        if matches!(self.states[step], StepState::Done | StepState::UndoFailed) {
            self.attempts[step] = 0;
        }
        match arguments(call, &self.scope(Some(&flow.steps[step].id))) {
            Ok(arguments) => Some(self.start(step, call, arguments, true)),
            Err(error) => {
                self.set(step, StepState::UndoFailed, Some(error.to_string()));
                None
            }
        }
    }

    fn start(
        &mut self,
        step: usize,
        call: &Call,
        arguments: Map<String, Value>,
        is_undo: bool,
    ) -> Start {
        self.attempts[step] += 1;
        self.on_its_way += 1;
        self.set(step, if is_undo { StepState::Undoing } else { StepState::Running }, None);
        let work = Work { step, attempt: self.attempts[step], is_undo };
        Start { work, tool: call.tool.clone(), connection: call.connection.clone(), arguments }
    }

    fn fail(&mut self, step: usize, why: String) {
        self.failures.push(step);
        self.set(step, StepState::Failed, Some(why));
        if self.flow.on_failure != OnFailure::Continue {
            if self.phase == Phase::Forward {
                self.phase = Phase::Ending(Outcome::Failed);
            }
            return;
        }
        self.over_in_its_wave(step);
        let why = format!("needs {}, which failed", self.flow.steps[step].id);
        let mut stack = self.needed_by[step].clone();
        while let Some(next) = stack.pop() {
            if self.states[next] == StepState::Pending {
                self.set(next, StepState::Skipped, Some(why.clone()));
                self.over_in_its_wave(next);
                stack.extend(&self.needed_by[next]);
            }
        }
    }

    /// What needs this step may begin, as far as this step is concerned.
    fn over(&mut self, step: usize) {
        if self.flow.kind == Kind::RadialBurst {
            return self.over_in_its_wave(step);
        }
        for at in 0..self.needed_by[step].len() {
            let next = self.needed_by[step][at];
            self.missing[next] -= 1;
            if self.missing[next] == 0 && self.states[next] == StepState::Pending {
                self.ready.insert(next);
            }
        }
    }

    fn over_in_its_wave(&mut self, step: usize) {
        if self.flow.kind != Kind::RadialBurst {
            return;
        }
        self.wave_left[self.flow.steps[step].wave] -= 1;
        while self.wave_left.get(self.wave) == Some(&0) {
            self.wave += 1;
            if let Some(next) = self.waves.get(self.wave) {
                self.ready.extend(next.iter().copied());
            }
        }
    }

    fn give_up_paused(&mut self) {
        for (_, step) in std::mem::take(&mut self.paused) {
            self.failures.push(step);
            self.set(step, StepState::Failed, Some("not tried again: the run ends".to_owned()));
        }
    }

    fn end(&mut self, outcome: Outcome) {
        let undoes = self.flow.on_failure == OnFailure::Rollback
            && self.flow.rollback != Rollback::Manual
            && outcome != Outcome::Uncertain;
        self.phase = Phase::Over(outcome);
        if !undoes {
            return;
        }
        let stood_on = self.stood_on();
        let is_selective = self.flow.rollback == Rollback::Selective && !self.failures.is_empty();
        self.roll_back(is_selective.then_some(&stood_on[..]));
    }

    /// What the failed steps need, directly or not.
    fn stood_on(&self) -> Vec<usize> {
        let mut found = BTreeSet::new();
        let mut stack = self.failures.clone();
        while let Some(step) = stack.pop() {
            let needs = self.flow.steps[step].needs.iter().filter(|need| found.insert(**need));
            stack.extend(needs.copied().collect::<Vec<_>>());
        }
        found.into_iter().collect()
    }

    fn set(&mut self, step: usize, state: StepState, why: Option<String>) {
        self.states[step] = state;
        self.changes.push(Change { step, state, attempt: self.attempts[step], why });
    }
}

fn arguments(call: &Call, scope: &Scope<'_>) -> Result<Map<String, Value>, ExpandError> {
    match call.with.expand(scope, &mut EXPANDED_BYTES_MAX.clone())? {
        Value::Object(arguments) => Ok(arguments),
        _ => Ok(Map::new()),
    }
}
