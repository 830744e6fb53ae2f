//! Grants that agents hand on, and what is left of them on every door once the first is taken back.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::http::Request;
use symbolon_tests::mcp::Revision;
use symbolon_tests::served::{Program, Served};
use symbolon_tests::service::Service;

#[test]
fn an_agent_hands_on_a_part_of_what_it_has() {
    let at = Served::start();
    let root = at.grant(&[
        "claude",
        "httpbin.inspect.*",
        "--for",
        "1h",
        "--delegable",
        "--depth",
        "2",
        "--budget",
        "5 calls/hour",
        "--ask",
        "never",
    ]);
    let key = at.key("claude");
    let mut client = at.home.mcp("claude", Revision::Session);
    assert!(client.tools().iter().any(|tool| tool["name"] == "symbolon.delegate"));
    let made = client.call(
        "symbolon.delegate",
        json!({ "to": "tests", "scopes": ["httpbin.inspect.read"], "for": "15m",
                "limits": ["code<=299"], "depth": 1 }),
    );
    assert!(!made["isError"].as_bool().unwrap_or(false), "{made}");
    let made = &made["structuredContent"];
    assert_eq!(made["agent"], "claude.tests");
    let sub = made["key"].as_str().expect("a key").to_owned();

    // What it was given, and nothing more; over each of its levels the same budget.
    let call = json!({ "tool": "httpbin.status", "arguments": { "code": 200 } });
    at.post(&sub, "/api/call", &call).expect(200);
    let call = json!({ "tool": "httpbin.status", "arguments": { "code": 500 } });
    assert_eq!(at.post(&sub, "/api/call", &call).expect(403).json()["code"], "limit");
    let call = json!({ "tool": "httpbin.post", "arguments": { "word": "x" } });
    assert_eq!(at.post(&sub, "/api/call", &call).expect(403).json()["code"], "no_grant");
    let below = at.delegate(&sub, &json!({ "to": "deep", "scopes": ["httpbin.inspect.read"] }));
    assert_eq!(below["agent"], "claude.tests.deep");
    let deep = below["key"].as_str().expect("a key");
    assert!(below["grant"]["inherited"].to_string().contains("code<=299"), "{below}");
    for who in [&*sub, deep, &*key] {
        let call = json!({ "tool": "httpbin.status", "arguments": { "code": 204 } });
        at.post(who, "/api/call", &call).expect(200);
    }
    at.call(&key, "httpbin.get").expect(200);
    let spent = at.post(
        deep,
        "/api/call",
        &json!({ "tool": "httpbin.status", "arguments": { "code": 204 } }),
    );
    assert_eq!(spent.json()["code"], "budget", "five calls of all of them");

    // The receipt names every grant that the call stands on, and verifies.
    let row = at
        .home
        .receipts()
        .into_iter()
        .find(|row| row["agent"] == "claude.tests.deep" && row["outcome"] == "allowed");
    let number = row.expect("a receipt")["number"].as_u64().unwrap();
    let file = at.home.export_receipt(number);
    let (file, operator) = (file.to_str().unwrap().to_owned(), at.home.operator_key());
    let verified = at.home.json(&["verify", &file, "--key", operator.to_str().unwrap()]);
    let lineage = json!([root, root + 1, root + 2]);
    assert!(verified.to_string().contains(&format!("\"lineage\":{lineage}")), "{verified}");

    // A tree for people; one grant in whole.
    let listed = at.home.ok(&["grants"]).stdout();
    assert!(listed.contains(&format!("\n    {}  claude.tests.deep", root + 2)), "{listed}");
    let shown = at.home.ok(&["grants", "show", &(root + 2).to_string()]).stdout();
    assert!(shown.contains("by the agent of grant") && shown.contains("code<=299"), "{shown}");
}

#[test]
fn more_than_there_is_is_refused_and_named() {
    let at = Served::start();
    let root = at.grant(&[
        "claude",
        "httpbin.inspect.read",
        "--for",
        "1h",
        "--delegable",
        "--limit",
        "code in 200,204",
        "--budget",
        "5 calls/hour",
        "--cooldown",
        "1s",
        "--hours",
        "00:00-24:00",
        "--ask",
        "write",
    ]);
    let key = at.key("claude");
    let base = json!({ "to": "tests", "scopes": ["httpbin.inspect.read"] });
    let with = |name: &str, value: Value| {
        let mut body = base.clone();
        body[name] = value;
        body
    };
    for (body, named) in [
        (with("scopes", json!(["httpbin.inspect.*"])), "the scope httpbin.inspect.write"),
        (with("limits", json!(["code=500"])), "the limit code=500"),
        (with("budgets", json!(["6 calls/hour"])), "the budget 6 calls/hour"),
        (with("ask", json!(["never"])), "to ask never"),
        (with("depth", json!(1)), "a depth of 1"),
    ] {
        let refusal = at.refuses(&key, &body);
        assert_eq!(refusal["code"], "delegation_exceeds", "{refusal}");
        let message = refusal["message"].as_str().unwrap();
        assert!(message.contains(named), "{named}: {message}");
        assert!(message.contains(&format!("grant {root}")), "{message}");
    }
    // The owner is told the same, and may not reach beyond it either.
    let refusal =
        at.home.refused(&["grant", "tester", "httpbin.auth.read", "--under", &root.to_string()]);
    assert_eq!(refusal.code, "delegation_exceeds");
    assert!(refusal.message.contains("the scope httpbin.auth.read"), "{}", refusal.message);
    // It never lasts longer, whatever is asked for.
    let long = at.delegate(&key, &with("for", json!("30d")));
    let own = at.home.json(&["grants"]);
    let parent = own.as_array().unwrap().iter().find(|it| it["id"] == root).unwrap();
    assert_eq!(long["grant"]["expires"], parent["expires"]);

    // Nobody is taken over: not the owner's agents, nor their names.
    at.key("claude.ci");
    assert_eq!(at.refuses(&key, &with("to", json!("ci")))["code"], "agent_taken");
    at.grant(&["claude.ops", "httpbin.auth.read", "--for", "1h"]);
    assert_eq!(at.refuses(&key, &with("to", json!("ops")))["code"], "agent_taken");
    assert_eq!(at.refuses(&key, &with("to", json!("a.b")))["code"], "agent_name");
    // What was handed on goes no further, and what is not delegable goes nowhere.
    let sub = long["key"].as_str().expect("a key");
    assert_eq!(at.refuses(sub, &base)["code"], "not_delegable");
    let plain = at.grant(&["plain", "httpbin.inspect.read", "--for", "1h"]);
    assert_eq!(at.refuses(&at.key("plain"), &base)["code"], "not_delegable");
    let mut client = at.home.mcp("plain", Revision::Stateless);
    assert!(client.tools().iter().all(|tool| tool["name"] != "symbolon.delegate"));
    // The owner makes one under it all the same; it ends with it.
    let under = at.grant(&["helper", "httpbin.inspect.read", "--under", &plain.to_string()]);
    let helper = at.key("helper");
    at.call(&helper, "httpbin.get").expect(200);
    let revoked = at.home.json(&["revoke", &plain.to_string()]);
    assert_eq!(revoked["fell"], json!([under]));
    at.call(&helper, "httpbin.get").expect(403);
}

/// What every door says to one agent now: the door, and whether a call goes through.
fn doors(
    at: &Served,
    key: &str,
    tokens: &[String],
    program: &mut Program,
) -> Vec<(&'static str, bool, String)> {
    let mut found = Vec::new();
    let mut saw = |door, ok: bool, said: String| found.push((door, ok, said));
    let called = at.call(key, "httpbin.get");
    saw("JSON API", called.status == 200, called.text());
    let call = json!({ "name": "httpbin.get", "arguments": {} });
    let called = at.mcp("tools/call", &call, key);
    saw(
        "MCP over HTTP",
        called.status == 200
            && called.text().contains("\"receipt\"")
            && !called.text().contains("\"isError\":true"),
        called.text(),
    );
    let called = Request::get(at.port, "/to/httpbin/get").bearer(key).answer();
    saw("gateway", called.status == 200, called.text());
    let redeemed = at.post(key, "/api/capability/redeem", &json!({ "token": tokens[0] }));
    saw("token", redeemed.status == 200, redeemed.text());
    let ran = at.home.run(&["call", "httpbin.get", "--agent", "claude.tests"]);
    saw("command", ran.is_success(), ran.all());
    let status = program.get("/get");
    saw("program", status == 200, status.to_string());
    found
}

#[test]
fn a_revocation_of_the_root_is_felt_at_once_on_every_door() {
    let at = Served::start();
    let root =
        at.grant(&["claude", "httpbin.*", "--for", "1h", "--delegable", "--ask", "destructive"]);
    let key = at.key("claude");
    let made = at.delegate(&key, &json!({ "to": "tests", "scopes": ["httpbin.*"] }));
    let sub = made["key"].as_str().expect("a key").to_owned();
    let other = at.grant(&["bystander", "httpbin.inspect.read", "--for", "1h"]);
    let bystander = at.key("bystander");

    let token = || {
        let wanted = json!({ "tool": "httpbin.get" });
        let made = at.post(&sub, "/api/capability/request", &wanted).expect(200).json();
        made["token"].as_str().expect("a token").to_owned()
    };
    let mut client = at.home.mcp("claude.tests", Revision::Session);
    let mut program = Program::start(&at, "claude.tests");
    for (door, ok, said) in doors(&at, &sub, &[token()], &mut program) {
        assert!(ok, "{door}: {said}");
    }
    let called = client.call("httpbin.get", json!({}));
    assert_eq!(called["structuredContent"]["status"], 200, "{called}");

    // One answer that is still coming, through the proxy; one call that waits for its owner.
    let line = format!(
        "curl -sS -N -H \"Authorization: Bearer $SYMREF_HTTPBIN\" '{}/drip?duration=60&numbytes=60'; echo ended $?",
        at.httpbin.tls.base_url()
    );
    let mut command = at.home.command(&["run", "--agent", "claude.tests", "--", "sh", "-c", &line]);
    let mut stream = Service::start("stream", command.stdin(Stdio::null()));
    stream.wait_for("first bytes", |said| said.contains('*').then_some(()));
    let id = client.send("tools/call", json!({ "name": "httpbin.delete", "arguments": {} }));
    let question = at.home.question()["number"].clone();
    let waiting = token();

    let said = at.home.ok(&["revoke", &root.to_string()]).all();
    assert!(said.contains("1 grant under it falls with it"), "{said}");
    let revoked = Instant::now();

    for (door, ok, said) in doors(&at, &sub, &[waiting], &mut program) {
        assert!(!ok, "{door}: {said}");
    }
    let ended = client.reply(id);
    assert!(ended.to_string().contains("approval_ended"), "{ended}");
    let refused = client.call("httpbin.get", json!({}));
    assert_eq!(refused["isError"], true, "{refused}");
    let shown = at.home.json(&["approvals", "show", &question.to_string()]);
    assert_eq!(shown["state"], "ended", "{shown}");
    stream.wait_for("its end", |said| said.contains("ended ").then_some(()));
    assert!(
        !stream.said().contains("ended 0"),
        "the program takes it for whole: {}",
        stream.said()
    );
    assert!(revoked.elapsed() < Duration::from_secs(45), "the stream ran on");
    let broken = at.home.receipts().into_iter().find(|row| row["tool"] == "httpbin.drip");
    assert_eq!(broken.expect("a receipt")["outcome"], "failed");

    // Nobody else is touched; a key that was made by delegation ends with what it was for.
    at.call(&bystander, "httpbin.get").expect(200);
    at.call(&sub, "httpbin.get").expect(401);
    at.call(&key, "httpbin.get").expect(403);
    at.home.ok(&["revoke", &other.to_string()]);
    at.call(&bystander, "httpbin.get").expect(403);
}

#[test]
fn what_ends_by_itself_ends_with_all_that_is_under_it() {
    let at = Served::start();
    let root = at.grant(&["claude", "httpbin.inspect.read", "--for", "6s", "--delegable"]);
    let key = at.key("claude");
    let made = at
        .delegate(&key, &json!({ "to": "tests", "scopes": ["httpbin.inspect.read"], "for": "1h" }));
    let sub = made["key"].as_str().expect("a key").to_owned();
    at.call(&sub, "httpbin.get").expect(200);
    let line = format!(
        "curl -sS -N -H \"Authorization: Bearer $SYMREF_HTTPBIN\" '{}/drip?duration=60&numbytes=60'; echo ended $?",
        at.httpbin.tls.base_url()
    );
    let mut command = at.home.command(&["run", "--agent", "claude.tests", "--", "sh", "-c", &line]);
    let mut stream = Service::start("stream", command.stdin(Stdio::null()));
    stream.wait_for("its end", |said| said.contains("ended ").then_some(()));
    assert!(!stream.said().contains("ended 0"), "{}", stream.said());
    at.call(&sub, "httpbin.get").expect(401);
    let all = at.home.json(&["grants"]);
    for id in [root, root + 1] {
        let one = all.as_array().unwrap().iter().find(|it| it["id"] == id).expect("it is kept");
        assert_eq!(one["state"], "expired");
    }
}
