//! The services that the other tests stand on, without the product: where these fail, look here first.

use std::process::Command;

use serde_json::json;
use symbolon_tests::http::Request;
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;
use symbolon_tests::verdaccio::Verdaccio;

#[test]
fn httpbin_wants_a_bearer_and_answers_over_tls() {
    let httpbin = Httpbin::start();
    Request::get(httpbin.plain_port, "/bearer").answer().expect(401);
    let answer = Request::get(httpbin.plain_port, "/bearer").bearer("word").answer().expect(200);
    assert_eq!(answer.json(), json!({ "authenticated": true, "token": "word" }));
    assert!(curl(&httpbin.tls, "/gzip", &[]).contains("\"gzipped\": true"));
}

#[test]
fn verdaccio_knows_its_user_by_the_token_alone() {
    let verdaccio = Verdaccio::start();
    let token = verdaccio.make_token();
    assert!(token.len() >= 20, "{} characters", token.len());
    Request::get(verdaccio.plain_port, "/nothing").bearer(&token).answer().expect(404);
    let anonymous = Request::get(verdaccio.plain_port, "/nothing").answer();
    assert!([401, 403, 404].contains(&anonymous.status), "{}", anonymous.status);
    let bearer = format!("authorization: Bearer {token}");
    assert!(curl(&verdaccio.tls, "/-/whoami", &["--header", &bearer]).contains("user-"));
}

#[test]
fn the_upstream_counts_who_came_with_the_credential() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    assert_eq!(upstream.stats(), json!({ "authorized": 0, "refused": 0 }));
    curl(&upstream, "/v1/notes", &[]);
    for header in
        [format!("authorization: Bearer {credential}"), format!("x-api-key: {credential}")]
    {
        assert!(curl(&upstream, "/v1/notes", &["--header", &header]).contains("halves"));
    }
    curl(&upstream, "/v1/notes", &["--user", &format!("ada:{credential}")]);
    curl(&upstream, &format!("/v1/notes?api_key={credential}"), &[]);
    assert_eq!(upstream.stats(), json!({ "authorized": 4, "refused": 1 }));
}

fn curl(upstream: &Upstream, path: &str, arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--compressed", "--max-time", "20", "--cacert"])
        .arg(upstream.ca())
        .args(arguments)
        .arg(format!("{}{path}", upstream.base_url()))
        .output()
        .expect("curl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
