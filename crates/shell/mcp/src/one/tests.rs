//! One tool over a socket: what its calls come to, and which of them run.

use std::os::unix::net::UnixStream as Socket;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::*;

fn tool(runs_at_once: usize) -> OneTool {
    OneTool {
        name: "one".into(),
        description: "Runs.".into(),
        input_schema: Map::from_iter([("type".to_owned(), json!("object"))]),
        read_only: None,
        destructive: None,
        runs_at_once,
    }
}

/// The other side of a tool that is served.
struct Caller(BufReader<UnixStream>);

impl Caller {
    async fn of<F, R>(tool: OneTool, run: F) -> Self
    where
        F: Fn(Map<String, Value>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<String, String>> + Send + 'static,
    {
        let (ours, theirs) = Socket::pair().unwrap();
        let (read, write) = (theirs.try_clone().unwrap().into(), theirs.into());
        tokio::spawn(serve_one(tool, run, read, write));
        ours.set_nonblocking(true).unwrap();
        let mut caller = Self(BufReader::new(UnixStream::from_std(ours).unwrap()));
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "t", "version": "0" } });
        caller
            .send(json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }))
            .await;
        assert_eq!(caller.next().await["id"], 0);
        caller.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        caller
    }

    async fn send(&mut self, message: Value) {
        self.0.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn start(&mut self, id: u64) {
        let params = json!({ "name": "one", "arguments": { "id": id } });
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }))
            .await;
    }

    async fn next(&mut self) -> Value {
        let mut line = String::new();
        timeout(Duration::from_secs(20), self.0.read_line(&mut line)).await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// What a text is to its caller.
fn said(text: String) -> Value {
    json!(answer(Ok(text)))
}

#[test]
fn an_answer_is_never_longer_than_a_broker_reads() {
    let object = |bytes: usize| json!({ "text": "x".repeat(bytes) }).to_string();
    let small = said(object(10));
    assert_eq!(small["structuredContent"]["text"], "xxxxxxxxxx");
    // Twice it would be too long: once it is not.
    let large = said(object(5 << 20));
    assert_eq!((&large["structuredContent"], &large["isError"]), (&Value::Null, &json!(false)));
    assert_eq!(large["content"][0]["text"].as_str().unwrap().len(), object(5 << 20).len());
    // Short by itself, and sixfold on its way.
    for text in [object(9 << 20), "x".repeat(9 << 20), "\u{1}".repeat(2 << 20)] {
        let refused = said(text);
        assert_eq!(refused["isError"], true);
        let why = refused["content"][0]["text"].as_str().unwrap();
        assert!(why.contains("the output is too long") && why.contains("at most 8384512"), "{why}");
    }
    let failed = json!(answer(Err("y".repeat(9 << 20)))).to_string();
    assert!(failed.len() < 1000 && failed.contains("too long"), "{}", failed.len());
}

#[test]
fn what_a_broker_would_not_read_as_structure_is_text() {
    let nested = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(said(nested(DEPTH_MAX - 1))["structuredContent"].is_object());
    for text in [nested(DEPTH_MAX), nested(100), r#"{"a":1,"a":2}"#.into()] {
        let came = said(text.clone());
        assert_eq!((&came["structuredContent"], &came["isError"]), (&Value::Null, &json!(false)));
        assert_eq!(came["content"][0]["text"], *text);
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_while_it_waits_is_not_run_and_one_that_runs_is() {
    let (gate, runs) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let run = {
        let (gate, runs) = (gate.clone(), runs.clone());
        move |arguments: Map<String, Value>| {
            let (gate, runs) = (gate.clone(), runs.clone());
            async move {
                runs.fetch_add(1, SeqCst);
                gate.acquire().await.unwrap().forget();
                Ok(arguments["id"].to_string())
            }
        }
    };
    let mut caller = Caller::of(tool(1), run).await;
    let cancel = |id: u64| {
        let params = json!({ "requestId": id, "reason": "nobody waits" });
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params })
    };
    for id in 1..=3 {
        caller.start(id).await;
    }
    // The first has the seat, and the second waits for it.
    while runs.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    caller.send(cancel(1)).await;
    caller.send(cancel(2)).await;
    // What comes after is read after.
    caller.send(json!({ "jsonrpc": "2.0", "id": 9, "method": "ping" })).await;
    while caller.next().await["id"] != 9 {}
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.add_permits(3);
    loop {
        let came = caller.next().await;
        if came["id"] == 3 {
            assert_eq!(came["result"]["content"][0]["text"], "3", "{came}");
            break;
        }
    }
    assert_eq!(runs.load(SeqCst), 2, "the first and the third");
    assert_eq!(gate.available_permits(), 1, "the first ran to its end");
}

#[tokio::test]
async fn calls_that_wait_are_bounded() {
    let gate = Arc::new(Semaphore::new(0));
    let run = {
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                Ok("done".to_owned())
            }
        }
    };
    let mut caller = Caller::of(tool(2), run).await;
    let all = CALLS_WAITING_MAX as u64 + 3;
    for id in 1..=all {
        caller.start(id).await;
    }
    let refused = caller.next().await;
    assert_eq!(refused["result"]["isError"], true, "{refused}");
    assert!(refused.to_string().contains("64 calls wait already"), "{refused}");
    gate.add_permits(all as usize);
    for _ in 1..all {
        assert_eq!(caller.next().await["result"]["content"][0]["text"], "done");
    }
}
