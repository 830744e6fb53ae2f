//! A stream in zstd passes as it comes, as one that is not coded does.

mod relay_common;

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use relay_common::*;
use tokio::sync::Notify;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// Three events by zstd 1.5, flushed behind each; the later two refer to the first.
const FLUSHED: [&[u8]; 3] = [
    b"\x28\xb5\x2f\xfd\x04\x58\x50\x01\x00data: event number 1 of a stream in zstd\n\n",
    b"\x4c\x00\x00\x08\x32\x02\x00\x40\x91\x96\x28\x20",
    b"\x55\x00\x00\x10\x64\x33\x02\x00\x40\x11\x0f\x5c\x01\x93\x6e\xf4\x09",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_event_comes_out_before_the_next_is_sent() {
    let next = Arc::new(Notify::new());
    let gate = next.clone();
    let w = World::new(move |_| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    content-encoding: zstd\r\n\r\n";
        let mut acts = vec![Act::Send(head.into())];
        for flushed in FLUSHED {
            acts.push(Act::Send(flushed.to_vec()));
            acts.push(Act::Wait(gate.clone()));
        }
        acts.push(Act::Close);
        acts
    })
    .await;
    let mut reply = w.relay(get("/things")).await.expect("it passes");
    assert!(!reply.headers.contains_key("content-encoding"));
    for number in 1..=3 {
        let want = format!("data: event number {number} of a stream in zstd\n\n");
        let mut text = Vec::new();
        while text.len() < want.len() {
            let frame = timeout(SOON, reply.body.frame()).await.expect("the event is not held");
            text.extend_from_slice(&frame.unwrap().unwrap().into_data().unwrap());
        }
        assert_eq!(text, want.as_bytes());
        next.notify_one();
    }
    assert!(reply.body.frame().await.is_none());
    assert_eq!(w.error().await, None);
}
