//! Runs of flows: each step an ordinary call, and a record from which a run goes on after a crash
//! (`specs/flow.md`).

mod begin;
mod board;
mod drive;
mod hook;
mod journal;
mod judge;
mod resume;
pub(crate) mod schedule;
mod sealed;
mod step;
mod stored;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use symbolon_flow::RunId;
use symbolon_store::SqliteStore;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::CallError;
use board::Live;
use journal::Journal;

pub use hook::HookSigned;
pub use view::{
    FlowCheck, FlowDecision, FlowDelivered, FlowEvent, FlowProgress, FlowRequest, FlowRunRow,
    FlowRunView, FlowStepView, FlowStored,
};

/// Runs that go on, those that ended lately, and what writes down how they are.
pub(crate) struct Executions {
    pub(crate) journal: Arc<Journal>,
    runs: Mutex<HashMap<RunId, Arc<Live>>>,
    /// One run is begun, or begun again, at a time: nobody begins one that goes on.
    pub(crate) beginning: tokio::sync::Mutex<()>,
    /// Cancelled when runs must stop where they are: a lock, a stop.
    suspended: Mutex<CancellationToken>,
    pub(crate) tasks: TaskTracker,
    /// Flows with schedules were added or removed.
    pub(crate) scheduled: Arc<Notify>,
    /// Agents for which flows are kept.
    pub(crate) agents: RwLock<HashSet<String>>,
}

impl Executions {
    pub(crate) fn start(store: SqliteStore) -> Self {
        Self {
            journal: Arc::new(Journal::start(store)),
            runs: Mutex::default(),
            beginning: tokio::sync::Mutex::default(),
            suspended: Mutex::default(),
            tasks: TaskTracker::new(),
            scheduled: Arc::default(),
            agents: RwLock::default(),
        }
    }

    /// Runs begin no further step; what is on its way is waited for, and they can be resumed.
    pub(crate) fn suspend(&self) {
        let mut token = self.suspended.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *token).cancel();
    }

    pub(crate) fn suspended(&self) -> CancellationToken {
        self.suspended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until every run stands still, and writes down where.
    pub(crate) async fn close(&self, patience: Duration) {
        self.tasks.close();
        let _ = tokio::time::timeout(patience, self.tasks.wait()).await;
        self.journal.close().await;
    }

    pub(crate) fn get(&self, id: RunId) -> Option<Arc<Live>> {
        self.runs().get(&id).cloned()
    }

    /// What the store has of it is newer.
    pub(crate) fn forget(&self, id: RunId) {
        self.runs().remove(&id);
    }

    /// Whether it goes on now.
    pub(crate) fn goes_on(&self, id: RunId) -> bool {
        self.get(id).is_some_and(|live| !live.is_over())
    }

    /// Puts a run among those that go on.
    ///
    /// # Errors
    /// [`CallError`] where there are too many.
    pub(crate) fn add(&self, live: Arc<Live>) -> Result<(), CallError> {
        let mut runs = self.runs();
        let going = runs.values().filter(|other| !other.is_over()).count();
        if going >= RUNS_MAX {
            let message = format!("{RUNS_MAX} runs of flows go on already");
            return Err(CallError {
                retry_after_seconds: Some(10),
                ..CallError::caller("too_many_runs", message).status(429)
            }
            .next("symbolon flow ls"));
        }
        if runs.len() >= 2 * RUNS_MAX {
            runs.retain(|_, other| !other.is_over());
        }
        runs.insert(live.id(), live);
        Ok(())
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Live>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs that go on at once.
const RUNS_MAX: usize = 64;
