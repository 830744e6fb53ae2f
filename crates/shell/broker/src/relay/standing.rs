//! Whether what a stream was let through by still stands: looked at with every piece.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use symbolon_capability::{Refusal, Release};

use crate::Broker;
use crate::upstream::UpstreamError;

/// The grant and connection of one stream.
pub(super) struct Standing {
    broker: Arc<Broker>,
    release: Arc<Release>,
    /// The policy that it was last seen to stand in.
    seen: u64,
    fallen: Option<Pin<Box<dyn Future<Output = Refusal> + Send>>>,
}

impl Standing {
    pub(super) fn new(broker: Arc<Broker>, release: Arc<Release>) -> Self {
        // The lease is of an earlier policy, or of this one: it is looked at once in any case.
        Self { broker, release, seen: 0, fallen: None }
    }

    pub(super) fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Fails where the grant has ended or was taken back, or the vault was locked. Cheap where
    /// nothing has changed.
    pub(super) fn look(&mut self) -> Result<(), UpstreamError> {
        let broker = &self.broker;
        let now = broker.engine.generation();
        let is_over = self.release.until_ns().is_some_and(|end| broker.clock.mono_ns() >= end);
        if now == self.seen && !is_over {
            return Ok(());
        }
        broker.engine.still_stands(&self.release).map_err(UpstreamError::Fallen)?;
        self.seen = now;
        Ok(())
    }

    /// Ready when it has fallen; wakes the task then.
    pub(super) fn poll_fallen(&mut self, cx: &mut Context<'_>) -> Poll<UpstreamError> {
        if let Err(fallen) = self.look() {
            return Poll::Ready(fallen);
        }
        let fallen = self.fallen.get_or_insert_with(|| {
            Box::pin(until_fallen(self.broker.clone(), self.release.clone()))
        });
        // Polled to its end once: what fell ends its stream.
        fallen.as_mut().poll(cx).map(UpstreamError::Fallen)
    }
}

/// Ends when a release stands on nothing any more.
pub(super) async fn until_fallen(broker: Arc<Broker>, release: Arc<Release>) -> Refusal {
    let mut changed = broker.generation.subscribe();
    loop {
        if let Err(refusal) = broker.engine.still_stands(&release) {
            return refusal;
        }
        let now = broker.clock.mono_ns();
        let left = release.until_ns().map_or(FOREVER, |end| match end.checked_sub(now) {
            // The timer may be early by a little.
            Some(left) => Duration::from_nanos(left) + Duration::from_millis(1),
            // It has ended, and shadow mode lets it stand.
            None => SOON,
        });
        tokio::select! {
            // It lives as long as the broker.
            _ = changed.changed() => {}
            () = tokio::time::sleep(left) => {}
        }
    }
}

/// How soon what shadow mode lets stand is looked at again.
const SOON: Duration = Duration::from_secs(1);
/// A stream ends before.
const FOREVER: Duration = Duration::from_secs(30 * 86_400);
