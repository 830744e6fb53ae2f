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
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let path = std::path::PathBuf::from(name.into_string().unwrap());
        let terminal = File::options().read(true).write(true).open(path).unwrap();
        let stream = || Stdio::from(OwnedFd::from(terminal.try_clone().unwrap()));
        let mut command = place.command(words);
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
