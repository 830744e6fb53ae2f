//! Every way to end: killed, unknown, failed, rolled back, cancelled, waiting.

use std::time::{Duration, Instant};

use serde_json::json;

use super::place::*;

#[test]
fn killed_at_each_step_a_run_goes_on_with_what_is_left() {
    let at = At::new();
    let text = "
flow: steps
kind: pipeline
steps:
  - {id: a, call: flowbin.make, with: {word: a, value: x}}
  - {id: b, call: flowbin.slow_look, with: {seconds: 1}}
  - {id: c, call: flowbin.make, with: {word: '{{ steps.a.body.json.value }}c'}}
  - {id: d, call: flowbin.slow_look, with: {seconds: 2}}
  - {id: e, call: flowbin.make, with: {word: 'e{{ steps.b.status }}'}}
  - {id: f, call: flowbin.slow_look, with: {seconds: 3}}
output: '{{ steps.e.status }}'
";
    for (nth, slow) in ["GET /delay/1", "GET /delay/2", "GET /delay/3"].into_iter().enumerate() {
        let before = at.counter.lines().len();
        let begun = at.counter.count(slow);
        let run = at.detach(text);
        let waited = Instant::now();
        while at.counter.count(slow) == begun {
            assert!(waited.elapsed() < Duration::from_secs(20), "{:?}", at.counter.lines());
            std::thread::sleep(Duration::from_millis(10));
        }
        at.home.kill_broker();
        assert_eq!(at.show(&run)["state"], "interrupted");
        let end = ended(&at.home.ok(&["--json", "flow", "resume", &run]));
        assert_eq!((&end["state"], &end["output"]), (&json!("done"), &json!(200)), "{end}");
        let lines = &at.counter.lines()[before..];
        let count = |begin: &str| lines.iter().filter(|line| line.starts_with(begin)).count();
        let made = ["POST /anything/make/a", "POST /anything/make/xc", "POST /anything/make/e200"];
        assert!(
            made.iter().all(|made| count(made) == 1),
            "a step that happened was made again: {lines:?}"
        );
        for (other, slow) in ["GET /delay/1", "GET /delay/2", "GET /delay/3"].iter().enumerate() {
            assert_eq!(count(slow), 1 + usize::from(other == nth), "{slow}: {lines:?}");
        }
    }
}

#[test]
fn a_write_of_which_nobody_knows_waits_for_a_person() {
    let at = At::new();
    let text = "
flow: writes
kind: pipeline
steps:
  - {id: before, call: flowbin.make, with: {word: before}}
  - {id: charge, call: flowbin.slow_make, with: {seconds: 2}}
  - {id: after, call: flowbin.make, with: {word: 'after{{ steps.charge.status }}'}}
";
    let run = at.detach(text);
    at.counter.wait_for("POST /delay/2");
    at.home.kill_broker();
    let refusal = at.home.refused(&["flow", "resume", &run]);
    assert_eq!(refusal.code, "flow_uncertain");
    let next = refusal.next.expect("a next step");
    assert!(
        next.contains(&format!("symbolon flow resume {run} --step charge --as-done")),
        "{next}"
    );
    let view = at.show(&run);
    assert_eq!((&view["state"], state_of(&view, "charge")), (&json!("uncertain"), "uncertain"));
    // Asked once more it is no more certain, and no other step is.
    assert_eq!(at.home.refused(&["flow", "resume", &run]).code, "flow_uncertain");
    let other = at.home.refused(&["flow", "resume", &run, "--step", "before", "--again"]);
    assert_eq!(other.code, "flow_certain");
    let output = "{\"status\": 201, \"body\": {}}";
    let done =
        ["--json", "flow", "resume", &run, "--step", "charge", "--as-done", "--output", output];
    assert_eq!(ended(&at.home.ok(&done))["state"], "done");
    assert_eq!(at.counter.count("POST /delay/2"), 1, "made once");
    assert_eq!(at.counter.count("POST /anything/make/before"), 1);
    assert_eq!(at.counter.count("POST /anything/make/after201"), 1);

    let again = at.detach(&text.replace("seconds: 2", "seconds: 1"));
    at.counter.wait_for("POST /delay/1");
    at.home.kill_broker();
    at.home.refused(&["flow", "resume", &again]);
    let made = ["--json", "flow", "resume", &again, "--step", "charge", "--again"];
    assert_eq!(ended(&at.home.ok(&made))["state"], "done");
    assert_eq!(at.counter.count("POST /delay/1"), 2, "the person said so");
}

#[test]
fn a_write_under_a_key_is_made_again_under_the_same_key() {
    let at = At::new();
    let text = "flow: keyed\nkind: pipeline\nsteps:\n- {id: a, call: flowbin.keyed_make, with: {seconds: 1}}\n";
    let run = at.detach(text);
    at.counter.wait_for("PUT /delay/1");
    at.home.kill_broker();
    assert_eq!(ended(&at.home.ok(&["--json", "flow", "resume", &run]))["state"], "done");
    let lines = at.counter.lines();
    let keys: Vec<&String> =
        lines.iter().filter(|l| l.to_lowercase().starts_with("idempotency-key")).collect();
    assert_eq!((keys.len(), at.counter.count("PUT /delay/1")), (2, 2), "{lines:?}");
    assert_eq!(keys[0], keys[1], "{lines:?}");
    let other = at.detach(text);
    at.wait_for(&other, "done");
    let lines = at.counter.lines();
    let last = lines.iter().rfind(|l| l.to_lowercase().starts_with("idempotency-key"));
    assert_ne!(last, lines.iter().find(|l| l.to_lowercase().starts_with("idempotency-key")));
}

#[test]
fn a_burst_that_fails_is_aborted_and_undone() {
    let at = At::new();
    let text = "
flow: burst
kind: radial_burst
on_failure: rollback
steps:
  - {id: a, call: flowbin.make, with: {word: a, value: x}, undo: {call: flowbin.unmake, with: {word: 'a{{ steps.a.body.json.value }}'}}}
  - {id: b, call: flowbin.slow_make, with: {seconds: 2}, undo: {call: flowbin.unmake, with: {word: b}}}
  - {id: slow, call: flowbin.slow_look, with: {seconds: 9}}
  - {id: c, call: flowbin.fail, with: {code: 422}}
  - {id: next, call: flowbin.make, needs: [a], with: {word: next}}
";
    let ran = at.run(text, &[]);
    assert!(!ran.is_success());
    let end = ended(&ran);
    assert_eq!(end["state"], "rolled_back", "{end}");
    // Of `slow` nothing changes, so it is dropped; `b` is waited for, and undone.
    for (step, state) in [
        ("a", "undone"),
        ("b", "undone"),
        ("c", "failed"),
        ("slow", "cancelled"),
        ("next", "pending"),
    ] {
        assert_eq!(state_of(&end, step), state, "{end}");
    }
    let undone: Vec<String> =
        at.counter.lines().into_iter().filter(|l| l.starts_with("DELETE")).collect();
    assert_eq!(
        undone,
        ["DELETE /anything/unmake/b HTTP/1.1", "DELETE /anything/unmake/ax HTTP/1.1"],
        "the last first"
    );
    assert_eq!(at.counter.count("POST /anything/make/next"), 0);
}

#[test]
fn a_manual_rollback_waits_for_its_person() {
    let at = At::new();
    let text = "
flow: manual
kind: pipeline
on_failure: rollback
rollback: manual
steps:
  - {id: a, call: flowbin.make, with: {word: a}, undo: {call: flowbin.unmake, with: {word: a}}}
  - {id: b, call: flowbin.make, with: {word: b}, undo: {call: flowbin.unmake, with: {word: b}}}
  - {id: c, call: flowbin.fail, with: {code: 422}}
";
    let end = ended(&at.run(text, &[]));
    assert_eq!(end["state"], "failed", "{end}");
    let run = end["run"].as_str().expect("a name");
    assert_eq!(at.counter.count("DELETE"), 0);
    at.home.ok(&["flow", "rollback", run, "--step", "a"]);
    assert_eq!((at.counter.count("DELETE /anything/unmake/a"), at.counter.count("DELETE")), (1, 1));
    at.home.ok(&["flow", "rollback", run]);
    assert_eq!((at.counter.count("DELETE /anything/unmake/b"), at.counter.count("DELETE")), (1, 2));
    assert_eq!(at.home.refused(&["flow", "resume", run]).code, "flow_over");
}

#[test]
fn a_cancelled_run_waits_for_what_is_on_its_way() {
    let at = At::new();
    let text = "
flow: ends
kind: pipeline
on_failure: rollback
steps:
  - {id: a, call: flowbin.make, with: {word: a}, undo: {call: flowbin.unmake, with: {word: a}}}
  - {id: b, call: flowbin.slow_make, with: {seconds: 1}}
  - {id: c, call: flowbin.make, with: {word: c}}
";
    let run = at.detach(text);
    at.counter.wait_for("POST /delay/1");
    let goes_on = at.home.refused(&["flow", "resume", &run]);
    assert_eq!(goes_on.code, "flow_goes_on");
    let end = ended(&at.home.ok(&["--json", "flow", "cancel", &run]));
    assert_eq!(end["state"], "rolled_back", "{end}");
    assert_eq!(
        (state_of(&end, "a"), state_of(&end, "b"), state_of(&end, "c")),
        ("undone", "done", "pending")
    );
    assert_eq!((at.counter.count("DELETE"), at.counter.count("POST /anything/make/c")), (1, 0));
    assert_eq!(at.home.refused(&["flow", "cancel", &run]).code, "flow_over");
}

#[test]
fn a_step_waits_for_its_approval_and_a_retry_for_its_pause() {
    let at = At::with_grant(&["--ask", "write"]);
    let text = "
flow: asks
kind: pipeline
steps:
  - {id: a, call: flowbin.make, with: {word: a}}
  - {id: b, call: flowbin.status, with: {code: 503}, retry: {times: 2, delay: 50ms, backoff: fixed}}
";
    let run = at.detach(text);
    let question = at.home.question();
    let view = at.wait_for(&run, "running");
    assert_eq!(state_of(&view, "a"), "waiting", "{view}");
    assert_eq!(at.counter.lines(), [""; 0], "nothing is sent before");
    at.home.ok(&["approve", &question["number"].to_string()]);
    let view = at.wait_for(&run, "failed");
    assert_eq!((state_of(&view, "a"), state_of(&view, "b")), ("done", "failed"));
    // Three attempts, each of which the broker tries three times by its own rules.
    assert_eq!(at.counter.count("GET /status/503"), 9);
    assert_eq!(at.home.json(&["flow", "ls"])[0]["state"], "failed");
}
