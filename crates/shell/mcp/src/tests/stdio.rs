use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::client::{Client, NEW, OLD, is_fixture};
use crate::{Limits, double::Double, serve_descriptors};

fn double() -> Double {
    let double = Double::default();
    double.grant("claude", "echo.args");
    double.grant("claude", "slow.");
    double
}

#[tokio::test]
async fn both_revisions_list_and_call() {
    for revision in [OLD, NEW] {
        let mut client = Client::open(&double(), "claude", revision).await;
        let listed = client.ask("tools/list", json!({})).await;
        let mut tools = listed["result"]["tools"].as_array().unwrap().clone();
        tools.retain(|tool| !is_fixture(tool["name"].as_str().unwrap()));
        let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "symbolon.search_tools",
                "symbolon.describe_tool",
                "symbolon.call_tool",
                "capability.request",
                "capability.redeem",
                "echo.args",
                "slow.wait"
            ]
        );
        let by_name = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap();
        assert_eq!(by_name("echo.args")["annotations"]["readOnlyHint"], true);
        assert_eq!(by_name("slow.wait")["annotations"]["readOnlyHint"], false);
        for tool in &tools {
            assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
            assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
        }
        let answer = client.call("echo.args", json!({ "a": 1 })).await;
        let result = &answer["result"];
        assert_eq!(result["structuredContent"]["body"], json!({ "a": 1 }), "{answer}");
        assert_eq!(result["structuredContent"]["receipt"], 1);
        assert_eq!(result["content"][0]["text"], r#"{"a":1}"#);
        assert_eq!(result["isError"], false);
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_tool_that_is_not_granted_answers_with_the_command_that_grants_it() {
    let mut client = Client::open(&double(), "claude", NEW).await;
    let answer = client.call("echo.noop", json!({})).await;
    let result = &answer["result"];
    assert_eq!(result["isError"], true, "{answer}");
    assert_eq!(result["structuredContent"]["code"], "no_grant");
    let next = "symbolon grant claude echo.read --for 15m";
    assert_eq!(result["structuredContent"]["next"], next);
    assert!(result["content"][0]["text"].as_str().unwrap().contains(next));
}

#[tokio::test]
async fn the_five_own_tools_work() {
    for revision in [OLD, NEW] {
        let mut client = Client::open(&double(), "claude", revision).await;
        let found = client.call("symbolon.search_tools", json!({ "query": "echo" })).await;
        let tools = found["result"]["structuredContent"]["tools"].as_array().unwrap();
        assert_eq!(tools.len(), 3, "{found}");
        let granted: Vec<bool> = tools.iter().map(|t| t["granted"].as_bool().unwrap()).collect();
        assert_eq!(granted, [true, false, false]);

        let told = client.call("symbolon.describe_tool", json!({ "tool": "echo.args" })).await;
        assert!(told["result"]["structuredContent"]["input_schema"].is_object(), "{told}");

        let wanted = json!({ "tool": "echo.args", "arguments": { "b": 2 } });
        let called = client.call("symbolon.call_tool", wanted.clone()).await;
        assert_eq!(called["result"]["structuredContent"]["body"], json!({ "b": 2 }));

        let token = client.call("capability.request", wanted).await;
        let token = token["result"]["structuredContent"]["token"].clone();
        let used = client.call("capability.redeem", json!({ "token": token })).await;
        assert_eq!(used["result"]["structuredContent"]["body"], json!({ "b": 2 }), "{used}");
        let again = client.call("capability.redeem", json!({ "token": token })).await;
        assert_eq!(again["result"]["structuredContent"]["code"], "bad_token", "{again}");
    }
}

#[tokio::test]
async fn a_token_is_worth_nothing_in_another_session() {
    let double = double();
    let mut first = Client::open(&double, "claude", OLD).await;
    let mut second = Client::open(&double, "claude", OLD).await;
    let token = first.call("capability.request", json!({ "tool": "echo.args" })).await;
    let token = token["result"]["structuredContent"]["token"].clone();
    let stolen = second.call("capability.redeem", json!({ "token": token })).await;
    assert_eq!(stolen["result"]["structuredContent"]["code"], "bad_token", "{stolen}");
}

#[tokio::test]
async fn bad_requests_have_their_codes_and_the_session_goes_on() {
    for revision in [OLD, NEW] {
        let mut client = Client::open(&double(), "claude", revision).await;
        for (method, params, code) in [
            ("tools/call", json!({ "name": "no.such" }), -32602),
            ("tools/call", json!({ "arguments": {} }), -32602),
            ("tools/call", json!({ "name": "echo.args", "arguments": [1] }), -32602),
            ("tools/call", json!({ "name": 7 }), -32602),
            ("tools/list", json!({ "cursor": "x" }), -32602),
            ("no/such", json!({}), -32601),
        ] {
            let answer = client.ask(method, params.clone()).await;
            assert_eq!(answer["error"]["code"], code, "{revision} {method} {params}: {answer}");
        }
        client.line("{nope").await;
        assert_eq!(client.next().await["error"]["code"], -32700);
        let answer = client.call("symbolon.search_tools", json!({ "nope": 1 })).await;
        assert_eq!(answer["result"]["structuredContent"]["code"], "invalid_arguments", "{answer}");
        assert_eq!(client.call("echo.args", json!({})).await["result"]["isError"], false);
    }
}

#[tokio::test]
async fn rubbish_before_the_first_request_does_not_end_the_session() {
    let mut client = Client::raw(&double(), "claude", NEW);
    client.line("{nope").await;
    assert_eq!(client.next().await["error"]["code"], -32700);
    client.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    client.send(json!({ "jsonrpc": "2.0", "id": 4, "result": {} })).await;
    assert_eq!(client.tools().await.len(), 7);
}

#[tokio::test]
async fn a_client_of_another_revision_is_answered_with_one_that_is_served() {
    let mut client = Client::raw(&double(), "claude", OLD);
    let params = json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
    let answer = client.ask("initialize", params).await;
    assert_eq!(answer["result"]["protocolVersion"], OLD, "{answer}");
    assert_eq!(answer["result"]["serverInfo"]["name"], "symbolon");
}

#[tokio::test]
async fn an_agent_that_the_broker_does_not_seat_gets_no_session() {
    let client = Client::raw(&Double::default(), "nobody", OLD);
    let ended = client.session.await.unwrap().unwrap_err();
    assert!(matches!(ended, crate::ServeError::Session(error) if error.code == "no_agent"));
}

#[tokio::test]
async fn changed_grants_are_announced_to_the_agent_whose_they_are() {
    let double = double();
    let mut client = Client::open(&double, "claude", OLD).await;
    client.tools().await;
    double.grant("cursor", "echo.");
    assert!(client.is_quiet().await, "another agent's grants are no news");
    double.grant("claude", "echo.noop");
    assert_eq!(client.next().await["method"], "notifications/tools/list_changed");
    assert!(client.tools().await.contains(&"echo.noop".to_owned()));
    double.revoke("claude");
    assert_eq!(client.next().await["method"], "notifications/tools/list_changed");
    assert_eq!(client.tools().await.len(), 5);
}

#[tokio::test]
async fn changed_grants_are_announced_to_subscribers() {
    let double = double();
    let mut client = Client::open(&double, "claude", NEW).await;
    let wanted = json!({ "notifications": { "toolsListChanged": true } });
    client.start("subscriptions/listen", wanted).await;
    let told = client.next().await;
    assert_eq!(told["method"], "notifications/subscriptions/acknowledged", "{told}");
    double.grant("claude", "echo.noop");
    assert_eq!(client.next().await["method"], "notifications/tools/list_changed");
}

#[tokio::test]
async fn a_cancelled_call_is_not_answered_and_still_gets_its_receipt() {
    let double = double();
    let mut client = Client::open(&double, "claude", OLD).await;
    let id = client.start("tools/call", json!({ "name": "slow.wait", "arguments": {} })).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let params = json!({ "requestId": id });
    client
        .send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }))
        .await;
    assert!(client.is_quiet().await);
    double.open_gate();
    for _ in 0..100 {
        if double.receipts() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(double.receipts(), 1, "the call was dropped half way");
    assert_eq!(client.call("echo.args", json!({})).await["result"]["isError"], false);
}

#[tokio::test]
async fn a_slow_call_does_not_hold_up_others() {
    let double = double();
    let mut client = Client::open(&double, "claude", NEW).await;
    let slow = client.start("tools/call", json!({ "name": "slow.wait", "arguments": {} })).await;
    let fast = client.start("tools/call", json!({ "name": "echo.args", "arguments": {} })).await;
    assert_eq!(client.next().await["id"], fast);
    double.open_gate();
    assert_eq!(client.next().await["id"], slow);
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_session() {
    let double = double();
    Client::open(&double, "claude", OLD).await.close().await.unwrap();
    Client::raw(&double, "claude", OLD).close().await.unwrap();
}

#[tokio::test]
async fn descriptors_of_each_kind() {
    use std::{
        io::{BufRead, BufReader, Read, Seek, Write},
        os::fd::OwnedFd,
    };
    let line = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let ask = |mut to: Box<dyn Write + Send>, from: Box<dyn Read + Send>| {
        tokio::task::spawn_blocking(move || {
            writeln!(to, "{line}").unwrap();
            let mut answer = String::new();
            BufReader::new(from).read_line(&mut answer).unwrap();
            drop(to);
            answer
        })
    };
    // Pipes: the side that passed them keeps its blocking flag.
    let (their_read, our_write) = std::io::pipe().unwrap();
    let (our_read, their_write) = std::io::pipe().unwrap();
    let kept = our_read.try_clone().unwrap();
    let (read, write) = (OwnedFd::from(our_read), OwnedFd::from(our_write));
    let served = tokio::spawn(serve_descriptors(Double::default(), "claude", read, write));
    let answer = ask(Box::new(their_write), Box::new(their_read)).await.unwrap();
    assert!(answer.contains("\"result\":{}"), "{answer}");
    served.await.unwrap().unwrap();
    let blocks = tokio::task::spawn_blocking(move || {
        let mut kept = kept;
        kept.read(&mut [0; 1]).map_err(|cause| cause.kind())
    });
    assert_eq!(blocks.await.unwrap(), Ok(0), "a shared O_NONBLOCK would say WouldBlock");

    // Sockets.
    let (theirs, ours) = std::os::unix::net::UnixStream::pair().unwrap();
    let (read, write) = (OwnedFd::from(ours.try_clone().unwrap()), OwnedFd::from(ours));
    let served = tokio::spawn(serve_descriptors(Double::default(), "claude", read, write));
    let closing = theirs.try_clone().unwrap();
    let answer = ask(Box::new(theirs.try_clone().unwrap()), Box::new(theirs)).await.unwrap();
    assert!(answer.contains("\"result\":{}"), "{answer}");
    closing.shutdown(std::net::Shutdown::Both).unwrap();
    served.await.unwrap().unwrap();

    // Files.
    let mut input = tempfile::tempfile().unwrap();
    writeln!(input, "{line}").unwrap();
    input.rewind().unwrap();
    let mut output = tempfile::tempfile().unwrap();
    let (read, write) = (OwnedFd::from(input), OwnedFd::from(output.try_clone().unwrap()));
    serve_descriptors(Double::default(), "claude", read, write).await.unwrap();
    let mut answer = String::new();
    output.rewind().unwrap();
    output.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"result\":{}"), "{answer}");
}

/// A client that asks for much and reads nothing: every call leaves a receipt, and no heap of answers stands.
#[tokio::test]
async fn answers_that_nobody_reads_are_bounded() {
    let double = double();
    let wait = Duration::from_millis(50);
    let limits = Limits { answers_bytes_max: 256 * 1024, answers_wait: wait, ..Limits::default() };
    let mut client = Client::bounded(&double, "claude", NEW, limits);
    let text = "x".repeat(100 * 1024);
    for _ in 0..30 {
        let call = json!({ "name": "echo.args", "arguments": { "text": text } });
        let taken = timeout(Duration::from_secs(5), client.start("tools/call", call)).await;
        assert!(taken.is_ok(), "answers heap up until nothing more is read");
    }
    for _ in 0..1000 {
        if double.receipts() == 30 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(3 * wait).await;
    let (mut whole, mut dropped) = (0, 0);
    for _ in 0..30 {
        let answer = client.next().await;
        let result = &answer["result"]["structuredContent"];
        if result["code"] == "answer_dropped" {
            assert!(result["receipt"].is_u64(), "{result}");
            dropped += 1;
        } else {
            assert_eq!(result["body"]["text"], text);
            whole += 1;
        }
    }
    assert!(whole > 0 && dropped > 0, "{whole} whole, {dropped} dropped");
    let answer = client.call("echo.args", json!({ "text": text })).await;
    assert_eq!(answer["result"]["structuredContent"]["body"]["text"], text, "room came back");
    client.close().await.unwrap();
}
