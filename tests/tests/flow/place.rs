//! A home with flows, an upstream that counts, and what is read of a run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::counter::Counter;
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

pub struct At {
    pub home: Home,
    pub counter: Counter,
    pub _tls: Upstream,
    pub _httpbin: Httpbin,
    pub canaries: Canaries,
}

impl At {
    pub fn new() -> Self {
        Self::with_grant(&[])
    }

    pub fn with_grant(words: &[&str]) -> Self {
        let httpbin = Httpbin::start();
        let counter = Counter::before(httpbin.plain_port);
        let tls = Upstream::tls_for(counter.port());
        let (home, credential) = (Home::new(), random::secret(40));
        home.add_service("services/flowbin.toml");
        home.connect("flowbin", &tls, &credential);
        let grant = ["grant", "cli", "flowbin.*", "--for", "1h"];
        home.ok(&[&grant[..], words].concat());
        let canaries = Canaries::new().plant("credential", credential.as_bytes());
        Self { home, counter, _tls: tls, _httpbin: httpbin, canaries }
    }

    /// A file with this definition.
    pub fn file(&self, text: &str) -> PathBuf {
        let file = self.home.beside("flow.yaml");
        std::fs::write(&file, text).expect("a file");
        file
    }

    pub fn run(&self, text: &str, words: &[&str]) -> Ran {
        let file = self.file(text);
        let file = file.to_str().expect("a plain path");
        let ran = self.home.run(&[&["--json", "flow", "run", file], words].concat());
        assert_clean(&self.canaries.find_in("the run", ran.all().as_bytes()));
        ran
    }

    /// Begins a run and gives its name.
    #[track_caller]
    pub fn detach(&self, text: &str) -> String {
        let ran = self.run(text, &["--detach"]).succeeded();
        ran.json()["run"].as_str().expect("a name").to_owned()
    }

    #[track_caller]
    pub fn show(&self, run: &str) -> Value {
        self.home.json(&["flow", "show", run])
    }

    /// Waits until the run is in this state.
    #[track_caller]
    pub fn wait_for(&self, run: &str, state: &str) -> Value {
        let begun = Instant::now();
        loop {
            let view = self.show(run);
            if view["state"] == state {
                return view;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "not {state}: {view}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

/// The last line: how the run ended. The lines before it are its steps.
#[track_caller]
pub fn ended(ran: &Ran) -> Value {
    let text = ran.stdout();
    let last = text.lines().last().unwrap_or_else(|| panic!("nothing was said: {}", ran.all()));
    serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {}", ran.all()))
}

pub fn state_of<'v>(view: &'v Value, step: &str) -> &'v str {
    let steps = view["steps"].as_array().expect("steps");
    let step = steps.iter().find(|s| s["id"] == step).expect("the step");
    step["state"].as_str().expect("a state")
}

/// What was said of each step as it went; of those that are done not which, since that is luck.
pub fn told(ran: &Ran) -> Vec<String> {
    let text = ran.stdout();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let word = |event: Value| match (event["state"].as_str(), event["step"].as_str()) {
        (Some("running"), Some(step)) => format!("running {step}"),
        (state, _) => state.unwrap_or_default().to_owned(),
    };
    events.map(word).collect()
}

/// Three steps, each with what the one before gave.
pub const PIPELINE: &str = "
flow: onboarding
kind: pipeline
inputs: {customer: string, seats: {type: integer, default: 3}}
steps:
  - id: make
    call: flowbin.make
    with: {word: one, value: '{{ inputs.customer }}', n: '{{ inputs.seats }}'}
  - id: never
    call: flowbin.fail
    when: steps.make.body.json.n > 3
    with: {code: 500}
  - id: look
    call: flowbin.look
    with: {word: '{{ steps.make.body.json.value }}', text: '{{ steps.make.body.json.n }} of {{ steps.make.status }}'}
output: {seen: '{{ steps.look.body.args.text }}', n: '{{ steps.make.body.json.n }}'}
";
