//! A capsule as a connector: one tool of agents, each call of which is a run shut in.

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

use super::place::*;

/// Asks the broker for the notes, whatever it is given, and gives back what it said.
fn clerk() -> String {
    let operation = "upstream.notes.list";
    let text = CALLER.replace(
        "(data (i32.const 512) \"{}\")",
        &format!("(data (i32.const 512) \"{{}}\") (data (i32.const 1024) \"{operation}\")"),
    );
    let text = text.replace(
        "(call $call (local.get $at) (local.get $length)",
        &format!("(call $call (i32.const 1024) (i32.const {})", operation.len()),
    );
    assert!(text.contains(operation) && text.contains("(call $call (i32.const 1024)"));
    text
}

fn call(home: &Home, words: &[&str]) -> Value {
    home.run(&[&["--json", "call"], words].concat()).json()
}

#[test]
fn agents_call_it_as_a_tool_and_each_run_leaves_a_receipt() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("hello", ECHO, |_| ());
    let described = json!({
        "description": "Greets somebody.",
        "inputSchema": { "type": "object", "properties": { "name": { "type": "string" } },
            "required": ["name"], "additionalProperties": false },
    });
    std::fs::write(home.beside("hello.tool.json"), described.to_string()).expect("a file");
    let add = ["mount", "add", "greeter", "--capsule", "hello.wasm", "--receipts", "runs"];
    let mounted = home.json(&add);
    let tool = &mounted["tools"][0];
    assert_eq!(mounted["tools"].as_array().map(Vec::len), Some(1), "{mounted}");
    assert_eq!((&tool["name"], &tool["effect"]), (&json!("greeter.hello"), &json!("read")));
    // Being its owner opens no gate.
    assert_eq!(home.refused(&["call", "greeter.hello", "name=Ada"]).code, "no_grant");
    home.grant("cli", "greeter.read");
    let answer = call(home, &["greeter.hello", "name=Ada"]);
    assert_eq!(answer["body"]["structuredContent"], json!({ "name": "Ada" }), "{answer}");
    assert_eq!(
        call(home, &["greeter.hello", "name=Bo"])["body"]["structuredContent"]["name"],
        "Bo"
    );
    let bad = home.refused(&["call", "greeter.hello", "nobody=1"]);
    assert_eq!(bad.code, "invalid_arguments", "{}", bad.message);
    // One program, and a run of its own for each call, with a receipt that says what went in and came out.
    assert_eq!(home.json(&["mount", "show", "greeter"])["starts"], 1);
    let runs: Vec<_> = std::fs::read_dir(home.beside("runs")).expect("a folder").collect();
    assert_eq!(runs.len(), 2);
    let key = home.operator_key();
    let mut said: Vec<String> = runs
        .into_iter()
        .map(|run| {
            let file = run.expect("a file").path();
            let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
            let verified = home.json(&["verify", file, "--key", key, "--root", "root.pub"]);
            let checks = verified["checks"].as_array().expect("a list");
            assert!(checks.iter().all(|it| it["held"] == true), "{verified}");
            verified["fields"]["input"].to_string()
        })
        .collect();
    said.sort();
    assert_eq!(said.len(), 2);
    assert_ne!(said[0], said[1]);
    // Another component under the same name is looked at before it is called.
    let other = ECHO.replace("(memory (export \"memory\") 2)", "(memory (export \"memory\") 3)");
    for kind in ["manifest", "capsule", "certificate"] {
        std::fs::remove_file(home.beside(&format!("hello.{kind}.json"))).expect("a file");
    }
    shop.publish("hello", &other, |_| ());
    home.ok(&["lock", "--stop"]);
    let refusal = home.refused(&["call", "greeter.hello", "name=Ada"]);
    assert_eq!(refusal.code, "mount_changed", "{}", refusal.message);
}

#[test]
fn what_it_calls_goes_through_the_gates_again_and_a_revoked_one_does_not_run() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let shop = Shop::new();
    let home = &shop.home;
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    let ceiling = ["--call", "upstream.notes.*", "--host", "localhost", "--time", "30"];
    shop.publish_below(&ceiling, "clerk", &clerk(), |it: &mut Value| {
        it["calls"] = json!(["upstream.notes.list"]);
        it["hosts"] = json!(["localhost"]);
        it["limits"]["time_ms"] = json!(20_000);
    });
    // It may call, and nobody said that it only reads: taken for the worst, until its owner says something.
    let mounted = home.json(&["mount", "add", "desk", "--capsule", "clerk.wasm"]);
    assert_eq!(mounted["tools"][0]["effect"], "destructive", "{mounted}");
    let add = ["mount", "add", "desk", "--capsule", "clerk.wasm", "--replace"];
    home.json(&[&add[..], &["--mark", "clerk=read"]].concat());
    home.grant("cli", "desk.read");
    let refused = call(home, &["desk.clerk"]);
    assert_eq!(refused["body"]["isError"], true, "{refused}");
    assert!(refused.to_string().contains("upstream.notes.read"), "{refused}");
    assert_eq!(upstream.authorized(), 0);
    home.grant("capsule_acme_clerk", "upstream.notes.read");
    let answer = call(home, &["desk.clerk"]);
    let said = &answer["body"]["structuredContent"];
    assert_eq!(said["body"]["notes"][0], "The two halves fit.", "{answer}");
    assert!(!answer.to_string().contains(&credential));
    assert_eq!(upstream.authorized(), 1);
    // Both left a receipt: the agent's of the tool, the capsule's of what it called.
    let rows = home.receipts();
    let by = |agent: &str| rows.iter().find(|row| row["agent"] == agent && row["status"] == 200);
    assert_eq!(by("cli").expect("the tool's")["number"], answer["receipt"]);
    assert_eq!(by("capsule_acme_clerk").expect("its own")["number"], said["receipt"]);
    // The program that serves it runs on; what it serves is looked at with each call.
    let revoke = ["capsule", "revoke", "--certificate", "7", "--root", "root.key"];
    home.ok(&[&revoke[..], &["--number", "2", "--out", "list.json"]].concat());
    home.ok(&["capsule", "trust", "--revocations", "list.json"]);
    let revoked = call(home, &["desk.clerk"]);
    assert!(revoked.to_string().contains("it was not run: capsule_revoked"), "{revoked}");
    assert_eq!(upstream.authorized(), 1);
    // Mounted now it says why it cannot be.
    let again = home.refused(&[&add[..], &["--mark", "clerk=read"]].concat());
    assert!(again.message.contains("revoked"), "{}: {}", again.code, again.message);
}
