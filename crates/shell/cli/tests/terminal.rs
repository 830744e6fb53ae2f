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
    fn end(mut self) -> (String, i32) {
        let began = Instant::now();
        let code = loop {
            self.look();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code().unwrap();
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it does not end: {}", self.seen);
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
