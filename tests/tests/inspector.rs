//! The command line of the MCP inspector lists and calls tools, over both transports.

use std::process::{Command, Stdio};

use serde_json::Value;
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};

/// Runs the inspector in a folder of its own, since it keeps a catalogue in its user's home.
fn inspect(home: &Home, target: &[&str], method: &[&str]) -> Value {
    let output = Command::new(place::node())
        .arg(place::node_script("mcp-inspector"))
        .arg("--cli")
        .args(target)
        .args(method)
        .env("HOME", home.beside(""))
        .stdin(Stdio::null())
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{printed}");
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}\n{said}"))
}

fn list_and_call(home: &Home, target: &[&str]) {
    let listed = inspect(home, target, &["--method", "tools/list"]);
    let names: Vec<&str> =
        listed["tools"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(names.contains(&"upstream.notes.get"), "{names:?}");
    let call = ["--method", "tools/call", "--tool-name", "upstream.notes.get"];
    let called = inspect(home, target, &[&call[..], &["--tool-arg", "number=1"]].concat());
    assert!(called.to_string().contains("Buy olives."), "{called}");
}

#[test]
fn over_standard_input_and_output() {
    let (home, upstream) = Home::with_upstream("inspector");
    let (program, variable) =
        (place::symbolon(), format!("SYMBOLON_HOME={}", home.path().display()));
    let program = program.to_str().unwrap();
    list_and_call(&home, &["-e", &variable, program, "mcp", "--agent", "inspector"]);
    assert_eq!(upstream.authorized(), 1);
}

#[test]
fn over_http() {
    let (home, upstream) = Home::with_upstream("inspector");
    let key = home.json(&["agents", "add", "inspector"])["key"].as_str().unwrap().to_owned();
    home.ok(&["lock", "--stop"]);
    let port = free_port();
    let mut command = home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut service = Service::start("symbolon serve", command.stdin(Stdio::null()));
    service.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    let url = format!("http://127.0.0.1:{port}/mcp");
    let header = format!("Authorization: Bearer {key}");
    let target = [url.as_str(), "--transport", "http", "--header", &header];
    list_and_call(&home, &target);
    assert_eq!(upstream.authorized(), 1);
}
