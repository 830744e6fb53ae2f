use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::client::{NEW, OLD};
use crate::{HttpBody, HttpDoor, HttpOptions, SessionLimits, double::Double, http_service};

const HOST: &str = "127.0.0.1:7070";

fn door_with(double: &Double, sessions: SessionLimits) -> HttpDoor<Double> {
    http_service(
        double.clone(),
        HttpOptions {
            hosts: vec![HOST.into()],
            origins: vec![format!("http://{HOST}")],
            body_bytes_max: 1 << 20,
            sessions,
            stop: CancellationToken::new(),
        },
    )
}

fn door() -> (Double, HttpDoor<Double>) {
    let double = Double::default();
    double.grant("claude", "echo.args");
    double.grant("cursor", "echo.args");
    let door = door_with(&double, SessionLimits::default());
    (double, door)
}

fn post(headers: &[(&str, &str)], body: impl Into<String>) -> Request<Bytes> {
    let mut request = Request::post("/mcp")
        .header("host", HOST)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from(body.into())).unwrap()
}

fn modern(method: &str, name: Option<&str>, mut params: Value) -> Request<Bytes> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEW,
        "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut headers = vec![("mcp-protocol-version", NEW), ("mcp-method", method)];
    headers.extend(name.map(|name| ("mcp-name", name)));
    post(&headers, body.to_string())
}

fn legacy(session: &str, method: &str, params: Value) -> Request<Bytes> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    post(&[("mcp-session-id", session), ("mcp-protocol-version", OLD)], body.to_string())
}

/// The JSON-RPC message of a whole answer, or the last one of a stream of events.
async fn message(response: Response<HttpBody>) -> Value {
    let body = response.into_body().collect();
    let body = tokio::time::timeout(Duration::from_secs(5), body).await.unwrap().unwrap();
    let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    let line = text.lines().rev().find_map(|line| line.strip_prefix("data:").map(str::trim));
    serde_json::from_str(line.unwrap_or(&text)).unwrap_or_else(|cause| panic!("{cause}: {text}"))
}

async fn open(door: &HttpDoor<Double>, agent: &str) -> String {
    let params = json!({ "protocolVersion": OLD, "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
    let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let response = door.handle(agent.into(), post(&[], body.to_string())).await;
    assert_eq!(response.status(), StatusCode::OK);
    let id = response.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    message(response).await;
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let headers = [("mcp-session-id", id.as_str()), ("mcp-protocol-version", OLD)];
    let response = door.handle(agent.into(), post(&headers, ready.to_string())).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    id
}

#[tokio::test]
async fn a_request_of_the_new_revision_needs_no_session() {
    let (_, door) = door();
    let params = json!({ "name": "echo.args", "arguments": { "a": 1 } });
    let response =
        door.handle("claude".into(), modern("tools/call", Some("echo.args"), params)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer = message(response).await;
    assert_eq!(answer["result"]["structuredContent"]["body"], json!({ "a": 1 }), "{answer}");
}

#[tokio::test]
async fn tokens_live_from_request_to_request_but_only_for_their_agent() {
    let (_, door) = door();
    let ask = async |agent: &str, tool: &str, arguments: Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        let answer = door.handle(agent.into(), modern("tools/call", Some(tool), params)).await;
        message(answer).await["result"]["structuredContent"].clone()
    };
    let token = ask("claude", "capability.request", json!({ "tool": "echo.args" })).await;
    let token = json!({ "token": token["token"] });
    let stolen = ask("cursor", "capability.redeem", token.clone()).await;
    assert_eq!(stolen["code"], "bad_token", "{stolen}");
    let used = ask("claude", "capability.redeem", token).await;
    assert_eq!(used["status"], 200, "{used}");
}

#[tokio::test]
async fn a_session_of_the_old_revision_is_its_agents_alone() {
    let (_, door) = door();
    let session = open(&door, "claude").await;
    let call = || legacy(&session, "tools/call", json!({ "name": "echo.args", "arguments": {} }));
    let own = door.handle("claude".into(), call()).await;
    assert_eq!(message(own).await["result"]["isError"], false);
    for method in ["POST", "GET", "DELETE"] {
        let mut request = call();
        *request.method_mut() = method.parse().unwrap();
        let other = door.handle("cursor".into(), request).await;
        assert_eq!(other.status(), StatusCode::NOT_FOUND, "{method}");
    }
    let unknown = legacy("nope", "tools/list", json!({}));
    assert_eq!(door.handle("claude".into(), unknown).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        message(door.handle("claude".into(), call()).await).await["result"]["isError"],
        false
    );
}

#[tokio::test]
async fn tokens_of_one_old_session_are_worth_nothing_in_another() {
    let (_, door) = door();
    let (first, second) = (open(&door, "claude").await, open(&door, "claude").await);
    let params = json!({ "name": "capability.request", "arguments": { "tool": "echo.args" } });
    let token =
        message(door.handle("claude".into(), legacy(&first, "tools/call", params)).await).await;
    let token = token["result"]["structuredContent"]["token"].clone();
    let redeem = || json!({ "name": "capability.redeem", "arguments": { "token": token } });
    let call = async |session: &str| {
        let answer = door.handle("claude".into(), legacy(session, "tools/call", redeem())).await;
        message(answer).await["result"]["structuredContent"].clone()
    };
    assert_eq!(call(&second).await["code"], "bad_token");
    assert_eq!(call(&first).await["status"], 200);
}

#[tokio::test]
async fn a_deleted_session_is_gone() {
    let (_, door) = door();
    let session = open(&door, "claude").await;
    let mut delete = legacy(&session, "x", json!({}));
    *delete.method_mut() = http::Method::DELETE;
    assert_eq!(door.handle("claude".into(), delete).await.status(), StatusCode::ACCEPTED);
    let after = door.handle("claude".into(), legacy(&session, "tools/list", json!({}))).await;
    assert_eq!(after.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sessions_are_capped_for_each_agent_and_for_all() {
    let double = Double::default();
    let limits = SessionLimits { per_agent_max: 2, total_max: 3, ..Default::default() };
    let door = door_with(&double, limits);
    let list = |session: &str| legacy(session, "tools/list", json!({}));
    let (first, second) = (open(&door, "claude").await, open(&door, "claude").await);
    // The first is used, so the second is the one that was used longest ago.
    assert_eq!(door.handle("claude".into(), list(&first)).await.status(), StatusCode::OK);
    let third = open(&door, "claude").await;
    for (session, wanted) in [(&first, 200), (&second, 404), (&third, 200)] {
        let status = door.handle("claude".into(), list(session)).await.status();
        assert_eq!(status.as_u16(), wanted);
    }
    open(&door, "cursor").await;
    let params = json!({ "protocolVersion": OLD, "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
    let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let refused = door.handle("cline".into(), post(&[], body.to_string())).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "30");
}

#[tokio::test]
async fn an_idle_session_is_closed() {
    let double = Double::default();
    let limits = SessionLimits { idle: Duration::from_millis(80), ..Default::default() };
    let door = door_with(&double, limits);
    let session = open(&door, "claude").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let after = door.handle("claude".into(), legacy(&session, "tools/list", json!({}))).await;
    assert_eq!(after.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn refusals_are_json_rpc() {
    let (_, door) = door();
    let mut cases = vec![
        (post(&[], "{nope"), 400, -32700),
        (post(&[], ""), 400, -32700),
        (post(&[], "[]"), 400, -32600),
        (post(&[], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"), 400, -32600),
    ];
    let mut request = post(&[], "{}");
    request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    cases.push((request, 415, -32600));
    let mut request = post(&[], "{}");
    request.headers_mut().insert("accept", "text/html".parse().unwrap());
    cases.push((request, 406, -32600));
    let mut request = post(&[], "{}");
    *request.method_mut() = http::Method::PUT;
    cases.push((request, 405, -32600));
    let mut request = post(&[], "{}");
    request.headers_mut().insert("host", "evil.example".parse().unwrap());
    cases.push((request, 403, -32600));
    cases.push((post(&[("origin", "http://evil.example")], "{}"), 403, -32600));
    for (request, status, code) in cases {
        let shown = format!("{request:?}");
        let response = door.handle("claude".into(), request).await;
        assert_eq!(response.status().as_u16(), status, "{shown}");
        assert_eq!(response.headers()["content-type"], "application/json", "{shown}");
        assert_eq!(message(response).await["error"]["code"], code, "{shown}");
    }
}

#[tokio::test]
async fn changed_grants_reach_a_session_through_its_stream() {
    let (double, door) = door();
    let session = open(&door, "claude").await;
    let stream = Request::get("/mcp")
        .header("host", HOST)
        .header("accept", "text/event-stream")
        .header("mcp-session-id", &session)
        .header("mcp-protocol-version", OLD)
        .body(Bytes::new())
        .unwrap();
    let mut stream = door.handle("claude".into(), stream).await.into_body();
    tokio::time::sleep(Duration::from_millis(30)).await;
    double.grant("claude", "echo.noop");
    let mut seen = String::new();
    while !seen.contains("notifications/tools/list_changed") {
        let frame = tokio::time::timeout(Duration::from_secs(5), stream.frame());
        let frame = frame.await.expect("no notification came").unwrap().unwrap();
        seen.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
    }
}

#[tokio::test]
async fn an_agents_answers_that_nobody_reads_are_bounded_over_its_sessions() {
    let (_, door) = door();
    let text = "x".repeat(1_000_000);
    let params = || json!({ "name": "echo.args", "arguments": { "text": text } });
    let (first, second) = (open(&door, "claude").await, open(&door, "claude").await);
    let mut unread = Vec::new();
    let wait = Duration::from_millis(500);
    for number in 0..40 {
        let session = if number % 2 == 0 { &first } else { &second };
        let request = legacy(session, "tools/call", params());
        let response = door.handle("claude".into(), request).await;
        let mut body = response.into_body();
        // Events that come before the answer are small.
        let answer = tokio::time::timeout(wait, async {
            loop {
                let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
                if frame.len() > 500_000 {
                    return frame;
                }
            }
        });
        match answer.await {
            Ok(answer) => unread.push(answer),
            Err(_) => break,
        }
    }
    // Two megabytes each, of 32.
    assert!((12..=16).contains(&unread.len()), "{} large answers wait", unread.len());
    let cursor = modern("tools/call", Some("echo.args"), params());
    let other = message(door.handle("cursor".into(), cursor).await).await;
    assert_eq!(other["result"]["isError"], false, "another agent has room of its own");
    drop(unread);
    let again = legacy(&first, "tools/call", params());
    let again = message(door.handle("claude".into(), again).await).await;
    assert_eq!(again["result"]["isError"], false, "room came back");
}

#[tokio::test]
async fn many_at_once() {
    let (_, door) = door();
    let door = Arc::new(door);
    let calls: Vec<_> = (0..200)
        .map(|n| {
            let door = door.clone();
            tokio::spawn(async move {
                let params = json!({ "name": "echo.args", "arguments": { "n": n, "sleep_ms": 5 } });
                let request = modern("tools/call", Some("echo.args"), params);
                let answer = message(door.handle("claude".into(), request).await).await;
                assert_eq!(answer["result"]["structuredContent"]["body"]["n"], n, "{answer}");
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
}
