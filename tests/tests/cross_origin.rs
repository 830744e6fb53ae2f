//! Pages of other origins: an assistant that runs in one works by its token, and reads nothing else.

use serde_json::json;
use symbolon_tests::accounts::{Accounts, Holder};
use symbolon_tests::assistant::{Assistant, mcp};
use symbolon_tests::authenticator::Device;
use symbolon_tests::browser;
use symbolon_tests::http::Request;

const NEAR: &str = "http://localhost:6274";

#[test]
fn a_browser_lets_a_page_of_another_origin_do_what_it_holds_a_token_for() {
    let server = Accounts::start();
    let mut page = server.page();
    page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
    let one = Assistant::register(server.port, "https://assistant.example/callback");
    let token = one.tokens(&one.code(&mut page, &one.query(&[]), &["notes.read"])).access;
    let made = server.home.json(&["agents", "add", "claude"]);
    let key = made["key"].as_str().expect("a key");
    let more = [("TOKEN", token.as_str()), ("AGENT", key)];
    browser::drive("cross_origin.mjs", &server.home, &server.origin(), &more);
}

#[test]
fn what_is_allowed_is_said_word_for_word() {
    let server = Accounts::start();
    let host = format!("localhost:{}", server.port);
    let asked = |path: &str, origin: &str| {
        Request::new("OPTIONS", server.port, path)
            .header("host", &host)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .answer()
    };
    let answer = asked("/mcp", NEAR).expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(NEAR));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(answer.header("vary"), Some("origin"));
    for (path, origin) in [
        ("/api/session", NEAR),
        ("/api/account/challenge", NEAR),
        ("/oauth/authorize", NEAR),
        // A page of the web does not ask a server of this machine.
        ("/mcp", "https://evil.example"),
        ("/oauth/token", "null"),
    ] {
        let answer = asked(path, origin);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path} {origin}");
        assert_ne!(answer.status, 204, "{path} {origin}");
    }
    // A name that is not ours, such as one that was bound to this address, stays refused.
    let rebound = Request::new("OPTIONS", server.port, "/mcp").header("host", "evil.example:80");
    let rebound = rebound.header("origin", NEAR).header("access-control-request-method", "POST");
    assert_eq!(rebound.answer().status, 403);

    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let nobody = mcp(server.port, "/mcp").header("origin", NEAR).json(&list).answer().expect(401);
    assert_eq!(nobody.header("access-control-allow-origin"), Some(NEAR));
    let read = nobody.header("access-control-expose-headers").unwrap();
    assert!(read.contains("www-authenticate") && read.contains("mcp-session-id"), "{read}");
    // With somebody's cookie it is a request in their name, which no other site makes.
    let with =
        mcp(server.port, "/mcp").header("origin", NEAR).header("cookie", "__Host-symbolon=x");
    let refused = with.json(&list).answer().expect(403);
    assert_eq!(refused.json()["code"], "bad_origin");
    assert_eq!(refused.header("access-control-allow-origin"), None);
}
