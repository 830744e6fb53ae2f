//! Writes down what steps came to: one task, which puts all that waits into one transaction.

use std::sync::{Mutex, PoisonError};

use symbolon_flow::{FlowStore, RunId, RunState, StepRow};
use symbolon_store::SqliteStore;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What is kept of runs beside the log. A crash loses what waits here: then receipts decide.
pub(crate) struct Journal {
    jobs: mpsc::UnboundedSender<Job>,
    task: Mutex<Option<JoinHandle<()>>>,
}

enum Job {
    Record(Entry, Option<oneshot::Sender<bool>>),
    Stop,
}

/// One thing to write down.
pub(crate) enum Entry {
    Step(StepRow),
    State(RunId, RunState, u64),
}

/// Entries that share a transaction.
const AT_ONCE: usize = 512;

impl Journal {
    pub(crate) fn start(store: SqliteStore) -> Self {
        // Not bounded by itself: a step brings three at most, and steps are bounded.
        let (jobs, queue) = mpsc::unbounded_channel();
        let task = tokio::spawn(write(store, queue));
        Self { jobs, task: Mutex::new(Some(task)) }
    }

    /// Writes it down soon.
    pub(crate) fn note(&self, entry: Entry) {
        // After a stop receipts decide.
        let _ = self.jobs.send(Job::Record(entry, None));
    }

    /// Writes it down now: on the disk when this returns, or the log says why not.
    pub(crate) async fn keep(&self, entry: Entry) {
        let (told, heard) = oneshot::channel();
        let _ = self.jobs.send(Job::Record(entry, Some(told)));
        if heard.await != Ok(true) {
            tracing::error!(
                "a step of a flow is not written down; after a crash its receipt decides"
            );
        }
    }

    /// Ends when everything is written.
    pub(crate) async fn close(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = self.jobs.send(Job::Stop);
            let _ = task.await;
        }
    }
}

async fn write(store: SqliteStore, mut queue: mpsc::UnboundedReceiver<Job>) {
    while let Some(first) = queue.recv().await {
        let (mut steps, mut states, mut waiting, mut stop) = (vec![], vec![], vec![], false);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Record(entry, told) => {
                    waiting.extend(told);
                    match entry {
                        Entry::Step(row) => steps.push(row),
                        Entry::State(run, state, at) => states.push((run, state, at)),
                    }
                }
                Job::Stop => stop = true,
            }
            let has_room = steps.len() + states.len() < AT_ONCE && !stop;
            next = if has_room { queue.try_recv().ok() } else { None };
        }
        let done = store.record(&steps, &states).await;
        if let Err(e) = &done {
            tracing::error!("steps of flows are not written down: {e}");
        }
        for told in waiting {
            let _ = told.send(done.is_ok());
        }
        if stop {
            return;
        }
    }
}
