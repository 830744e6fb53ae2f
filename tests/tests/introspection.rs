//! How often a service may ask about tokens, and how often somebody who is none.

use serde_json::json;
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::http::{Request, Response};

fn introspect(port: u16, secret: &str) -> Response {
    let request = Request::post(port, "/api/keys/introspect").bytes(b"token=no-token".to_vec());
    request.only_header("content-type", "application/x-www-form-urlencoded").bearer(secret).answer()
}

/// Everybody who calls a service comes to the server from the service's address.
#[test]
fn a_service_asks_about_its_tokens_as_often_as_it_is_called() {
    let accounts = Accounts::start();
    let port = accounts.port;
    let mut page = Page::at(port);
    page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
    let new = json!({ "audience": "https://api.example", "name": "API", "scopes": "read",
        "token_seconds": 300 });
    let made = page.post("/api/keys/services", &new).expect(201).json();
    let secret = made["secret"].as_str().expect("text");

    // More than an address may ask of anything else at once.
    for _ in 0..900 {
        assert_eq!(introspect(port, secret).expect(200).json()["active"], false);
    }
    let told = Request::get(port, "/api/keys/jwks").answer();
    assert_eq!(told.status, 200, "nothing was taken from the address");

    // Who has no secret of a service is limited as everybody is.
    let guess = format!("symk_{}", "A".repeat(43));
    let mut guesses = 0;
    let limited = loop {
        let answer = introspect(port, &guess);
        if answer.status != 401 {
            break answer;
        }
        guesses += 1;
        assert!(guesses < 3000, "600 at once and 100 a second");
    };
    assert!(guesses >= 590, "{guesses}");
    assert_eq!((limited.status, &limited.json()["code"]), (429, &json!("rate_limited")));
    assert_eq!(limited.header("retry-after"), Some("1"));
}
