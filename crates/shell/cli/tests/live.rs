//! Runs against a live broker, which the first command starts.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use common::Place;
use serde_json::{Value, json};

const PASSPHRASE: &[u8] = b"a plain passphrase\n";

fn by_device() -> Place {
    let place = Place::new();
    let output = place.run(&["init", "--device", "--recovery-file", "code"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

fn by_passphrase() -> Place {
    let place = Place::new();
    let words = ["init", "--passphrase", "--from-stdin", "--recovery-file", "code"];
    let output = place.run_with(&words, PASSPHRASE);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

fn error(output: &Output) -> (String, i32) {
    let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON value");
    let code = said["error"]["code"].as_str().expect("an error").to_owned();
    (code, output.status.code().unwrap())
}

#[test]
fn init_makes_a_home_once_and_a_code_that_only_its_owner_reads() {
    let place = Place::new();
    let words = ["init", "--device", "--recovery-file", "code"];
    insta::assert_snapshot!("init_device", place.see(&words));
    let code = std::fs::read_to_string(place.file("code")).unwrap();
    assert_eq!(code.split_whitespace().count(), 24);
    let mode = place.file("code").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = ["init", "--device", "--recovery-file", "another"];
    insta::assert_snapshot!("init_again", place.see(&again));
    assert!(!place.file("another").exists());
}

#[test]
fn the_first_five_minutes_as_they_are_seen() {
    let place = by_device();
    let mut seen = String::new();
    seen += &place.see(&["status"]);
    seen += &place.see(&["connections"]);
    seen += &place.see_with(&["connect", "github", "--from-stdin"], b"ghp_canary_1234567890\n");
    seen += &place.see(&["connect", "github", "--from-stdin"]);
    seen += &place.see_with(&["connect", "github", "--from-stdin"], b"ghp_canary_another_one\n");
    seen += &place.see(&["grants"]);
    let grant = ["grant", "claude", "github.issues.read", "--for", "15m", "--limit", "owner=acme"];
    seen += &place.see(&grant);
    seen += &place.see(&["grants"]);
    seen += &place.see(&["call", "github.issues.list", "owner=acme", "repo=anvil"]);
    seen += &place.see(&["call", "github.issues.list", "page=one"]);
    seen += &place.see(&["call", "github.nothing"]);
    seen += &place.see(&["tools", "search", "--limit", "2", "github", "create", "issue"]);
    seen += &place.see(&["tools", "show", "github.issues.get", "--agent", "claude"]);
    seen += &place.see(&["revoke", "1"]);
    seen += &place.see(&["revoke", "9"]);
    seen += &place.see(&["disconnect", "github"]);
    seen += &place.see(&["disconnect", "github"]);
    seen += &place.see(&["lock", "--stop"]);
    seen += &place.see(&["lock"]);
    assert!(!seen.contains("canary"), "a credential is printed");
    insta::assert_snapshot!("first_five_minutes", seen);
}

#[test]
fn a_device_opens_its_home_by_itself_until_the_owner_locks_it() {
    let place = by_device();
    let call = ["call", "github.issues.list", "owner:=1", "--json"];
    assert_eq!(error(&place.run(&call)).1, 1);
    assert_eq!(place.json(&["status"])["unlocked"], true);
    place.json(&["lock"]);
    assert_eq!(error(&place.run(&call)), ("locked".to_owned(), 3));
    let refused = place.run(&["mcp"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(refused.stdout.is_empty(), "an MCP host would read this as a message");
    place.json(&["unlock"]);
    assert_eq!(error(&place.run(&call)).1, 1);
}

#[test]
fn a_passphrase_home_says_how_to_unlock_where_nobody_can_be_asked() {
    let place = by_passphrase();
    insta::assert_snapshot!("locked", place.see(&["call", "github.issues.list"]));
    insta::assert_snapshot!("locked_mcp", place.see(&["mcp"]));
    let wrong = place.run_with(&["unlock", "--from-stdin", "--json"], b"not the passphrase");
    assert_eq!(error(&wrong).1, 1);
    assert!(place.run_with(&["unlock", "--from-stdin"], PASSPHRASE).status.success());
    assert_eq!(place.json(&["connections"]), json!([]));
    place.json(&["lock"]);
    let code = std::fs::read(place.file("code")).unwrap();
    let words = ["unlock", "--method", "recovery", "--from-stdin"];
    assert!(place.run_with(&words, &code).status.success());
    assert_eq!(place.json(&["status"])["unlocked"], true);
}

#[test]
fn ways_to_unlock_are_added_rotated_and_removed() {
    let place = by_device();
    let ways = || -> Vec<(String, String)> {
        let all = place.json(&["custody", "list"]);
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        all.as_array().unwrap().iter().map(|it| (text(&it["method"]), text(&it["id"]))).collect()
    };
    assert_eq!(ways().len(), 2);
    let add = ["custody", "add", "passphrase", "--from-stdin"];
    assert!(place.run_with(&add, PASSPHRASE).status.success());
    let passphrase = ways().into_iter().find(|it| it.0 == "passphrase").unwrap().1;
    let rotate = ["custody", "rotate", &passphrase, "--from-stdin"];
    assert!(place.run_with(&rotate, b"another passphrase").status.success());
    place.json(&["lock"]);
    assert!(!place.run_with(&["unlock", "--from-stdin"], PASSPHRASE).status.success());
    let unlocked = place.run_with(&["unlock", "--from-stdin"], b"another passphrase");
    assert!(unlocked.status.success());

    let recovery = ways().into_iter().find(|it| it.0 == "recovery").unwrap().1;
    let words = ["custody", "rotate", &recovery, "--recovery-file", "code2"];
    place.json(&words);
    let (old, new) = (place.file("code"), place.file("code2"));
    assert_ne!(std::fs::read(old).unwrap(), std::fs::read(new).unwrap());
    let refused = place.run(&["custody", "rotate", "nothing", "--json"]);
    assert_eq!(error(&refused), ("no_wrap".to_owned(), 1));
    for (_, id) in ways().into_iter().skip(1) {
        place.json(&["custody", "remove", &id]);
    }
    let last = ways().pop().unwrap().1;
    let refused = place.run(&["custody", "remove", &last, "--json"]);
    assert_eq!(error(&refused), ("last_wrap".to_owned(), 1));
}

#[test]
fn an_agents_key_is_shown_once() {
    let place = by_device();
    let shown = place.run(&["agents", "add", "ci"]);
    let key = String::from_utf8(shown.stdout).unwrap();
    assert!(key.starts_with("sym_") && key.trim().len() == 47, "{key}");
    let other = place.json(&["agents", "add", "other"]);
    assert_eq!(other["key"].as_str().unwrap().len(), 47);
    let listed = place.json(&["agents"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(key.trim()));
    place.json(&["agents", "remove", "ci"]);
    assert_eq!(place.json(&["agents", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn many_commands_at_once_start_one_broker() {
    let place = by_device();
    let children: Vec<_> =
        (0..12).map(|_| place.command(&["connections", "--json"]).spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let log = std::fs::read_to_string(place.home().join("run/broker.log")).unwrap();
    assert_eq!(log.matches("the broker listens").count(), 1, "{log}");
}

#[test]
fn a_broker_that_was_killed_is_started_again() {
    let place = by_device();
    place.json(&["connections"]);
    let first = place.json(&["status"])["pid"].as_u64().unwrap();
    let kill = |signal: &str| {
        let pid = place.json(&["status"])["pid"].as_u64().unwrap().to_string();
        let words = [signal, &pid];
        assert!(std::process::Command::new("kill").args(words).status().unwrap().success());
        let began = Instant::now();
        while place.json(&["status"])["running"] == true {
            assert!(began.elapsed() < Duration::from_secs(10), "{signal} does not end it");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    kill("-KILL");
    assert_eq!(place.json(&["connections"]), json!([]));
    assert_ne!(place.json(&["status"])["pid"].as_u64().unwrap(), first);
    kill("-TERM");
    let began = Instant::now();
    let log = || std::fs::read_to_string(place.home().join("run/broker.log")).unwrap();
    while !log().contains("the broker has ended") {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", log());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(place.json(&["connections"]), json!([]));
}

#[test]
fn a_broker_outlives_its_starter_and_has_none_of_its_environment() {
    let place = by_device();
    let mut command = place.command(&["connections", "--json"]);
    let output = command.env("GITHUB_TOKEN", "ghp_canary").output().unwrap();
    assert!(output.status.success());
    let pid = place.json(&["status"])["pid"].as_u64().unwrap();
    let seen = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap();
    let stat = String::from_utf8(seen("stat")).unwrap();
    let session: u64 =
        stat.rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap().parse().unwrap();
    assert_eq!(session, pid, "it is in the session of a terminal that may close");
    if let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) {
        assert!(!String::from_utf8_lossy(&environment).contains("canary"));
    }
}

#[test]
fn a_broker_that_cannot_start_says_why() {
    let place = by_device();
    std::fs::write(place.home().join("operator.pub"), "nonsense\n").unwrap();
    insta::assert_snapshot!("broker_cannot_start", place.see(&["connections"]));
}

#[test]
fn status_is_quick() {
    let place = by_device();
    place.json(&["connections"]);
    let best = (0..10)
        .map(|_| {
            let began = Instant::now();
            place.json(&["status"]);
            began.elapsed()
        })
        .min()
        .unwrap();
    assert!(best < Duration::from_millis(50), "{best:?}");
}

#[test]
fn an_mcp_host_talks_to_the_broker_through_the_command() {
    let place = by_device();
    let mut command = place.command(&["mcp", "--agent", "claude"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap());
    let mut ask = |message: Value, answered: bool| {
        writeln!(to, "{message}").unwrap();
        let mut line = String::new();
        if answered {
            from.read_line(&mut line).unwrap();
        }
        serde_json::from_str(&line).unwrap_or(Value::Null)
    };
    let hello: Value = ask(
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "0"}}}),
        true,
    );
    assert!(hello["result"]["capabilities"]["tools"].is_object(), "{hello}");
    ask(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), false);
    let tools = ask(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}), true);
    assert!(tools.to_string().contains("symbolon.search_tools"), "{tools}");
    assert_eq!(place.json(&["status"])["sessions"], 1);
    drop(to);
    let mut rest = String::new();
    from.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn a_session_ends_with_the_host_that_is_killed() {
    let place = by_device();
    let mut command = place.command(&["mcp", "--agent", "claude"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while place.json(&["status"])["sessions"] != 1 {
        assert!(began.elapsed() < Duration::from_secs(10), "no session begins");
    }
    // The broker holds these pipes as well: their end shows that it let go.
    let (ended, has_ended) = std::sync::mpsc::channel();
    let mut from = child.stdout.take().unwrap();
    std::thread::spawn(move || ended.send(from.read_to_end(&mut Vec::new()).is_ok()));
    child.kill().unwrap();
    assert_eq!(has_ended.recv_timeout(Duration::from_secs(10)), Ok(true));
    child.wait().unwrap();
}

#[test]
fn serve_and_broker_do_not_share_a_home() {
    let place = by_device();
    place.json(&["connections"]);
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    assert_eq!(error(&refused), ("home_in_use".to_owned(), 4));
    place.json(&["lock", "--stop"]);
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    assert!(told["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{told}");
    assert_eq!(told["unlocked"], true);
    assert_eq!(place.json(&["status"])["pid"], child.id());
    place.json(&["lock", "--stop"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn serve_beyond_loopback_needs_a_certificate() {
    let place = by_device();
    insta::assert_snapshot!("serve_needs_tls", place.see(&["serve", "--listen", "0.0.0.0:7443"]));
    assert!(!place.home().join("run/broker.sock").exists(), "its socket is left behind");
}

/// One HTTP answer to each connection, with what was asked in it: an upstream that echoes.
fn echo() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = Vec::new();
            while !asked.windows(4).any(|it| it == b"\r\n\r\n") {
                let mut some = [0; 4096];
                match stream.read(&mut some) {
                    Ok(n) if n > 0 => asked.extend_from_slice(&some[..n]),
                    _ => break,
                }
            }
            let asked = String::from_utf8_lossy(&asked).into_owned();
            let status = if asked.contains("missing") { "404 Not Found" } else { "200 OK" };
            let body = json!({ "asked": asked }).to_string();
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            );
        }
    });
    port
}

#[test]
fn a_call_ends_in_a_receipt_that_verifies() {
    let place = by_device();
    let base = format!("http://127.0.0.1:{}", echo());
    let connect = ["connect", "npm", "--base-url", &base, "--allow-loopback", "--from-stdin"];
    let connected = place.run_with(&connect, b"npm_canary_0123456789abcdef");
    assert!(connected.status.success(), "{}", String::from_utf8_lossy(&connected.stderr));
    let call = ["call", "npm.packages.get", "package=left-pad"];
    let refused = place.run(&[&call[..], &["--json"]].concat());
    assert_eq!(error(&refused), ("no_grant".to_owned(), 1));
    place.json(&["grant", "cli", "npm.packages.read", "--for", "15m"]);

    let reply = place.json(&call);
    assert_eq!(reply["status"], 200, "{reply}");
    let asked = reply["body"]["asked"].as_str().unwrap();
    assert!(asked.starts_with("GET /left-pad"), "{asked}");
    assert!(!reply.to_string().contains("canary") && reply["redactions"] == 1, "{reply}");

    let missing = place.run(&["call", "npm.packages.get", "package=missing", "--json"]);
    assert_eq!(missing.status.code(), Some(1), "the upstream's 404 is no success");
    let value: Value = serde_json::from_slice(&missing.stdout).unwrap();
    assert_eq!(value["status"], 404);

    let rows = place.json(&["receipts"]);
    let outcomes: Vec<_> =
        rows.as_array().unwrap().iter().map(|it| it["outcome"].as_str()).collect();
    assert_eq!(outcomes, [Some("allowed"), Some("allowed"), Some("refused")], "{rows}");
    let number = reply["receipt"].to_string();
    assert!(place.see(&["receipts", "show", &number]).contains("npm.packages.get"));
    let show = ["receipts", "show", &number, "--out", "receipt.json"];
    let shown = place.json(&show);
    let key = shown["key"].as_str().unwrap();
    place.json(&["lock", "--stop"]);
    let verified = place.json(&["verify", "receipt.json", "--key", key]);
    assert_eq!(verified["verified"], true);
    assert_eq!(verified["statement"]["tool"], "npm.packages.get");
    assert!(!verified.to_string().contains("left-pad"), "a parameter stands in the receipt");
}
