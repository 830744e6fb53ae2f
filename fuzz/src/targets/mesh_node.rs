//! What reaches a node's state machine: messages, requests and answers of anybody.

use std::sync::Arc;

use symbolon_crypto::SigningKey;
use symbolon_log::MemoryStorage;
use symbolon_mesh::{
    Answer, Certificate, Forwards, Input, LogName, Mesh, Output, Peer, Request, Topic,
    derive_endpoint,
};
use symbolon_secret::Secret;

const NOW_MS: u64 = 1_790_000_000_000;

pub fn run(data: &[u8]) {
    if let Ok(read) = Request::parse(data) {
        assert_eq!(read.to_bytes(), data, "a request has one encoding");
    }
    if let Ok(read) = Answer::parse(data) {
        assert_eq!(read.to_bytes(), data, "an answer has one encoding");
    }
    let key = |seed| SigningKey::from_seed(Secret::<[u8; 32]>::make(|bytes| bytes.fill(seed)));
    let (operator, other) = (key(1), key(2));
    let endpoint = derive_endpoint(&operator, 0);
    let public = endpoint.verifying_key();
    let certificate =
        Certificate::sign(&operator, public, NOW_MS, NOW_MS + 1000).expect("a moment");
    let mut mesh = Mesh::new(endpoint, certificate, Forwards::Followed);
    let log = LogName::new("fuzz.test/log", other.verifying_key()).expect("a plain name");
    mesh.follow(log.clone(), Arc::new(MemoryStorage::new())).expect("an empty storage");
    let (peer, bytes) = (Peer([7; 32]), data.to_vec());
    let mut out = Vec::new();
    mesh.step(Input::Connected { peer }, NOW_MS, &mut out);
    let asked: Vec<_> = out.iter().filter_map(id).collect();
    for id in asked {
        mesh.step(Input::Response { peer, id, bytes: bytes.clone() }, NOW_MS, &mut out);
    }
    mesh.step(Input::Request { peer, bytes: bytes.clone(), token: 1 }, NOW_MS, &mut out);
    for topic in Topic::ALL {
        let bytes = bytes.clone();
        mesh.step(Input::Gossip { peer, topic, bytes, token: 2 }, NOW_MS, &mut out);
    }
    mesh.step(Input::Tick, NOW_MS + 1000, &mut out);
    // Nobody is told anything but what is signed, and nothing is kept of what is not.
    let advanced = |it: &Output| matches!(it, Output::Advanced { .. } | Output::Stopped { .. });
    assert!(!out.iter().any(advanced));
    assert_eq!(mesh.size(log.id()), Some(0));
}

fn id(output: &Output) -> Option<u64> {
    match output {
        Output::Ask { id, .. } => Some(*id),
        _ => None,
    }
}
