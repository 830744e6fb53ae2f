//! Nodes of the mesh, each a process of the program with a home of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::home::Home;
use crate::service::Service;

/// Calls; entries of the log are two a call.
pub fn call(home: &Home, times: usize) -> u64 {
    let mut last = 0;
    for _ in 0..times {
        last = home.json(&["call", "upstream.notes.list"])["receipt"].as_u64().unwrap();
    }
    // A checkpoint covers it.
    home.export_receipt(last);
    last + 1
}

/// `symbolon node run`, until it is dropped.
pub struct Running {
    /// The process.
    pub service: Service,
    /// What it said first.
    pub status: Value,
}

impl Running {
    /// On any port of loopback.
    pub fn start(home: &Home, follow: &[PathBuf], publish: bool) -> Self {
        Self::start_with(home, &["--listen", "127.0.0.1:0"], follow, publish)
    }

    /// With words of one's own.
    pub fn start_with(home: &Home, words: &[&str], follow: &[PathBuf], publish: bool) -> Self {
        let mut given = vec!["--json", "node", "run"];
        given.extend(words);
        for key in follow {
            given.extend(["--follow", key.to_str().unwrap()]);
        }
        if publish {
            given.push("--publish");
        }
        let mut service = Service::start("symbolon node run", &mut home.command(&given));
        let status = service.wait_for("a line of JSON", |said| {
            said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok())
        });
        Self { service, status }
    }

    /// Where others join it.
    pub fn address(&self) -> &str {
        let all = self.status["listening"].as_array().unwrap();
        all[0].as_str().unwrap()
    }
}

/// Entries of each log in a home's copies, by origin.
pub fn copies(home: &Home) -> Vec<(String, u64)> {
    let status = home.json(&["node", "status"]);
    let logs = status["node"]["logs"].as_array().cloned().unwrap_or_default();
    let of = |log: &Value| {
        (log["origin"].as_str().unwrap().to_owned(), log["entries"].as_u64().unwrap())
    };
    logs.iter().map(of).collect()
}

/// Waits until its status is so.
#[track_caller]
pub fn until(home: &Home, what: &str, is_so: impl Fn(&Value) -> bool) {
    let began = Instant::now();
    loop {
        let status = home.json(&["node", "status"]);
        if is_so(&status) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not {what}: {status}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until copies of these logs are at least so long in all homes.
#[track_caller]
pub fn until_all(homes: &[&Home], sizes: &[(&str, u64)]) {
    for home in homes {
        let has = |(origin, size): &(&str, u64)| {
            copies(home).iter().any(|(it, entries)| it == origin && entries >= size)
        };
        until(home, "there", |_| sizes.iter().all(has));
    }
}

/// The name of a home's log.
pub fn origin(home: &Home) -> String {
    let key = std::fs::read_to_string(home.operator_key()).unwrap();
    key.split('+').next().unwrap().to_owned()
}
