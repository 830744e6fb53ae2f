//! `symbolon audit` against calls that were made: every one is found, and a file that lost one is not believed.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

const LIST: &str = "upstream.notes.list";
const ACCOUNT: &str = "upstream.account.get";

/// A home with five good calls, one that failed at the gate, and their upstream.
fn called() -> (Home, Upstream) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    home.json(&["grant", "cli", "upstream.notes.read", "--for", "1h"]);
    for _ in 0..5 {
        home.ok(&["call", LIST]);
    }
    home.refused(&["call", ACCOUNT]);
    (home, upstream)
}

fn query(home: &Home, words: &[&str]) -> Value {
    home.json(&[&["audit", "query"], words].concat())
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let rows = answer["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["outcome"].as_str().expect("an outcome")).collect()
}

/// Until a checkpoint covers everything.
fn settled(home: &Home) -> Value {
    let began = Instant::now();
    loop {
        let answer = query(home, &[]);
        if answer["proof"]["complete"] == true && answer["proof"]["after_checkpoint"] == 0 {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no checkpoint: {}", answer["proof"]);
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn parquet(home: &Home) -> PathBuf {
    let files = fs::read_dir(home.path().join("audit")).expect("a folder");
    let mut paths = files.map(|file| file.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|end| end == "parquet")).expect("a file")
}

#[test]
fn each_call_is_found_from_the_log_and_from_parquet_with_and_without_a_broker() {
    let (home, _upstream) = called();
    let receipts = home.receipts();
    let right = ["refused", "allowed", "allowed", "allowed", "allowed", "allowed"];
    let answer = settled(&home);
    assert_eq!(outcomes(&answer), right);
    let numbers = |rows: &[Value]| -> Vec<u64> {
        rows.iter().map(|row| row["number"].as_u64().expect("a number")).collect()
    };
    let found = answer["rows"].as_array().unwrap();
    assert_eq!(numbers(found), numbers(&receipts), "those that `receipts` lists");

    let made = home.json(&["audit", "compact"]);
    assert_eq!(made["made"][0]["receipts"], 6);
    for broker_runs in [true, false] {
        if !broker_runs {
            home.kill_broker();
        }
        let answer = query(&home, &[]);
        assert_eq!(answer["rows"].as_array().unwrap(), found, "a broker runs: {broker_runs}");
        assert_eq!(answer["proof"]["complete"], true);
        assert_eq!(outcomes(&query(&home, &["--outcome", "refused"])), ["refused"]);
        assert_eq!(outcomes(&query(&home, &["--scope", "upstream.notes.*"])), ["allowed"; 5]);
        assert_eq!(outcomes(&query(&home, &["--tool", "*.get"])), ["refused"]);
        assert_eq!(outcomes(&query(&home, &["--agent", "cli", "--limit", "2"])).len(), 2);
        assert_eq!(outcomes(&query(&home, &["--agent", "nobody"])), [""; 0]);
        assert_eq!(outcomes(&query(&home, &["--since", "1h"])).len(), 6);
        assert_eq!(outcomes(&query(&home, &["--until", "1h"])), [""; 0]);
        let one = found[2]["number"].to_string();
        assert_eq!(query(&home, &["--number", &one])["rows"][0], found[2]);
        home.ok(&["audit", "verify"]);
    }
    let csv = home.ok(&["audit", "query", "--csv"]).stdout();
    assert_eq!(csv.lines().count(), 7);
    assert!(csv.starts_with("n,time,agent,tool,connection,host,outcome,status\n"), "{csv}");
}

#[test]
fn a_row_that_is_gone_is_told_and_there_is_no_answer() {
    let (home, _upstream) = called();
    settled(&home);
    home.json(&["audit", "compact"]);
    // A broker would go on with its lines behind what the changed file says that it has.
    home.ok(&["lock", "--stop"]);
    let path = parquet(&home);
    let right_outcomes = [&["refused"][..], &["allowed"; 5]].concat();
    let right = fs::read(&path).unwrap();
    // The same file without one of its receipts, whole in itself: as somebody would make it who knows the format.
    let segment = symbolon_audit::Segment::open(right.clone()).unwrap();
    let summary = segment.summary().clone();
    let mut rows = segment.rows(0..(summary.receipts + summary.others) as usize).unwrap();
    rows.sort_by_key(|row| row.index);
    rows.remove(1);
    for (row, index) in rows.iter_mut().zip(summary.first..) {
        row.index = index;
    }
    let mut changed = Vec::new();
    symbolon_audit::pack(rows, &mut changed).unwrap();
    fs::write(&path, changed).unwrap();
    for command in
        [&["audit", "query"][..], &["audit", "verify"], &["audit", "query", "--limit", "1"]]
    {
        let refusal = home.refused(command);
        assert_eq!(refusal.code, "audit_incomplete");
        assert!(refusal.message.contains("incomplete"), "{}", refusal.message);
    }
    // A flipped byte, and the file as it was.
    for at in [0, right.len() / 3, right.len() / 2, right.len() - 9] {
        let mut flipped = right.clone();
        flipped[at] ^= 0x20;
        fs::write(&path, flipped).unwrap();
        let ran = home.run(&["--json", "audit", "verify"]);
        if !ran.is_success() {
            assert_eq!(ran.refused().code, "audit_incomplete", "byte {at}");
        }
        // The right rows, or none.
        let ran = home.run(&["--json", "audit", "query"]);
        if ran.is_success() {
            assert_eq!(outcomes(&ran.json()), right_outcomes, "byte {at}");
        } else {
            assert_eq!(ran.refused().code, "audit_incomplete", "byte {at}");
        }
    }
    fs::write(&path, &right).unwrap();
    assert_eq!(outcomes(&query(&home, &[])).len(), 6);
    fs::remove_file(&path).unwrap();
    assert_eq!(outcomes(&query(&home, &[])).len(), 6, "the log has it all");
}

#[test]
fn a_call_that_was_cut_off_is_open_until_it_is_over() {
    let (home, upstream) = called();
    home.json(&["grant", "cli", "upstream.*", "--for", "1h"]);
    let before = upstream.authorized();
    let mut call = home.command(&["call", "upstream.bad.hang"]);
    let mut caller = call.stdout(std::process::Stdio::null()).spawn().expect("it starts");
    let began = Instant::now();
    while upstream.authorized() == before {
        assert!(began.elapsed() < Duration::from_secs(20), "the call does not leave");
        std::thread::sleep(Duration::from_millis(20));
    }
    home.kill_broker();
    let _ = caller.kill();
    caller.wait().unwrap();
    // The next broker signs a checkpoint that covers the intent.
    home.receipts();
    home.ok(&["unlock"]);
    settled(&home);
    let open = query(&home, &["--outcome", "open"]);
    assert_eq!(outcomes(&open), ["open"]);
    assert_eq!(open["rows"][0]["intent"]["tool"], "upstream.bad.hang");
    home.json(&["audit", "compact"]);
    assert_eq!(query(&home, &["--outcome", "open"])["rows"], open["rows"]);
}
