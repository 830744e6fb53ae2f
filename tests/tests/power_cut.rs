//! A power cut at every step: before each request that a command sends, and after each that the server did
//! and nobody heard of. The command is killed there, and the server too.

use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_tests::cut::{Moment, Way};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};

const PASSWORD: &[u8] = b"correct horse battery\n";
const PHRASE: &[u8] = b"test test test test test test test test test test test junk\n";

/// A server with accounts that is reached by a way that can be cut.
struct Server {
    home: Home,
    port: u16,
    way: Way,
    served: Option<Service>,
}

impl Server {
    fn start() -> Self {
        let home = Home::new();
        home.ok(&["lock", "--stop"]);
        let port = free_port();
        let mut own = Self { home, port, way: Way::to(port), served: None };
        own.serve();
        own
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.way.port)
    }

    fn serve(&mut self) {
        let (port, origin) = (self.port, self.origin());
        let listen = format!("127.0.0.1:{port}");
        let line = ["serve", "--accounts", "--listen", &listen, "--origin", &origin];
        let mut served = Service::start("serve", self.home.command(&line).stdin(Stdio::null()));
        served.wait_for("healthy answer", |_| {
            Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
        });
        self.served = Some(served);
    }

    /// Runs a command to where it is cut, and takes the power away; `false` where it came to its end first.
    fn cut(&mut self, at: usize, moment: Moment, home: &Home, line: &[&str], stdin: &[u8]) -> bool {
        self.way.cut_at(Some((at, moment)));
        let mut child = begun(home, line, stdin);
        let began = Instant::now();
        while !self.way.is_cut() {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{line:?} failed before it was cut at {at} ({moment:?})");
                self.way.cut_at(None);
                return false;
            }
            assert!(
                began.elapsed() < Duration::from_secs(180),
                "nothing comes at {at} ({moment:?})"
            );
            thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        self.served.take().expect("it served").kill();
        self.serve();
        self.way.cut_at(None);
        true
    }
}

fn begun(home: &Home, line: &[&str], stdin: &[u8]) -> Child {
    let mut command = home.command(line);
    let quiet = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = quiet.spawn().expect("it starts");
    child.stdin.take().expect("piped").write_all(stdin).expect("it reads");
    child
}

/// Every step, before and after, until there is none that could be cut.
fn at_each_step(mut cut: impl FnMut(usize, Moment) -> bool) -> usize {
    for step in 1..60 {
        for moment in [Moment::Before, Moment::After] {
            if !cut(step, moment) {
                return step - 1;
            }
        }
    }
    panic!("the command never ends");
}

fn create<'a>(origin: &'a str, handle: &'a str, code: &'a str) -> Vec<&'a str> {
    let line = ["vault", "create", "--server", origin, "--handle", handle, "--device"];
    [&line[..], &["--from-stdin", "--recovery-file", code]].concat()
}

fn titles(home: &Home) -> Vec<String> {
    let all = home.json(&["note", "ls"]);
    let title = |it: &Value| it["title"].as_str().unwrap().to_owned();
    let mut all: Vec<String> = all.as_array().unwrap().iter().map(title).collect();
    all.sort_unstable();
    all
}

/// Another device, that joins by a seed phrase and what stands beside it.
fn joined(origin: &str, handle: &str, words: &[u8]) -> Home {
    let home = Home::empty(place::symbolon());
    let line = ["vault", "join", "--server", origin, "--handle", handle, "--device", "--seed"];
    home.ok_with(&[&line[..], &["--from-stdin"]].concat(), words);
    home
}

/// A vault that opens by the phrase, with a note.
fn with_seed(server: &Server, words: &[u8]) -> Home {
    let home = Home::empty(place::symbolon());
    let (origin, code) = (server.origin(), home.beside("code"));
    let line = create(&origin, "amelie", code.to_str().unwrap());
    home.ok_with(&[&line[..], &["--seed"]].concat(), words);
    home.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"first");
    home
}

#[test]
fn a_sign_up_leaves_no_vault_or_one_that_its_password_opens() {
    let mut server = Server::start();
    let origin = server.origin();
    let mut made = 0;
    let steps = at_each_step(|step, moment| {
        let home = Home::empty(place::symbolon());
        let handle = format!("amelie-{step}-{}", if moment == Moment::Before { "b" } else { "a" });
        let (code, again) = (home.beside("code"), home.beside("again"));
        let line = create(&origin, &handle, code.to_str().unwrap());
        if !server.cut(step, moment, &home, &line, PASSWORD) {
            return false;
        }
        assert!(!home.path().join("vaults/personal").exists(), "half a vault at {step} {moment:?}");
        let line = create(&origin, &handle, again.to_str().unwrap());
        let ran = home.run_with(&[&["--json"], &line[..]].concat(), PASSWORD);
        if !ran.is_success() {
            // The account was made, and only its answer is lost: its password is known.
            assert_eq!(ran.refused().code, "exists", "{step} {moment:?}");
            made += 1;
            let line = ["vault", "join", "--server", &origin, "--handle", &handle, "--device"];
            home.ok_with(&[&line[..], &["--from-stdin"]].concat(), PASSWORD);
        }
        let written = ["--json", "note", "new", "Plan", "--body-from-stdin"];
        assert_eq!(home.ok_with(&written, b"first").json()["on_server"], true);
        true
    });
    assert!(steps >= 4 && made >= 1, "{steps} steps, {made} of them behind the sign-up");
}

#[test]
fn a_way_in_that_is_being_added_is_there_or_is_added_by_the_next_run() {
    let mut server = Server::start();
    let origin = server.origin();
    let home = with_seed(&server, PHRASE);
    let steps = at_each_step(|step, moment| {
        // Another wallet each time.
        let words = [PHRASE, format!("{step} {moment:?}\n").as_bytes()].concat();
        let both = [PHRASE, &words].concat();
        let line = ["vault", "add", "seed", "--from-stdin"];
        if !server.cut(step, moment, &home, &line, &both) {
            return false;
        }
        home.ok(&["vault", "sync"]);
        home.ok_with(&line, &both);
        assert_eq!(titles(&joined(&origin, "amelie", &words)), ["Plan"], "{step} {moment:?}");
        assert_eq!(titles(&home), ["Plan"]);
        true
    });
    assert!(steps >= 6, "{steps} steps");
    assert_eq!(titles(&joined(&origin, "amelie", PHRASE)), ["Plan"], "what was there still opens");
}

#[test]
fn a_rotation_leaves_the_key_of_before_or_the_next_and_all_notes() {
    let mut server = Server::start();
    let origin = server.origin();
    let home = with_seed(&server, PHRASE);
    let mut epoch = 1;
    let steps = at_each_step(|step, moment| {
        let name = |again: &str| home.beside(&format!("code-{step}-{moment:?}{again}"));
        let line = ["vault", "rotate-key", "--from-stdin", "--recovery-file"];
        let file = name("");
        let cut = [&line[..], &[file.to_str().unwrap()]].concat();
        if !server.cut(step, moment, &home, &cut, PHRASE) {
            return false;
        }
        assert_eq!(home.json(&["note", "show", "Plan"])["body"], "first", "{step} {moment:?}");
        let file = name("-again");
        let again = [&["--json"], &line[..], &[file.to_str().unwrap()]].concat();
        let done = home.ok_with(&again, PHRASE).json();
        let now = done["epoch"].as_u64().unwrap();
        assert!(now > epoch, "{step} {moment:?}: {done}");
        epoch = now;
        home.ok(&["vault", "sync"]);
        assert_eq!(titles(&joined(&origin, "amelie", PHRASE)), ["Plan"], "{step} {moment:?}");
        true
    });
    assert!(steps >= 5, "{steps} steps");
}

#[test]
fn an_upload_is_whole_or_goes_on() {
    let mut server = Server::start();
    let origin = server.origin();
    let home = with_seed(&server, PHRASE);
    let content: Vec<u8> = (0..(2 << 20) + 77_u32).map(|n| (n / 251) as u8).collect();
    let mut names = Vec::new();
    let steps = at_each_step(|step, moment| {
        let name = format!("file-{step}-{moment:?}.bin");
        let file = home.beside(&name);
        fs::write(&file, &content).unwrap();
        let line = ["note", "attach", "Plan", file.to_str().unwrap()];
        if !server.cut(step, moment, &home, &line, b"") {
            return false;
        }
        home.ok(&line);
        names.push(name);
        true
    });
    assert!(steps >= 5, "{steps} steps");
    let other = joined(&origin, "amelie", PHRASE);
    for name in names {
        let to = other.beside(&name);
        other.ok(&["note", "save-attachment", "Plan", &name, "--to", to.to_str().unwrap()]);
        assert!(fs::read(&to).unwrap() == content, "{name}");
    }
}
