//! What is kept of flows and their runs, as a trait: `shell/store` keeps it (`specs/flow.md`).

use std::fmt;
use std::future::Future;

use symbolon_capability::{AgentName, StoreError};
use symbolon_codec::Digest32;

use crate::flow::FlowName;
use crate::state::{RunId, StepState};

/// A stored flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRow {
    /// Its name.
    pub name: FlowName,
    /// As whom it runs.
    pub agent: AgentName,
    /// When it was stored, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// The definition, sealed to name and agent.
    pub body: Vec<u8>,
    /// When the clock begins it, as [`symbolon_capability::schedule::Schedule`] reads it; sealed with
    /// the definition.
    pub schedule: Option<String>,
    /// Up to when its times were looked at, in Unix milliseconds.
    pub watched_unix_ms: u64,
    /// Times that came while nobody was there.
    pub missed: u64,
    /// What signs webhooks that begin it, sealed likewise; absent where none may.
    pub hook: Option<Vec<u8>>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its name.
    pub id: RunId,
    /// The flow's.
    pub flow: FlowName,
    /// As whom it runs.
    pub agent: AgentName,
    /// How it is.
    pub state: RunState,
    /// How often it was begun again.
    pub epoch: u32,
    /// Entries of the log before it was begun, or begun again: no intent of this epoch is among them.
    pub log_from: u64,
    /// When it began, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When its state changed last, in Unix milliseconds.
    pub changed_unix_ms: u64,
    /// Definition and inputs, sealed to all of the above that does not change by itself.
    pub body: Vec<u8>,
}

/// Where a step of a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// The run.
    pub run: RunId,
    /// The step's place in the flow.
    pub step: u32,
    /// Its place in the order in which steps of this run came to something.
    pub order: u64,
    /// What it came to.
    pub state: StepState,
    /// The receipt, where there is one.
    pub receipt: Option<u64>,
    /// What it gave, or why it failed; sealed to all of the above.
    pub body: Vec<u8>,
}

/// How a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It goes on; or it would, and the broker ended.
    Running,
    /// What happened is being undone; or would be.
    RollingBack,
    /// It has come to an end, or waits for a person.
    Ended(crate::run::Outcome),
}

/// Keeps flows and runs. Every change is one transaction and is durable when it returns.
pub trait FlowStore: Send + Sync + 'static {
    /// All flows, by name.
    fn flows(&self) -> impl Future<Output = Result<Vec<FlowRow>, StoreError>> + Send;
    /// Keeps a flow; over one of its name only where `replace`.
    fn put_flow(
        &self,
        row: &FlowRow,
        replace: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets a flow; its runs stay.
    fn delete_flow(&self, name: &FlowName) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Its times were looked at, and so many were missed in all.
    fn set_watched(
        &self,
        name: &FlowName,
        watched_unix_ms: u64,
        missed: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The run that a delivery of this id began.
    fn delivered(
        &self,
        flow: &FlowName,
        id: &Digest32,
    ) -> impl Future<Output = Result<Option<RunId>, StoreError>> + Send;
    /// Takes a delivery and keeps the run that it begins, both or neither; forgets deliveries from
    /// before `forget_before_ms`. Where one of the same id began a run before, nothing is kept and
    /// that run is given.
    fn put_delivered(
        &self,
        id: &Digest32,
        row: &RunRow,
        forget_before_ms: u64,
    ) -> impl Future<Output = Result<Option<RunId>, StoreError>> + Send;
    /// The newest runs, without what is sealed.
    fn runs(&self, limit: u32) -> impl Future<Output = Result<Vec<RunRow>, StoreError>> + Send;
    /// One run.
    fn run(&self, id: RunId) -> impl Future<Output = Result<Option<RunRow>, StoreError>> + Send;
    /// Keeps a run, in place of what was kept of it; forgets the oldest that ended, beyond
    /// [`RUNS_KEPT`].
    fn put_run(&self, row: &RunRow) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Its steps, in the order in which they came to something.
    fn steps(&self, run: RunId) -> impl Future<Output = Result<Vec<StepRow>, StoreError>> + Send;
    /// Keeps what steps came to, in place of what was kept of them, and how their runs are.
    fn record(
        &self,
        steps: &[StepRow],
        states: &[(RunId, RunState, u64)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Runs that ended and are kept.
pub const RUNS_KEPT: u32 = 1000;

impl RunState {
    /// The word at rest, and that people and programs see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::RollingBack => "rolling_back",
            Self::Ended(outcome) => outcome.as_str(),
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        use crate::run::Outcome::{Cancelled, Done, Failed, RollbackFailed, RolledBack, Uncertain};
        let ended =
            [Done, Failed, Cancelled, RolledBack, RollbackFailed, Uncertain].map(Self::Ended);
        [Self::Running, Self::RollingBack].into_iter().chain(ended).find(|s| s.as_str() == word)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
