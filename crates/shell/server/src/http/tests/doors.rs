use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{CLAUDE, CURSOR, HOST, JSON, Tester};

const ROUTES: [(&str, &str); 14] = [
    ("GET", "/api/status"),
    ("GET", "/api/tools"),
    ("GET", "/api/tools/echo.args"),
    ("POST", "/api/call"),
    ("POST", "/api/capability/request"),
    ("POST", "/api/capability/redeem"),
    ("POST", "/api/delegate"),
    ("GET", "/api/receipts"),
    ("GET", "/api/receipts/1"),
    ("GET", "/api/connections"),
    ("GET", "/api/grants"),
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("GET", "/to/echo/x"),
];

#[tokio::test]
async fn without_a_key_nothing_is_told() {
    let door = Tester::new();
    for (method, target) in ROUTES {
        for (headers, code) in [
            (vec![], "no_key"),
            (vec![("authorization", "Bearer sym_stranger")], "bad_key"),
            (vec![("authorization", "Bearer")], "no_key"),
            (vec![("authorization", "Basic c3ltX2NsYXVkZQ==")], "no_key"),
            (vec![("x-api-key", "sym_stranger")], "bad_key"),
            (vec![("cookie", "key=sym_claude")], "no_key"),
        ] {
            let headers: Vec<_> = headers.into_iter().chain([JSON]).collect();
            let answer = door.send(method, target, &headers, "{}").await;
            assert_eq!(answer.status(), 401, "{method} {target} {headers:?}");
            assert_eq!(answer.code(), code, "{method} {target} {headers:?}");
        }
        let query = format!("{target}?key=sym_claude&access_token=sym_claude");
        assert_eq!(door.send(method, &query, &[JSON], "{}").await.status(), 401, "{query}");
    }
}

/// What a path or method refuses is refused without its body.
#[tokio::test]
async fn a_body_that_nobody_takes_is_not_read() {
    let door = Tester::new();
    let body = "x".repeat(2 << 20);
    for (method, target, status, code) in [
        ("POST", "/nowhere", 404, "no_route"),
        ("POST", "/api/nowhere", 404, "no_route"),
        ("POST", "/api/grants", 405, "no_method"),
        ("PUT", "/healthz", 405, "no_method"),
        ("GET", "/healthz", 413, "too_large"),
        ("GET", "/api/receipts", 413, "too_large"),
    ] {
        let answer = door.send(method, target, &[CLAUDE, JSON], &body).await;
        assert_eq!((answer.status(), answer.code().as_str()), (status, code), "{method} {target}");
        assert_eq!(answer.header("connection"), "close", "{method} {target}");
    }
    assert_eq!(door.send("GET", "/mcp", &[CLAUDE], "x").await.status(), 413);
    assert_eq!(door.send("POST", "/api/nowhere", &[JSON], &body).await.code(), "no_key");
}

#[tokio::test]
async fn a_client_without_a_key_is_told_where_to_read() {
    let door = Tester::new();
    let answer = door.send("POST", "/mcp", &[JSON], "{}").await;
    let says = answer.header("www-authenticate");
    let at = "http://127.0.0.1:7070/.well-known/oauth-protected-resource/mcp";
    assert_eq!(says, format!("Bearer resource_metadata=\"{at}\""));
    let metadata = door.get("/.well-known/oauth-protected-resource/mcp", &[]).await.ok();
    assert_eq!(metadata["resource"], "http://127.0.0.1:7070/mcp");
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
}

#[tokio::test]
async fn host_and_origin_stand_before_every_route() {
    let door = Tester::new();
    let open =
        [("GET", "/healthz"), ("GET", "/metrics"), ("GET", "/api/openapi.json"), ("GET", "/")];
    for (method, target) in ROUTES.into_iter().chain(open) {
        let host = ("host", "evil.example:7070");
        let answer = door.send(method, target, &[CLAUDE, JSON, host], "{}").await;
        assert_eq!((answer.status(), answer.code().as_str()), (403, "bad_host"), "{target}");
        let origin = ("origin", "http://evil.example");
        let answer = door.send(method, target, &[CLAUDE, JSON, origin], "{}").await;
        assert_eq!((answer.status(), answer.code().as_str()), (403, "bad_origin"), "{target}");
        let own = [CLAUDE, JSON, ("origin", "http://localhost:7070")];
        assert_ne!(door.send(method, target, &own, "{}").await.status(), 403, "{target}");
    }
}

#[tokio::test]
async fn health_needs_no_key_and_says_what_is_wrong() {
    let door = Tester::new();
    assert_eq!(door.get("/healthz", &[]).await.ok(), json!({ "status": "ready" }));
    door.double.set_locked(true);
    let locked = door.get("/healthz", &[]).await;
    assert_eq!(locked.status(), 503);
    assert_eq!(locked.json(), json!({ "status": "locked", "next": "symbolon unlock" }));
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_for_a_key() {
    let door = Tester::new();
    let answer = door.get("/metrics", &[]).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    for (peer, status) in [("[::1]:5", 200), ("[::ffff:127.0.0.1]:5", 200), ("192.0.2.1:5", 401)] {
        let peer: SocketAddr = peer.parse().unwrap();
        let answer = door.send_from(peer, "GET", "/metrics", &[], "").await;
        assert_eq!(answer.status(), status, "{peer}");
    }
    let away: SocketAddr = "192.0.2.1:5".parse().unwrap();
    assert_eq!(door.send_from(away, "GET", "/metrics", &[CLAUDE], "").await.status(), 200);
}

#[tokio::test]
async fn every_answer_of_ours_is_closed_to_browsers() {
    let door = Tester::new();
    for (target, headers) in [
        ("/api/status", vec![CLAUDE]),
        ("/healthz", vec![]),
        ("/nowhere", vec![]),
        ("/mcp", vec![]),
    ] {
        let answer = door.get(target, &headers).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{target}");
        assert_eq!(answer.header("cache-control"), "no-store", "{target}");
        let csp = "default-src 'none'; frame-ancestors 'none'";
        assert_eq!(answer.header("content-security-policy"), csp, "{target}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{target}");
        assert_eq!(answer.header("strict-transport-security"), "", "plain HTTP");
    }
}

#[tokio::test]
async fn mcp_is_mounted_with_the_agents_own_tools() {
    let door = Tester::new();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let call = async |who, tool: &str, arguments: Value| {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let headers = [
            who,
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", tool),
        ];
        door.post("/mcp", &headers, &body).await.ok()["result"]["structuredContent"].clone()
    };
    assert_eq!(call(CLAUDE, "echo.args", json!({ "a": 1 })).await["body"], json!({ "a": 1 }));
    assert_eq!(call(CURSOR, "slow.wait", json!({})).await["code"], "no_grant");
    let token = call(CLAUDE, "capability.request", json!({ "tool": "echo.args" })).await;
    let token = json!({ "token": token["token"] });
    assert_eq!(call(CURSOR, "capability.redeem", token.clone()).await["code"], "bad_token");
    let elsewhere = door.post("/api/capability/redeem", &[CLAUDE], &token).await;
    assert_eq!(elsewhere.code(), "bad_token", "a token is good at the door that gave it");
    assert_eq!(call(CLAUDE, "capability.redeem", token).await["status"], 200);
    assert_eq!(HOST, "127.0.0.1:7070");
}
