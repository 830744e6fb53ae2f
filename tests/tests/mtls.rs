//! Client certificates, against nginx.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::nginx::Nginx;

const SERVICE: &str = r#"
[service]
id = "inner"
name = "A service inside"
base_url = "https://inner.example"
self_hosted = true
docs = "https://inner.example/docs"
auth = { scheme = "bearer" }
verify = "who"
rate = { burst = 100, per_second = 100.0 }

[[operation]]
id = "who"
title = "Who am I"
description = "Says whose certificate it saw."
method = "GET"
path = "/who"
scope = "inner.who.read"
effect = "read"
"#;

struct Setting {
    nginx: Nginx,
    home: Home,
}

impl Setting {
    fn new(protocol: &str) -> Self {
        let home = Home::new();
        home.add_service_text("inner.toml", SERVICE);
        Self { nginx: Nginx::start(protocol), home }
    }

    /// `symbolon connect inner` under `name` with these words behind.
    fn connect(&self, name: &str, words: &[&str], stdin: &[u8]) -> Ran {
        let url = format!("https://localhost:{}", self.nginx.port);
        let ca = self.nginx.file("ca.pem");
        let given = ["--json", "connect", "inner", "--name", name, "--base-url", &url, "--ca"];
        let given = [&given[..], &[text(&ca), "--allow-loopback"], words].concat();
        self.home.run_with(&given, stdin)
    }

    /// With these files of nginx's folder.
    fn connect_with(&self, name: &str, cert: &str, key: &str, words: &[&str]) -> Ran {
        let (cert, key) = (self.nginx.file(cert), self.nginx.file(key));
        let given = ["--client-cert", text(&cert), "--client-key", text(&key)];
        self.connect(name, &[&given[..], words].concat(), b"")
    }

    /// A connection and a grant on it.
    #[track_caller]
    fn join(&self, who: &str) {
        let (cert, key) = (format!("{who}.pem"), format!("{who}.key"));
        self.connect_with(who, &cert, &key, &[]).succeeded();
        self.home.ok(&["grant", "cli", "inner.*", "--for", "1h", "--on", who]);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn key_lines(file: PathBuf) -> Canaries {
    let pem = std::fs::read_to_string(file).expect("the key is a file");
    let lines = pem.lines().filter(|line| !line.starts_with('-') && line.len() > 40);
    let planted = |canaries: Canaries, (nth, line): (usize, &str)| {
        canaries.plant(&format!("line {nth} of the key"), line.as_bytes())
    };
    lines.enumerate().fold(Canaries::new(), planted)
}

#[test]
fn the_right_certificate_passes_with_a_receipt_and_its_key_stays() {
    for protocol in ["TLSv1.3", "TLSv1.2"] {
        let it = Setting::new(protocol);
        let made = it.connect_with("alice", "alice.pem", "alice.key", &["--verify"]);
        let made = made.succeeded().json();
        assert_eq!((&made["auth"], &made["verified"]), (&"mtls".into(), &200.into()), "{made}");
        // No grant, no handshake; no handshake, no request.
        let before = it.nginx.requests();
        assert_eq!(it.home.refused(&["call", "inner.who", "--on", "alice"]).code, "no_grant");
        assert_eq!(it.nginx.requests(), before);
        it.home.ok(&["grant", "cli", "inner.*", "--for", "1h", "--on", "alice"]);
        // After a restart the key is read from the home alone.
        it.home.ok(&["lock", "--stop"]);
        // Two calls a connection: the second handshake could resume the first one's session.
        for _ in 0..4 {
            let reply = it.home.json(&["call", "inner.who", "--on", "alice"]);
            let body = &reply["body"];
            assert_eq!((&body["who"], &body["resumed"]), (&"CN=alice".into(), &".".into()));
            assert_eq!(body["authorization"], "", "nothing stands in the request: {reply}");
        }
        let newest = it.home.receipts()[0]["number"].as_u64().expect("a number");
        let (bundle, key) = (it.home.export_receipt(newest), it.home.operator_key());
        it.home.ok(&["verify", text(&bundle), "--key", text(&key)]);
        let canaries = key_lines(it.nginx.file("alice.key"));
        let at = it.nginx.file("alice.key");
        assert!(!canaries.find_in_file(&at).expect("it is there").is_empty(), "the search finds");
        assert_clean(&canaries.find_below(&it.home.path()).expect("the home can be read"));
        assert_clean(&canaries.find_in("what was printed", &it.home.said()));
        assert_clean(&canaries.find_in_file(&bundle).expect("the bundle is there"));
    }
}

#[test]
fn what_is_no_certificate_with_its_key_is_refused_where_it_is_entered() {
    let it = Setting::new("TLSv1.3");
    let refused = |cert: &str, key: &str| it.connect_with("it", cert, key, &[]).refused();
    for (cert, key, message) in [
        ("alice.pem", "bob.key", "not the certificate's"),
        ("late.pem", "late.key", "expired"),
        ("alice.pem", "alice.csr", "no private key"),
        ("alice.key", "alice.key", "no certificate"),
    ] {
        if key.ends_with("csr") {
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(it.nginx.file(key), mode).expect("our own file");
        }
        let refusal = refused(cert, key);
        assert_eq!(refusal.code, "client_certificate", "{cert} {key}: {}", refusal.error);
        assert!(refusal.message.contains(message), "{cert} {key}: {}", refusal.error);
        assert!(refusal.next.is_some_and(|next| next.contains("--client-key FILE")));
    }
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(it.nginx.file("alice.key"), open).expect("our own file");
    let refusal = refused("alice.pem", "alice.key");
    assert_eq!(refusal.code, "key_too_open", "{}", refusal.error);
    assert!(refusal.next.is_some_and(|next| next.starts_with("chmod 600 ")));
    let plain =
        ["--client-cert", text(&it.nginx.file("bob.pem")), "--client-key"].map(str::to_owned);
    let key = it.nginx.file("bob.key");
    let plain: Vec<&str> = plain.iter().map(String::as_str).chain([text(&key)]).collect();
    let given =
        ["--json", "connect", "inner", "--base-url", "http://127.0.0.1:1", "--allow-loopback"];
    let refusal = it.home.run(&[&given[..], &plain].concat()).refused();
    assert!(refusal.message.contains("over TLS alone"), "{}", refusal.error);
    assert_eq!(it.home.json(&["connections"]).as_array().map(Vec::len), Some(0));
    assert_eq!(it.nginx.requests(), 0);
}

#[test]
fn a_foreign_certificate_or_none_is_not_let_in() {
    let it = Setting::new("TLSv1.3");
    let foreign = it.connect_with("stranger", "stranger.pem", "stranger.key", &["--verify"]);
    let foreign = foreign.refused();
    assert_eq!(foreign.code, "check_failed", "{}", foreign.error);
    assert!(foreign.message.contains("400"), "{}", foreign.error);
    let none = it.connect("bare", &["--from-stdin", "--verify"], b"a token of somebody 0123456789");
    let none = none.refused();
    assert_eq!(none.code, "check_failed", "{}", none.error);
}

#[test]
fn connections_to_one_host_are_told_apart() {
    let it = Setting::new("TLSv1.3");
    it.join("alice");
    it.join("bob");
    it.connect("bare", &["--from-stdin"], b"a token of somebody 0123456789").succeeded();
    it.home.ok(&["grant", "cli", "inner.*", "--for", "1h", "--on", "bare"]);
    // Kept connections and sessions of one are of no use to another.
    for _ in 0..3 {
        for (name, who) in [("alice", "CN=alice"), ("bob", "CN=bob")] {
            let reply = it.home.json(&["call", "inner.who", "--on", name]);
            assert_eq!(reply["body"]["who"], who, "{reply}");
        }
        let bare = it.home.run(&["--json", "call", "inner.who", "--on", "bare"]);
        assert!(bare.all().contains("400"), "nginx wants a certificate: {}", bare.all());
        assert!(!bare.all().contains("CN="), "{}", bare.all());
    }
    // Under a name that was taken back and given anew, the old one's connections are gone.
    it.connect_with("alice", "bob.pem", "bob.key", &["--replace"]).succeeded();
    let reply = it.home.json(&["call", "inner.who", "--on", "alice"]);
    assert_eq!(reply["body"]["who"], "CN=bob", "{reply}");
}
