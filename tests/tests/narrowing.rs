//! What is open on a door, and was resolved before a change, gets no more than what is in force after it.

use serde_json::{Value, json};
use symbolon_tests::http::Request;
use symbolon_tests::mcp::{McpClient, Revision};
use symbolon_tests::served::{Program, Served};

/// What each door says to the same two requests: one that a narrower grant admits, and one that it does not.
struct Doors {
    at: Served,
    key: String,
    client: McpClient,
    program: Program,
}

/// The status that is asked for: `within` stays allowed, `beyond` does not.
const WITHIN: u16 = 200;
const BEYOND: u16 = 418;

impl Doors {
    fn open(at: Served, agent: &str) -> Self {
        let key = at.key(agent);
        let client = at.home.mcp(agent, Revision::Session);
        let program = Program::start(&at, agent);
        Self { at, key, client, program }
    }

    /// The doors, and whether a call for this status reached the service.
    fn try_all(&mut self, code: u16) -> Vec<(&'static str, bool, String)> {
        let at = &self.at;
        let arguments = json!({ "code": code });
        let call = json!({ "tool": "httpbin.status", "arguments": arguments });
        let reached = |value: &Value| value["status"] == json!(code) || value["body"].is_object();
        let mut found = Vec::new();
        let said = at.post(&self.key, "/api/call", &call);
        found.push(("JSON API", said.status == 200 && said.json()["status"] == code, said.text()));
        let named = json!({ "name": "httpbin.status", "arguments": arguments });
        let said = at.mcp("tools/call", &named, &self.key).text();
        found.push(("MCP over HTTP", said.contains(&format!("\"status\":{code}")), said));
        let said = self.client.call("httpbin.status", arguments);
        found.push(("MCP", reached(&said["structuredContent"]), said.to_string()));
        let path = format!("/to/httpbin/status/{code}");
        let said = Request::get(at.port, &path).bearer(&self.key).answer();
        found.push(("gateway", said.status == code, said.text()));
        let said = self.program.get(&format!("/status/{code}"));
        found.push(("program", said == code, said.to_string()));
        found
    }

    fn token(&self, code: u16) -> String {
        let wanted = json!({ "tool": "httpbin.status", "arguments": { "code": code } });
        let made = self.at.post(&self.key, "/api/capability/request", &wanted).expect(200).json();
        made["token"].as_str().expect("a token").to_owned()
    }

    fn redeem(&self, token: &str) -> (u16, Value) {
        let said = self.at.post(&self.key, "/api/capability/redeem", &json!({ "token": token }));
        (said.status, said.json())
    }

    #[track_caller]
    fn all(&mut self, code: u16, should_pass: bool) {
        for (door, passed, said) in self.try_all(code) {
            assert_eq!(passed, should_pass, "{door}, status {code}: {said}");
        }
    }
}

#[test]
fn a_narrower_grant_in_the_place_of_a_wide_one_narrows_every_open_door() {
    let at = Served::start();
    let wide = at.grant(&["claude", "httpbin.*", "--for", "1h"]);
    let mut doors = Doors::open(at, "claude");
    doors.all(WITHIN, true);
    doors.all(BEYOND, true);
    let (within, beyond) = (doors.token(WITHIN), doors.token(BEYOND));

    let limit = format!("code={WITHIN}");
    doors.at.grant(&["claude", "httpbin.inspect.read", "--for", "1h", "--limit", &limit]);
    doors.at.home.ok(&["revoke", &wide.to_string()]);
    doors.all(BEYOND, false);
    doors.all(WITHIN, true);
    // A token stands on the grant that let it out, whatever another one admits.
    for token in [within, beyond] {
        let (status, said) = doors.redeem(&token);
        assert_eq!((status, &said["code"]), (403, &json!("grant_ended")), "{said}");
    }
    let refused = doors.at.post(&doors.key, "/api/call", &json!({ "tool": "httpbin.bearer" }));
    assert_eq!(refused.status, 403, "of its scopes only one is left: {}", refused.text());
}

#[test]
fn a_connection_that_allows_less_narrows_every_open_door() {
    let at = Served::start();
    at.grant(&["claude", "httpbin.*", "--for", "1h"]);
    let mut doors = Doors::open(at, "claude");
    doors.all(WITHIN, true);
    let waiting = doors.token(WITHIN);

    let (url, ca) = (doors.at.httpbin.tls.base_url(), doors.at.httpbin.tls.ca());
    let ca = ca.to_str().expect("a plain path");
    let words = ["connect", "httpbin", "--base-url", &url, "--ca", ca, "--allow-loopback"];
    let narrow = ["--scope", "httpbin.auth.*", "--replace", "--from-stdin"];
    doors.at.home.ok_with(&[&words[..], &narrow].concat(), b"another-credential-0123456789");
    doors.all(WITHIN, false);
    let (status, said) = doors.redeem(&waiting);
    assert_ne!(status, 200, "{said}");
    let called = doors.at.post(&doors.key, "/api/call", &json!({ "tool": "httpbin.bearer" }));
    assert_eq!(called.status, 200, "what it still allows: {}", called.text());
}
