use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::time::timeout;

use super::{ADDRESS, CLAUDE, CURSOR, JSON, Tester};

#[tokio::test]
async fn an_agent_calls_and_sees_its_own() {
    let door = Tester::new();
    let status = door.get("/api/status", &[CLAUDE]).await.ok();
    assert_eq!(status["agent"], "claude");
    assert_eq!(status["granted_tools"], 2);
    assert!(status.get("home").is_none(), "where the home is concerns no agent");

    let tools = door.get("/api/tools", &[CLAUDE]).await.ok();
    assert_eq!(tools["tools"][0]["name"], "echo.args");
    let found = door.get("/api/tools?query=echo&limit=2", &[CLAUDE]).await.ok();
    assert_eq!(found["tools"].as_array().unwrap().len(), 2);
    let tool = door.get("/api/tools/echo.noop", &[CLAUDE]).await.ok();
    assert_eq!(tool["granted"], false);
    assert_eq!(door.get("/api/tools/no.such", &[CLAUDE]).await.code(), "unknown_tool");

    let call = json!({ "tool": "echo.args", "arguments": { "a": 1 } });
    let reply = door.post("/api/call", &[CLAUDE], &call).await.ok();
    assert_eq!(reply["body"], json!({ "a": 1 }));
    assert_eq!(reply["receipt"], 1);

    let grants = door.get("/api/grants", &[CLAUDE]).await.ok();
    assert_eq!(grants["grants"].as_array().unwrap().len(), 1);
    assert_eq!(grants["grants"][0]["agent"], "claude");
    let connections = door.get("/api/connections", &[CLAUDE]).await.ok();
    assert_eq!(connections["connections"].as_array().unwrap().len(), 1);
    assert_eq!(connections["connections"][0]["name"], "echo");
}

#[tokio::test]
async fn a_refusal_is_a_pair() {
    let door = Tester::new();
    let refused = door.post("/api/call", &[CLAUDE], &json!({ "tool": "echo.noop" })).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.code(), "no_grant");
    assert_eq!(refused.json()["next"], "symbolon grant claude echo.read --for 15m");
}

#[tokio::test]
async fn an_upstreams_error_is_its_own_answer() {
    let door = Tester::new();
    door.double.grant("claude", "echo.fail");
    let reply = door.post("/api/call", &[CLAUDE], &json!({ "tool": "echo.fail" })).await.ok();
    assert_eq!(reply["status"], 418);
}

#[tokio::test]
async fn a_token_is_its_agents_alone_and_good_once() {
    let door = Tester::new();
    let wanted = json!({ "tool": "echo.args", "arguments": { "a": 1 } });
    let token = door.post("/api/capability/request", &[CLAUDE], &wanted).await.ok();
    let token = json!({ "token": token["token"] });
    let redeem = async |who| door.post("/api/capability/redeem", &[who], &token).await;
    assert_eq!(redeem(CURSOR).await.code(), "bad_token");
    assert_eq!(redeem(CLAUDE).await.ok()["body"], json!({ "a": 1 }));
    assert_eq!(redeem(CLAUDE).await.code(), "bad_token");
}

#[tokio::test]
async fn receipts_are_ones_own() {
    let door = Tester::new();
    let list = async |query: &str| {
        let rows = door.get(&format!("/api/receipts{query}"), &[CLAUDE]).await.ok();
        let rows = rows["receipts"].as_array().unwrap().clone();
        rows.iter().map(|row| row["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, [2, 1]);
    assert_eq!(list("?limit=1").await, [2]);
    assert_eq!(list("?before=2").await, [1]);
    assert_eq!(list("?tool=none").await, [] as [u64; 0]);
    assert_eq!(door.get("/api/receipts?agent=cursor", &[CLAUDE]).await.code(), "bad_query");
    assert_eq!(door.get("/api/receipts/2", &[CLAUDE]).await.ok()["number"], 2);
    for number in ["3", "9", "0", "-1", "x", "18446744073709551615", "18446744073709551616"] {
        let target = format!("/api/receipts/{number}");
        assert_eq!(door.get(&target, &[CLAUDE]).await.code(), "no_receipt", "{number}");
    }
    assert_eq!(door.get("/api/receipts/3", &[CURSOR]).await.ok()["number"], 3);
}

#[tokio::test]
async fn lists_are_read_two_at_once_and_a_single_receipt_reads_none() {
    let door = Tester::new();
    let door = Arc::new(door);
    let list = |_| {
        let door = door.clone();
        tokio::spawn(async move { door.get("/api/receipts?tool=zzz", &[CLAUDE]).await })
    };
    for list in (0..12).map(list).collect::<Vec<_>>() {
        assert_eq!(list.await.unwrap().ok()["receipts"], json!([]));
    }
    assert_eq!(door.double.lists(), (12, 2));
    assert_eq!(door.get("/api/receipts/2", &[CLAUDE]).await.ok()["number"], 2);
    assert_eq!(door.get("/api/receipts/3", &[CLAUDE]).await.code(), "no_receipt");
    assert_eq!(door.double.lists().0, 12);
}

#[tokio::test]
async fn a_list_waits_for_its_agents_turn() {
    let door = Arc::new(Tester::new());
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let door = door.clone();
            let call = async move {
                door.post("/api/call", &[CLAUDE], &json!({ "tool": "slow.wait" })).await.ok()
            };
            tokio::spawn(call)
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    for target in ["/api/receipts", "/api/receipts/1"] {
        let waits = timeout(Duration::from_millis(60), door.get(target, &[CLAUDE])).await;
        assert!(waits.is_err(), "{target} took no turn");
    }
    assert_eq!(door.get("/api/receipts", &[CURSOR]).await.status(), 200);
    for call in calls {
        door.double.open_gate();
        tokio::task::yield_now().await;
        call.abort();
    }
}

#[tokio::test]
async fn answers_that_nobody_reads_are_bounded() {
    let door = Tester::new();
    let body = json!({ "tool": "echo.args", "arguments": { "text": "x".repeat(1_000_000) } });
    let call = async |who| {
        let request = door.request("POST", "/api/call", &[who, JSON], &body.to_string());
        timeout(Duration::from_millis(400), door.front.answer(&ADDRESS.into(), request)).await
    };
    let mut unread = Vec::new();
    while let Ok(response) = call(CLAUDE).await {
        assert_eq!(response.status(), 200);
        unread.push(response);
        assert!(unread.len() < 40, "nothing bounds them");
    }
    assert!(unread.len() > 10, "{}", unread.len());
    assert_eq!(call(CURSOR).await.unwrap().status(), 200, "another agent has room of its own");
    unread.pop();
    assert_eq!(call(CLAUDE).await.unwrap().status(), 200, "room came back");
}

#[tokio::test]
async fn bad_bodies() {
    let door = Tester::new();
    let deep = format!(
        "{{\"tool\":\"echo.args\",\"arguments\":{}1{}}}",
        "{\"a\":".repeat(100),
        "}".repeat(100)
    );
    for (body, status, code) in [
        ("", 400, "bad_json"),
        ("{", 400, "bad_json"),
        ("{\"tool\":\"a\",\"tool\":\"b\"}", 400, "bad_json"),
        (deep.as_str(), 400, "bad_json"),
        ("[]", 422, "bad_request"),
        ("{}", 422, "bad_request"),
        ("{\"tool\":\"a\",\"url\":\"https://evil.example\"}", 422, "bad_request"),
        ("{\"tool\":\"a\",\"arguments\":[]}", 422, "bad_request"),
    ] {
        let answer = door.send("POST", "/api/call", &[CLAUDE, JSON], body).await;
        assert_eq!((answer.status(), answer.code().as_str()), (status, code), "{body:.80}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let headers = [CLAUDE, ("content-type", kind)];
        let answer = door.send("POST", "/api/call", &headers, "{\"tool\":\"a\"}").await;
        assert_eq!((answer.status(), answer.code().as_str()), (415, "not_json"), "{kind}");
    }
}

#[tokio::test]
async fn an_oversize_body_is_refused() {
    let door = Tester::new();
    let body = format!("{{\"tool\":\"{}\"}}", "x".repeat(1 << 20));
    for target in ["/api/call", "/mcp", "/to/echo/x"] {
        let answer = door.send("POST", target, &[CLAUDE, JSON], &body).await;
        assert_eq!((answer.status(), answer.code().as_str()), (413, "too_large"), "{target}");
    }
}

#[tokio::test]
async fn what_an_owner_alone_may_do_is_not_here() {
    let door = Tester::new();
    for (method, target) in [
        ("POST", "/api/connections"),
        ("DELETE", "/api/connections"),
        ("POST", "/api/grants"),
        ("DELETE", "/api/grants"),
    ] {
        let answer = door.send(method, target, &[CLAUDE, JSON], "{}").await;
        assert_eq!((answer.status(), answer.code().as_str()), (405, "no_method"), "{target}");
    }
    for target in ["/api/unlock", "/api/lock", "/api/agents", "/api/grant", "/api/connect", "/"] {
        let answer = door.send("POST", target, &[CLAUDE, JSON], "{}").await;
        assert_eq!((answer.status(), answer.code().as_str()), (404, "no_route"), "{target}");
    }
}
