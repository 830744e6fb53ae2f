//! Against httpbin: bearer, basic, redirects, compression, bytes, slow answers.

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::random;

struct Connected {
    home: Home,
    _httpbin: Httpbin,
    canaries: Canaries,
}

impl Connected {
    fn new(service: &str, credential: &str) -> Self {
        let httpbin = Httpbin::start();
        let home = Home::new();
        home.add_service("services/httpbin.toml");
        home.add_service("services/httpbin_basic.toml");
        home.connect(service, &httpbin.tls, credential);
        home.grant("cli", &format!("{service}.*"));
        let canaries = Canaries::new().plant("credential", credential.as_bytes());
        Self { home, _httpbin: httpbin, canaries }
    }

    #[track_caller]
    fn call(&self, words: &[&str]) -> Value {
        let ran = self.home.ok(&[&["--json", "call"], words].concat());
        assert_clean(&self.canaries.find_in("the reply", ran.all().as_bytes()));
        ran.json()
    }
}

#[test]
fn a_bearer_is_sent_and_taken_out_of_the_answer() {
    let at = Connected::new("httpbin", &random::secret(40));
    let reply = at.call(&["httpbin.bearer"]);
    assert_eq!((&reply["status"], &reply["body"]["authenticated"]), (&json!(200), &json!(true)));
    assert_eq!(reply["redactions"], 1, "httpbin repeats the token once: {reply}");
    let reply = at.call(&["httpbin.headers"]);
    let sent = reply["body"]["headers"]["Authorization"].as_str().expect("it was sent");
    assert!(sent.starts_with("Bearer "), "{sent}");
    let reply = at.call(&["httpbin.get", "word=two words & more"]);
    assert_eq!(reply["body"]["args"]["word"], "two words & more");
    let reply = at.call(&["httpbin.post", "word=é\n\"quoted\""]);
    assert_eq!(reply["body"]["json"]["word"], "é\n\"quoted\"");
}

#[test]
fn compressed_answers_are_read_and_redacted() {
    let at = Connected::new("httpbin", &random::secret(40));
    for (tool, sign) in [("httpbin.gzip", "gzipped"), ("httpbin.deflate", "deflated")] {
        let reply = at.call(&[tool]);
        assert_eq!(reply["body"][sign], true, "{reply}");
        assert_eq!(reply["redactions"], 1, "the token is inside: {reply}");
    }
    // What cannot be decoded is refused, not passed on; where it can be, it is redacted.
    let brotli = at.home.run(&["--json", "call", "httpbin.brotli"]);
    assert_clean(&at.canaries.find_in("brotli", brotli.all().as_bytes()));
}

#[test]
fn bytes_and_statuses_come_through() {
    let at = Connected::new("httpbin", &random::secret(40));
    let reply = at.call(&["httpbin.bytes", "count=300"]);
    assert_eq!(reply["encoding"], "base64");
    assert_eq!(reply["body"].as_str().map(str::len), Some(400));
    for code in ["200", "204", "404", "418", "500", "503"] {
        let ran = at.home.run(&["--json", "call", "httpbin.status", &format!("code={code}")]);
        assert_eq!(ran.json()["status"].to_string(), code, "{}", ran.all());
    }
}

#[test]
fn redirects_stay_on_their_host_or_end() {
    let at = Connected::new("httpbin", &random::secret(40));
    let reply = at.call(&["httpbin.redirect_relative", "count=2"]);
    assert_eq!(reply["status"], 200, "{reply}");
    for url in [
        "https://example.org/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "https://localhost:1/",
    ] {
        let given = format!("url={url}");
        let ran = at.home.run(&["--json", "call", "httpbin.redirect_to", &given]);
        let passed_on = ran.is_success() && ran.json()["status"] == 302;
        assert!(passed_on || !ran.refused().code.is_empty(), "{url}: {}", ran.all());
        assert_clean(&at.canaries.find_in(url, ran.all().as_bytes()));
    }
}

#[test]
fn a_slow_answer_arrives() {
    let at = Connected::new("httpbin", &random::secret(40));
    let reply = at.call(&["httpbin.drip", "duration=1", "numbytes=5"]);
    assert_eq!(reply["status"], 200, "{reply}");
}

#[test]
fn basic_sends_the_user_and_the_password() {
    let password = random::secret(32);
    let at = Connected::new("httpbin_basic", &password);
    let reply = at.call(&["httpbin_basic.headers"]);
    let sent = reply["body"]["headers"]["Authorization"].as_str().expect("it was sent");
    assert!(sent.starts_with("Basic "), "{sent}");
    assert_eq!(reply["redactions"], 1, "{reply}");
    // httpbin compares with what the path says. The agent has to guess it, and guesses right here.
    let right = format!("password={password}");
    let ran = at.home.ok(&["--json", "call", "httpbin_basic.basic", "user=ada", &right]);
    assert_eq!(ran.json()["status"], 200, "{}", ran.all());
    let wrong = at.home.run(&["--json", "call", "httpbin_basic.basic", "user=ada", "password=x"]);
    assert_eq!(wrong.json()["status"], 401, "{}", wrong.all());
}
