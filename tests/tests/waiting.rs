//! Programs and commands that wait for their owner: answered, denied, left alone, killed; and shadow
//! mode, which asks too.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::random;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;

fn connected() -> (Home, Upstream) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    (home, upstream)
}

/// A program under `symbolon run` that deletes a note, and prints the status and the refusal.
fn deleting(home: &Home, upstream: &Upstream) -> Service {
    let line = format!(
        "exec curl -sS -X DELETE -H 'Accept: application/json' -w '\\nstatus %{{http_code}}\\n' \
         -H \"Authorization: Bearer $SYMREF_UPSTREAM\" {}/v1/notes/0",
        upstream.base_url()
    );
    let given = ["run", "--agent", "tidy", "--grant", "upstream.notes.write", "--"];
    Service::start("run", &mut home.command(&[&given[..], &["sh", "-c", &line]].concat()))
}

fn status(program: &mut Service) -> (u16, String) {
    program.wait_for("status", |said| {
        let (_, rest) = said.split_once("status ")?;
        Some((rest.lines().next()?.parse().ok()?, said.to_owned()))
    })
}

#[track_caller]
fn ended(home: &Home, number: &Value) -> Value {
    home.json(&["approvals", "show", &number.to_string()])
}

#[test]
fn a_program_behind_the_proxy_waits_for_its_owner() {
    let (home, upstream) = connected();
    let before = upstream.authorized();
    let mut program = deleting(&home, &upstream);
    let question = home.question();
    assert_eq!(question["agent"], "tidy");
    assert_eq!(upstream.authorized(), before, "nothing left before a yes");
    home.ok(&["approve", &question["number"].to_string()]);
    assert_eq!(status(&mut program).0, 200);
    assert_eq!(upstream.authorized(), before + 1);
    let row = &home.receipts()[0];
    assert_eq!(
        (&row["tool"], &row["outcome"]),
        (&json!("upstream.notes.delete"), &json!("allowed"))
    );

    let mut program = deleting(&home, &upstream);
    let number = home.question()["number"].clone();
    home.ok(&["deny", &number.to_string(), "--reason", "keep it"]);
    let (code, said) = status(&mut program);
    assert_eq!(code, 403, "{said}");
    assert!(said.contains("approval_denied") && said.contains("keep it"), "{said}");
    assert_eq!(upstream.authorized(), before + 1);

    // Who goes away takes the question along.
    let mut program = deleting(&home, &upstream);
    let number = home.question()["number"].clone();
    program.kill();
    // The run ended with its program, and its grant with the run: either may be noticed first.
    over(&home, &number, &["withdrawn", "ended"]);
    assert_eq!(upstream.authorized(), before + 1);
}

#[test]
fn a_question_of_a_program_that_nobody_answers_ends_in_its_time() {
    let (home, upstream) = connected();
    home.ok(&["lock", "--stop"]);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let given = ["serve", "--listen", &listen, "--approval-wait", "2s"];
    let mut serve = Service::start("symbolon serve", home.command(&given).stdin(Stdio::null()));
    serve.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    let before = upstream.authorized();
    let mut program = deleting(&home, &upstream);
    let number = home.question()["number"].clone();
    let (code, said) = status(&mut program);
    assert_eq!(code, 403, "{said}");
    assert!(said.contains("approval_expired"), "{said}");
    assert_eq!(home.refused(&["approve", &number.to_string()]).code, "approval_over");
    assert_eq!(upstream.authorized(), before);
}

/// Waits until a question has ended because its caller went away.
#[track_caller]
fn withdrawn(home: &Home, number: &Value) {
    over(home, number, &["withdrawn"]);
}

/// Waits until a question has ended, in one of these ways.
#[track_caller]
fn over(home: &Home, number: &Value, ways: &[&str]) {
    let began = Instant::now();
    while ended(home, number)["state"] == "pending" {
        assert!(began.elapsed() < Duration::from_secs(10), "the question outlives its caller");
        std::thread::sleep(Duration::from_millis(50));
    }
    let state = ended(home, number)["state"].clone();
    assert!(ways.iter().any(|way| state == *way), "{state}");
    assert_eq!(home.json(&["approvals"])["pending"], json!([]));
}

#[test]
fn a_killed_call_takes_its_question_along_and_one_that_has_begun_runs_on() {
    let (home, upstream) = connected();
    home.grant("cli", "upstream.*");
    let before = upstream.authorized();
    let call = |tool: &str, arguments: &[&str]| {
        let words = [&["call", tool], arguments].concat();
        let mut command = home.command(&words);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let mut asking = call("upstream.notes.delete", &["number=0"]);
    let number = home.question()["number"].clone();
    asking.kill().unwrap();
    asking.wait().unwrap();
    withdrawn(&home, &number);
    assert_eq!(home.refused(&["approve", &number.to_string()]).code, "approval_over");
    assert_eq!(upstream.authorized(), before);

    // Past its release a call is not the caller's any more: its receipt says how it ended.
    let mut dripping = call("upstream.bad.drip", &["seconds=2"]);
    let began = Instant::now();
    while upstream.authorized() == before {
        assert!(began.elapsed() < Duration::from_secs(10), "the call does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    dripping.kill().unwrap();
    dripping.wait().unwrap();
    let row = loop {
        let row = home.receipts()[0].clone();
        if row["outcome"] != "open" || began.elapsed() > Duration::from_secs(20) {
            break row;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!((&row["tool"], &row["outcome"]), (&json!("upstream.bad.drip"), &json!("allowed")));
}

#[test]
fn shadow_mode_asks_before_what_cannot_be_taken_back() {
    let (home, upstream) = connected();
    home.ok(&["policy", "shadow", "on", "--yes"]);
    let before = upstream.authorized();
    // Nobody granted anything: what looks is let through, what removes is asked about.
    home.ok(&["call", "upstream.notes.list"]);
    let delete = ["--json", "call", "upstream.notes.delete", "number=0"];
    let mut command: Command = home.command(&delete);
    let asking = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let question = home.question();
    let number = question["number"].to_string();
    assert_eq!(upstream.authorized(), before + 1, "nothing left before a yes");
    let remembered = home.refused(&["approve", &number, "--remember", "15m"]);
    assert_eq!(remembered.code, "approval_remember");
    let told = home.json(&["policy", "explain", "upstream.notes.delete", "number=0"]);
    assert_eq!(told["outcome"], "shadowed", "{told}");
    assert!(told.to_string().contains("a person is asked first: destructive"), "{told}");
    home.ok(&["approve", &number]);
    let output = asking.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(upstream.authorized(), before + 2);
    assert_eq!(home.receipts()[0]["outcome"], "shadowed");
}
