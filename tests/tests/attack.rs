//! The attack suite on the built product: everything holds, and nothing looks at the environment's proxies.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;
use symbolon_tests::place;

#[test]
fn every_attack_holds_on_our_own_doors() {
    // Where the environment says that a proxy is. Nobody may come.
    let trap = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    trap.set_nonblocking(true).expect("a socket");
    let proxy = format!("http://{}", trap.local_addr().expect("it is bound"));
    let mut command = Command::new(place::symbolon());
    command.args(["attack", "--self", "--json"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, &proxy).env(name.to_lowercase(), &proxy);
    }
    let output = command.env("NO_PROXY", "").env("no_proxy", "").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let rows: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let fell: Vec<_> = rows.iter().filter(|row| row["held"] == false).collect();
    assert!(fell.is_empty(), "{fell:#?}");
    let held = rows.iter().filter(|row| row["held"] == true).count();
    assert!(held >= 80, "{held} held");
    let skipped: Vec<_> = rows.iter().filter(|row| row["held"].is_null()).collect();
    assert!(skipped.is_empty(), "{skipped:#?}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(trap.accept().is_err(), "something asked the environment's proxy");
}

#[test]
fn a_class_and_a_case_can_be_chosen_and_the_list_needs_no_broker() {
    let run = |words: &[&str]| {
        let output = Command::new(place::symbolon()).arg("attack").args(words).output();
        output.expect("it runs")
    };
    let listed = run(&["--list", "--class", "echo", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let cases = listed["cases"].as_array().expect("a list");
    assert!(cases.len() > 30 && cases.iter().all(|case| case["class"] == "echo"));
    let one = run(&["--self", "--case", "echo-raw", "--case", "path-dot-dot"]);
    let text = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(one.status.success() && text.contains("CLASS"), "{text}");
    let none = run(&["--self", "--case", "no-such-case", "--json"]);
    assert_eq!(none.status.code(), Some(2));
}
