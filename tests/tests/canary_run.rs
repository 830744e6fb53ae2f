//! No piece of a credential is anywhere that a program under `symbolon run`, or who looks at it and
//! at the broker from outside, can read while the window is open.

use std::process::{Command, Stdio};
use std::time::Duration;

use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::memory::Dump;
use symbolon_tests::planted::Planted;
use symbolon_tests::service::Service;
use symbolon_tests::{place, random};

/// A program of the run, ready to be looked at; all that it prints is kept.
struct Program {
    run: Service,
    pid: u32,
}

/// Starts a shell's line; `$URL` is the upstream's.
fn start(planted: &Planted, name: &str, line: &str) -> Program {
    let file = planted.home.beside(&format!("{name}.pid"));
    let pid = file.display();
    // Written whole before it has its name: who sees it reads all of it.
    let line = format!("echo $$ > {pid}.new; mv {pid}.new {pid}; {line}");
    let given = ["run", "--agent", name, "--grant", "upstream.*", "--", "sh", "-c", &line];
    let mut command = planted.home.command(&given);
    command.env("URL", planted.upstream.base_url());
    let mut run = Service::start(name, &mut command);
    let pid = run.wait_for("process", |_| std::fs::read_to_string(&file).ok());
    Program { run, pid: pid.trim().parse().expect("a pid") }
}

/// The controls: a credential in an ordinary environment and in an ordinary header is found by the
/// very searches that found nothing.
#[test]
fn the_search_finds_what_is_in_an_ordinary_place() {
    let planted = Planted::in_home(Home::empty(place::symbolon()));
    let Planted { home, upstream, credential, canaries } = &planted;
    let program = start(&planted, "careless", &format!("export KEY={credential}; exec sleep 60"));
    let found = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        !canaries.find_in("its environment", &read_environment(program.pid)).is_empty()
    });
    assert!(found, "the search does not find a credential in an environment");
    assert!(!Dump::take(program.pid).find(canaries).is_empty(), "nor in a core dump");
    let config = format!("header = \"Authorization: Bearer {credential}\"\n");
    std::fs::write(home.beside("curl.config"), config).unwrap();
    assert!(!canaries.find_below(&home.beside("")).expect("readable").is_empty(), "nor in a file");
    let mut command = Command::new("curl");
    command.args(["-s", "--max-time", "30", "--config"]).arg(home.beside("curl.config"));
    command.arg("--cacert").arg(upstream.ca()).arg(format!("{}/hang", upstream.base_url()));
    let curl = Service::start("curl", command.stdin(Stdio::null()));
    let found = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        !Dump::take(curl.pid()).find(canaries).is_empty()
    });
    assert!(found, "the search does not find a credential in an ordinary header");
}

#[test]
fn the_window_itself_shows_nothing_to_the_program_or_beside_it() {
    for point in ["opened", "record"] {
        let held = Home::empty(place::instrumented());
        let planted =
            Planted::in_home(held.with_variable("SYMBOLON_HOLD", &format!("{point}:10000")));
        let Planted { home, upstream, canaries, .. } = &planted;
        let broker = home.broker_pid();
        // Ordinary memory of the same request: the control that the dumps fell into it.
        let marker = random::secret(40);
        let line = format!(
            "exec curl -s -w '%{{http_code}}' -H \"Authorization: Bearer $SYMREF_UPSTREAM\" \
             \"$URL/v1/search?q={marker}\""
        );
        let mut program = start(&planted, "curl", &line);
        std::thread::sleep(Duration::from_millis(2000));
        let (of_broker, of_program) = (Dump::take(broker), Dump::take(program.pid));
        assert_eq!(upstream.authorized(), 0, "{point}: the dump came too late");
        let control = Canaries::new().plant("marker", marker.as_bytes());
        for dump in [&of_broker, &of_program] {
            assert!(!dump.find(&control).is_empty(), "{point}: the request was not in the dump");
            assert_clean(&dump.find(canaries));
        }
        assert_clean(&canaries.find_in("an environment", &read_environment(program.pid)));
        program.run.wait_for("an answer", |said| said.contains("200").then_some(()));
        assert_eq!(upstream.authorized(), 1);
    }
}

fn read_environment(pid: u32) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}
