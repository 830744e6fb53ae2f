//! A network of nodes, each a process of the program with a home of its own: what one home's log has arrives in the copies
//! of all, also where some die, and one that lies is cut off.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_node::{Bounds, Config, Order, Reach, Wire};
use symbolon_secret::Secret;
use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::service::Service;
use symbolon_tests::upstream::Upstream;

/// A home that can call something, and so has a log.
fn publisher() -> (Home, Upstream) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    home.grant("cli", "upstream.notes.read");
    (home, upstream)
}

/// Calls; entries of the log are two a call.
fn call(home: &Home, times: usize) -> u64 {
    let mut last = 0;
    for _ in 0..times {
        last = home.json(&["call", "upstream.notes.list"])["receipt"].as_u64().unwrap();
    }
    // A checkpoint covers it.
    home.export_receipt(last);
    last + 1
}

/// `symbolon node run`, until it is dropped.
struct Running {
    service: Service,
    status: Value,
}

impl Running {
    fn start(home: &Home, follow: &[PathBuf], publish: bool) -> Self {
        let mut given = vec!["--json", "node", "run", "--listen", "127.0.0.1:0"];
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

    fn address(&self) -> &str {
        let all = self.status["listening"].as_array().unwrap();
        all[0].as_str().unwrap()
    }
}

/// Entries of each log in a home's copies, by origin.
fn copies(home: &Home) -> Vec<(String, u64)> {
    let status = home.json(&["node", "status"]);
    let logs = status["node"]["logs"].as_array().cloned().unwrap_or_default();
    let of = |log: &Value| {
        (log["origin"].as_str().unwrap().to_owned(), log["entries"].as_u64().unwrap())
    };
    logs.iter().map(of).collect()
}

#[track_caller]
fn until(home: &Home, what: &str, is_so: impl Fn(&Value) -> bool) {
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

#[track_caller]
fn until_all(homes: &[&Home], sizes: &[(&str, u64)]) {
    for home in homes {
        let has = |(origin, size): &(&str, u64)| {
            copies(home).iter().any(|(it, entries)| it == origin && entries >= size)
        };
        until(home, "there", |_| sizes.iter().all(has));
    }
}

fn origin(home: &Home) -> String {
    let key = std::fs::read_to_string(home.operator_key()).unwrap();
    key.split('+').next().unwrap().to_owned()
}

#[test]
fn ten_nodes_have_every_entry_though_three_of_them_die() {
    let ((one, _up_one), (two, _up_two)) = (publisher(), publisher());
    let (sizes_one, sizes_two) = (call(&one, 3), call(&two, 2));
    let (key_one, key_two) = (one.operator_key(), two.operator_key());
    let (origin_one, origin_two) = (origin(&one), origin(&two));
    let readers: Vec<Home> = (0..8).map(|_| Home::new()).collect();
    let mut running = vec![
        Running::start(&one, std::slice::from_ref(&key_two), true),
        Running::start(&two, std::slice::from_ref(&key_one), true),
    ];
    // Nobody is cut off from the rest by those who die.
    two.ok(&["node", "join", running[0].address()]);
    for home in &readers {
        for back in [1, 2, 4].into_iter().filter(|back| *back <= running.len()) {
            home.ok(&["node", "join", running[running.len() - back].address()]);
        }
        let node = Running::start(home, &[key_one.clone(), key_two.clone()], false);
        running.push(node);
    }
    let all: Vec<&Home> = [&one, &two].into_iter().chain(&readers).collect();
    // What was there before anybody listened.
    until_all(&all, &[(&origin_one, sizes_one), (&origin_two, sizes_two)]);
    // What comes while three die without a word.
    let dead = [3, 5, 8];
    for at in dead {
        running[at].service.kill();
    }
    let (sizes_one, sizes_two) = (call(&one, 3), call(&two, 3));
    let living: Vec<&Home> = all
        .iter()
        .enumerate()
        .filter(|(at, _)| !dead.contains(at))
        .map(|(_, home)| *home)
        .collect();
    until_all(&living, &[(&origin_one, sizes_one), (&origin_two, sizes_two)]);
    // One of the dead comes back, and has what it missed.
    running[3] = Running::start(all[3], &[key_one, key_two], false);
    until_all(&[all[3]], &[(&origin_one, sizes_one), (&origin_two, sizes_two)]);
    let status = all[3].json(&["node", "status"]);
    assert_eq!(
        (&status["running"], &status["node"]["refused"]),
        (&true.into(), &serde_json::json!([]))
    );
    let again = all[3].refused(&["node", "run"]);
    assert_eq!(again.code, "node_in_use", "{}", again.message);
}

#[test]
fn a_node_that_lies_is_cut_off_and_says_nothing_to_others() {
    let (one, _upstream) = publisher();
    let size = call(&one, 1);
    let (reader, key, origin) = (Home::new(), one.operator_key(), origin(&one));
    let publishing = Running::start(&one, &[], true);
    reader.ok(&["node", "join", publishing.address()]);
    let reading = Running::start(&reader, &[key], false);
    until_all(&[&reader], &[(&origin, size)]);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let liar = runtime.block_on(async {
        let topic = "symbolon/mesh/entries/v1".to_owned();
        let config = Config {
            seed: Secret::make(|seed: &mut [u8; 32]| seed.fill(9)),
            listen: Vec::new(),
            reach: Reach::Loopback,
            proxy: None,
            topics: vec![topic.clone()],
            bounds: Bounds::default(),
        };
        let (wire, mut heard, _) = Wire::start(&config).unwrap();
        wire.order(Order::Join(reading.address().parse().unwrap())).await.unwrap();
        tokio::spawn(async move { while heard.recv().await.is_some() {} });
        for number in 0..100u32 {
            let bytes = [&number.to_be_bytes()[..], &[7; 200]].concat();
            wire.order(Order::Publish { topic: topic.clone(), bytes }).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        wire
    });
    let name = liar.peer().to_string();
    let is_there =
        |list: &Value| list.as_array().unwrap().iter().any(|it| it["peer"] == name.as_str());
    until(&reader, "cut off", |status| is_there(&status["node"]["cut"]));
    let status = reader.json(&["node", "status"]);
    assert!(is_there(&status["node"]["refused"]), "{status}");
    assert!(!is_there(&status["node"]["peers"]), "{status}");
    // The other heard nothing of it, and goes on.
    let other = one.json(&["node", "status"]);
    assert_eq!(
        (&other["node"]["refused"], &other["node"]["cut"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    let size = call(&one, 2);
    until_all(&[&reader], &[(&origin, size)]);
}
