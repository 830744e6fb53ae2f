//! The page, in the system's Chromium, with the real broker and a real upstream behind it.
//!
//! Each test serves a home and drives it with a script of `web/tests`, which fails for an error on the console, a
//! violation of the policy, a request to somebody else, or whatever axe finds. Pictures of every state, in light and
//! dark, wide and narrow, are kept in `target/xtask/shots`.

use std::process::Stdio;

use symbolon_tests::browser;
use symbolon_tests::home::Home;
use symbolon_tests::random;
use symbolon_tests::served::Served;
use symbolon_tests::service::{Service, free_port};

fn drive(script: &str, home: &Home, port: u16, more: &[(&str, &str)]) {
    browser::drive(script, home, &format!("http://127.0.0.1:{port}"), more);
}

#[test]
fn every_state_of_every_view() {
    let home = Home::new();
    home.ok(&["lock", "--stop"]);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut command = home.command(&["serve", "--listen", &listen]);
    let mut served = Service::start("symbolon serve", command.stdin(Stdio::null()));
    served.wait_for_port(port);
    drive("states.mjs", &home, port, &[]);
}

#[test]
fn a_session_is_a_cookie_and_a_word() {
    let served = Served::start();
    let key = served.key("claude");
    drive("session.mjs", &served.home, served.port, &[("AGENT_KEY", &key)]);
}

#[test]
fn an_agent_calls_and_its_owner_watches_answers_and_verifies() {
    let served = Served::start();
    let (key, other) = (served.key("claude"), served.key("other"));
    served.grant(&["claude", "httpbin.inspect.*", "--for", "1h", "--ask", "write"]);
    let keys = [("AGENT_KEY", &*key), ("OTHER_KEY", &*other)];
    drive("calls.mjs", &served.home, served.port, &keys);
}

#[test]
fn the_owner_sets_up_and_takes_back_and_no_credential_stays_in_the_page() {
    let served = Served::start();
    let key = served.key("claude");
    let canary = random::secret(40);
    let (url, ca) = (served.httpbin.tls.base_url(), served.httpbin.tls.ca());
    let more = [
        ("AGENT_KEY", &*key),
        ("CANARY", &*canary),
        ("UPSTREAM_URL", &*url),
        ("UPSTREAM_CA", ca.to_str().expect("a plain path")),
    ];
    drive("setup.mjs", &served.home, served.port, &more);
}

#[test]
fn a_browser_follows_the_operators_key_to_the_next_one_and_to_no_other() {
    let mut served = Served::start();
    served.grant(&["claude", "httpbin.inspect.*", "--for", "1h"]);
    let key = served.key("claude");
    let number = served.call(&key, "httpbin.get").expect(200).json()["receipt"].clone();
    let home = &served.home;
    let [state, receipt, old] =
        ["browser.json", "before.json", "before.pub"].map(|it| home.beside(it));
    let [state, receipt, old] =
        [&state, &receipt, &old].map(|it| it.to_str().expect("a plain path"));
    home.ok(&["receipts", "show", &number.to_string(), "--out", receipt]);
    std::fs::copy(home.operator_key(), old).expect("a copy of the key");
    drive("operator.mjs", home, served.port, &[("PHASE", "before"), ("STATE", state)]);
    home.ok(&["operator", "rotate", "--yes"]);
    served.restart();
    let line = served.home.path().join("operator.succession");
    let more = [
        ("PHASE", "after"),
        ("STATE", state),
        ("RECEIPT", receipt),
        ("NUMBER", &number.to_string()),
        ("OLD", old),
        ("LINE", line.to_str().expect("a plain path")),
    ];
    drive("operator.mjs", &served.home, served.port, &more);
}
