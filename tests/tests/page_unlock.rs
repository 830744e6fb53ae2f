//! The broker and its owner's vault in the page, in the system's Chromium: unlocked by one tap of a passkey, and a
//! connection that is kept in the vault.

use symbolon_tests::accounts::Accounts;
use symbolon_tests::browser;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

/// A server with accounts whose broker knows the service of this upstream.
fn server(upstream: &str) -> Accounts {
    let mut server = Accounts::start();
    server.home.add_service(upstream);
    server.restart();
    server
}

fn key(server: &Accounts) -> String {
    let made = server.home.json(&["agents", "add", "claude"]);
    made["key"].as_str().expect("a key").to_owned()
}

#[test]
fn a_tap_in_the_page_unlocks_and_an_agents_call_works_again() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let server = server("upstream/service.toml");
    server.home.connect("upstream", &upstream, &credential);
    server.home.grant("claude", "upstream.notes.read");
    let key = key(&server);
    browser::drive("unlock.mjs", &server.home, &server.origin(), &[("AGENT_KEY", &key)]);
}

#[test]
fn a_connection_goes_into_the_vault_and_is_used_while_it_is_lent() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let server = server("upstream/service.toml");
    let (key, url, ca) = (key(&server), upstream.base_url(), upstream.ca());
    let more = [
        ("AGENT_KEY", &*key),
        ("CREDENTIAL", &*credential),
        ("UPSTREAM_URL", &*url),
        ("UPSTREAM_CA", ca.to_str().expect("a plain path")),
    ];
    browser::drive("connect.mjs", &server.home, &server.origin(), &more);
    assert!(upstream.authorized() > 0);
}
