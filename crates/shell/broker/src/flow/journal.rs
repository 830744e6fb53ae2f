//! Writes down what steps came to: one task, which puts all that waits into one transaction.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use symbolon_flow::{FlowStore, RunId, RunState, StepRow};
use symbolon_store::SqliteStore;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

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
/// How long what nobody waits for is held back. A crash loses it, and receipts decide.
const LINGERS: Duration = Duration::from_millis(20);

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
        let mut batch = Batch::default();
        batch.take(first);
        let until = Instant::now() + LINGERS;
        while batch.has_room() {
            let next = match queue.try_recv() {
                Ok(job) => Some(job),
                // A transaction costs more than a step: what nobody waits for waits for company.
                Err(_) if batch.waiting.is_empty() => {
                    timeout_at(until, queue.recv()).await.ok().flatten()
                }
                Err(_) => None,
            };
            let Some(job) = next else { break };
            batch.take(job);
        }
        let done = store.record(&batch.steps, &batch.states).await;
        if let Err(e) = &done {
            tracing::error!("steps of flows are not written down: {e}");
        }
        for told in batch.waiting {
            let _ = told.send(done.is_ok());
        }
        if batch.stop {
            return;
        }
    }
}

/// What shares a transaction.
#[derive(Default)]
struct Batch {
    steps: Vec<StepRow>,
    states: Vec<(RunId, RunState, u64)>,
    waiting: Vec<oneshot::Sender<bool>>,
    stop: bool,
}

impl Batch {
    fn take(&mut self, job: Job) {
        match job {
            Job::Record(entry, told) => {
                self.waiting.extend(told);
                match entry {
                    Entry::Step(row) => self.steps.push(row),
                    Entry::State(run, state, at) => self.states.push((run, state, at)),
                }
            }
            Job::Stop => self.stop = true,
        }
    }

    fn has_room(&self) -> bool {
        self.steps.len() + self.states.len() < AT_ONCE && !self.stop
    }
}
