//! Telling clients that their list of tools has changed.

use std::sync::Arc;

use rmcp::{
    Peer, RoleServer,
    service::{ServiceError, SubscriptionSendError, SubscriptionSink},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{calls::Calls, listing::Listing, seat::Seat};

/// For sessions that began with `initialize`: `notifications/tools/list_changed` until the session ends.
pub(crate) async fn tell_peer<C: Calls>(
    seat: Arc<Seat<C>>,
    peer: Peer<RoleServer>,
    stop: CancellationToken,
) {
    let mut changes = Changes::of(seat);
    loop {
        tokio::select! {
            () = changes.next() => {}
            () = stop.cancelled() => return,
        }
        // A client that cannot take it now asks again when it lists.
        if let Err(ServiceError::TransportClosed) = peer.notify_tool_list_changed().await {
            return;
        }
    }
}

/// For `subscriptions/listen`: the same on the subscription's stream, until that closes.
pub(crate) async fn tell_subscriber<C: Calls>(seat: Arc<Seat<C>>, sink: &SubscriptionSink) {
    let mut changes = Changes::of(seat);
    loop {
        changes.next().await;
        match sink.notify_tool_list_changed().await {
            Ok(()) | Err(SubscriptionSendError::NotificationNotAccepted(_)) => {}
            Err(_) => return,
        }
    }
}

/// Changes of one seat's own list; another agent's grants are no news here.
struct Changes<C: Calls> {
    seat: Arc<Seat<C>>,
    generation: watch::Receiver<u64>,
    last: Arc<Listing>,
    had_flows: bool,
}

impl<C: Calls> Changes<C> {
    fn of(seat: Arc<Seat<C>>) -> Self {
        let (generation, last) = (seat.calls().generation(), seat.listing());
        let had_flows = seat.calls().has_flows(seat.session());
        Self { seat, generation, last, had_flows }
    }

    async fn next(&mut self) {
        while self.generation.changed().await.is_ok() {
            let now = self.seat.listing();
            let last = std::mem::replace(&mut self.last, now.clone());
            let has_flows = self.seat.calls().has_flows(self.seat.session());
            let had_flows = std::mem::replace(&mut self.had_flows, has_flows);
            if now.tools() != last.tools() || has_flows != had_flows {
                return;
            }
        }
        // The broker is gone; the session ends by other means.
        std::future::pending().await
    }
}
