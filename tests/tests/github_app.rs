//! An App of GitHub: its key is sealed, its tokens come and go.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;
use tempfile::TempDir;

struct GitHub {
    _plain: Service,
    port: u16,
    tls: Upstream,
    folder: TempDir,
}

impl GitHub {
    fn start(key_type: &str, token_seconds: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new(place::node());
        command
            .arg(place::fixture("interop/github_app.mjs"))
            .arg(port.to_string())
            .arg(folder.path())
            .env("KEY_TYPE", key_type)
            .env("TOKEN_SECONDS", token_seconds.to_string())
            .current_dir(place::node_folder())
            .stdin(Stdio::null());
        let mut plain = Service::start("an API for Apps", &mut command);
        plain.wait_for("answer", |_| {
            Request::get(port, "/admin/stats").send().ok().filter(|answer| answer.status == 200)
        });
        Self { _plain: plain, port, tls: Upstream::tls_for(port), folder }
    }

    fn key(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("app.pem")).expect("the App's key")
    }

    fn tokens(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("tokens")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn stats(&self) -> Value {
        let answer = Request::get(self.port, "/admin/stats").send().expect("it answers");
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    fn connect(&self, home: &Home, app: &str, key: &[u8]) -> symbolon_tests::home::Ran {
        let (url, ca) = (self.tls.base_url(), self.tls.ca());
        let words = [
            "--json",
            "connect",
            "github",
            "--base-url",
            &url,
            "--ca",
            ca.to_str().expect("a plain path"),
            "--allow-loopback",
            "--oauth",
            "github-app",
            "--client-id",
            app,
            "--installation",
            "77",
            "--from-stdin",
            "--replace",
        ];
        home.run_with(&words, key)
    }
}

fn who(home: &Home) -> Value {
    home.json(&["call", "github.users.me"])["body"].clone()
}

#[test]
fn an_app_calls_with_tokens_of_its_installation_and_gets_others_when_they_are_over() {
    // Renewed a tenth before the end: the second is used well within its life.
    let github = GitHub::start("pkcs1", 6);
    let home = Home::new();
    let made = github.connect(&home, "12345", &github.key()).succeeded().json();
    assert_eq!(made["auth"], "oauth2 (github-app)", "{made}");
    home.grant("cli", "github.users.read");
    let me = who(&home);
    assert_eq!(me["login"], "app[bot]", "{me}");
    assert_eq!(me["seen"], "Bearer [redacted:symbolon]", "what the service repeats is caught");
    assert_eq!(who(&home)["login"], "app[bot]");
    assert_eq!(github.stats()["asked"], 1, "one token for both");
    thread::sleep(Duration::from_secs(6));
    assert_eq!(who(&home)["login"], "app[bot]", "another token");
    assert_eq!(github.stats()["asked"], 2);
    // A broker that begins anew has the last one.
    home.kill_broker();
    assert_eq!(who(&home)["login"], "app[bot]");

    // Down: what is valid goes on, and then there is a clear word.
    Request::get(github.port, "/admin/down").send().expect("it answers");
    thread::sleep(Duration::from_secs(6));
    let refusal = home.refused(&["call", "github.users.me"]);
    assert_eq!(refusal.code, "token_endpoint");
    Request::get(github.port, "/admin/up").send().expect("it answers");
    thread::sleep(Duration::from_secs(2));
    assert_eq!(who(&home)["login"], "app[bot]");

    let key = github.key();
    let mut canaries = Canaries::new();
    for token in github.tokens() {
        canaries = canaries.plant("installation token", token.as_bytes());
    }
    // A line of the key's text, and what it stands for.
    let line = key.split(|b| *b == b'\n').nth(5).expect("a line of base64");
    canaries = canaries.plant("private key", line);
    assert_clean(&canaries.find_below(&home.beside("")).expect("readable"));
    assert_clean(&canaries.find_in("what was printed", &home.said()));
}

#[test]
fn a_key_in_the_other_form_is_good_and_what_is_none_is_refused_before_anything_is_kept() {
    let github = GitHub::start("pkcs8", 3600);
    let home = Home::new();
    let wrong = github.connect(&home, "12345", b"ghs_this-is-a-token-and-no-key").refused();
    assert_eq!(wrong.code, "credential");
    let mut damaged = github.key();
    let middle = damaged.len() / 2;
    damaged.truncate(middle);
    assert_eq!(github.connect(&home, "12345", &damaged).refused().code, "credential");
    assert_eq!(github.stats(), json!({ "asked": 0, "refused": 0, "down": false }));
    // An App of another number: GitHub does not take the statement.
    assert_eq!(github.connect(&home, "54321", &github.key()).refused().code, "token_refused");
    assert_eq!(home.json(&["connections"]).as_array().map(Vec::len), Some(0));
    github.connect(&home, "12345", &github.key()).succeeded();
    home.grant("cli", "github.users.read");
    assert_eq!(who(&home)["login"], "app[bot]");
}
