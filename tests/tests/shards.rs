//! A log that is divided by periods: shards are listed, written into files that anybody checks, taken away, searched and
//! proven afterwards, backed up without their entries, and cut off at any moment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;
use symbolon_tests::witness::{Witness, serve_log, until};

const LIST: &str = "upstream.notes.list";
const PASSPHRASE: &[u8] = b"five words that nobody guesses";

fn shards(home: &Home) -> Vec<Value> {
    home.json(&["log", "shards"])["shards"].as_array().expect("a list").clone()
}

/// What the doctor says of the log.
fn is_well(home: &Home) -> bool {
    let found: Value = home.run(&["doctor", "--json", "--listen", "127.0.0.1:0"]).json();
    let mut of_log = found["findings"].as_array().expect("findings").iter();
    of_log.any(|it| it["what"] == "log" && it["state"] == "good")
}

fn calls(home: &Home, count: usize) {
    (0..count).for_each(|_| drop(home.ok(&["call", LIST])));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A home with 300 entries in a shard that is over, and some in the next.
fn divided() -> (Home, Upstream, String) {
    let (home, upstream) = Home::with_upstream("cli");
    home.ok(&["log", "shard", "--every", "month"]);
    calls(&home, 150);
    home.ok(&["log", "shard", "--now"]);
    calls(&home, 5);
    let all = shards(&home);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!((&all[0]["is_open"], &all[1]["is_open"]), (&false.into(), &true.into()));
    let name = all[0]["name"].as_str().expect("a name").to_owned();
    (home, upstream, name)
}

fn export(home: &Home, shard: &str, out: &Path, more: &[&str]) -> Value {
    home.json(&[&["log", "export-shard", shard, "--out", text(out)], more].concat())
}

fn check(home: &Home, file: &Path, more: &[&str]) -> Value {
    let key = home.operator_key();
    home.json(&[&["log", "check-shard", text(file), "--key", text(&key)], more].concat())
}

fn verify(home: &Home, receipt: &Path) {
    let key = home.operator_key();
    home.ok(&["verify", text(receipt), "--key", text(&key)]);
}

#[test]
fn a_log_that_is_one_shard_says_how_it_is_divided() {
    let home = Home::new();
    assert_eq!(shards(&home), [Value::Null; 0]);
    let said = home.ok(&["log", "shards"]).all();
    assert!(said.contains("symbolon log shard --every month"), "{said}");
    let wrong = home.run(&["log", "shard", "--every", "day"]);
    assert_eq!(wrong.code(), Some(2), "{}", wrong.all());
    assert_eq!(home.run(&["log", "shard"]).code(), Some(2), "nothing was said");
    let none = home.refused(&["log", "export-shard", "2026-11", "--out", "x"]);
    assert_eq!(none.code, "no_shard");
    let begun = home.json(&["log", "shard", "--every", "year"]);
    assert_eq!(
        (begun["every"].as_str(), begun["shards"].as_array().map(Vec::len)),
        (Some("year"), Some(1))
    );
    // A shard without an entry is not followed by another.
    let once = home.json(&["log", "shard", "--now"]);
    assert_eq!(once["shards"].as_array().map(Vec::len), Some(1));
    let open = once["shards"][0]["name"].as_str().unwrap();
    let refusal = home.refused(&["log", "export-shard", open, "--out", "x"]);
    assert_eq!(
        (&*refusal.code, refusal.next.as_deref()),
        ("shard", Some("symbolon log shard --now"))
    );
    assert!(!home.beside("x").exists());
}

#[test]
fn a_shard_is_written_into_a_file_that_anybody_checks() {
    let (home, _upstream, name) = divided();
    let witness = Witness::of(&home);
    home.ok(&["witnesses", "add", "one", &witness.url, &witness.key]);
    calls(&home, 1);
    until(&home, "one", "cosigned", 312);
    let file = home.beside("old.shard");
    let made = export(&home, &name, &file, &[]);
    assert_eq!((made["first"].as_u64(), made["next"].as_u64()), (Some(0), Some(300)));
    home.ok(&["lock", "--stop"]);

    // By somebody who has no home.
    let nobody = Home::empty(place::symbolon());
    let key = home.operator_key();
    let line = ["log", "check-shard", text(&file), "--key", text(&key), "--witness", &witness.key];
    let checked = nobody.json(&line);
    assert_eq!(checked["verified"], true, "{checked}");
    assert_eq!(checked["witnesses"].as_array().map(Vec::len), Some(1));
    let shown = nobody.json(&[&line[..5], &["--entry", "7"]].concat());
    assert_eq!(shown["entry"]["statement"]["tool"], LIST, "{shown}");
    let said = nobody.ok(&line[..5]).all();
    assert!(said.contains("yes: these are the log's entries, none missing"), "{said}");
    let beyond = nobody.refused(&[&line[..5], &["--entry", "300"]].concat());
    assert_eq!(beyond.code, "no_entry");

    let bytes = fs::read(&file).unwrap();
    for (at, what) in [(30, "header"), (bytes.len() / 2, "entry"), (bytes.len() - 1, "end")] {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        let place = nobody.beside("bad.shard");
        fs::write(&place, bad).unwrap();
        let line = ["log", "check-shard", text(&place), "--key", text(&key)];
        let refusal = nobody.refused(&line);
        assert_eq!(refusal.exit, 1, "{what}: {}", refusal.message);
    }
    let other = Home::new();
    let stranger = other.operator_key();
    let refusal = nobody.refused(&["log", "check-shard", text(&file), "--key", text(&stranger)]);
    assert_eq!(refusal.code, "shard_refused", "{}", refusal.message);
    let again = home.refused(&["log", "export-shard", &name, "--out", text(&file)]);
    assert_eq!(again.code, "exists");
    assert_eq!(fs::read(&file).unwrap(), bytes, "what is there stays");
}

#[test]
fn a_shard_too_short_to_go_alone_goes_with_the_next_and_not_without_its_file() {
    let (home, _upstream) = Home::with_upstream("cli");
    home.ok(&["log", "shard", "--every", "month"]);
    for count in [5, 150, 1] {
        calls(&home, count);
        home.ok(&["log", "shard", "--now"]);
    }
    let names: Vec<String> =
        shards(&home).iter().map(|it| it["name"].as_str().expect("a name").to_owned()).collect();
    let (short, long) = (home.beside("short.shard"), home.beside("long.shard"));
    let take = |more: &[&str]| {
        let line = ["log", "export-shard", &names[1], "--out", text(&long), "--take-away"];
        home.run(&[&["--json"], &line[..], more].concat())
    };
    let refusal = take(&[]).refused();
    assert_eq!(refusal.code, "shard", "{}", refusal.message);
    let next = refusal.next.expect("a command");
    assert!(next.contains(&format!("--with {}.shard", names[0])), "{next}");
    assert!(!long.exists(), "nothing was begun");
    let alone =
        home.refused(&["log", "export-shard", &names[0], "--out", text(&short), "--take-away"]);
    assert_eq!(alone.code, "shard", "{}", alone.message);
    assert!(!short.exists(), "nothing was begun");
    export(&home, &names[0], &short, &[]);
    // Neither the file of another shard, nor one that is damaged.
    let third = home.beside("third.shard");
    export(&home, &names[2], &third, &[]);
    assert_eq!(take(&["--with", text(&third)]).refused().code, "shard");
    let mut bad = fs::read(&short).unwrap();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    fs::write(&third, bad).unwrap();
    assert_eq!(take(&["--with", text(&third)]).refused().code, "shard_refused");
    take(&["--with", text(&short)]).succeeded();
    let here: Vec<_> = shards(&home).iter().map(|it| it["here"].as_u64()).collect();
    assert_eq!(here[0], Some(0), "{here:?}");
    assert!(is_well(&home));
    home.ok(&["audit", "verify"]);
}

#[test]
fn a_shard_is_taken_away_and_what_it_held_is_still_proven_and_found() {
    let (home, _upstream, name) = divided();
    let (old, old_number) = (home.export_receipt(7), 7);
    let file = home.beside("old.shard");
    let bytes = |home: &Home| {
        let log = home.path().join("log");
        let of = |path: PathBuf| fs::metadata(path).map_or(0, |it| it.len());
        of(log.join("entries"))
    };
    assert!(bytes(&home) > 50_000);
    let made = export(&home, &name, &file, &["--take-away"]);
    assert_eq!(made["shards"]["shards"][0]["here"], 44, "what shares a bundle with the next stays");
    assert_eq!(bytes(&home), 0, "the home is smaller");
    check(&home, &file, &[]);

    for restart in [false, true] {
        if restart {
            home.ok(&["lock", "--stop"]);
        }
        verify(&home, &old);
        let gone = home.refused(&["receipts", "show", &old_number.to_string()]);
        assert_eq!(gone.code, "taken_away", "{}", gone.message);
        assert!(gone.next.unwrap().contains("check-shard"));
        calls(&home, 2);
        let receipts = home.receipts();
        let oldest = receipts.last().unwrap()["number"].as_u64().unwrap();
        assert!((256..300).contains(&oldest), "{oldest}");
        verify(&home, &home.export_receipt(oldest));
        verify(&home, &home.export_receipt(receipts[0]["number"].as_u64().unwrap()));
        assert!(is_well(&home));
        // The audit has what was taken away, and proves that it is the log's.
        let found = home.json(&["audit", "query", "--limit", "1000"]);
        let rows = found["rows"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["number"] == old_number), "{}", rows.len());
        let proof = home.json(&["audit", "verify"]);
        assert_eq!(
            (&proof["complete"], &proof["taken_away"]),
            (&true.into(), &Value::Array(vec![]))
        );
    }
    // Nothing more of it can go, and what is written to stays.
    let again = home.refused(&["log", "export-shard", &name, "--out", "again", "--take-away"]);
    assert_eq!(again.code, "taken_away", "{}", again.message);
    assert!(!home.beside("again").exists());

    // Without the audit's files what was taken away is not searched, and it says so.
    home.ok(&["lock", "--stop"]);
    fs::remove_dir_all(home.path().join("audit")).unwrap();
    let proof = home.json(&["audit", "verify"]);
    assert_eq!(proof["taken_away"], serde_json::json!([[0, 256]]), "{proof}");
    let said = home.ok(&["audit", "verify"]).all();
    assert!(said.contains("not searched: entries 0 to 255"), "{said}");

    // Who follows sees one log, and no entry of what is gone.
    let (_served, url) = serve_log(&home);
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let key = home.operator_key();
    let state = home.beside("monitored");
    home.ok(&["monitor", &url, "--key", text(&key), "--state", text(&state), "--once"]);
    assert_eq!(Request::get(port, "/tile/0/000").answer().status, 200);
    let address = format!("127.0.0.1:{}", free_port());
    let mut served = home.command(&["log", "serve", "--entries", "--listen", &address]);
    let mut served = Service::start("log serve", &mut served);
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    served.wait_for_port(port);
    assert_eq!(Request::get(port, "/tile/entries/000").answer().status, 404);
    assert_eq!(Request::get(port, "/tile/entries/001.p/44").answer().status, 200);
}

#[test]
fn a_home_is_backed_up_with_its_shards_and_without_what_was_taken_away() {
    let (home, _upstream, name) = divided();
    let old = home.export_receipt(7);
    for taken_away in [false, true] {
        if taken_away {
            export(&home, &name, &home.beside("old.shard"), &["--take-away"]);
        }
        let file = home.beside(&format!("{taken_away}.backup"));
        let words = ["--json", "backup", text(&file), "--passphrase-from-stdin"];
        home.ok_with(&words, PASSPHRASE);
        let before = shards(&home);
        home.ok(&["lock", "--stop"]);
        let other = Home::empty(place::symbolon());
        let words = ["--json", "restore", text(&file), "--passphrase-from-stdin"];
        let restored = other.ok_with(&words, PASSPHRASE).json();
        assert!(restored["restored"]["entries"].as_u64() >= Some(310), "{restored}");
        assert_eq!(shards(&other), before, "divided as it was");
        verify(&other, &old);
        calls(&other, 1);
        let newest = other.receipts()[0]["number"].as_u64().unwrap();
        verify(&other, &other.export_receipt(newest));
        assert_eq!(other.run(&["receipts", "show", "7"]).is_success(), !taken_away);
        let proof = other.json(&["audit", "verify"]);
        assert_eq!(proof["complete"], true, "{proof}");
        assert_eq!(proof["taken_away"].as_array().map(Vec::is_empty), Some(!taken_away));
        other.ok(&["lock", "--stop"]);
    }
}

#[test]
fn a_broker_that_dies_in_a_turn_loses_nothing() {
    let (home, _upstream) = Home::with_upstream("cli");
    home.ok(&["log", "shard", "--every", "month"]);
    let mut made = 0;
    for round in 0..12u64 {
        calls(&home, 2);
        made += 2;
        let pid = home.broker_pid().to_string();
        let mut turn = home.command(&["log", "shard", "--now"]);
        let turn = turn.stdout(Stdio::null()).stderr(Stdio::null());
        let mut turn = turn.spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(random_ms(round)));
        let killed = std::process::Command::new("kill").args(["-9", &pid]).status();
        assert!(killed.expect("kill runs").success());
        let _ = turn.wait();
        assert_eq!(home.receipts().len(), made, "round {round}");
    }
    let all = shards(&home);
    for pair in all.windows(2) {
        assert_eq!(pair[0]["next"], pair[1]["first"], "{all:?}");
    }
    assert_eq!(all.last().unwrap()["next"], 2 * made);
    assert!(is_well(&home));
    assert_eq!(home.json(&["audit", "verify"])["complete"], true);
}

/// Spread over what a turn takes.
fn random_ms(round: u64) -> u64 {
    round * 3 + u64::from(random::secret(1).as_bytes()[0] % 3)
}
