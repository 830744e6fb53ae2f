//! A guest that others' tools made: Python, by the Bytecode Alliance's `componentize-py`, against our interfaces.

use std::process::Command;

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::place::{fixture, python};
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

use super::place::*;

/// Makes `app.wasm` of `tests/python/guest`, 18 MB with the whole of Python in it.
fn componentize(home: &Home, stubbed: bool) {
    home.ok(&["capsule", "wit", "--out", "capsule.wit"]);
    let (wit, out) = (home.beside("capsule.wit"), home.beside("app.wasm"));
    let mut command = Command::new(python().with_file_name("componentize-py"));
    command.arg("--wit-path").arg(wit).args(["--world", "handler", "componentize"]);
    // Without it the component imports all that Python can use, sockets among it.
    command.args(stubbed.then_some("--stub-wasi"));
    command.arg("--python-path").arg(fixture("python/guest")).args(["app", "--output"]).arg(out);
    let made = command.output().expect("componentize-py starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn python_runs_as_a_capsule_and_calls_through_the_gates() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let shop = Shop::new();
    let home = &shop.home;
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    componentize(home, true);
    let ceiling = ["--call", "upstream.notes.*", "--host", "localhost", "--time", "60"];
    shop.publish_file(&ceiling, "app", |it: &mut Value| {
        assert_eq!(it["capabilities"], json!(["call", "log"]));
        it["calls"] = json!(["upstream.notes.list"]);
        it["hosts"] = json!(["localhost"]);
        it["limits"]["time_ms"] = json!(30_000);
    });
    home.grant("capsule_acme_app", "upstream.notes.read");
    let run = |input: &Value, more: &[&str]| {
        let input = input.to_string();
        let words = ["--json", "capsule", "run", "app.wasm", "--input", &input];
        home.run(&[&words[..], more].concat())
    };

    let first = run(&json!({ "say": "working" }), &["--receipt", "receipt.json"]);
    assert!(first.stderr().contains("Compiling 18 MiB"), "{}", first.stderr());
    assert!(first.stderr().contains("capsule_acme_app: working"), "{}", first.stderr());
    let first = first.json();
    assert_eq!(first["output"], json!({ "said": "WORKING", "environment": {} }));
    let key = home.operator_key();
    let key = key.to_str().expect("a plain path");
    let verified = home.json(&["verify", "receipt.json", "--key", key, "--root", "root.pub"]);
    let checks = verified["checks"].as_array().expect("a list");
    assert!(checks.iter().all(|it| it["held"] == true), "{verified}");

    let called = run(&json!({ "call": "upstream.notes.list" }), &[]);
    assert!(!called.stderr().contains("Compiling"), "{}", called.stderr());
    let called = called.json();
    assert_eq!(called["output"]["body"]["notes"][0], "The two halves fit.", "{called}");
    assert!(!called.to_string().contains(&credential));
    assert_eq!(upstream.authorized(), 1);

    // Another call is refused where it is made, a file is not there, and what it says itself comes through.
    let refused = run(&json!({ "call": "upstream.account.get" }), &[]).refused();
    assert!(refused.message.contains("does not name"), "{}", refused.message);
    assert_eq!(run(&json!({ "open": "/etc/passwd" }), &[]).refused().code, "capsule_trap");
    let failed = run(&json!({ "fail": "no such client" }), &[]).refused();
    assert_eq!(failed.code, "capsule_guest");
    assert!(failed.message.contains("no such client"), "{}", failed.message);
    assert_eq!(upstream.authorized(), 1);
}

#[test]
fn all_that_python_can_import_is_given_to_no_capsule() {
    let shop = Shop::new();
    componentize(&shop.home, false);
    let refused = shop.home.run(&["--json", "capsule", "build", "app.wasm"]).refused();
    assert_eq!(refused.code, "capsule_import");
    assert!(refused.message.contains("`wasi:"), "{}", refused.message);
    assert!(!shop.home.beside("app.manifest.json").exists());
}
