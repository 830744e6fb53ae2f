//! Bad input, bad upstreams, bad homes: each is refused with its own error, and nothing is lost.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::{Home, Refusal};
use symbolon_tests::mcp::Revision;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

struct Connected {
    home: Home,
    upstream: Upstream,
    canaries: Canaries,
}

fn connected() -> Connected {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    home.grant("cli", "upstream.*");
    let canaries = Canaries::new().plant("credential", credential.as_bytes());
    Connected { home, upstream, canaries }
}

impl Connected {
    /// A call that must be refused before the credential leaves, or whose answer must be.
    #[track_caller]
    fn refused(&self, words: &[&str]) -> Refusal {
        let refusal = self.home.refused(&[&["call"], words].concat());
        assert_clean(&self.canaries.find_in("the error", refusal.error.to_string().as_bytes()));
        refusal
    }
}

#[test]
fn a_path_that_leads_elsewhere_never_leaves() {
    let at = connected();
    for path in [
        "../admin",
        "a/../../admin",
        "%2e%2e/admin",
        "%2E%2E%2Fadmin",
        "..%2fadmin",
        "a//b",
        "/absolute",
        "a\\..\\b",
        "..\\admin",
        "a/./b",
        ".",
        "..",
        "a%00b",
        "a\u{2024}\u{2024}/b",
        "\u{ff0e}\u{ff0e}/b",
        "a\u{2215}b",
        "a\u{ff0f}..\u{ff0f}b",
        "a;b/..;/c",
        "a\r\nhost: evil.example",
        "a\nb",
    ] {
        // Either it is refused, or it is sent as one harmless spelling below the same prefix.
        let ran = at.home.run(&["--json", "call", "upstream.bad.path", &format!("rest={path}")]);
        if ran.is_success() {
            assert_eq!(ran.json()["status"], 404, "{path:?} led to something: {}", ran.all());
        } else {
            ran.refused();
        }
    }
    let nul = r#"rest:="a\u0000b""#;
    at.refused(&["upstream.bad.path", nul]);
    // Whatever was sent, none of it reached another path than those below /v1.
    assert_eq!(at.upstream.stats()["refused"], 0);
}

#[test]
fn parameters_that_do_not_fit_never_leave() {
    let at = connected();
    for words in [
        &["upstream.notes.get"][..],
        &["upstream.notes.get", "number=one"],
        &["upstream.notes.get", "number=-1"],
        &["upstream.notes.get", "number:=1.5"],
        &["upstream.notes.get", "number=0", "host=evil.example"],
        &["upstream.notes.get", "number=0", "base_url=https://evil.example"],
        &["upstream.notes.get", "number:=[0]"],
        &["upstream.notes.list", "authorization=Bearer x"],
        &["upstream.notes.create", "text:={}"],
        &["upstream.bad.big", "mib=4097"],
        &["upstream.nothing"],
        &["nothing.at.all"],
        &["upstream.notes.get", "number"],
    ] {
        at.refused(words);
    }
    assert_eq!(at.upstream.authorized(), 0);
}

#[test]
fn line_ends_in_a_parameter_stay_in_it() {
    let at = connected();
    let text = "a\r\nx-injected: yes\r\n\r\nGET /v1/account HTTP/1.1";
    let given = format!("text={text}");
    at.home.ok(&["call", "upstream.notes.create", &given]);
    let reply = at.home.json(&["call", "upstream.notes.get", "number=2"]);
    assert_eq!(reply["body"]["text"], text);
    at.refused(&["upstream.notes.search", &format!("q={text}")]);
    assert_eq!(at.upstream.authorized(), 2, "something was smuggled");
}

#[test]
fn an_upstream_that_misbehaves_is_told_apart_and_leaves_a_receipt() {
    let at = connected();
    let mut messages = BTreeSet::new();
    for words in [
        &["upstream.bad.close"][..],
        &["upstream.bad.big", "mib=2000"],
        &["upstream.bad.headers", "count=20000"],
    ] {
        let before = at.home.receipts().len();
        let refusal = at.refused(words);
        assert!(messages.insert(refusal.message.clone()), "two faults: {}", refusal.message);
        let rows = at.home.receipts();
        assert_eq!(rows.len(), before + 1, "{words:?} left no receipt");
        assert_eq!(rows[0]["outcome"], "failed", "{words:?}: {}", rows[0]);
        assert!(refusal.error["receipt"].is_u64(), "{}", refusal.error);
    }
}

#[test]
fn an_upstream_that_hangs_is_given_up() {
    let at = connected();
    let began = std::time::Instant::now();
    at.refused(&["upstream.bad.hang"]);
    assert!(began.elapsed().as_secs() < 120, "it waited {:?}", began.elapsed());
    assert_eq!(at.home.receipts()[0]["outcome"], "failed");
}

#[test]
fn a_connection_that_is_reset_leaves_a_receipt() {
    let upstream = Upstream::reset();
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &random::secret(40));
    home.grant("cli", "upstream.notes.read");
    home.refused(&["call", "upstream.notes.list"]);
    assert_eq!(home.receipts()[0]["outcome"], "failed");
}

#[test]
fn a_redirect_takes_the_credential_nowhere_else() {
    let at = connected();
    // A second service on another port: another authority, and it counts who comes.
    let other = Upstream::api("not the credential of this test");
    for to in [
        format!("{}/v1/account", other.base_url()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/latest/meta-data/".to_owned(),
        "https://example.org/".to_owned(),
        at.upstream.base_url().replace("https", "http"),
        "file:///etc/passwd".to_owned(),
    ] {
        let given = format!("to={to}");
        let ran = at.home.run(&["--json", "call", "upstream.bad.redirect", &given]);
        let passed_on = ran.is_success() && ran.json()["status"] == 302;
        assert!(passed_on || !ran.refused().code.is_empty(), "{to}: {}", ran.all());
    }
    let stats = other.stats();
    assert_eq!(
        (&stats["authorized"], &stats["refused"]),
        (&json!(0), &json!(0)),
        "it was followed"
    );
    // On the same host it is followed to what needs the same scope, and to nothing else.
    let same = at.home.json(&["call", "upstream.bad.redirect", "to=/status/200"]);
    assert_eq!(same["body"]["status"], 200, "{same}");
    let beyond = at.home.json(&["call", "upstream.bad.redirect", "to=/v1/account"]);
    assert_eq!(beyond["status"], 302, "{beyond}");
}

#[test]
fn an_echoed_credential_is_taken_out() {
    let at = connected();
    // A header that callers are not shown counts too: it was found there, and did not get out.
    for (tool, times) in
        [("upstream.bad.echo", 1), ("upstream.bad.echo_base64", 3), ("upstream.bad.echo_header", 1)]
    {
        let ran = at.home.ok(&["--json", "call", tool]);
        assert_clean(&at.canaries.find_in(tool, ran.all().as_bytes()));
        assert_eq!(ran.json()["redactions"], times, "{tool}: {}", ran.all());
    }
    assert_clean(&at.canaries.find_below(&at.home.path()).expect("a readable home"));
}

#[test]
fn an_address_that_was_not_allowed_is_refused_before_the_credential_opens() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    let (ca, url) = (upstream.ca(), upstream.base_url());
    let ca = ca.to_str().unwrap();
    let connect = |name: &str, url: &str| {
        let words =
            ["--json", "connect", "upstream", "--name", name, "--base-url", url, "--ca", ca];
        home.run_with(&[&words[..], &["--from-stdin"]].concat(), credential.as_bytes())
    };
    // Refused at once, or at the first call: either way the credential stays.
    for (name, url) in [
        ("loopback", url.as_str()),
        ("metadata", "https://169.254.169.254"),
        ("private", "https://10.0.0.1"),
        ("mapped", "https://[::ffff:127.0.0.1]"),
    ] {
        let ran = connect(name, url);
        if !ran.is_success() {
            ran.refused();
            continue;
        }
        home.json(&["grant", "cli", "upstream.notes.read", "--for", "1h", "--on", name]);
        home.refused(&["call", "upstream.notes.list", "--connection", name]);
    }
    for url in ["http://localhost", "ftp://localhost", "https://user@localhost", "localhost", ""] {
        connect("odd", url).refused();
    }
    assert_eq!(upstream.authorized(), 0);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let credential = random::secret(40);
    let (upstream, other) = (Upstream::api(&credential), Upstream::api("another one"));
    let home = Home::new();
    home.add_service("upstream/service.toml");
    let (ca, url) = (other.ca(), upstream.base_url());
    let words = ["connect", "upstream", "--base-url", &url, "--allow-loopback", "--from-stdin"];
    let trusting = ["--ca", ca.to_str().unwrap()];
    home.ok_with(&[&words[..], &trusting].concat(), credential.as_bytes());
    home.grant("cli", "upstream.notes.read");
    home.refused(&["call", "upstream.notes.list"]);
    assert_eq!(upstream.authorized(), 0);
}

#[test]
fn malformed_mcp_is_answered_and_the_session_goes_on() {
    let at = connected();
    let mut agent = at.home.mcp("cli", Revision::Session);
    for line in [
        "not json",
        "{}",
        "[]",
        "null",
        r#"{"jsonrpc":"2.0","id":900,"method":"tools/call","params":{"name":5}}"#,
        r#"{"jsonrpc":"2.0","id":901,"method":"no/such/method"}"#,
        r#"{"jsonrpc":"1.0","id":902,"method":"tools/list"}"#,
        "\u{0}\u{1}\u{2}",
    ] {
        agent.send_line(line);
    }
    agent.send_line(&format!(r#"{{"jsonrpc":"2.0","id":903,"method":"{}"}}"#, "x".repeat(200_000)));
    let result = agent.call("upstream.notes.list", json!({}));
    assert_eq!(result["structuredContent"]["status"], 200, "{result}");
    let unknown = agent.ask("tools/call", json!({ "name": "no.such.tool", "arguments": {} }));
    let refused = unknown.get("error").is_some() || unknown["result"]["isError"] == true;
    assert!(refused, "{unknown}");
}

#[test]
fn a_damaged_home_says_what_is_damaged_and_loses_nothing() {
    for file in ["home.json", "state.db", "device.key", "operator.pub", "log/checkpoint"] {
        let at = connected();
        at.home.ok(&["call", "upstream.notes.list"]);
        at.home.ok(&["lock", "--stop"]);
        let path = at.home.path().join(file);
        let whole = std::fs::read(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x10;
        let truncated = whole[..whole.len() / 2].to_vec();
        for (how, damaged) in [("flipped", flipped), ("truncated", truncated), ("emptied", vec![])]
        {
            std::fs::write(&path, &damaged).unwrap();
            let ran = at.home.run(&["--json", "call", "upstream.notes.list"]);
            // Some damage is not in the way, and some is mended; none is a panic or a silent loss.
            if !ran.is_success() {
                let refusal = ran.refused();
                assert!(!refusal.message.is_empty(), "{file} {how}");
            }
            at.home.run(&["lock", "--stop"]);
            restore(&at.home.path(), &path, &whole);
        }
        let rows = at.home.receipts();
        assert!(rows.iter().any(|row| row["status"] == 200), "{file}: the receipt is gone");
        at.home.ok(&["call", "upstream.notes.list"]);
    }
}

/// Puts the file back, and takes away what SQLite would apply to it.
fn restore(home: &Path, path: &Path, whole: &[u8]) {
    for rest in ["state.db-wal", "state.db-shm"] {
        // There is none where the database was closed in order.
        let _ = std::fs::remove_file(home.join(rest));
    }
    std::fs::write(path, whole).unwrap();
}
