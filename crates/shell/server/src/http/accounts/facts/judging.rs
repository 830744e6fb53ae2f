//! The check of a proof: milliseconds of work, which no other request waits for.

use std::sync::Arc;
use std::thread::available_parallelism;

use http::StatusCode;
use symbolon_broker::CallError;
use tokio::sync::Semaphore;

use super::super::super::failure::failure;
use super::super::fault;

/// So many proofs are checked at once, and so many wait for it.
#[derive(Debug)]
pub(super) struct Judging {
    places: Arc<Semaphore>,
    slots: Arc<Semaphore>,
}

impl Judging {
    /// As many at once as there are processors, 8 at most.
    pub fn new() -> Self {
        let slots = available_parallelism().map_or(1, |all| all.get().min(SLOTS_MAX));
        Self::with(slots, slots + WAITING_MAX)
    }

    fn with(slots: usize, places: usize) -> Self {
        let of = |permits| Arc::new(Semaphore::new(permits));
        Self { places: of(places), slots: of(slots) }
    }

    /// Does it beside the threads that answer requests.
    ///
    /// # Errors
    /// `busy`, 503, where as many wait as may.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CallError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| busy())?;
        // Both are held until the work ends, also where nobody waits for it any more.
        let held = (place, slot);
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        done.await.map_err(|_| fault::bug("the check of a proof panicked"))
    }
}

fn busy() -> CallError {
    let says = "As many proofs are being checked as this server checks at once.";
    let error = failure("busy", StatusCode::SERVICE_UNAVAILABLE, says, Some("Ask again in 1 s."));
    CallError { retry_after_seconds: Some(1), ..error }
}

const SLOTS_MAX: usize = 8;
const WAITING_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn of_more_than_may_wait_the_rest_is_told_so() {
        let judging = Arc::new(Judging::with(1, 2));
        let (go, wait) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let judging = judging.clone();
            async move { judging.run(move || wait.recv()).await }
        });
        while judging.slots.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let judging = judging.clone();
            async move { judging.run(|| 2).await }
        });
        while judging.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = judging.run(|| 3).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.http_status), ("busy", 503));
        go.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), Ok(()));
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!(judging.run(|| 4).await.unwrap(), 4);
        let panicked = judging.run(|| panic!("as a prover's library might")).await;
        assert_eq!(panicked.map(|(): ()| ()).unwrap_err().http_status, 500);
        assert_eq!(judging.run(|| 5).await.unwrap(), 5, "its place is free again");
    }
}
