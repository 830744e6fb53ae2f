use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use symbolon_broker::{
    AgentView, BodyEncoding, CallError, CallReply, CallRequest, DeskSession, Fault, FlowEvent,
    FlowProgress, FlowRunRow, FlowRunView, FlowStepView, FlowStored, LiveEvent, LogHead,
    NewDelegation, NewGrant, ScopeView, ServiceRow, ServiceView, TapAsked, TapPasskey, TokenReply,
    ToolView, VerifiedView, WrapView,
};

use super::{CLAUDE, JSON, OWNER, Tester};
use crate::http::{Backend, double::Double, openapi};

fn key_of(path: &str) -> (&'static str, &'static str) {
    if path.starts_with("/api/owner/") { OWNER } else { CLAUDE }
}

fn target(path: &str) -> String {
    let run = "0".repeat(32);
    let path = path.replace("{id}", "1");
    path.replace("{name}", "echo.args").replace("{number}", "1").replace("{run}", &run)
}

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// The paths of every server; a double has no accounts.
fn paths() -> serde_json::Map<String, Value> {
    let mut paths = document()["paths"].as_object().unwrap().clone();
    let is_own = |path: &str| path == crate::http::key::METADATA_PATH;
    paths.retain(|path, _| is_own(path) || !crate::http::accounts::is_route(path));
    paths
}

#[test]
fn it_is_openapi_3_1() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let key = &document["components"]["securitySchemes"]["agent_key"];
    assert_eq!((&key["type"], &key["scheme"]), (&json!("http"), &json!("bearer")));
}

/// Every path of the document is routed for its methods and for no others, and nothing else is routed.
#[tokio::test]
async fn it_matches_the_routes() {
    let door = Tester::new();
    let paths = paths();
    for (path, item) in &paths {
        let target = target(path);
        for method in ["get", "post", "put", "patch", "delete"] {
            // A body of a GET is refused before any route is looked for.
            let body = if method == "get" { "" } else { "{}" };
            let key = key_of(path);
            let answer = door.send(&method.to_uppercase(), &target, &[key, JSON], body).await;
            let routed = !(answer.status() == 405 || answer.text.contains("no_route"));
            assert_eq!(routed, item.get(method).is_some(), "{method} {path}: {}", answer.text);
        }
    }
    let named: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    let source = concat!(
        include_str!("../api.rs"),
        include_str!("../flows.rs"),
        include_str!("../owner.rs"),
        include_str!("../desk/mod.rs")
    );
    let routed: BTreeSet<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".route("))
        .map(|rest| match rest.strip_prefix('"') {
            Some(rest) => rest.split('"').next().unwrap(),
            None => crate::http::key::METADATA_PATH,
        })
        .collect();
    assert_eq!(named, routed);
}

/// The accounts' routes are the document's, no more and no fewer; and without accounts there are none.
#[tokio::test]
async fn it_matches_the_accounts_routes() {
    let document = document();
    let all = document["paths"].as_object().unwrap().keys().map(String::as_str);
    let named: BTreeSet<&str> = all.filter(|path| crate::http::accounts::is_route(path)).collect();
    let source = include_str!("../accounts/router.rs");
    let shared = crate::http::key::METADATA_PATH;
    let quoted = source.split('"').skip(1).step_by(2);
    let routed = quoted.filter(|text| text.starts_with('/'));
    let routed: BTreeSet<&str> = routed.chain([shared]).collect();
    assert_eq!(named, routed);
    let door = Tester::new();
    // What a server without accounts has at the same path is its own.
    for path in named.into_iter().filter(|path| *path != shared) {
        // Below a view of the page, whatever is looked at is the page.
        let method = if path.starts_with("/demo/") { "POST" } else { "GET" };
        let answer = door.send(method, &target(path), &[CLAUDE], "").await;
        assert!(answer.text.contains("no_route"), "{path}: {}", answer.text);
    }
}

/// A body is read where the document has one, and nowhere else.
#[tokio::test]
async fn bodies_are_taken_where_it_says() {
    let door = Tester::new();
    for (path, item) in &paths() {
        let target = target(path);
        for (method, operation) in item.as_object().unwrap() {
            let key = key_of(path);
            let answer = door.send(&method.to_uppercase(), &target, &[key, JSON], "{}").await;
            let taken = answer.status() != 413;
            assert_eq!(taken, operation.get("requestBody").is_some(), "{method} {path}");
            assert_eq!(answer.header("connection"), if taken { "" } else { "close" }, "{path}");
        }
    }
}

#[tokio::test]
async fn it_is_served() {
    let served = Tester::new().get("/api/openapi.json", &[]).await.ok();
    assert_eq!(served, document());
}

/// Each schema that is written out here has exactly the members of the broker's type.
#[tokio::test]
async fn schemas_are_twins_of_the_brokers_types() {
    let reply = CallReply {
        status: 200,
        headers: Vec::new(),
        body: Value::Null,
        encoding: BodyEncoding::None,
        redactions: 0,
        receipt: 1,
        duration_ms: 1,
    };
    let error = CallError {
        code: String::new(),
        message: String::new(),
        next: Some(String::new()),
        fault: Fault::Caller,
        http_status: 400,
        receipt: Some(1),
        retry_after_seconds: Some(1),
    };
    let request = CallRequest {
        tool: String::new(),
        arguments: Default::default(),
        connection: Some("a".into()),
        minted: Some("a".into()),
    };
    let delegation = NewDelegation {
        lasts: Some(String::new()),
        under: Some(1),
        cooldown_seconds: Some(1),
        ..NewDelegation::default()
    };
    let token = TokenReply { token: String::new(), expires_in_seconds: 1, will: String::new() };
    let schema = Some(std::sync::Arc::new(json!({})));
    let tool = ToolView {
        name: String::new(),
        title: String::new(),
        description: String::new(),
        scope: String::new(),
        effect: String::new(),
        granted: true,
        usage: String::new(),
        input_schema: schema.clone(),
        output_schema: schema,
    };
    let double = Double::default();
    let mut connection = double.connections().await.unwrap().remove(0);
    connection.ended = Some(String::new());
    let grant = double.grants().await.unwrap().remove(0);
    let receipt = Backend::receipts(&double, Default::default()).await.unwrap().remove(0);
    let step = FlowStepView {
        id: String::new(),
        tool: String::new(),
        state: String::new(),
        receipt: Some(1),
        why: Some(String::new()),
    };
    let run = FlowRunView {
        row: FlowRunRow {
            run: String::new(),
            flow: String::new(),
            agent: String::new(),
            state: String::new(),
            created: String::new(),
            changed: String::new(),
        },
        kind: String::new(),
        steps: Vec::new(),
        output: Some(Value::Null),
        next: Some(String::new()),
    };
    let event = FlowEvent {
        step: String::new(),
        state: String::new(),
        attempt: 1,
        receipt: Some(1),
        why: Some(String::new()),
        at_ms: 0,
    };
    let progress = FlowProgress {
        run: String::new(),
        state: String::new(),
        events: Vec::new(),
        next: 0,
        over: 0,
        total: 0,
        is_over: false,
    };
    let stored = FlowStored {
        flow: String::new(),
        agent: String::new(),
        kind: String::new(),
        description: String::new(),
        inputs: Vec::new(),
        hook: false,
        schedule: Some(String::new()),
        missed: 0,
        created: String::new(),
    };
    let session = DeskSession {
        opened: String::new(),
        expires: String::new(),
        confirmed_until: String::new(),
    };
    let passkey =
        TapPasskey { wrap: String::new(), credential: String::new(), salt: String::new() };
    let asked = TapAsked {
        key: String::new(),
        nonce: String::new(),
        vault: String::new(),
        expires_unix_ms: 0,
        prf: String::new(),
        passkeys: vec![passkey],
        salt: Some(String::new()),
    };
    let way = WrapView { id: String::new(), method: String::new(), created: String::new() };
    let head = LogHead {
        origin: String::new(),
        vkey: String::new(),
        succession: Some(String::new()),
        size: 0,
        root: symbolon_codec::Digest32([0; 32]),
        checkpoint: String::new(),
    };
    let live = LiveEvent {
        number: 1,
        what: String::new(),
        began: Some(0),
        time: String::new(),
        agent: String::new(),
        tool: String::new(),
        connection: String::new(),
        status: Some(200),
        took_ms: Some(1),
        why: Some(String::new()),
    };
    let row = ServiceRow {
        id: String::new(),
        name: String::new(),
        base_url: String::new(),
        auth: String::new(),
        operations: 0,
    };
    let scope = ScopeView { scope: String::new(), effect: String::new(), titles: Vec::new() };
    let service = ServiceView {
        row: row.clone(),
        docs: String::new(),
        self_hosted: false,
        variables: Vec::new(),
        user: false,
        verifies: false,
        scopes: Vec::new(),
    };
    let verified = VerifiedView {
        status: Some(200),
        who: Some(String::new()),
        scopes: Some(Vec::new()),
        ends: Some(String::new()),
        token_ends: Some(String::new()),
        renewal: Some(String::new()),
        last_used: Some(String::new()),
        receipt: Some(1),
        next: Some(String::new()),
        ..VerifiedView::default()
    };
    let agent = AgentView {
        name: String::new(),
        created: String::new(),
        key_id: String::new(),
        made_by: Some(String::new()),
    };
    let new = NewGrant {
        connection: Some(String::new()),
        ask_via: Some(String::new()),
        budgets: vec![String::new()],
        cooldown_seconds: Some(1),
        hours: vec![String::new()],
        under: Some(1),
        ..NewGrant::default()
    };
    twins("PageSession", &session);
    twins("TapAsked", &asked);
    twins("TapPasskey", &asked.passkeys[0]);
    twins("Way", &way);
    twins("LogHead", &head);
    twins("LiveEvent", &live);
    twins("ServiceRow", &row);
    twins("Scope", &scope);
    twins("Service", &service);
    twins("Verified", &verified);
    twins("Agent", &agent);
    twins("NewGrant", &new);
    twins("Status", &double.status());
    twins("FlowStep", &step);
    twins("FlowRun", &run);
    twins("FlowEvent", &event);
    twins("FlowProgress", &progress);
    twins("FlowStored", &stored);
    twins("CallReply", &reply);
    twins("CallError", &error);
    twins("CallRequest", &request);
    twins("TokenReply", &token);
    twins("Tool", &tool);
    twins("Connection", &connection);
    twins("Grant", &grant);
    twins("NewDelegation", &delegation);
    twins("ReceiptRow", &receipt);
}

fn twins(name: &str, value: &impl Serialize) {
    let members = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let schema = &document()["components"]["schemas"][name]["properties"];
    assert_eq!(members(schema), members(&serde_json::to_value(value).unwrap()), "{name}");
}
