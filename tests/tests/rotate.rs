//! `symbolon vault rotate-key`: what opens the vault afterwards, and a run that is killed at any step.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::accounts::Accounts;
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PASSWORD: &[u8] = b"correct horse battery";
const NOTES: usize = 12;

/// A vault with notes, one of them with a past; gives its recovery code.
fn created(words: &[&str]) -> (Home, String) {
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let line = [
        &["vault", "create", "--device", "--from-stdin", "--recovery-file"],
        &[code.to_str().unwrap()][..],
        words,
    ]
    .concat();
    home.ok_with(&line, PASSWORD);
    for n in 0..NOTES {
        home.ok_with(&["note", "new", &format!("Note {n}"), "--body-from-stdin"], b"first");
    }
    home.ok_with(&["note", "edit", "Note 0", "--body-from-stdin"], b"second");
    (home, fs::read_to_string(code).unwrap())
}

fn rotate<'a>(home: &Home, file: &'a str, line: &mut Vec<&'a str>) -> Value {
    line.extend(["--json", "vault", "rotate-key", "--from-stdin", "--recovery-file", file]);
    home.ok_with(line, PASSWORD).json()
}

/// Every note reads, and opens as it was.
fn whole(home: &Home) {
    assert_eq!(home.ok(&["--json", "note", "ls"]).json().as_array().unwrap().len(), NOTES);
    for (note, body) in [("Note 0", "second"), ("Note 1", "first"), ("Note 11", "first")] {
        assert_eq!(home.ok(&["--json", "note", "show", note]).json()["body"], body, "{note}");
    }
}

fn methods(home: &Home) -> Vec<String> {
    let all = home.ok(&["--json", "vault", "methods"]).json();
    let mut all: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["method"].as_str().unwrap().to_owned())
        .collect();
    all.sort();
    all
}

#[test]
fn a_vault_of_this_device_alone_gets_another_key_and_keeps_its_notes() {
    let (home, before) = created(&["--local"]);
    let file = home.beside("new-code");
    let done = rotate(&home, file.to_str().unwrap(), &mut Vec::new());
    assert_eq!((&done["epoch"], &done["dropped"]), (&json!(2), &json!([])));
    whole(&home);
    assert_eq!(methods(&home), ["device", "passphrase", "recovery"]);
    let after = fs::read_to_string(&file).unwrap();
    assert_ne!(before, after);
    // The card has no wrap that the old code opens; another rotation goes on from this one.
    let third = home.beside("third-code");
    assert_eq!(rotate(&home, third.to_str().unwrap(), &mut Vec::new())["epoch"], 3);
    whole(&home);
    let wrong = ["--json", "vault", "rotate-key", "--from-stdin", "--recovery-file"];
    let none = home.beside("none");
    let line = [&wrong[..], &[none.to_str().unwrap()]].concat();
    assert_eq!(home.run_with(&line, b"another horse battery").refused().code, "wrong_secret");
    assert!(!home.path().join("vaults/personal/vault.next").exists());
    whole(&home);
}

#[test]
fn a_server_and_other_devices_follow_to_the_new_key() {
    let server = Accounts::start();
    let origin = server.origin();
    let (home, _) = created(&["--server", &origin, "--handle", "amelie"]);
    let join = |name: &str| {
        let other = Home::empty(place::symbolon());
        let line = ["vault", "join", "--server", &origin, "--handle", "amelie", "--device"];
        other.ok_with(&[&line[..], &["--from-stdin", "--vault", name]].concat(), PASSWORD);
        other
    };
    let other = join("personal");
    let file = home.beside("new-code");
    let done = rotate(&home, file.to_str().unwrap(), &mut Vec::new());
    assert_eq!((&done["epoch"], &done["finished_earlier_run"]), (&json!(2), &json!(false)));
    whole(&home);
    assert_eq!(methods(&home), ["device", "passphrase", "password", "recovery"]);
    home.ok_with(&["note", "edit", "Note 1", "--body-from-stdin"], b"first");
    home.ok(&["vault", "sync"]);
    // What was written under the key of before is history that still reads.
    let past = home.ok(&["--json", "note", "history", "Note 0"]).json();
    assert!(past.as_array().unwrap().len() >= 2, "{past}");

    // A device of before is told, loses nothing of what it has, and joins again.
    other.ok(&["--json", "note", "show", "Note 3"]);
    assert_eq!(other.run(&["--json", "vault", "sync"]).refused().code, "rotated");
    let again = join("again");
    whole(&again);
}

#[test]
fn a_rotation_that_is_killed_at_any_step_is_finished_by_the_next_run() {
    let server = Accounts::start();
    let origin = server.origin();
    let (home, _) = created(&["--server", &origin, "--handle", "amelie"]);
    let next = home.path().join("vaults/personal/vault.next");
    let card = home.path().join("vaults/personal/vault.json");
    // A name signs in ten times at once and no more, so there are few rounds.
    for (round, wait) in [0, 8, 25].into_iter().enumerate() {
        let file = home.beside(&format!("code-{round}"));
        let line =
            ["vault", "rotate-key", "--from-stdin", "--recovery-file", file.to_str().unwrap()];
        let mut command = home.command(&line);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD).unwrap();
        // From where it is written down until long after the server has it.
        let (began, before) = (Instant::now(), fs::read(&card).unwrap());
        while !next.exists() && fs::read(&card).unwrap() == before {
            assert!(began.elapsed() < Duration::from_secs(120), "it never came so far");
            assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();

        whole(&home);
        let file = home.beside(&format!("code-{round}-again"));
        rotate(&home, file.to_str().unwrap(), &mut Vec::new());
        assert!(!next.exists());
        whole(&home);
        home.ok(&["vault", "sync"]);
    }

    // As a power cut leaves it between the server's answer and the card: what is here is of before.
    let folder = home.path().join("vaults/personal");
    let before: Vec<(&str, Vec<u8>)> = ["vault.json", "replica", "head"]
        .map(|name| (name, fs::read(folder.join(name)).unwrap()))
        .into();
    let file = home.beside("code-lost");
    let lost = rotate(&home, file.to_str().unwrap(), &mut Vec::new());
    fs::rename(&card, &next).unwrap();
    for (name, bytes) in &before {
        fs::write(folder.join(name), bytes).unwrap();
    }
    whole(&home);
    assert_eq!(home.run(&["--json", "vault", "sync"]).refused().code, "rotated");
    whole(&home);
    let file = home.beside("code-unneeded");
    let done = rotate(&home, file.to_str().unwrap(), &mut Vec::new());
    assert_eq!((&done["finished_earlier_run"], &done["epoch"]), (&json!(true), &lost["epoch"]));
    assert!(!next.exists() && !file.exists(), "the code of the run that was cut short is the one");
    whole(&home);
    home.ok(&["vault", "sync"]);
    let other = Home::empty(place::symbolon());
    let line = ["vault", "join", "--server", &origin, "--handle", "amelie", "--from-stdin"];
    other.ok_with(&[&line[..], &["--device"]].concat(), PASSWORD);
    whole(&other);
}
