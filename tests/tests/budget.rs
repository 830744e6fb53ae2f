//! A broker that is killed between a budget's reservation and its settlement neither loses what was
//! granted nor lets more through.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

const LIST: &str = "upstream.notes.list";
const HANG: &str = "upstream.bad.hang";

fn connected() -> (Home, Upstream) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    (home, upstream)
}

fn grant(home: &Home, scope: &str, budget: &str) {
    home.json(&["grant", "cli", scope, "--for", "1h", "--budget", budget]);
}

/// Calls until the budget refuses; how many came through.
fn drain(home: &Home, tool: &str) -> u64 {
    for calls in 0..1000 {
        let ran = home.run(&["--json", "call", tool]);
        if !ran.is_success() {
            assert_eq!(ran.refused().code, "budget");
            return calls;
        }
    }
    panic!("the budget has no end");
}

#[test]
fn what_was_released_stays_spent_and_the_rest_stays() {
    let (home, upstream) = connected();
    grant(&home, "upstream.*", "5 calls/total");
    // Two calls whose credential has left, and whose answer never comes: reserved, not settled.
    let before = upstream.authorized();
    let mut callers: Vec<_> = (0..2)
        .map(|_| {
            let mut call = home.command(&["call", HANG]);
            call.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
        })
        .collect();
    let began = Instant::now();
    while upstream.authorized() < before + 2 {
        assert!(began.elapsed() < Duration::from_secs(20), "the calls do not leave");
        std::thread::sleep(Duration::from_millis(20));
    }
    home.kill_broker();
    for caller in &mut callers {
        // It waits for a broker that is gone, or asks another one.
        let _ = caller.kill();
        caller.wait().unwrap();
    }
    let left = drain(&home, LIST);
    assert_eq!(left, 3, "of five calls two have left");
    // And settled once: another start finds nothing to give back or to take.
    home.kill_broker();
    assert_eq!(drain(&home, LIST), 0);
}

#[test]
fn a_kill_at_any_moment_counts_each_call_that_left_once() {
    const GRANTED: u64 = 40;
    let (home, upstream) = connected();
    grant(&home, "upstream.notes.read", &format!("{GRANTED} calls/total"));
    let before = upstream.authorized();
    for round in 0..24_u64 {
        // Starts the one that settles what the one before left.
        home.receipts();
        let pid = home.broker_pid().to_string();
        let mut caller = home.command(&["call", LIST]);
        let mut caller = caller.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From before the reservation to after the settlement.
        std::thread::sleep(Duration::from_micros(700 * round));
        let killed = Command::new("kill").args(["-9", &pid]).status().expect("kill runs");
        assert!(killed.success());
        caller.wait().unwrap();
    }
    let spent = recorded(&home);
    let drained = drain(&home, LIST);
    let left = upstream.authorized() - before;
    println!("{spent} of the killed calls are on record, {drained} were left, {left} went out");
    assert!(left <= GRANTED, "{left} calls left under a budget of {GRANTED}");
    // A call without an intent was given back, one with an intent was not.
    assert_eq!(spent + drained, GRANTED, "{spent} recorded and {drained} drained");
}

/// Calls that the log knows of, completed or not, refused ones apart.
fn recorded(home: &Home) -> u64 {
    let rows = home.receipts();
    rows.iter().filter(|row| row["tool"] == LIST && row["outcome"] != "refused").count() as u64
}
