//! A disk that is full at each write in turn: no credential leaves without a durable intent, and
//! what was durable is still there.

use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde_json::json;
use symbolon_tests::home::Home;
use symbolon_tests::mcp::Revision;
use symbolon_tests::service::Service;
use symbolon_tests::upstream::Upstream;

const LIST: &str = "upstream.notes.list";

fn connected() -> (Home, Upstream) {
    let (home, upstream) = Home::with_upstream("cli");
    home.ok(&["call", LIST]);
    home.ok(&["lock", "--stop"]);
    (home, upstream)
}

/// A broker whose files cannot grow beyond `blocks` of 512 bytes: its write past that fails, as on
/// a full disk.
fn limited_broker(home: &Home, blocks: u64) -> Service {
    let broker = home.command(&["broker"]);
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(broker.get_program()).args(broker.get_args()).env_clear();
    for (name, value) in broker.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let mut service = Service::start("symbolon broker", command.stdin(Stdio::null()));
    // Before it listens, a command would start another broker, without the limit.
    let socket = home.path().join("run/broker.sock");
    service.wait_for("socket", |_| UnixStream::connect(&socket).ok());
    assert_eq!(home.broker_pid(), service.pid(), "another broker has the home");
    service
}

/// Calls that the log knows of, completed or not.
fn recorded(home: &Home) -> u64 {
    home.receipts().iter().filter(|row| row["tool"] == LIST).count() as u64
}

#[test]
fn a_full_disk_stops_calls_before_the_credential_leaves() {
    let (home, upstream) = connected();
    // The log must be the largest file of the home, so that the limit stops it alone.
    let mut agent = home.mcp("cli", Revision::Session);
    for _ in 0..150 {
        agent.call(LIST, json!({}));
    }
    agent.finish();
    // An orderly end gives back what the log reserved.
    home.ok(&["lock", "--stop"]);
    let size = |file: &str| std::fs::metadata(home.path().join(file)).expect("it is there").len();
    assert!(size("log/entries") > size("state.db").max(64 << 10), "the log is too small for this");
    // From where the log is full already to where some calls fit, one block at a time.
    let first = size("log/entries") / 512;
    let mut stopped = 0;
    for blocks in first..first + 12 {
        let before = upstream.authorized();
        let known = recorded(&home);
        home.ok(&["lock", "--stop"]);
        let mut broker = limited_broker(&home, blocks);
        let mut sent = 0;
        for _ in 0..8 {
            let ran = home.run(&["--json", "call", LIST]);
            if !ran.is_success() {
                // The error is a pair, and says that it is the machine's.
                let refusal = ran.refused();
                assert_eq!(refusal.exit, 4, "{blocks} blocks: {}", refusal.message);
                stopped += 1;
                break;
            }
            sent += 1;
        }
        broker.kill();
        let left = upstream.authorized() - before;
        let intents = recorded(&home) - known;
        assert!(left <= intents, "{blocks} blocks: {left} calls left, {intents} are recorded");
        assert!(intents >= sent, "{blocks} blocks: {sent} succeeded, {intents} are recorded");
    }
    assert!(stopped > 0, "no write failed: the test shows nothing");
    home.ok(&["call", LIST]);
}

#[test]
fn a_broker_killed_at_any_moment_leaves_no_call_without_its_intent() {
    let (home, upstream) = connected();
    for round in 0..15_u64 {
        let before = upstream.authorized();
        let known = recorded(&home);
        let pid = home.broker_pid().to_string();
        let mut caller = home.command(&["call", LIST]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(round));
        let killed = Command::new("kill").args(["-9", &pid]).status().expect("kill runs");
        assert!(killed.success());
        caller.wait().unwrap();
        // The command may have started another broker, and may have succeeded with it.
        let left = upstream.authorized() - before;
        let intents = recorded(&home) - known;
        assert!(left <= intents, "after {round} ms: {left} calls left, {intents} are recorded");
    }
    home.ok(&["call", LIST]);
}
