//! Calls on their way, so that a stop can wait for their receipts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::Broker;

/// Counts calls between intent and receipt.
#[derive(Default)]
pub(crate) struct Calls {
    count: AtomicUsize,
    closed: AtomicBool,
    idle: Notify,
    stop: CancellationToken,
}

/// One call on its way.
pub(crate) struct OnItsWay<C: AsRef<Calls>>(C);

impl AsRef<Calls> for Calls {
    fn as_ref(&self) -> &Calls {
        self
    }
}

impl AsRef<Calls> for Arc<Broker> {
    fn as_ref(&self) -> &Calls {
        &self.calls
    }
}

impl Calls {
    /// `None` once the broker is being stopped.
    pub(crate) fn begin(&self) -> Option<OnItsWay<&Self>> {
        OnItsWay::begin(self)
    }

    /// Ends when calls must no longer wait for their upstreams.
    pub(crate) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// As [`stopped`](Self::stopped), for what outlives its caller.
    pub(crate) fn stopped_owned(&self) -> WaitForCancellationFutureOwned {
        self.stop.clone().cancelled_owned()
    }

    /// Lets nothing new begin; waits for what has begun, `patience` long, then ends its wait for
    /// upstreams and waits for its receipts.
    /// Whether no more are taken.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    pub(crate) async fn close(&self, patience: Duration) {
        self.closed.store(true, SeqCst);
        if tokio::time::timeout(patience, self.none_left()).await.is_err() {
            self.stop.cancel();
            // A call that was told to stop writes its receipt at once; one whose task was dropped
            // has done so already.
            let _ = tokio::time::timeout(Duration::from_secs(2), self.none_left()).await;
        }
    }

    async fn none_left(&self) {
        loop {
            let idle = self.idle.notified();
            if self.count.load(SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl<C: AsRef<Calls>> OnItsWay<C> {
    /// `None` once the broker is being stopped.
    pub(crate) fn begin(calls: C) -> Option<Self> {
        calls.as_ref().count.fetch_add(1, SeqCst);
        let call = Self(calls);
        (!call.0.as_ref().closed.load(SeqCst)).then_some(call)
    }
}

impl<C: AsRef<Calls>> Drop for OnItsWay<C> {
    fn drop(&mut self) {
        let calls = self.0.as_ref();
        if calls.count.fetch_sub(1, SeqCst) == 1 {
            calls.idle.notify_waiters();
        }
    }
}
