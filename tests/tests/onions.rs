//! Two nodes that know nothing of each other but an onion, on a Tor network of this machine's own.

use serde_json::Value;
use symbolon_tests::home::Home;
use symbolon_tests::node::{Running, call, origin, until, until_all};
use symbolon_tests::tor::{Member, Tor};

/// A node that listens where its onion leads, and dials through its member's proxy alone.
fn start(home: &Home, member: &Member, follow: &[std::path::PathBuf], publish: bool) -> Running {
    let (listen, socks) =
        (format!("127.0.0.1:{}", member.port), format!("127.0.0.1:{}", member.socks));
    Running::start_with(home, &["--listen", &listen, "--socks", &socks], follow, publish)
}

fn peers(status: &Value) -> usize {
    status["node"]["peers"].as_array().map_or(0, Vec::len)
}

#[test]
fn entries_cross_between_two_onions_and_by_no_other_way() {
    let mut tor = Tor::start(2);
    let (one, _upstream) = Home::with_upstream("cli");
    let (reader, key, origin) = (Home::new(), one.operator_key(), origin(&one));
    let size = call(&one, 2);
    let publishing = start(&one, &tor.members[0], &[], true);
    let reading = start(&reader, &tor.members[1], &[key], false);
    // Each finds the other by its onion, and nobody told either of another way.
    for (at, home, other, to) in [(0, &one, 1, &reading), (1, &reader, 0, &publishing)] {
        tor.members[at].wait_for(&tor.members[other]);
        let name = to.status["peer"].as_str().unwrap();
        home.ok(&["node", "join", &format!("{}/p2p/{name}", tor.members[other].onion())]);
    }
    for home in [&one, &reader] {
        until(home, "met", |status| peers(status) == 1);
    }
    // What was there before is asked for.
    until_all(&[&reader], &[(&origin, size)]);
    // What comes now is gossip: entries, and their checkpoint.
    until(&reader, "in the other's mesh", |status| status["node"]["peers"][0]["mesh"] == true);
    let before = reader.json(&["node", "status"])["node"]["messages"]["accepted"].clone();
    let size = call(&one, 2);
    until_all(&[&reader], &[(&origin, size)]);
    until(&reader, "told by gossip", |status| {
        status["node"]["messages"]["accepted"].as_u64() >= before.as_u64().map(|it| it + 2)
    });
    let status = reader.json(&["node", "status"]);
    assert_eq!(status["node"]["refused"], serde_json::json!([]), "{status}");
    // Without Tor they do not meet, though both are on one machine.
    tor.members.iter_mut().for_each(Member::cut);
    for home in [&one, &reader] {
        until(home, "alone", |status| peers(status) == 0);
    }
}
