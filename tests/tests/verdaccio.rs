//! Against verdaccio, with a token that it made: publish a package and read it back.

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::mcp::Revision;
use symbolon_tests::verdaccio::Verdaccio;

const NAME: &str = "@symbolon/olive";

/// What `npm publish` sends for a package with one file. The tarball is ten bytes of nothing: a
/// registry stores it and does not look inside.
fn document(version: &str) -> Value {
    let tarball = "b2xpdmUgdHJlZQ==";
    let file = format!("{NAME}-{version}.tgz");
    json!({
        "_id": NAME,
        "name": NAME,
        "description": "A package of the tests",
        "dist-tags": { "latest": version },
        "versions": { version: {
            "name": NAME, "version": version, "description": "A package of the tests",
            "dist": { "tarball": format!("http://localhost/{NAME}/-/{file}") },
        } },
        "_attachments": { file: {
            "content_type": "application/octet-stream", "data": tarball, "length": 10
        } },
    })
}

#[test]
fn an_agent_publishes_and_reads_a_package() {
    let verdaccio = Verdaccio::start();
    let token = verdaccio.make_token();
    let home = Home::new();
    home.connect("npm", &verdaccio.tls, &token);
    for scope in ["npm.users.read", "npm.packages.read"] {
        home.grant("claude", scope);
    }
    let mut agent = home.mcp("claude", Revision::Stateless);
    let who = agent.call("npm.whoami", json!({}));
    let user = &who["structuredContent"]["body"]["username"];
    assert!(user.as_str().is_some_and(|name| name.starts_with("user-")), "{who}");

    let publish = json!({ "package": NAME, "document": document("1.0.0") });
    let call = json!({ "tool": "npm.packages.publish", "arguments": publish });
    let refused = agent.call("symbolon.call_tool", call.clone());
    assert_eq!(refused["isError"], true, "published without a grant: {refused}");
    // What cannot be taken back would wait for its owner; this owner wants to hear nothing.
    home.json(&["grant", "claude", "npm.packages.write", "--for", "1h", "--ask", "never"]);
    let published = agent.call("symbolon.call_tool", call);
    assert_eq!(published["structuredContent"]["status"], 201, "{published}");

    let read = agent.call("npm.packages.get", json!({ "package": NAME }));
    let body = &read["structuredContent"]["body"];
    assert_eq!(body["dist-tags"]["latest"], "1.0.0", "{read}");
    let version = json!({ "package": NAME, "version": "1.0.0" });
    let read = agent.call("npm.packages.version", version);
    assert_eq!(read["structuredContent"]["body"]["name"], NAME, "{read}");

    // The registry says the same to somebody who asks it directly.
    let path = "/@symbolon%2Folive";
    let direct = Request::get(verdaccio.plain_port, path).bearer(&token).answer().expect(200);
    assert_eq!(direct.json()["versions"]["1.0.0"]["name"], NAME);
    Request::get(verdaccio.plain_port, path).answer().expect(401);

    let (transcript, stderr) = agent.finish();
    let canaries = Canaries::new().plant("token", token.as_bytes());
    assert_clean(&canaries.find_in("the transcript", &transcript));
    assert_clean(&canaries.find_in("standard error", stderr.as_bytes()));
    assert_clean(&canaries.find_below(&home.path()).expect("a readable home"));
    let outcomes: Vec<_> = home.receipts().iter().map(|row| row["status"].clone()).collect();
    assert_eq!(outcomes.len(), 5, "four calls and a refusal: {outcomes:?}");
}
