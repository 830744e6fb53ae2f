//! What two nodes do over a link: requests, bounds on them, who is cut off, and where a node does not go.

use std::time::Duration;

use crate::pair::{self, Way, address, config};
use symbolon_node::{Bounds, Heard, Order, Reach, Verdict, Wire, WireError};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

type Node = (Wire, Receiver<Heard>);

async fn two(way: Way) -> (Node, Node) {
    let start = |number| Wire::start(&config(number, way, Bounds::default())).unwrap();
    let ((one, mut from_two, _), (two, mut from_one, _)) = (start(1), start(2));
    one.order(Order::Join(address(&two).await)).await.unwrap();
    assert_eq!(next(&mut from_two).await, Heard::Connected { peer: two.peer() });
    assert_eq!(next(&mut from_one).await, Heard::Connected { peer: one.peer() });
    ((one, from_two), (two, from_one))
}

async fn next(heard: &mut Receiver<Heard>) -> Heard {
    timeout(Duration::from_secs(20), heard.recv()).await.expect("in time").expect("a wire")
}

#[tokio::test]
async fn a_peer_is_asked_and_answers_over_either_way() {
    for way in [Way::Tcp, Way::Quic] {
        let ((one, mut to_one), (two, mut to_two)) = two(way).await;
        // As long as an answer may be.
        let long = vec![7; 1536 * 1024];
        for (id, answer) in [(5, b"here".to_vec()), (6, long)] {
            let ask = Order::Ask { peer: two.peer(), id, bytes: b"where?".to_vec() };
            one.order(ask).await.unwrap();
            let Heard::Request { peer, bytes, token } = next(&mut to_two).await else {
                panic!("no request")
            };
            assert_eq!((peer, &bytes[..]), (one.peer(), &b"where?"[..]));
            two.order(Order::Answer { token, bytes: answer.clone() }).await.unwrap();
            let response = Heard::Response { peer: two.peer(), id, bytes: answer };
            assert!(next(&mut to_one).await == response, "another answer over {way:?}");
        }
        // What is too long is not sent, and is no answer.
        let ask = Order::Ask { peer: two.peer(), id: 7, bytes: vec![0; 64 * 1024 + 1] };
        one.order(ask).await.unwrap();
        assert_eq!(next(&mut to_one).await, Heard::Failed { peer: two.peer(), id: 7 });
        let ask = Order::Ask { peer: two.peer(), id: 8, bytes: Vec::new() };
        one.order(ask).await.unwrap();
        let Heard::Request { token, .. } = next(&mut to_two).await else { panic!("no request") };
        let bytes = vec![0; 1536 * 1024 + 1];
        two.order(Order::Answer { token, bytes }).await.unwrap();
        assert_eq!(next(&mut to_one).await, Heard::Failed { peer: two.peer(), id: 8 });
    }
}

#[tokio::test]
async fn one_that_is_not_there_fails_at_once() {
    let (one, mut heard, _) = Wire::start(&config(1, Way::Quic, Bounds::default())).unwrap();
    let (two, ..) = Wire::start(&config(2, Way::Quic, Bounds::default())).unwrap();
    one.order(Order::Ask { peer: two.peer(), id: 1, bytes: Vec::new() }).await.unwrap();
    assert_eq!(next(&mut heard).await, Heard::Failed { peer: two.peer(), id: 1 });
}

#[tokio::test]
async fn one_that_is_cut_off_is_gone_until_it_is_let_in() {
    let ((one, mut to_one), (two, mut to_two)) = two(Way::Quic).await;
    two.order(Order::Cut { peer: one.peer() }).await.unwrap();
    assert_eq!(next(&mut to_two).await, Heard::Disconnected { peer: one.peer() });
    assert_eq!(next(&mut to_one).await, Heard::Disconnected { peer: two.peer() });
    assert_eq!(two.state().await.unwrap().cut, [one.peer()]);
    // It dials again and again, and nothing of it is heard.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(to_two.try_recv().is_err());
    two.order(Order::Admit { peer: one.peer() }).await.unwrap();
    assert_eq!(next(&mut to_two).await, Heard::Connected { peer: one.peer() });
}

#[tokio::test]
async fn what_was_refused_goes_no_further_and_counts_against_its_sender() {
    let ((one, _to_one), (two, mut to_two)) = two(Way::Quic).await;
    // Until topics were exchanged, nothing is sent.
    let (token, peer) = loop {
        let order = Order::Publish { topic: pair::TOPIC.to_owned(), bytes: b"wrong".to_vec() };
        one.order(order).await.unwrap();
        match timeout(Duration::from_millis(300), to_two.recv()).await {
            Ok(Some(Heard::Gossip { token, peer, .. })) => break (token, peer),
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    };
    assert_eq!(peer, one.peer());
    let verdict = |token| Order::Verdict { token, verdict: Verdict::Reject };
    two.order(verdict(token)).await.unwrap();
    // There was one verdict; a second on the same message is none.
    two.order(verdict(token)).await.unwrap();
    let state = two.state().await.unwrap();
    assert_eq!((state.rejected, state.accepted, state.ignored), (1, 0, 0));
    assert!(state.links[0].points < -0.5, "{state:?}");
}

#[tokio::test]
async fn a_node_listens_and_dials_on_this_machine_alone_unless_told() {
    let mut far = config(1, Way::Tcp, Bounds::default());
    far.listen = vec!["/ip4/0.0.0.0/tcp/0".parse().unwrap()];
    assert!(matches!(Wire::start(&far), Err(WireError::Listen { .. })));
    far.reach = Reach::Everywhere;
    let (wire, ..) = Wire::start(&far).unwrap();
    address(&wire).await;

    let (near, ..) = Wire::start(&config(2, Way::Tcp, Bounds::default())).unwrap();
    // Of the range for documentation: nobody is there, and it is not asked.
    for way in ["/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.1/udp/4001/quic-v1"] {
        let there = format!("{way}/p2p/{}", wire.peer()).parse().unwrap();
        near.order(Order::Join(there)).await.unwrap();
    }
    let unreached = async {
        loop {
            let state = near.state().await.unwrap();
            if let Some((peer, why)) = state.unreached.first() {
                return (*peer, why.clone());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (peer, why) = timeout(Duration::from_secs(5), unreached).await.expect("refused at once");
    assert_eq!(peer, wire.peer());
    assert!(!why.is_empty());
}
