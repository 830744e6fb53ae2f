//! Hidden prompts on a real (pseudo) terminal: nothing typed is shown, and the terminal is as it
//! was afterwards, also where somebody stops half way.

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::Place;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// A command whose streams are a terminal, and the person before it.
struct Seat {
    person: File,
    /// Kept open so that the terminal lives longer than the command.
    terminal: File,
    child: Child,
    seen: String,
}

impl Seat {
    fn start(place: &Place, words: &[&str]) -> Self {
        Self::start_with(place, words, &[])
    }

    fn start_with(place: &Place, words: &[&str], variables: &[(&str, &str)]) -> Self {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let path = std::path::PathBuf::from(name.into_string().unwrap());
        let terminal = File::options().read(true).write(true).open(path).unwrap();
        let stream = || Stdio::from(OwnedFd::from(terminal.try_clone().unwrap()));
        let mut command = place.command(words);
        command.envs(variables.iter().copied());
        let child = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        drop(command);
        Self { person: File::from(person), terminal, child, seen: String::new() }
    }

    /// Waits until the screen shows this, then types.
    fn answer(&mut self, question: &str, keys: &str) {
        let began = Instant::now();
        while !self.seen.contains(question) {
            assert!(began.elapsed() < Duration::from_secs(10), "no {question:?} in {}", self.seen);
            self.look();
        }
        // The question is printed before echo is off; typing sooner would be thrown away.
        while tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ECHO)
            && question.contains("not shown")
        {
            assert!(began.elapsed() < Duration::from_secs(10), "echo stays on");
        }
        self.seen.clear();
        self.person.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen shows this.
    fn wait(&mut self, words: &str) {
        let began = Instant::now();
        while !self.seen.contains(words) {
            assert!(began.elapsed() < Duration::from_secs(10), "no {words:?} in {}", self.seen);
            self.look();
        }
    }

    /// Types after a question once the terminal shows nothing of what is typed.
    fn type_hidden(&mut self, question: &str, keys: &str) {
        self.wait(question);
        let began = Instant::now();
        while tcgetattr(&self.terminal).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(began.elapsed() < Duration::from_secs(10), "echo stays on");
        }
        self.seen.clear();
        self.person.write_all(keys.as_bytes()).unwrap();
    }

    fn look(&mut self) {
        let wait = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let mut ready = [PollFd::new(&self.person, PollFlags::IN)];
        if poll(&mut ready, Some(&wait)).unwrap() == 0 {
            return;
        }
        let mut some = [0; 4096];
        let n = self.person.read(&mut some).unwrap();
        self.seen.push_str(&String::from_utf8_lossy(&some[..n]));
    }

    /// The rest of the screen and the exit code.
    fn end(self) -> (String, i32) {
        self.end_within(Duration::from_secs(10))
    }

    fn end_within(mut self, most: Duration) -> (String, i32) {
        let began = Instant::now();
        let code = loop {
            self.look();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code().unwrap();
            }
            assert!(began.elapsed() < most, "it does not end: {}", self.seen);
        };
        self.look();
        let modes = tcgetattr(&self.terminal).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
        (self.seen, code)
    }
}

const INIT: [&str; 4] = ["init", "--passphrase", "--recovery-file", "code"];

#[test]
fn what_is_typed_at_a_hidden_prompt_is_not_shown() {
    let place = Place::new();
    let mut seat = Seat::start(&place, &INIT);
    seat.answer("New passphrase (not shown): ", "correct horse\r");
    seat.answer("The same again (not shown): ", "another horse\r");
    let (seen, code) = seat.end();
    assert!(seen.contains("the two passphrases differ"), "{seen}");
    assert!(!seen.contains("horse"), "{seen}");
    assert_eq!(code, 2);
    assert!(!place.home().exists() && !place.file("code").exists());
}

#[test]
fn ctrl_c_at_a_hidden_prompt_leaves_the_terminal_as_it_was() {
    let place = Place::new();
    let mut seat = Seat::start(&place, &INIT);
    seat.answer("New passphrase (not shown): ", "half a pass\x03");
    let (seen, code) = seat.end();
    assert!(seen.contains("stopped; nothing was changed"), "{seen}");
    assert!(!seen.contains("half"), "{seen}");
    assert_eq!(code, 1);
}

#[test]
fn init_asks_which_way() {
    let place = Place::new();
    let mut seat = Seat::start(&place, &["init", "--recovery-file", "code"]);
    seat.answer("1 or 2 [1]: ", "3\n");
    let (seen, code) = seat.end();
    assert!(seen.contains("the answer is 1 or 2"), "{seen}");
    assert_eq!(code, 2);
}

#[test]
fn a_locked_home_asks_for_its_passphrase_and_then_for_the_credential() {
    let place = Place::new();
    let words = ["init", "--passphrase", "--from-stdin", "--recovery-file", "code"];
    assert!(place.run_with(&words, b"correct horse").status.success());
    let mut seat = Seat::start(&place, &["connect", "github"]);
    seat.answer("Passphrase (not shown): ", "correct horse\r");
    seat.answer("Credential for github (not shown): ", "ghp_canary_typed_by_hand\r");
    let (seen, code) = seat.end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains("horse") && !seen.contains("canary"), "{seen}");
    assert_eq!(place.json(&["connections"])[0]["name"], "github");
}

#[test]
fn a_recovery_code_is_shown_on_a_terminal() {
    let place = Place::new();
    let seat = Seat::start(&place, &["init", "--device"]);
    let (seen, code) = seat.end();
    assert_eq!(code, 0, "{seen}");
    let words = |line: &str| line.split_whitespace().count();
    assert!(seen.lines().any(|line| words(line) == 24), "{seen}");
    assert!(seen.contains("symbolon connect github"));
}

#[test]
fn a_note_is_edited_in_memory_and_nothing_of_it_stays() {
    let place = Place::new();
    let words = ["vault", "create", "--local", "--from-stdin", "--recovery-file", "code"];
    assert!(place.run_with(&words, b"correct horse").status.success());
    // An editor that leaves a copy beside the text, and says where that was.
    let script =
        "#!/bin/sh\nstat -c '%a %n' \"$1\" >seen\ncp \"$1\" \"$1~\"\necho canarytext >>\"$1\"\n";
    std::fs::write(place.file("ed"), script).unwrap();
    let editor = format!("sh {}", place.file("ed").display());
    for words in [&["note", "new", "Draft"][..], &["note", "edit", "Draft"]] {
        let mut seat = Seat::start_with(&place, words, &[("EDITOR", &editor)]);
        seat.answer("Password of the vault (not shown): ", "correct horse\r");
        let (seen, code) = seat.end();
        assert_eq!(code, 0, "{seen}");
        assert!(!seen.contains("horse") && !seen.contains("canarytext"), "{seen}");
        let said = std::fs::read_to_string(place.file("seen")).unwrap();
        let (mode, path) = said.trim().split_once(' ').unwrap();
        assert_eq!(mode, "600");
        assert!(path.starts_with("/dev/shm/") || path.starts_with("/run/"), "{path}");
        assert!(!std::path::Path::new(path).parent().unwrap().exists(), "{path}");
    }
    let mut seat = Seat::start(&place, &["note", "show", "Draft"]);
    seat.answer("Password of the vault (not shown): ", "wrong horse\r");
    let (seen, code) = seat.end();
    assert!(seen.contains("the password is wrong"), "{seen}");
    assert_eq!(code, 1);
    let mut seat = Seat::start(&place, &["note", "show", "Draft"]);
    seat.answer("Password of the vault (not shown): ", "correct horse\r");
    let (seen, _) = seat.end();
    assert_eq!(seen.matches("canarytext").count(), 2, "{seen}");
}

/// What is on the screen by now, without taking it away.
fn shown(seat: &mut Seat, until: &str) -> String {
    let began = Instant::now();
    while !seat.seen.contains(until) {
        assert!(began.elapsed() < Duration::from_secs(10), "no {until:?} in {}", seat.seen);
        seat.look();
    }
    seat.seen.clone()
}

/// The words of a new phrase, and the word that is asked for first.
fn words_of(screen: &str) -> Vec<String> {
    let is_word = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase());
    let line = screen
        .lines()
        .map(str::trim)
        .find(|line| line.split(' ').count() == 24 && line.split(' ').all(is_word));
    line.expect("24 words in a line").split(' ').map(str::to_owned).collect()
}

fn asked(screen: &str) -> usize {
    let at = screen.rfind("Word ").expect("a word is asked for");
    screen[at + 5..].split(' ').next().unwrap().parse().unwrap()
}

const SEED: [&str; 7] =
    ["vault", "create", "--local", "--seed", "--generate", "--recovery-file", "code"];

#[test]
fn a_new_seed_phrase_is_shown_once_and_two_words_are_asked_back() {
    let place = Place::new();
    let mut seat = Seat::start(&place, &SEED);
    let screen = shown(&mut seat, "(not shown): ");
    let words = words_of(&screen);
    let first = asked(&screen);
    seat.answer("(not shown): ", &format!("{}\r", words[first - 1]));
    let screen = shown(&mut seat, "(not shown): ");
    let second = asked(&screen);
    assert!(second > first, "{first} and then {second}");
    seat.answer("(not shown): ", &format!("{}\r", words[second - 1]));
    let (seen, code) = seat.end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains(&words.join(" ")), "the words are shown twice");

    // The words that were shown open it.
    let mut seat = Seat::start(&place, &["vault", "add", "device", "--seed"]);
    seat.answer("Seed phrase (not shown): ", &format!("{}\r", words.join(" ")));
    seat.answer("empty for none (not shown): ", "\r");
    let (seen, code) = seat.end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains(&words[..2].join(" ")), "{seen}");
}

#[test]
fn words_that_were_not_written_down_make_no_vault() {
    let place = Place::new();
    let mut seat = Seat::start(&place, &SEED);
    shown(&mut seat, "(not shown): ");
    seat.answer("(not shown): ", "perhaps\r");
    let (seen, code) = seat.end();
    assert!(seen.contains("the words are void"), "{seen}");
    assert_eq!(code, 2);
    assert!(!place.home().join("vaults/personal").exists() && !place.file("code").exists());
}

#[test]
fn an_export_in_the_clear_is_asked_about() {
    let place = Place::new();
    let line =
        ["vault", "create", "--local", "--device", "--from-stdin", "--recovery-file", "code"];
    assert!(place.run_with(&line, b"correct horse battery").status.success());
    for (answer, is_made) in [("yes\n", false), ("export\n", true)] {
        let mut seat = Seat::start(&place, &["vault", "export", "--bitwarden", "vault.json"]);
        seat.answer("Type `export` to go on: ", answer);
        let (seen, code) = seat.end();
        assert_eq!((code == 0, place.file("vault.json").exists()), (is_made, is_made), "{seen}");
    }
}

/// A vault that this device opens.
fn vault() -> Place {
    let place = Place::new();
    let words = ["vault", "create", "--local", "--device", "--from-stdin", "--recovery-file"];
    let made = place.run_with(&[&words[..], &["code"]].concat(), b"correct horse battery");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    place
}

/// What an issuer is asked, and what is typed.
const FORM: [(&str, &str); 5] = [
    ("Date of birth, as 1990-03-14: ", "1987-03-14\r"),
    ("Nationality, as FRA: ", "DEU\r"),
    ("Last day of the document, as 2031-05-01: ", "2041-05-01\r"),
    ("State that issued the document, as FRA: ", "D<<\r"),
    ("Number of the document: ", "ZQ7714093\r"),
];

#[test]
fn an_issuer_fills_in_a_form_that_shows_nothing_of_what_is_typed() {
    let place = vault();
    let run = |words: &[&str]| assert!(place.run(words).status.success(), "{words:?}");
    run(&["issuer", "init", "--name", "City of Ulm"]);
    run(&["claims", "request", "--out", "request.json"]);
    let line = ["issuer", "issue", "--request", "request.json", "--form", "--out", "claims.json"];
    let mut seat = Seat::start(&place, &line);
    let mut shown = String::new();
    // A day that is none is asked for again.
    seat.type_hidden(FORM[0].0, "1987-02-29\r");
    seat.wait("Not taken: ");
    for (question, keys) in FORM {
        shown.push_str(&seat.seen);
        seat.type_hidden(question, keys);
    }
    let (seen, code) = seat.end();
    shown.push_str(&seen);
    assert_eq!(code, 0, "{shown}");
    for typed in ["1987", "DEU\r", "2041", "D<<", "ZQ77"] {
        assert!(!shown.contains(typed), "{typed} is on the screen: {shown}");
    }
    let claims = std::fs::read_to_string(place.file("claims.json")).unwrap();
    assert!(claims.contains("1987-03-14") && claims.contains("ZQ7714093"));

    // Three answers that are none, and a stop half way, leave no file.
    let line = ["issuer", "issue", "--request", "request.json", "--form", "--out", "none.json"];
    let mut seat = Seat::start(&place, &line);
    for _ in 0..3 {
        seat.type_hidden(FORM[0].0, "tomorrow\r");
        seat.wait("\n");
    }
    let (seen, code) = seat.end();
    assert_eq!(code, 2, "{seen}");
    let mut seat = Seat::start(&place, &line);
    seat.type_hidden(FORM[0].0, "1987\x03");
    assert_eq!(seat.end().1, 1);
    assert!(!place.file("none.json").exists());
}

#[test]
fn nothing_is_proven_before_somebody_read_what_it_shows_and_agreed() {
    let place = vault();
    let known = serde_json::json!({ "birth_date": "1987-03-14", "nationality": "DEU",
        "document_expiry": "2041-05-01", "document_state": "D<<", "document_number": "ZQ7714093" });
    std::fs::write(place.file("me.json"), known.to_string()).unwrap();
    place.json(&["claims", "demo", "--from", "me.json"]);
    let demo = "e4469b728afe187ab274280b1b6424241ad424f40b71a4a759bf0b85d6ea521c";
    let request = serde_json::json!({ "type": "symbolon/proof-request/v1",
        "audience": "https://shop.example", "account": "c-1029", "nonce": "00".repeat(16),
        "date": "2020-11-22", "expires_unix_ms": 4_000_000_000_000_u64,
        "policy": { "statement": "identity/1", "at_least_years": 18, "group": "EU/1",
        "issuers": [demo] } });
    std::fs::write(place.file("asks.json"), request.to_string()).unwrap();
    let line = ["prove", "age", "--request", "asks.json", "--out", "proof.json"];
    for (answer, agrees) in [("\n", false), ("n\n", false), ("Yes?\n", false), ("y\n", true)] {
        let mut seat = Seat::start(&place, &line);
        seat.wait("Prove this? [y/N] ");
        for words in ["https://shop.example", "at least 18 years old", "EU/1", "a demo"] {
            assert!(seat.seen.contains(words), "{words} is not in {}", seat.seen);
        }
        assert!(!seat.seen.contains("1987") && !seat.seen.contains("DEU"), "{}", seat.seen);
        seat.answer("Prove this? [y/N] ", answer);
        let (seen, code) = seat.end_within(Duration::from_secs(120));
        assert_eq!(code, i32::from(!agrees), "{seen}");
        assert_eq!(seen.contains("you did not agree; nothing was proven"), !agrees, "{seen}");
        assert_eq!(place.file("proof.json").exists(), agrees);
    }
    // Claims go into the trash the same way.
    let mut seat = Seat::start(&place, &["claims", "rm", "Demo claims"]);
    seat.answer("demo, by anybody: Demo issuer, into the trash? [y/N] ", "n\n");
    assert_eq!(seat.end().1, 1);
    assert_eq!(place.json(&["claims", "ls"]).as_array().unwrap().len(), 1);
    let mut seat = Seat::start(&place, &["claims", "rm", "Demo claims"]);
    seat.answer("into the trash? [y/N] ", "y\n");
    let (seen, code) = seat.end();
    assert_eq!(code, 0, "{seen}");
    assert_eq!(place.json(&["claims", "ls"]), serde_json::json!([]));
}
