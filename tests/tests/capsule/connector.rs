//! A capsule as a connector: one tool of agents, each call of which is a run shut in.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::mcp::Revision;
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

/// Gives an object that is nested too deep for a broker, whatever it is given.
fn deep() -> String {
    let (open, close) = ("[".repeat(110), "]".repeat(110));
    let output = format!("{{\"a\":{open}{close}}}");
    let text = ECHO.replace(
        "(memory (export \"memory\") 2)",
        &format!(
            "(memory (export \"memory\") 2) (data (i32.const 1024) \"{}\")",
            output.replace('"', "\\22")
        ),
    );
    let text = text.replace("(local.get $at))", "(i32.const 1024))");
    let text = text.replace("(local.get $length))", &format!("(i32.const {}))", output.len()));
    assert!(text.contains("(i32.const 1024))") && text.contains(&output.len().to_string()));
    text
}

/// A publisher whose clerk may ask an upstream for its notes.
fn with_clerk() -> (Shop, Upstream, String) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let shop = Shop::new();
    shop.home.add_service("upstream/service.toml");
    shop.home.connect("upstream", &upstream, &credential);
    publish_clerk(&shop, 20_000);
    (shop, upstream, credential)
}

fn publish_clerk(shop: &Shop, time_ms: u64) {
    let ceiling = ["--call", "upstream.notes.*", "--host", "localhost", "--time", "30"];
    shop.publish_below(&ceiling, "clerk", &clerk(), |it: &mut Value| {
        it["calls"] = json!(["upstream.notes.list"]);
        it["hosts"] = json!(["localhost"]);
        it["limits"]["time_ms"] = json!(time_ms);
    });
}

/// What the owner is shown of the program's standard error.
fn on_stderr(home: &Home, mount: &str) -> String {
    home.json(&["mount", "show", mount])["said"].as_str().expect("text").to_owned()
}

fn call(home: &Home, words: &[&str]) -> Value {
    home.run(&[&["--json", "call"], words].concat()).json()
}

/// A call that is not waited for yet.
fn begin_call(home: &Home, tool: &str) -> Child {
    let mut command = home.command(&["--json", "call", tool]);
    command.stdout(Stdio::piped()).spawn().expect("it starts")
}

fn said_by(waits: Child) -> String {
    let came = waits.wait_with_output().expect("it ends").stdout;
    String::from_utf8(came).expect("text")
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
    // The same component under a manifest that asks for less of its process is looked at before it is called.
    let again = || {
        for kind in ["manifest", "capsule", "certificate"] {
            std::fs::remove_file(home.beside(&format!("hello.{kind}.json"))).expect("a file");
        }
    };
    again();
    shop.publish("hello", ECHO, |it| it["policy"]["no_dumps"] = json!(false));
    home.ok(&["lock", "--stop"]);
    let refusal = home.refused(&["call", "greeter.hello", "name=Ada"]);
    assert_eq!(refusal.code, "mount_changed", "{}", refusal.message);
    home.json(&["mount", "refresh", "greeter", "--yes"]);
    assert_eq!(call(home, &["greeter.hello", "name=Ada"])["status"], 200);
    // And so is another component under the same name.
    let other = ECHO.replace("(memory (export \"memory\") 2)", "(memory (export \"memory\") 3)");
    again();
    shop.publish("hello", &other, |_| ());
    home.ok(&["lock", "--stop"]);
    let refusal = home.refused(&["call", "greeter.hello", "name=Ada"]);
    assert_eq!(refusal.code, "mount_changed", "{}", refusal.message);
}

#[test]
fn what_it_calls_goes_through_the_gates_again_and_a_revoked_one_does_not_run() {
    let (shop, upstream, credential) = with_clerk();
    let home = &shop.home;
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
    // Its owner hears all of it, and what to do.
    let told = on_stderr(home, "desk");
    assert!(told.contains("revoked") && told.contains("next: do not run it"), "{told}");
    // Mounted now it says why it cannot be.
    let again = home.refused(&[&add[..], &["--mark", "clerk=read"]].concat());
    assert!(again.message.contains("revoked"), "{}: {}", again.code, again.message);
}

#[test]
fn what_is_too_deep_or_too_long_in_one_call_ends_nothing_for_others() {
    let shop = Shop::new();
    let home = &shop.home;
    shop.publish("deep", &deep(), |_| ());
    let open = json!({ "inputSchema": { "type": "object", "additionalProperties": true } });
    std::fs::write(home.beside("deep.tool.json"), open.to_string()).expect("a file");
    home.json(&["mount", "add", "well", "--capsule", "deep.wasm"]);
    home.grant("claude", "well.*");
    let mut agent = home.mcp("claude", Revision::Session);
    let given = |list: &str| format!("{{\"arguments\":{{\"list\":[{list}]}}}}");
    let came = agent.call("well.deep", serde_json::from_str(&given("1")).expect("JSON"));
    assert_eq!(came["isError"], false, "{came}");
    let text = came["content"][0]["text"].as_str().expect("text");
    assert!(text.starts_with("{\"a\":[[[[") && text.len() > 220, "{text}");
    // A number of four characters is one of eighteen when it is bound: 5 MiB, of which the program reads 4.
    let list = vec!["1e15"; 300_000].join(",");
    let params = format!("{{\"name\":\"well.deep\",\"arguments\":{}}}", given(&list));
    let line = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":7000,\"method\":\"tools/call\",\"params\":{params}}}"
    );
    agent.send_line(&line);
    let refused = agent.reply(7000);
    let structured = &refused["result"]["structuredContent"];
    assert_eq!(structured["code"], "mount_call_too_large", "{structured}");
    assert!(structured["next"].as_str().is_some_and(|it| it.contains("shorter")), "{structured}");
    let after = agent.call("well.deep", serde_json::from_str(&given("1")).expect("JSON"));
    assert_eq!(after["isError"], false, "{after}");
    assert_eq!(home.json(&["mount", "show", "well"])["starts"], 1, "its program went on");
}

#[test]
fn a_run_whose_receipt_would_have_no_place_is_not_begun() {
    let (shop, upstream, _) = with_clerk();
    let home = &shop.home;
    let add = ["mount", "add", "desk", "--capsule", "clerk.wasm", "--receipts", "all/runs"];
    home.json(&[&add[..], &["--mark", "clerk=read"]].concat());
    home.grant("cli", "desk.read");
    home.grant("capsule_acme_clerk", "upstream.notes.read");
    let folder = home.beside("all/runs");
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    assert_eq!(std::fs::metadata(&folder).expect("a folder").mode() & 0o777, 0o700);
    assert_eq!(call(home, &["desk.clerk"])["body"]["isError"], false);
    assert_eq!((upstream.authorized(), std::fs::read_dir(&folder).unwrap().count()), (1, 1));
    std::fs::set_permissions(&folder, mode(0o777)).expect("its rights");
    let refused = call(home, &["desk.clerk"]).to_string();
    assert!(refused.contains("it was not run: receipts_rights"), "{refused}");
    let told = on_stderr(home, "desk");
    assert!(told.contains("next: chmod go-w") && told.contains("all/runs"), "{told}");
    std::fs::remove_dir_all(&folder).expect("a folder");
    let refused = call(home, &["desk.clerk"]).to_string();
    assert!(refused.contains("it was not run: file"), "{refused}");
    assert_eq!(upstream.authorized(), 1, "it was called without a receipt");
}

#[test]
fn a_run_that_was_made_and_whose_receipt_cannot_be_left_is_not_called_not_run() {
    let (shop, upstream, _) = with_clerk();
    let home = &shop.home;
    let add = ["mount", "add", "desk", "--capsule", "clerk.wasm", "--receipts", "runs"];
    home.json(&[&add[..], &["--mark", "clerk=read"]].concat());
    home.grant("cli", "desk.read");
    let grant = ["grant", "capsule_acme_clerk", "upstream.notes.read", "--for", "1h"];
    home.json(&[&grant[..], &["--ask", "always"]].concat());
    let waits = begin_call(home, "desk.clerk");
    let number = home.question()["number"].to_string();
    // Its place was there when it began.
    std::fs::remove_dir_all(home.beside("runs")).expect("a folder");
    home.ok(&["approvals", "approve", &number]);
    let came = said_by(waits);
    assert!(came.contains("it ran; its receipt could not be left: file"), "{came}");
    assert_eq!(upstream.authorized(), 1);
}

#[test]
fn a_run_that_waits_for_an_approval_ends_with_its_time_and_nobody_is_asked_any_more() {
    let (shop, upstream, _) = with_clerk();
    let home = &shop.home;
    for kind in ["manifest", "capsule", "certificate"] {
        std::fs::remove_file(home.beside(&format!("clerk.{kind}.json"))).expect("a file");
    }
    publish_clerk(&shop, 3_000);
    home.json(&["mount", "add", "desk", "--capsule", "clerk.wasm", "--mark", "clerk=read"]);
    home.grant("cli", "desk.read");
    let grant = ["grant", "capsule_acme_clerk", "upstream.notes.read", "--for", "1h"];
    home.json(&[&grant[..], &["--ask", "always"]].concat());
    let began = Instant::now();
    let waits = begin_call(home, "desk.clerk");
    home.question();
    let came = said_by(waits);
    assert!(came.contains("time was over"), "{came}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let pending = || home.json(&["approvals"])["pending"].as_array().expect("a list").len();
    let until = Instant::now() + Duration::from_secs(10);
    while pending() != 0 {
        assert!(Instant::now() < until, "it is asked still");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(upstream.authorized(), 0);
}
