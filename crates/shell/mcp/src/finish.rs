//! A call that has begun is not dropped half way.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

/// Runs a future to its end even where the one who waited for it has gone.
///
/// A broker's call releases a credential and then owes a receipt. A client that cancels, disconnects or
/// times out drops the waiting side; once the call was polled, dropping it here moves it to a task of its
/// own, so that the receipt is written. A call that was never polled is simply dropped: nothing began.
#[derive(Debug)]
pub struct Finish<F: Future<Output: Send> + Send + 'static> {
    inner: Option<Pin<Box<F>>>,
    begun: bool,
}

impl<F: Future<Output: Send> + Send + 'static> Finish<F> {
    /// Wraps a call.
    pub fn new(call: F) -> Self {
        Self { inner: Some(Box::pin(call)), begun: false }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Finish<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.begun = true;
        let Some(inner) = self.inner.as_mut() else {
            // Polled after its end; a future that is done stays pending rather than panicking.
            return Poll::Pending;
        };
        let polled = inner.as_mut().poll(context);
        if polled.is_ready() {
            self.inner = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Finish<F> {
    fn drop(&mut self) {
        if let (true, Some(inner)) = (self.begun, self.inner.take())
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use tokio::{sync::Notify, time::Duration};

    use super::*;

    async fn counted(gate: Arc<Notify>, done: Arc<AtomicU32>) {
        gate.notified().await;
        done.fetch_add(1, Ordering::SeqCst);
    }

    #[tokio::test]
    async fn a_begun_call_ends_after_its_caller_has_gone() {
        let (gate, done) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        let call = Finish::new(counted(gate.clone(), done.clone()));
        assert!(tokio::time::timeout(Duration::from_millis(10), call).await.is_err());
        gate.notify_one();
        for _ in 0..100 {
            if done.load(Ordering::SeqCst) == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the call was dropped with its caller");
    }

    #[tokio::test]
    async fn a_call_that_never_began_is_dropped() {
        let (gate, done) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        drop(Finish::new(counted(gate.clone(), done.clone())));
        gate.notify_one();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(done.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_finished_call_gives_its_value() {
        assert_eq!(Finish::new(async { 7 }).await, 7);
    }
}
