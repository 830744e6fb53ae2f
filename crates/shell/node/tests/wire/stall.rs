//! Links that stall: two nodes over TCP, one publishes faster than three heartbeats of message ids fit a frame.
//!
//! Of a frame that is longer than it takes, gossipsub closes the stream that it came on; yamux tells the other side
//! nothing, which writes until its credit is used up, and then for ever waits. Bounds that hold together leave no such
//! frame.

use std::time::Duration;

use crate::pair::{self, Pair, Way};
use symbolon_node::{Bounds, Wire, WireError};

/// Messages a second: the ids of three heartbeats are 40,800 bytes. A node's own frames are eight times as long, which
/// takes more messages a second than a busy machine can be trusted with.
const RATE: u32 = 400;
const SECONDS: u32 = 6;
const FRAME_BYTES: usize = 16 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_over_tcp_carries_on_at_a_rate_at_which_ids_outgrow_a_frame() {
    // Ids go to those who are not in the mesh, so it has none.
    let bounds = Bounds { mesh: 0, ..Bounds::of_frame(FRAME_BYTES) };
    let pair = Pair::start(Way::Tcp, bounds).await;
    let arrived = pair.publish(RATE, SECONDS, 200).await;
    assert_eq!(arrived, RATE * SECONDS, "messages that arrived");
    let state = pair.one.state().await.unwrap();
    assert_eq!((state.slow, state.renewed), (0, 0), "{state:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_bounds_that_do_not_hold_together_the_link_stalls_and_is_made_anew() {
    // As many ids as the library would send.
    let bounds = Bounds { mesh: 0, ids_max: 5000, ..Bounds::of_frame(FRAME_BYTES) };
    assert!(!bounds.hold());
    let refused = Wire::start(&pair::config(1, Way::Tcp, bounds)).map(drop);
    assert!(matches!(refused, Err(WireError::Bounds(_))));
    let pair = Pair::start(Way::Tcp, bounds).await;
    let arrived = pair.publish(RATE, SECONDS, 2048).await;
    assert!(arrived < RATE * SECONDS, "the link did not stall: all {arrived} arrived");
    // What waits counts as slow after five seconds; after three heartbeats of it the connection is closed and dialled
    // again.
    let renewed = async {
        loop {
            let state = pair.one.state().await.unwrap();
            if state.renewed > 0 && !state.links.is_empty() {
                return;
            }
            pair.publish(20, 1, 2048).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), renewed).await.expect("a new connection");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(pair.publish(20, 1, 2048).await, 20, "a new connection carries");
}
