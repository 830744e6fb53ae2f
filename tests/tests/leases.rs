//! Unlock leases over HTTP and in the command line, and a broker that uses connections of a vault
//! while that is lent to it.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_tests::accounts::{Accounts, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::mcp::Revision;
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

const PASSWORD: &str = "correct horse battery";
const LIST: &str = "upstream.notes.list";

/// The person's vault beside their broker, open without asking, and a service to connect.
fn person() -> (Accounts, Upstream, String) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let mut accounts = Accounts::start();
    accounts.home.add_service("upstream/service.toml");
    accounts.restart();
    let code = accounts.home.beside("code");
    let line = [
        "vault",
        "create",
        "--server",
        &accounts.origin(),
        "--handle",
        "amelie",
        "--device",
        "--from-stdin",
        "--recovery-file",
        code.to_str().unwrap(),
    ];
    accounts.home.ok_with(&line, PASSWORD.as_bytes());
    std::fs::remove_file(code).unwrap();
    (accounts, upstream, credential)
}

fn connect(home: &Home, upstream: &Upstream, credential: &str) {
    let (url, ca) = (upstream.base_url(), upstream.ca());
    let ca = ca.to_str().unwrap();
    let line = [
        "connect",
        "upstream",
        "--base-url",
        &url,
        "--ca",
        ca,
        "--allow-loopback",
        "--vault",
        "--from-stdin",
    ];
    home.ok_with(&line, credential.as_bytes());
}

fn lend(home: &Home) -> String {
    let line = ["vault", "lease", "--connections", "--for", "8h"];
    home.json(&line)["id"].as_str().expect("an id").to_owned()
}

/// Waits until the broker has taken what was lent.
fn taken(home: &Home) -> Value {
    for _ in 0..100 {
        let all = home.json(&["connections"]);
        if all.as_array().is_some_and(|all| !all.is_empty()) {
            return all;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!(
        "the broker did not take the vault's connections: {}",
        String::from_utf8_lossy(&home.said())
    );
}

#[test]
fn a_credential_that_lives_in_the_vault_alone_is_used_while_it_is_lent() {
    let (accounts, upstream, credential) = person();
    let home = &accounts.home;
    let canaries = Canaries::new().plant("the credential", credential.as_bytes());
    connect(home, &upstream, &credential);
    assert_eq!(home.json(&["connections"]), json!([]), "nothing is lent yet");

    let first = lend(home);
    let shown = taken(home);
    assert_eq!((&shown[0]["name"], &shown[0]["lent"]), (&json!("upstream"), &json!(true)));
    home.grant("claude", "upstream.notes.read");
    let reply = home.json(&["call", LIST, "--agent", "claude"]);
    assert_eq!(reply["body"]["notes"][0], "The two halves fit.", "{reply}");
    assert_eq!(upstream.authorized(), 1);
    let mut agent = home.mcp("claude", Revision::BOTH[0]);
    let tools = agent.tools();
    assert!(tools.iter().any(|tool| tool["name"] == LIST));

    // Over: refused at once, and told how to go on.
    home.ok(&["vault", "lease", "end", &first[..8]]);
    let refusal = home.refused(&["call", LIST, "--agent", "claude"]);
    assert_eq!(refusal.code, "not_lent");
    assert_eq!(refusal.next.as_deref(), Some("symbolon vault lease --connections --for 8h"));
    assert_eq!(upstream.authorized(), 1, "nothing left the broker");
    assert_eq!(home.json(&["vault", "leases"]), json!([]));

    // Lent again: the grant of before holds.
    lend(home);
    taken(home);
    assert_eq!(home.json(&["call", LIST, "--agent", "claude"])["status"], 200);

    // What changes in the vault is in force without a new lease.
    let other = random::secret(40);
    let line = ["connect", "upstream", "--base-url", &upstream.base_url(), "--allow-loopback"];
    let ca = upstream.ca();
    let more = ["--ca", ca.to_str().unwrap(), "--vault", "--replace", "--from-stdin"];
    home.ok_with(&[&line[..], &more].concat(), other.as_bytes());
    let refused = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        // What the service refuses is no success of the command.
        home.run(&["--json", "call", LIST, "--agent", "claude"]).stdout().contains("\"status\":401")
    });
    assert!(refused, "the new credential, which the service does not know, is used");

    assert_clean(&canaries.find_below(&home.path()).expect("readable"));
    assert_clean(&canaries.find_in("what the broker said", &home.said()));
}

/// Makes the account of the command line the owner's, as the page of somebody with both sessions does.
fn joined(accounts: &Accounts) -> Page {
    let mut page = accounts.page();
    page.sign_in_by_password("amelie", PASSWORD).expect(200);

    let link = accounts.home.ok(&["page"]).stdout();
    let word = link.trim().rsplit("#link=").next().expect("a word").as_bytes().to_vec();
    let nobody = accounts.page().request("POST", "/api/owner/session");
    let owner = nobody.header("content-type", "text/plain").bytes(word).answer().expect(200);
    let cookie = owner.header("set-cookie").and_then(|set| set.split(';').next()).unwrap();
    let own = page.csrf.clone().expect("a session");
    page.cookie = Some(format!("{cookie}; {}", page.cookie.as_deref().unwrap()));
    page.csrf = owner.header("x-symbolon-csrf").map(str::to_owned);
    let join = page.request("POST", "/api/owner/account").header("x-symbolon-account-csrf", &own);
    join.answer().expect(204);
    page
}

#[test]
fn the_owners_account_lends_its_connections_from_any_device() {
    let (mut accounts, upstream, credential) = person();
    connect(&accounts.home, &upstream, &credential);
    // Whose connections they are was said to the process of before.
    accounts.restart();
    let device = Home::empty(place::symbolon());
    let line = [
        "vault",
        "join",
        "--server",
        &accounts.origin(),
        "--handle",
        "amelie",
        "--device",
        "--from-stdin",
    ];
    device.ok_with(&line, PASSWORD.as_bytes());
    lend(&device);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(accounts.home.json(&["connections"]), json!([]), "nobody's account is the owner's");

    let page = joined(&accounts);
    taken(&accounts.home);
    accounts.home.grant("claude", "upstream.notes.read");
    assert_eq!(accounts.home.json(&["call", LIST, "--agent", "claude"])["status"], 200);

    // Where the account is the owner's no more, nothing of it is used.
    page.request("DELETE", "/api/owner/account").answer().expect(204);
    assert_eq!(accounts.home.json(&["connections"]), json!([]));
    assert_eq!(accounts.home.refused(&["call", LIST, "--agent", "claude"]).code, "not_lent");
}

#[test]
fn a_lease_is_its_owners_and_ends_with_their_sessions_and_keys() {
    let (accounts, upstream, credential) = person();
    let home = &accounts.home;
    connect(home, &upstream, &credential);
    let id = lend(home);
    let all = home.json(&["vault", "leases"]);
    assert_eq!((&all[0]["id"], &all[0]["purposes"]), (&json!(id), &json!(["connections"])));
    let left = all[0]["left_ms"].as_u64().unwrap();
    assert!((7 * 3_600_000..=8 * 3_600_000).contains(&left), "{left}");
    home.refused(&["vault", "lease", "--notes", "--for", "61m"]);
    home.refused(&["vault", "lease", "--connections", "--for", "13h"]);

    // Another account's page: neither sees it nor ends it.
    let (mut stranger, mut device) = (accounts.page(), Device::default());
    stranger.sign_up(&mut device, &Default::default()).expect(201);
    assert_eq!(stranger.get("/api/vault/leases").expect(200).json(), json!({ "leases": [] }));
    let path = format!("/api/vault/leases/{id}");
    stranger.delete(&path).expect(404);
    assert_eq!(home.json(&["vault", "leases"])[0]["id"], json!(id));

    // Nobody, an agent's key, a page of another site.
    accounts.page().get("/api/vault/lease-key").expect(401);
    let key = home.json(&["agents", "add", "claude"])["key"].as_str().unwrap().to_owned();
    let of_agent = accounts.page().request("GET", "/api/vault/lease-key").bearer(&key).answer();
    assert_eq!(of_agent.status, 401, "{}", of_agent.text());
    let asked = stranger.get("/api/vault/lease-key").expect(200).json();
    let forged = json!({ "nonce": asked["nonce"], "purposes": ["notes"], "minutes": 5,
        "sealed": "A".repeat(107) });
    let mut without_csrf = stranger.clone();
    without_csrf.csrf = None;
    let refused = without_csrf.post("/api/vault/leases", &forged).expect(403).json();
    assert_eq!(refused["code"], "bad_csrf");
    let refused = stranger.post("/api/vault/leases", &forged).expect(422).json();
    assert_eq!(refused["code"], "lease_sealed", "{refused}");
    let refused = stranger.post("/api/vault/leases", &forged).expect(409).json();
    assert_eq!(refused["code"], "lease_nonce", "the first try used it up");

    // A process that ends takes every lease with it.
    let mut accounts = accounts;
    accounts.restart();
    assert_eq!(accounts.home.json(&["vault", "leases"]), json!([]));
    assert_eq!(accounts.home.json(&["connections"]), json!([]));
}
