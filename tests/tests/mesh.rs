//! A network of nodes, each a process of the program with a home of its own: what one home's log has arrives in the copies
//! of all, also where some die, and one that lies or is not let in is cut off.

use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_node::{Bounds, Config, Order, Reach, Wire};
use symbolon_secret::Secret;
use symbolon_tests::home::Home;
use symbolon_tests::node::{Running, call, origin, until, until_all};
use symbolon_tests::witness::{self, Witness};

#[test]
fn ten_nodes_have_every_entry_though_three_of_them_die() {
    let ((one, _up_one), (two, _up_two)) = (Home::with_upstream("cli"), Home::with_upstream("cli"));
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
    let (one, _upstream) = Home::with_upstream("cli");
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

#[test]
fn a_node_whose_operator_is_distrusted_is_cut_off_whenever_that_is_said() {
    let ((one, _up_one), (two, _up_two)) = (Home::with_upstream("cli"), Home::with_upstream("cli"));
    let (size_one, size_two) = (call(&one, 1), call(&two, 1));
    let (key_one, key_two) = (one.operator_key(), two.operator_key());
    let (origin_one, origin_two) = (origin(&one), origin(&two));
    let (first, second) = (Running::start(&one, &[], true), Running::start(&two, &[], true));
    let reader = Home::new();
    // One before it is met, by policy and by name.
    reader.ok(&["trust", "policy", "strict"]);
    reader.ok(&["trust", "distrust", key_one.to_str().unwrap()]);
    reader.ok(&["node", "join", first.address()]);
    reader.ok(&["node", "join", second.address()]);
    let _reading = Running::start(&reader, &[key_one, key_two.clone()], false);
    until_all(&[&reader], &[(&origin_two, size_two)]);
    let is_cut = |status: &Value, peer: &Value| {
        let is_in = |list: &Value| list.as_array().unwrap().iter().any(|it| it["peer"] == *peer);
        is_in(&status["node"]["cut"]) && !is_in(&status["node"]["peers"])
    };
    let (first, second) = (&first.status["peer"], &second.status["peer"]);
    until(&reader, "cut off", |status| is_cut(status, first));
    let status = reader.json(&["node", "status"]);
    assert!(!is_cut(&status, second), "{status}");
    let logs = status["node"]["logs"].as_array().unwrap();
    let held = logs.iter().find(|log| log["origin"] == origin_one.as_str()).unwrap();
    assert_eq!((&held["entries"], size_one > 0), (&0.into(), true), "nothing of it is taken");
    // The other while it is there: the list is read again every few seconds.
    reader.ok(&["trust", "distrust", key_two.to_str().unwrap()]);
    until(&reader, "cut off", |status| is_cut(status, second));
}

#[test]
fn what_a_witness_signs_is_known_to_a_follower_who_believes_it() {
    let (one, _upstream) = Home::with_upstream("cli");
    let witness = Witness::of(&one);
    let (key, origin) = (one.operator_key(), origin(&one));
    let publishing = Running::start(&one, &[], true);
    let (reader, other) = (Home::new(), Home::new());
    for home in [&reader, &other] {
        home.ok(&["node", "join", publishing.address()]);
    }
    let believing = ["--listen", "127.0.0.1:0", "--witness", &witness.key];
    let _reading = Running::start_with(&reader, &believing, std::slice::from_ref(&key), false);
    let _other = Running::start(&other, &[key], false);
    let size = call(&one, 2);
    until_all(&[&reader, &other], &[(&origin, size)]);
    one.ok(&["witnesses", "add", "north", &witness.url, &witness.key]);
    let number = call(&one, 1);
    witness::until(&one, "north", "cosigned", number);
    let seen = |status: &Value| {
        let logs = status["node"]["logs"].as_array().unwrap();
        let log = logs.iter().find(|log| log["origin"] == origin.as_str()).unwrap();
        (log["cosigned"].as_u64().unwrap(), log["witnesses"].as_u64().unwrap())
    };
    until(&reader, "the witness", |status| seen(status) >= (number, 1));
    assert_eq!(seen(&other.json(&["node", "status"])), (0, 0), "it believes nobody");
    // It counts for the operator, with its reason.
    let why = |home: &Home| {
        let operator = one.operator_key();
        home.ok(&["trust", "show", operator.to_str().unwrap()]).stdout()
    };
    let began = Instant::now();
    let counted = "checkpoints that your witnesses cosigned";
    while !why(&reader).contains(counted) {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", why(&reader));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(!why(&other).contains(counted), "{}", why(&other));
    assert!(reader.ok(&["node", "status"]).stdout().contains(" by 1"), "a person sees it too");
}

#[test]
fn other_operators_nodes_say_whether_a_receipt_stands_as_it_is_shown() {
    let (one, _upstream) = Home::with_upstream("cli");
    let size = call(&one, 2);
    let (key, origin) = (one.operator_key(), origin(&one));
    let receipt = one.export_receipt(size - 1);
    let (receipt, file) = (receipt.to_str().unwrap(), key.to_str().unwrap());
    let publishing = Running::start(&one, &[], true);
    let homes: Vec<Home> = (0..3).map(|_| Home::new()).collect();
    let ask = |quorum: &str, more: &[&str]| {
        let words = ["node", "ask", receipt, "--key", file, "--quorum", quorum];
        homes[0].run(&[&words[..], more].concat())
    };
    assert_eq!(ask("1", &["--json"]).refused().code, "node_stopped");
    homes.iter().for_each(|home| drop(home.ok(&["node", "join", publishing.address()])));
    let follow = std::slice::from_ref(&key);
    let first = Running::start(&homes[0], follow, false);
    // The log's own operator is not asked: nobody else is there yet.
    until_all(&[&homes[0]], &[(&origin, size)]);
    let alone = ask("1", &["--json"]);
    let said = alone.json();
    assert_eq!((alone.code(), &said["outcome"]), (Some(5), &"unknown".into()), "{said}");
    let _others: Vec<Running> = homes[1..]
        .iter()
        .map(|home| {
            home.ok(&["node", "join", first.address()]);
            Running::start(home, follow, false)
        })
        .collect();
    until_all(&homes.iter().collect::<Vec<_>>(), &[(&origin, size)]);
    let began = Instant::now();
    let said = loop {
        let ran = ask("2", &["--json"]);
        if ran.is_success() {
            break ran.json();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{}", ran.all());
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!((&said["outcome"], said["by"].as_array().unwrap().len()), (&"confirmed".into(), 2));
    assert!(
        ask("2", &[]).succeeded().all().contains("2 operators showed entry"),
        "a person sees it"
    );
    // Too many are asked for; one is not believed; the log is not followed; the receipt is of another key.
    assert_eq!(ask("3", &["--json"]).code(), Some(5));
    homes[0].ok(&["trust", "distrust", said["by"][0].as_str().unwrap()]);
    let began = Instant::now();
    while ask("2", &["--json"]).code() != Some(5) {
        assert!(began.elapsed() < Duration::from_secs(30), "one who is believed nothing counts");
        std::thread::sleep(Duration::from_millis(500));
    }
    let other = homes[1].operator_key();
    let words = ["node", "ask", receipt, "--key", other.to_str().unwrap()];
    assert_eq!(homes[0].refused(&words).code, "other_operator");
}
