//! No piece of a credential is anywhere while programs under `symbolon run` make hundreds of calls at
//! once, a third of them with an error: not in the broker or the program, not in what either wrote.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::memory::Dump;
use symbolon_tests::planted::Planted;
use symbolon_tests::service::Service;
use symbolon_tests::{place, random};

/// Dumps of the broker that fall into the load; the program's are large, and one of those must do.
const ROUNDS: usize = 3;

/// A program that makes the load.
struct Load {
    name: &'static str,
    /// Its command line.
    program: Vec<String>,
}

impl Load {
    fn node() -> Self {
        // Its HTTP parser is WebAssembly, for which it would set aside ten gigabytes of addresses; a
        // dump would have them all.
        let plain = ["--disable-wasm-trap-handler"];
        Self::of("node", &place::node(), &plain, &place::fixture("node/load.mjs"))
    }

    fn python() -> Self {
        Self::of("python", &place::python(), &[], &place::fixture("python/load.py"))
    }

    fn of(name: &'static str, program: &Path, options: &[&str], script: &Path) -> Self {
        let (program, script) = (program.display().to_string(), script.display().to_string());
        let words = [&[&*program], options, &[&*script, name]].concat();
        Self { name, program: words.into_iter().map(str::to_owned).collect() }
    }

    /// It, behind a shell that tells which process it becomes.
    fn words<'a>(&'a self, pid_file: &str, line: &'a mut String) -> Vec<&'a str> {
        // Written whole before it has its name: who sees it reads all of it.
        *line = format!("echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec \"$@\"");
        let shell = ["sh", "-c", line, "sh"];
        shell.into_iter().chain(self.program.iter().map(String::as_str)).collect()
    }
}

/// A load on its way.
struct Running {
    service: Service,
    pid: u32,
    file: String,
}

impl Running {
    fn start(planted: &Planted, load: &Load, marker: &str, through: Through) -> Self {
        let file = planted.home.beside(load.name).display().to_string();
        let (pid_file, mut line) = (format!("{file}.pid"), String::new());
        let words = load.words(&pid_file, &mut line);
        let mut command = match through {
            Through::Proxy => {
                let run = ["run", "--agent", load.name, "--grant", "upstream.*", "--"];
                planted.home.command(&[&run, &words[..]].concat())
            }
            Through::Nothing => {
                let mut command = Command::new(words[0]);
                command.args(&words[1..]).current_dir(planted.home.beside(""));
                command.env("SYMREF_UPSTREAM", &planted.credential);
                for name in ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"] {
                    command.env(name, planted.upstream.ca());
                }
                command
            }
        };
        command.env("URL", planted.upstream.base_url()).env("MARKER", marker);
        let mut service = Service::start(load.name, command.stdin(Stdio::null()));
        let pid = service.wait_for("process", |_| std::fs::read_to_string(&pid_file).ok());
        service.wait_for("whole round", |said| said.contains("began").then_some(()));
        Self { service, pid: pid.trim().parse().expect("a pid"), file }
    }

    /// From now on it asks for echoes alone, and has had one of each.
    fn echoes(&mut self) {
        std::fs::write(format!("{}.echoes", self.file), "").expect("the folder takes a file");
        self.service.wait_for("echo", |said| said.contains("echoes").then_some(()));
    }

    /// Ends it. How often each kind of request came to what.
    fn stop(&mut self) -> Value {
        std::fs::write(format!("{}.stop", self.file), "").expect("the folder takes a file");
        self.service.wait_for("count", |said| serde_json::from_str(said.lines().last()?).ok())
    }

    fn environment(&self) -> Vec<u8> {
        std::fs::read(format!("/proc/{}/environ", self.pid)).expect("it runs")
    }

    fn dump(&self) -> Dump {
        Dump::take_as_the_kernel(self.pid)
    }
}

enum Through {
    Proxy,
    /// To the service itself, with the credential where the placeholder would be.
    Nothing,
}

#[test]
fn node_makes_many_calls_and_nothing_of_the_credential_is_anywhere() {
    search_under(&Load::node(), ["reset 502", "gone gone"]);
}

#[test]
fn python_makes_many_calls_and_nothing_of_the_credential_is_anywhere() {
    search_under(&Load::python(), ["reset 502", "gone gone"]);
}

/// What each kind of request must have come to at least once.
const CAME: [&str; 12] = [
    "get 200",
    "search 200",
    "create 201",
    "missing 404",
    "denied 401",
    "failed 500",
    "unknown 403",
    "bare 401",
    "elsewhere 403",
    "echo 200",
    "base64 200",
    "header 200",
];

fn search_under(load: &Load, broken: [&str; 2]) {
    let planted = Planted::in_home(Home::empty(place::symbolon()));
    let Planted { home, upstream, canaries, .. } = &planted;
    let broker = home.broker_pid();
    // Ordinary memory of the requests: the control that the broker's dumps fell among them.
    let marker = random::secret(40);
    let control = Canaries::new().plant("marker", marker.as_bytes());
    let mut running = Running::start(&planted, load, &marker, Through::Proxy);

    let (before, mut in_the_broker) = (upstream.authorized(), 0);
    for round in 0..ROUNDS {
        let dump = Dump::take(broker);
        assert_clean(&dump.find(canaries));
        in_the_broker += dump.find(&control).len();
        // One at a time: a dump is as large as its process.
        drop(dump);
        if round == 0 {
            assert_clean(&running.dump().find(canaries));
        }
        assert_clean(&canaries.find_in("the program's environment", &running.environment()));
        // The home, the run's folder in it, the folder that the program works in, all as they are now.
        assert_clean(&canaries.find_below(&home.beside("")).expect("readable"));
    }
    let meanwhile = upstream.authorized() - before;
    assert!(meanwhile > 100, "a load of {meanwhile} calls");
    assert!(in_the_broker > 0, "no request was in a dump of the broker");

    // What a service sends back is in the broker's ordinary memory until it was searched; the program
    // never has it.
    running.echoes();
    assert_clean(&running.dump().find(canaries));
    assert_clean(&canaries.find_in("the program's environment", &running.environment()));
    let counts = running.stop();
    assert_clean(&Dump::take(broker).find(canaries));
    for kind in CAME.iter().chain(&broken) {
        assert!(counts[kind].as_u64() > Some(0), "{kind} never came: {counts}");
    }

    for row in home.receipts().iter().step_by(20).take(20) {
        home.export_receipt(row["number"].as_u64().expect("a number"));
    }
    assert_clean(&canaries.find_below(&home.beside("")).expect("readable"));
    assert_clean(&canaries.find_in("what it printed", running.service.said().as_bytes()));
    assert_clean(&canaries.find_in("what commands printed", &home.said()));
}

/// The control: the same programs with the credential itself, searched in the same ways.
#[test]
fn the_search_finds_what_the_same_programs_hold_without_a_broker() {
    for load in [Load::node(), Load::python()] {
        let planted = Planted::in_home(Home::empty(place::symbolon()));
        let canaries = &planted.canaries;
        let mut running = Running::start(&planted, &load, "none", Through::Nothing);
        let name = load.name;
        let environment = canaries.find_in("its environment", &running.environment());
        assert!(!environment.is_empty(), "{name}: nothing in its environment");
        let dumped = running.dump().find(canaries);
        // Its environment is on its stack; its headers are not.
        let in_headers = dumped.iter().any(|hit| !hit.place.contains("[stack]"));
        assert!(in_headers, "{name}: nothing in its heap, {} hits", dumped.len());
        running.echoes();
        running.stop();
        let written = canaries.find_below(&planted.home.beside("")).expect("readable");
        let in_transcript = written.iter().any(|hit| hit.place.ends_with(".transcript"));
        assert!(in_transcript, "{name}: nothing in what came back");
    }
}
