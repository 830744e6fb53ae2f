//! How many calls run at once. Those above wait their turn; only an endless line is refused.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use symbolon_broker::{CallError, Fault};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds of one session and of the process.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls of one session that run at once.
    pub running_max: usize,
    /// Calls of one session that may wait for a turn.
    pub waiting_max: usize,
    /// What large answers may cost that have not left yet; an agent's at one door, or a session's on streams.
    pub answers_bytes_max: usize,
    /// How long a large answer waits for room before it is dropped.
    pub answers_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            running_max: 64,
            waiting_max: 1024,
            answers_bytes_max: 32 * 1024 * 1024,
            answers_wait: Duration::from_secs(10),
        }
    }
}

/// The turns of one session.
#[derive(Debug)]
pub struct Slots {
    own: Arc<Semaphore>,
    shared: Arc<Semaphore>,
    waiting: AtomicUsize,
    limits: Limits,
}

/// A turn; given back on drop.
#[derive(Debug)]
pub struct Slot {
    own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

impl Slot {
    /// The call has ended: others of the process may run, while this session's turn goes on until the answer
    /// has left.
    pub(crate) fn ended(self) -> OwnedSemaphorePermit {
        self.own
    }
}

impl Slots {
    /// Turns under the process's common bound.
    pub fn new(limits: Limits) -> Self {
        Self::sharing(limits, PROCESS.clone())
    }

    fn sharing(limits: Limits, shared: Arc<Semaphore>) -> Self {
        let own = Arc::new(Semaphore::new(limits.running_max));
        Self { own, shared, waiting: AtomicUsize::new(0), limits }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `too_many_waiting` where `waiting_max` calls of this session wait already.
    pub async fn enter(&self) -> Result<Slot, CallError> {
        if let Ok(own) = self.own.clone().try_acquire_owned()
            && let Ok(shared) = self.shared.clone().try_acquire_owned()
        {
            return Ok(Slot { own, _shared: shared });
        }
        let _line = self.join_line()?;
        // The session's own turn comes first: a session that waits for itself holds up nobody else.
        let own = self.own.clone().acquire_owned().await.map_err(|_| closed())?;
        let shared = self.shared.clone().acquire_owned().await.map_err(|_| closed())?;
        Ok(Slot { own, _shared: shared })
    }

    fn join_line(&self) -> Result<InLine<'_>, CallError> {
        let place = InLine(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.limits.waiting_max {
            return Err(CallError {
                code: "too_many_waiting".into(),
                message: format!(
                    "{} calls of this session are waiting already.",
                    self.limits.waiting_max
                ),
                next: Some("Wait for answers before sending more calls.".into()),
                fault: Fault::Caller,
                http_status: 429,
                receipt: None,
                retry_after_seconds: Some(1),
            });
        }
        Ok(place)
    }
}

struct InLine<'a>(&'a AtomicUsize);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn closed() -> CallError {
    CallError {
        code: "closing".into(),
        message: "The broker is shutting down.".into(),
        next: Some("symbolon status".into()),
        fault: Fault::Environment,
        http_status: 503,
        receipt: None,
        retry_after_seconds: None,
    }
}

/// Calls that run at once in this process, over all sessions.
const PROCESS_RUNNING_MAX: usize = 512;

static PROCESS: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(PROCESS_RUNNING_MAX)));

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    fn slots(running: usize, waiting: usize, shared: usize) -> Arc<Slots> {
        let limits = Limits { running_max: running, waiting_max: waiting, ..Limits::default() };
        Arc::new(Slots::sharing(limits, Arc::new(Semaphore::new(shared))))
    }

    #[tokio::test]
    async fn a_call_above_the_bound_waits_and_then_runs() {
        let slots = slots(1, 4, 8);
        let first = slots.enter().await.unwrap();
        assert!(timeout(Duration::from_millis(20), slots.enter()).await.is_err());
        drop(first);
        assert!(timeout(Duration::from_millis(200), slots.enter()).await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn the_process_bound_holds_over_sessions() {
        let shared = Arc::new(Semaphore::new(1));
        let limits = Limits { running_max: 4, waiting_max: 4, ..Limits::default() };
        let (a, b) = (Slots::sharing(limits, shared.clone()), Slots::sharing(limits, shared));
        let held = a.enter().await.unwrap();
        assert!(timeout(Duration::from_millis(20), b.enter()).await.is_err());
        drop(held);
        assert!(b.enter().await.is_ok());
    }

    #[tokio::test]
    async fn an_endless_line_is_refused_and_then_clears() {
        let slots = slots(1, 1, 8);
        let first = slots.enter().await.unwrap();
        let waiting = tokio::spawn({
            let slots = slots.clone();
            async move { slots.enter().await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(slots.enter().await.unwrap_err().code, "too_many_waiting");
        drop(first);
        assert!(waiting.await.unwrap().is_ok());
        assert!(slots.enter().await.is_ok(), "a refused call must leave the line");
    }

    #[tokio::test]
    async fn a_waiting_call_that_gives_up_leaves_the_line() {
        let slots = slots(1, 1, 8);
        let _first = slots.enter().await.unwrap();
        for _ in 0..3 {
            assert!(timeout(Duration::from_millis(5), slots.enter()).await.is_err());
        }
    }
}
