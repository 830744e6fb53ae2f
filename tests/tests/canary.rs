//! No piece of a credential, passphrase or vault key is anywhere that somebody can read: not in
//! what is printed, not on disk, not in core dumps of the broker, at any moment.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::{Home, Unlock};
use symbolon_tests::mcp::Revision;
use symbolon_tests::memory::Dump;
use symbolon_tests::service::Service;
use symbolon_tests::upstream::Upstream;
use symbolon_tests::{place, random};

const AGENTS: usize = 4;
const CALLS_EACH: usize = 250;

struct Planted {
    home: Home,
    upstream: Upstream,
    credential: String,
    canaries: Canaries,
}

/// A home with a passphrase, a connection, and everything in it that is secret.
fn plant(home: Home) -> Planted {
    let (credential, passphrase) = (random::secret(40), random::secret(32));
    home.init(Unlock::Passphrase(&passphrase));
    let mut canaries = Canaries::new()
        .plant("credential", credential.as_bytes())
        .plant("passphrase", passphrase.as_bytes());
    for (name, key) in vault_keys(&home, &passphrase) {
        canaries = canaries.plant(&name, &key);
    }
    home.ok_with(&["unlock", "--from-stdin"], passphrase.as_bytes());
    let upstream = Upstream::api(&credential);
    home.add_service("upstream/service.toml");
    // A broker reads its catalogue when it starts.
    home.ok(&["lock", "--stop"]);
    home.ok_with(&["unlock", "--from-stdin"], passphrase.as_bytes());
    home.connect("upstream", &upstream, &credential);
    home.grant("claude", "upstream.*");
    Planted { home, upstream, credential, canaries }
}

/// The data key and its subkeys, found by a program that follows the specs alone.
fn vault_keys(home: &Home, passphrase: &str) -> Vec<(String, Vec<u8>)> {
    let mut child = Command::new(place::python())
        .arg(place::fixture("python/open_vault.py"))
        .arg(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    child.stdin.take().unwrap().write_all(passphrase.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the vault does not open by its specs");
    let keys: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    };
    let keys = keys.as_object().expect("an object");
    keys.iter().map(|(name, hex)| (name.clone(), bytes(hex.as_str().unwrap()))).collect()
}

/// The specs' own example: a search for a key that was derived wrongly would find nothing.
#[test]
fn the_program_that_finds_the_vault_key_agrees_with_the_specs() {
    let worked = Command::new(place::python())
        .arg(place::fixture("python/open_vault.py"))
        .arg("--worked-bytes")
        .status();
    assert!(worked.expect("python runs").success());
}

#[test]
fn a_thousand_calls_leave_no_trace() {
    let planted = plant(Home::empty(place::symbolon()));
    let Planted { home, upstream, credential, canaries } = &planted;
    let (broker, began) = (home.broker_pid(), Instant::now());
    let mut seen = Vec::new();
    let mut dumps = Vec::new();
    thread::scope(|scope| {
        let agents: Vec<_> = (0..AGENTS).map(|at| scope.spawn(move || calls(home, at))).collect();
        while agents.iter().any(|agent| !agent.is_finished()) {
            if dumps.len() < 6 {
                dumps.push(("under load", Dump::take(broker)));
            }
            thread::sleep(Duration::from_millis(150));
        }
        seen.extend(agents.into_iter().map(|agent| agent.join().expect("the calls succeed")));
    });
    // What a service sends back is in ordinary memory until it was searched; then it must be gone.
    seen.push(echoes(home));
    dumps.push(("after", Dump::take(broker)));
    let calls = (AGENTS * CALLS_EACH) as u64;
    assert!(upstream.authorized() >= calls / 2, "{} calls came through", upstream.authorized());
    println!("{calls} calls and {} dumps in {:?}", dumps.len(), began.elapsed());

    for (transcript, stderr) in &seen {
        assert_clean(&canaries.find_in("a transcript", transcript));
        assert_clean(&canaries.find_in("standard error", stderr.as_bytes()));
    }
    for (when, dump) in &dumps {
        assert!(dump.size_bytes() > 1 << 20, "a core of {} bytes", dump.size_bytes());
        println!("a core dump {when}");
        assert_clean(&dump.find(canaries));
    }
    for row in home.receipts().iter().take(50) {
        home.export_receipt(row["number"].as_u64().expect("a number"));
    }
    // The database, its WAL, the log, the broker's log, the receipts beside them.
    assert_clean(&canaries.find_below(&home.beside("")).expect("readable"));
    assert_clean(&canaries.find_in("what commands printed", &home.said()));

    // The control: a program that puts the credential into an ordinary header.
    assert!(!canaries.find(credential.as_bytes()).is_empty());
    let found = Dump::take(ordinary(upstream, credential).pid()).find(canaries);
    assert!(!found.is_empty(), "the search does not find a credential in an ordinary header");
}

/// One agent's share: reads, writes, and errors of every kind.
fn calls(home: &Home, at: usize) -> (Vec<u8>, String) {
    run(
        home,
        Revision::BOTH[at % 2],
        CALLS_EACH,
        &[
            ("upstream.notes.list", json!({})),
            ("upstream.notes.search", json!({ "q": "olives" })),
            ("upstream.notes.get", json!({ "number": 0 })),
            ("upstream.account.get", json!({})),
            ("upstream.bad.status", json!({ "code": 500 })),
            ("upstream.bad.close", json!({})),
            ("upstream.bad.redirect", json!({ "to": "https://example.org/" })),
            ("upstream.bad.headers", json!({ "count": 20_000 })),
            ("upstream.notes.get", json!({ "number": "not a number" })),
            ("upstream.notes.get", json!({ "number": 999_999 })),
        ],
    )
}

/// A service that sends the credential back in every way that it knows.
fn echoes(home: &Home) -> (Vec<u8>, String) {
    run(
        home,
        Revision::Session,
        30,
        &[
            ("upstream.bad.echo", json!({})),
            ("upstream.bad.echo_base64", json!({})),
            ("upstream.bad.echo_header", json!({})),
        ],
    )
}

fn run(
    home: &Home,
    revision: Revision,
    count: usize,
    kinds: &[(&str, Value)],
) -> (Vec<u8>, String) {
    let mut agent = home.mcp("claude", revision);
    for (tool, arguments) in kinds.iter().cycle().take(count) {
        let result = agent.call(tool, arguments.clone());
        assert!(result["content"].is_array(), "{tool}: {result}");
    }
    agent.finish()
}

/// A process that holds the credential as ordinary HTTP clients do.
fn ordinary(upstream: &Upstream, credential: &str) -> Service {
    let config = format!("header = \"Authorization: Bearer {credential}\"\n");
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--max-time", "30", "--config", "-", "--cacert"])
        .arg(upstream.ca())
        .arg(format!("{}/hang", upstream.base_url()));
    let mut curl = Service::start("curl", command.stdin(Stdio::piped()));
    curl.take_stdin().write_all(config.as_bytes()).expect("curl reads its configuration");
    thread::sleep(Duration::from_millis(500));
    curl
}

#[test]
fn the_window_itself_shows_nothing() {
    for point in ["opened", "record"] {
        let held = Home::empty(place::instrumented());
        let planted = plant(held.with_variable("SYMBOLON_HOLD", &format!("{point}:10000")));
        let Planted { home, upstream, canaries, .. } = &planted;
        let broker = home.broker_pid();
        // Ordinary memory of the same call: the control that the dump fell into it.
        let marker = random::secret(40);
        let arguments = json!({ "q": marker });
        let mut agent = home.mcp("claude", Revision::Session);
        let call = json!({ "name": "upstream.notes.search", "arguments": arguments });
        let id = agent.send("tools/call", call);
        thread::sleep(Duration::from_millis(1500));
        let dump = Dump::take(broker);
        assert_eq!(upstream.authorized(), 0, "{point}: the dump came too late");
        let control = Canaries::new().plant("marker", marker.as_bytes());
        assert!(!dump.find(&control).is_empty(), "{point}: the call was not in the dump");
        println!("held at {point}");
        assert_clean(&dump.find(canaries));
        let reply = agent.reply(id);
        assert_eq!(reply["result"]["structuredContent"]["status"], 200, "{reply}");
        assert_eq!(upstream.authorized(), 1);
    }
}

#[test]
fn no_release_has_the_hold() {
    let home = Home::empty(place::symbolon()).with_variable("SYMBOLON_HOLD", "opened:5000");
    let planted = plant(home);
    let began = Instant::now();
    planted.home.ok(&["call", "upstream.notes.list", "--agent", "claude"]);
    assert!(began.elapsed() < Duration::from_secs(4), "it was held for {:?}", began.elapsed());
}
