//! Reservations: on disk before a release, settled after the call, reconciled at the start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_capability::budget::{GiveBack, Reservation, Settlement, Settler, SpendingStore};
use symbolon_capability::{Intent, Opening, SpendingChange, StoreError};
use symbolon_log::Durability;
use symbolon_receipt::{Response, Statement};
use symbolon_store::SqliteStore;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::shadow;
use crate::Broker;
use crate::api::CallError;
use crate::errors;

/// Writes what calls take and give back: one task, which puts all that waits into one transaction.
pub(crate) struct Spending {
    jobs: Arc<Jobs>,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct Jobs(mpsc::UnboundedSender<Job>);

enum Job {
    Change(Vec<SpendingChange>, Option<Told>),
    Stop,
}

type Told = oneshot::Sender<Result<(), Arc<StoreError>>>;

/// Jobs that share a transaction.
const AT_ONCE: usize = 256;
/// Entries of the log that a start reads at most to find out what came of reservations.
const LOOK_BACK: u64 = 500_000;
const BLOCK: u64 = 256;

impl Settler for Jobs {
    fn settle(&self, intent: [u8; 16], give_back: GiveBack) {
        // After a stop the next start settles it, by its receipt.
        let _ = self.0.send(Job::Change(vec![SpendingChange::Settle { intent, give_back }], None));
    }
}

impl Spending {
    pub(crate) fn start(store: SqliteStore) -> Self {
        // Not bounded by itself: a call brings three jobs at most, and calls are bounded.
        let (jobs, queue) = mpsc::unbounded_channel();
        let task = tokio::spawn(write(store, queue));
        Self { jobs: Arc::new(Jobs(jobs)), task: Mutex::new(Some(task)) }
    }

    /// Makes changes durable, all or none.
    async fn change(&self, changes: Vec<SpendingChange>) -> Result<(), CallError> {
        let (told, heard) = oneshot::channel();
        let stopped = || CallError::environment("stopped", "the broker is being stopped");
        self.jobs.0.send(Job::Change(changes, Some(told))).map_err(|_| stopped())?;
        heard.await.map_err(|_| stopped())?.map_err(|e| not_kept(&e))
    }

    /// Ends when everything that was asked for is written.
    pub(crate) async fn close(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = self.jobs.0.send(Job::Stop);
            let _ = task.await;
        }
    }
}

async fn write(store: SqliteStore, mut queue: mpsc::UnboundedReceiver<Job>) {
    while let Some(first) = queue.recv().await {
        let (mut jobs, mut stop) = (Vec::new(), false);
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Change(changes, told) => jobs.push((changes, told)),
                Job::Stop => stop = true,
            }
            next = if jobs.len() < AT_ONCE && !stop { queue.try_recv().ok() } else { None };
        }
        let all: Vec<SpendingChange> = jobs.iter().flat_map(|(c, _)| c.iter().cloned()).collect();
        let together = store.change_spending(&all).await;
        for (changes, told) in jobs {
            let done = match &together {
                Ok(()) => Ok(()),
                // One of them is to blame; the others must not suffer for it.
                Err(_) => store.change_spending(&changes).await.map_err(Arc::new),
            };
            match (told, done) {
                (Some(told), done) => drop(told.send(done)),
                (None, Err(e)) => {
                    tracing::error!("a settlement is not kept; the next start makes it: {e}")
                }
                (None, Ok(())) => {}
            }
        }
        if stop {
            return;
        }
    }
}

impl Broker {
    /// Puts on disk what a call takes of its budgets, and what shadow mode passed over for it.
    /// Nothing is released before this.
    ///
    /// # Errors
    /// [`CallError`] of the disk; what was taken is given back.
    pub(crate) async fn reserve(&self, opening: &mut Opening) -> Result<(), CallError> {
        let relaxed = self.durability == Durability::Relaxed;
        let mut changes = shadow::rows(opening, self.clock.unix_ms());
        let settler = self.spending.jobs.clone();
        if let Some(row) = opening.reservation(self.log.size(), relaxed, settler) {
            changes.push(SpendingChange::Reserve(row));
        }
        if !changes.is_empty() {
            self.spending.change(changes).await?;
        }
        opening.reserved();
        Ok(())
    }

    /// Reads what was spent before, and settles what a crash left: by the receipt where there is
    /// one. What may have been released stays spent.
    pub(crate) async fn load_spending(&self) -> Result<(), CallError> {
        let left = self.store.reservations().await?;
        if !left.is_empty() {
            let settled = self.look_up(&left)?;
            tracing::info!("{} reservations of an earlier run were settled", settled.len());
            self.store.change_spending(&settled).await?;
        }
        let (spent, cooled) = (self.store.spent().await?, self.store.cooled().await?);
        let (unix_ms, mono_ns) = (self.clock.unix_ms(), self.clock.mono_ns());
        self.engine.ledger().load(&spent, &cooled, unix_ms, mono_ns);
        Ok(())
    }

    /// What the log says of each reservation.
    fn look_up(&self, left: &[Reservation]) -> Result<Vec<SpendingChange>, CallError> {
        let size = self.log.size();
        let oldest = left.iter().map(|r| r.log_size).min().unwrap_or(size).min(size);
        let there = self.log.log().shards().first();
        let first = oldest.max(size.saturating_sub(LOOK_BACK)).max(there);
        let mut intents: HashMap<[u8; 16], u64> = HashMap::new();
        let mut receipts: HashMap<u64, Settlement> = HashMap::new();
        let mut at = first;
        while at < size {
            let block = self.log.entries(at..(at + BLOCK).min(size)).map_err(errors::log_read)?;
            let Some((last, _)) = block.last() else { break };
            at = last + 1;
            for (number, entry) in &block {
                if let Ok(intent) = Intent::parse(entry) {
                    intents.insert(intent.id, *number);
                } else if let Ok(Statement { predicate: p, .. }) = Statement::parse(entry)
                    && let Some(intent) = &p.intent
                {
                    let came = settlement(
                        p.response.as_ref(),
                        p.error.is_some(),
                        p.times.released.is_some(),
                        p.retries,
                    );
                    receipts.insert(intent.index, came);
                }
            }
        }
        let what = |r: &Reservation| match intents.get(&r.intent) {
            Some(index) => match receipts.get(index) {
                Some(Settlement::NotReleased) => GiveBack::All,
                Some(Settlement::RefusedByService) => GiveBack::Moved,
                Some(Settlement::Made) | None => GiveBack::Nothing,
            },
            // Without a durable intent nothing is released; one that was not synced may be lost.
            None if r.relaxed || r.log_size < first => GiveBack::Nothing,
            None => GiveBack::All,
        };
        Ok(left
            .iter()
            .map(|r| SpendingChange::Settle { intent: r.intent, give_back: what(r) })
            .collect())
    }
}

/// What came of a call, by what its receipt says. A refusal by the service gives back only where
/// its status says that nothing was done, and nothing else was tried on the way.
pub(crate) fn settlement(
    response: Option<&Response<'_>>,
    failed: bool,
    released: bool,
    retries: u8,
) -> Settlement {
    let is_only = |r: &Response<'_>| r.redirects == 0 && retries == 0;
    match response {
        _ if !released => Settlement::NotReleased,
        Some(r) if !failed && is_only(r) && NOTHING_DONE.contains(&r.status) => {
            Settlement::RefusedByService
        }
        _ => Settlement::Made,
    }
}

/// RFC 9110: the request was not understood, not allowed, not found, or not of a form that the
/// service works on. Not 402, 408, 409, 424 and 425: something may have moved before.
const NOTHING_DONE: [u16; 13] = [400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 429];

fn not_kept(error: &StoreError) -> CallError {
    let message = format!(
        "what the call takes of its budgets cannot be kept, so nothing was released: {error}"
    );
    CallError::environment("state", message).next("symbolon status; then free space and call again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, redirects: u8) -> Response<'static> {
        Response {
            status,
            bytes_in: 0,
            bytes_out: 0,
            redirects,
            grpc_status: None,
            searched: None,
            content_type: "".into(),
            redactions: Vec::new(),
        }
    }

    #[test]
    fn only_what_cannot_have_moved_is_given_back() {
        let came = |status, redirects, failed| {
            settlement(Some(&response(status, redirects)), failed, true, 0)
        };
        for status in [200, 201, 302, 402, 408, 409, 418, 425, 500, 502, 503] {
            assert_eq!(came(status, 0, false), Settlement::Made, "{status}");
        }
        for status in [400, 401, 403, 404, 422, 429] {
            assert_eq!(came(status, 0, false), Settlement::RefusedByService, "{status}");
            assert_eq!(came(status, 1, false), Settlement::Made, "{status} after a redirect");
            assert_eq!(came(status, 0, true), Settlement::Made, "{status}, cut short");
        }
        let again = settlement(Some(&response(404, 0)), false, true, 1);
        assert_eq!(again, Settlement::Made, "an earlier try may have done it");
        assert_eq!(settlement(None, true, true, 0), Settlement::Made, "a time-out says nothing");
        assert_eq!(settlement(None, true, false, 2), Settlement::NotReleased);
    }
}
