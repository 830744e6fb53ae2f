//! The conformance suite of the MCP project against our stack, with its fixture tools behind a
//! feature that no release has.

use std::process::{Command, Stdio};

use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};

#[test]
fn every_scenario_of_2026_07_28_passes() {
    run("2026-07-28", 40);
}

#[test]
fn every_scenario_of_2025_11_25_passes() {
    run("2025-11-25", 30);
}

#[test]
fn no_release_has_the_fixtures() {
    let home = Home::new();
    let refusal = home.refused(&["serve", "--listen", "127.0.0.1:0", "--conformance"]);
    assert_eq!(refusal.exit, 2, "{}", refusal.message);
}

/// At least so many scenarios: a suite that ran none passes too.
fn run(revision: &str, scenarios_min: usize) {
    let home = Home::empty(place::instrumented());
    home.init(symbolon_tests::home::Unlock::Device);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut command = home.command(&["serve", "--listen", &listen, "--conformance"]);
    let mut service = Service::start("symbolon serve", command.stdin(Stdio::null()));
    service.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    let results = home.beside("results");
    let output = Command::new(place::node())
        .arg(place::node_script("conformance"))
        .args(["server", "--url", &format!("http://{listen}/mcp"), "--suite", "all"])
        .args(["--spec-version", revision, "--output-dir"])
        .arg(&results)
        .current_dir(home.beside(""))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let tail: Vec<&str> = said.lines().rev().take(80).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    assert!(output.status.success(), "{}\n{}", tail.join("\n"), service.said());
    let ran = said.lines().filter(|line| line.trim_start().starts_with('✓')).count();
    assert!(ran >= scenarios_min, "only {ran} scenarios ran:\n{}", tail.join("\n"));
}
