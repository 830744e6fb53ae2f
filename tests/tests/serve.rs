//! `symbolon serve`: MCP and JSON over HTTP on loopback.

use std::process::Stdio;

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;

struct Served {
    home: Home,
    upstream: Upstream,
    _service: Service,
    port: u16,
    key: String,
}

fn serve() -> Served {
    let (home, upstream) = Home::with_upstream("claude");
    let key = home.json(&["agents", "add", "claude"])["key"].as_str().expect("a key").to_owned();
    home.ok(&["lock", "--stop"]);
    let port = free_port();
    let mut command = home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut service = Service::start("symbolon serve", command.stdin(Stdio::null()));
    service.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    Served { home, upstream, _service: service, port, key }
}

fn mcp(port: u16, method: &str, params: &Value) -> Request {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "symbolon-tests", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut request = Request::post(port, "/mcp")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = params["name"].as_str() {
        request = request.header("mcp-name", name);
    }
    request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
}

#[test]
fn an_agent_with_its_key_calls_over_http() {
    let served = serve();
    let call = json!({ "name": "upstream.notes.list", "arguments": {} });
    let answer = mcp(served.port, "tools/call", &call).bearer(&served.key).answer().expect(200);
    assert!(answer.text().contains("The two halves fit."), "{}", answer.text());
    assert_eq!(served.upstream.authorized(), 1);
    assert_eq!(served.home.receipts()[0]["agent"], "claude");
}

#[test]
fn strangers_are_turned_away() {
    let served = serve();
    let list = || mcp(served.port, "tools/list", &json!({}));
    let answer = list().answer().expect(401);
    assert!(answer.header("www-authenticate").is_some(), "it says how to come in");
    list().bearer("sym_wrong").answer().expect(401);
    let known = || list().bearer(&served.key);
    known().answer().expect(200);
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let answer = known().header(name, value).answer();
        assert!([400, 403, 421].contains(&answer.status), "{name}: {}", answer.status);
    }
    Request::get(served.port, "/api/receipts").answer().expect(401);
    served.home.ok(&["agents", "remove", "claude"]);
    known().answer().expect(401);
    assert_eq!(served.upstream.authorized(), 0);
}

#[test]
fn the_api_describes_itself() {
    let served = serve();
    let described = Request::get(served.port, "/api/openapi.json").answer().expect(200).json();
    assert!(described["openapi"].as_str().is_some_and(|it| it.starts_with("3.")), "{described}");
    assert!(described["paths"].as_object().is_some_and(|paths| paths.len() > 3), "{described}");
    let metrics = Request::get(served.port, "/metrics").bearer(&served.key).answer();
    assert_eq!(metrics.status, 200, "{}", metrics.text());
    assert!(metrics.text().contains("# TYPE "), "{}", metrics.text());
}

#[test]
fn it_listens_beyond_loopback_only_with_tls() {
    let home = Home::new();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refusal = home.refused(&["serve", "--listen", address]);
        assert!(refusal.message.to_lowercase().contains("tls"), "{}", refusal.message);
    }
}
