//! Calls that wait for a person, at every door, as agent and owner see them.

use std::process::Stdio;

use serde_json::{Value, json};
use symbolon_receipt::{OperatorKey, verify};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::mcp::Revision;
use symbolon_tests::random;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;

const DELETE: &str = "upstream.notes.delete";

fn connected() -> (Home, Upstream, String) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    (home, upstream, credential)
}

/// The receipt's statement, verified.
fn statement(home: &Home, number: &Value) -> Value {
    let bundle = home.json(&["receipts", "show", &number.to_string()]);
    let key = std::fs::read_to_string(home.operator_key()).expect("the operator's key");
    let key = OperatorKey::parse(key.trim_end()).expect("a key");
    let verified = verify(bundle.to_string().as_bytes(), &key).expect("it verifies");
    json!({ "predicate": verified.statement().predicate })
}

#[test]
fn the_owner_sees_one_sentence_and_the_exact_request_and_decides() {
    let (home, upstream, credential) = connected();
    home.json(&["grant", "claude", "upstream.notes.*", "--for", "1h", "--ask", "write"]);
    let start = |words: &[&str]| {
        let words = [&["--json", "call"], words, &["--agent", "claude"]].concat();
        home.command(&words).stdout(Stdio::piped()).spawn().expect("it starts")
    };
    let text = "text=A note\u{202e} that\u{1b}[2J hides";
    let call = start(&["upstream.notes.create", text]);
    let question = home.question();
    let number = question["number"].to_string();
    let before = upstream.authorized();
    let shown = home.ok(&["approvals"]).all();
    assert!(
        shown.contains("claude asks to add a note (write) at Upstream: POST localhost"),
        "{shown}"
    );
    assert!(shown.contains("/v1/notes"), "{shown}");
    assert!(!shown.contains('\u{202e}') && !shown.contains('\u{1b}'), "{shown}");
    assert!(!shown.contains(&credential), "the credential is shown");
    let one = home.json(&["approvals", "show", &number]);
    assert_eq!(one["request"]["method"], "POST");
    let body: Value = serde_json::from_str(one["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["text"], "A note\u{202e} that\u{1b}[2J hides", "all of it, as it will be sent");
    assert_eq!(upstream.authorized(), before, "nothing left before a yes");
    home.ok(&["approvals", "approve", &number]);
    let reply: Value =
        serde_json::from_slice(&call.wait_with_output().unwrap().stdout).expect("JSON");
    assert_eq!(reply["status"], 201, "{reply}");
    let approval = &statement(&home, &reply["receipt"])["predicate"]["approval"];
    assert_eq!((&approval["outcome"], &approval["by"]), (&json!("approved"), &json!("owner")));
    assert_eq!((&approval["number"], &approval["via"]), (&question["number"], &json!("cli")));

    let call = start(&[DELETE, "number=1"]);
    let number = home.question()["number"].to_string();
    let denied = home.json(&["deny", &number, "--reason", "keep it"]);
    let output = call.wait_with_output().unwrap();
    let error: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(error["error"]["code"], "approval_denied", "{error}");
    assert_eq!(error["error"]["receipt"], denied["receipt"]);
    assert_eq!(statement(&home, &denied["receipt"])["predicate"]["approval"]["outcome"], "denied");
    assert_eq!(home.refused(&["approve", &number]).code, "approval_decided");
    assert_eq!(home.refused(&["approve", "999999"]).code, "no_approval");
}

#[test]
fn an_agent_of_either_revision_waits_for_its_owner() {
    let (home, upstream, _) = connected();
    home.grant("claude", "upstream.notes.write");
    let before = upstream.authorized();
    // The older revision waits on the line.
    let mut agent = home.mcp("claude", Revision::Session);
    let id = agent.send("tools/call", json!({ "name": DELETE, "arguments": { "number": 1 } }));
    let number = home.question()["number"].to_string();
    home.ok(&["approve", &number]);
    let reply = agent.reply(id);
    assert_eq!(reply["result"]["structuredContent"]["status"], 200, "{reply}");
    assert_eq!(upstream.authorized(), before + 1);
    agent.finish();

    // The newer one is handed a sealed state, and comes again with it.
    let mut agent = home.mcp("claude", Revision::Stateless);
    let params = |state: Option<&str>, number: u64| {
        let mut params =
            json!({ "name": "upstream.notes.create", "arguments": { "text": number } });
        params["arguments"] = json!({ "number": number });
        params["name"] = DELETE.into();
        if let Some(state) = state {
            params["requestState"] = state.into();
        }
        params
    };
    let asked = agent.result("tools/call", params(None, 1));
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let state = asked["requestState"].as_str().expect("a state").to_owned();
    let said = &asked["_meta"]["symbolon.dev/approval"];
    let number = said["number"].to_string();
    assert_eq!(said["next"], format!("symbolon approve {number}"));
    // Not for another request, not changed, and not in another session.
    let code = |reply: Value| reply["structuredContent"]["code"].clone();
    let swapped = agent.result("tools/call", params(Some(&state), 2));
    assert_eq!(code(swapped), "approval_state");
    let mut changed = state.clone();
    changed.replace_range(30..31, if &state[30..31] == "A" { "B" } else { "A" });
    assert_eq!(code(agent.result("tools/call", params(Some(&changed), 1))), "approval_state");
    let mut other = home.mcp("claude", Revision::Stateless);
    assert_eq!(code(other.result("tools/call", params(Some(&state), 1))), "approval_state");
    // What the client says is not heard: the grant does not let it.
    let mut forged = params(Some(&state), 1);
    forged["inputResponses"] =
        json!({ "approval": { "action": "accept", "content": { "approve": true } } });
    let id = agent.send("tools/call", forged);
    assert_eq!(home.question()["state"], "pending");
    let before = upstream.authorized();
    home.ok(&["approve", &number]);
    let reply = agent.reply(id);
    assert_eq!(upstream.authorized(), before + 1, "{reply}");
    let again = agent.result("tools/call", params(Some(&state), 1));
    assert_eq!(code(again), "approval_used");
    assert_eq!(upstream.authorized(), before + 1);
}

#[test]
fn over_http_the_owner_answers_with_a_token_that_is_no_agents_key() {
    let (home, upstream, _) = connected();
    home.grant("claude", "upstream.notes.write");
    let key = home.json(&["agents", "add", "claude"])["key"].as_str().unwrap().to_owned();
    let owner = home.json(&["owner", "token"])["token"].as_str().unwrap().to_owned();
    assert!(owner.starts_with("syo_"));
    home.ok(&["lock", "--stop"]);
    let port = free_port();
    let mut command = home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut service = Service::start("symbolon serve", command.stdin(Stdio::null()));
    service.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    let call = |state: Option<&str>| {
        let body = json!({
            "tool": DELETE, "arguments": { "number": 1 },
            "asking": { "state": state, "wait_seconds": 0 },
        });
        Request::post(port, "/api/call").bearer(&key).json(&body).answer()
    };
    let before = upstream.authorized();
    let asked = call(None).expect(202);
    assert!(asked.header("retry-after").is_some());
    let asked = asked.json();
    let (number, state) = (&asked["approval"], asked["state"].as_str().unwrap());
    assert_eq!(asked["code"], "approval_pending");
    call(Some(state)).expect(202);
    let own = Request::get(port, "/api/approvals").bearer(&key).answer().expect(200).json();
    assert_eq!(own["approvals"][0]["number"], *number);
    assert!(own["approvals"][0].get("request").is_none());

    // An agent does not answer itself, and the owner's token makes no calls.
    let path = format!("/api/owner/approvals/{number}/approve");
    Request::post(port, &path).bearer(&key).json(&json!({})).answer().expect(401);
    Request::post(port, &path).json(&json!({})).answer().expect(401);
    Request::get(port, "/api/owner/approvals").bearer(&key).answer().expect(401);
    Request::get(port, "/api/tools").bearer(&owner).answer().expect(401);
    assert_eq!(upstream.authorized(), before);

    let listed = Request::get(port, "/api/owner/approvals").bearer(&owner).answer().expect(200);
    let listed = listed.json();
    assert_eq!(listed["pending"][0]["request"]["method"], "DELETE");
    Request::post(port, &path).bearer(&owner).json(&json!({})).answer().expect(200);
    Request::post(port, &path).bearer(&owner).json(&json!({})).answer().expect(409);
    let reply = call(Some(state)).expect(200).json();
    assert_eq!(upstream.authorized(), before + 1);
    let approval = &statement(&home, &reply["receipt"])["predicate"]["approval"];
    assert_eq!((&approval["via"], &approval["by"]), (&json!("http"), &json!("owner")));
    assert_eq!(call(Some(state)).expect(403).json()["code"], "approval_used");

    // The gateway waits on the line.
    let gateway = std::thread::spawn({
        let key = key.clone();
        move || Request::new("DELETE", port, "/to/upstream/v1/notes/0").bearer(&key).answer()
    });
    let waiting = home.question();
    let path = format!("/api/owner/approvals/{}/deny", waiting["number"]);
    let no = json!({ "reason": "no more" });
    Request::post(port, &path).bearer(&owner).json(&no).answer().expect(200);
    assert_eq!(gateway.join().unwrap().expect(403).json()["code"], "approval_denied");

    // What waits does not hold up the end.
    let last = std::thread::spawn(move || {
        Request::new("DELETE", port, "/to/upstream/v1/notes/0").bearer(&key).answer()
    });
    home.question();
    home.ok(&["lock", "--stop"]);
    assert_eq!(last.join().unwrap().expect(403).json()["code"], "approval_stopped");
    home.ok(&["owner", "revoke", "1"]);
    assert_eq!(home.json(&["owner"]), json!([]));
}

#[test]
fn a_remembered_yes_stands_for_its_shape_and_shows() {
    let (home, _upstream, _) = connected();
    home.json(&["grant", "cli", "upstream.notes.write", "--for", "1h", "--ask", "write"]);
    let grants = home.json(&["grants"]);
    assert_eq!(grants[0]["ask"], json!(["write"]));
    let create = ["--json", "call", "upstream.notes.create", "text=one"];
    let call = home.command(&create).stdout(Stdio::piped()).spawn().expect("it starts");
    let number = home.question()["number"].to_string();
    home.ok(&["approve", &number, "--remember", "15m"]);
    assert!(call.wait_with_output().unwrap().status.success());
    home.json(&["call", "upstream.notes.create", "text=another"]);
    let standing = home.json(&["approvals"]);
    assert_eq!(standing["remembered"][0]["tool"], "upstream.notes.create");
    let receipt = &home.receipts()[0]["number"];
    let approval = &statement(&home, receipt)["predicate"]["approval"];
    assert_eq!(
        (&approval["outcome"], approval["number"].to_string()),
        (&json!("remembered"), number.clone())
    );
    home.ok(&["approvals", "forget", &number]);
    assert_eq!(home.json(&["approvals"])["remembered"], json!([]));
    let refused = ["grant", "cli", "upstream.notes.write", "--for", "1h", "--ask", "colour>5"];
    assert_eq!(home.refused(&refused).code, "ask");
}
