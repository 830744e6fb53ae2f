//! Witnesses, and logs that are served to them.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::home::Home;
use crate::place;
use crate::service::{Service, free_port};

/// A witness in a home of its own, without a vault.
pub struct Witness {
    pub service: Service,
    /// Where it listens.
    pub url: String,
    /// Its public key, as `symbolon witnesses add` takes it.
    pub key: String,
    pub home: Home,
}

impl Witness {
    /// For the log of a home.
    pub fn of(log: &Home) -> Self {
        Self::of_key(&log.operator_key())
    }

    /// For the log whose public key is in a file.
    pub fn of_key(key: &Path) -> Self {
        Self::start(Home::empty(place::symbolon()), &format!("127.0.0.1:{}", free_port()), key)
    }

    fn start(home: Home, address: &str, key: &Path) -> Self {
        let given = ["--json", "witness", "--listen", address, "--log", key.to_str().unwrap()];
        let mut service = Service::start("symbolon witness", &mut home.command(&given));
        let said = first_json(&mut service);
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        Self { service, url: text("url"), key: text("key"), home }
    }

    /// The same one, once it was killed: where it was, with what it saw, and this key of the log.
    #[must_use]
    pub fn again(self, key: &Path) -> Self {
        let Self { service, url, home, .. } = self;
        drop(service);
        Self::start(home, url.trim_start_matches("http://"), key)
    }
}

/// The line that a service prints once it listens.
fn first_json(service: &mut Service) -> Value {
    service.wait_for("a line of JSON", |said| {
        said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok())
    })
}

/// `symbolon log serve`, and its address.
pub fn serve_log(home: &Home) -> (Service, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let given = ["--json", "log", "serve", "--listen", &address];
    let mut service = Service::start("symbolon log serve", &mut home.command(&given));
    let url = first_json(&mut service)["url"].as_str().unwrap().to_owned();
    (service, url)
}

/// How it stands with a witness, once it is so.
#[track_caller]
pub fn until(home: &Home, name: &str, state: &str, size: u64) {
    let began = Instant::now();
    loop {
        let all = home.json(&["witnesses", "ls"]);
        let one = all.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
        let status = &one["status"];
        if status["state"] == state && status["size"].as_u64() >= Some(size) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{name} is not {state}: {all}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
