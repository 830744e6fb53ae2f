//! `symbolon connections verify`: one live call each, against services that others wrote.

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::oidc::{Connecting, Oidc};
use symbolon_tests::random;
use symbolon_tests::verdaccio::Verdaccio;

/// httpbin, as a service that tells what its credential may do: in the body, where httpbin gives back
/// a header that the file sets, or in a header of httpbin's own.
fn telling(id: &str, scopes: &str) -> String {
    format!(
        r#"
[service]
id = "{id}"
name = "A service that tells"
base_url = "https://{id}.example"
self_hosted = true
docs = "https://{id}.example/docs"
auth = {{ scheme = "bearer" }}
verify = "me"
rate = {{ burst = 9, per_second = 9 }}
headers = {{ x-told = "read, change admin" }}

[service.tells]
who = "body:/headers/X-Told"
scopes = "{scopes}"
wide = {{ admin = [], change = ["{id}.things.write"], "*" = [] }}

[[operation]]
id = "me"
title = "Show me"
description = "Gives back the headers of the request."
method = "GET"
path = "/headers"
scope = "{id}.things.read"
effect = "read"

[[operation]]
id = "change"
title = "Change something"
description = "Gives back the request."
method = "POST"
path = "/post"
scope = "{id}.things.write"
effect = "write"
"#
    )
}

#[track_caller]
fn named<'a>(all: &'a Value, name: &str) -> &'a Value {
    let all = all.as_array().unwrap_or_else(|| panic!("no list: {all}"));
    all.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}: {all:?}"))
}

/// The views, and whether the command said that all is well.
fn verify(home: &Home, words: &[&str]) -> (Value, Option<i32>) {
    let ran = home.run(&[&["--json", "connections", "verify"], words].concat());
    (ran.json(), ran.code())
}

#[test]
fn it_says_what_works_and_what_does_not() {
    let verdaccio = Verdaccio::start();
    let httpbin = Httpbin::start();
    let gone = Httpbin::start();
    let home = Home::new();
    home.add_service("services/httpbin.toml");
    home.connect("npm", &verdaccio.tls, &verdaccio.make_token());
    home.connect("httpbin", &httpbin.tls, &random::secret(40));
    let (good, code) = verify(&home, &["--all"]);
    assert_eq!(code, Some(0), "{good}");
    let npm = named(&good, "npm");
    assert_eq!((&npm["outcome"], &npm["status"]), (&json!("works"), &json!(200)), "{npm}");
    assert!(npm["who"].as_str().is_some_and(|who| who.starts_with("user-")), "{npm}");
    assert_eq!(named(&good, "httpbin")["who"], Value::Null, "its file names no place");

    // The call is one as any other: with a receipt, of the owner.
    let row = home.receipts().into_iter().find(|row| row["number"] == npm["receipt"]);
    let row = row.expect("a receipt");
    assert_eq!((&row["agent"], &row["tool"]), (&json!("owner"), &json!("npm.whoami")));
    assert_eq!(npm["last_used"], Value::Null, "the owner's checks are no use");
    home.grant("cli", "npm.users.read");
    home.ok(&["call", "npm.whoami"]);
    let used = verify(&home, &["npm"]).0;
    assert!(named(&used, "npm")["last_used"].as_str().is_some(), "{used}");

    // Each kind of failure in its own word.
    let connect = |name: &str, service: &str, url: &str, ca: &str, more: &[&str]| {
        let given = ["connect", service, "--name", name, "--base-url", url, "--ca", ca];
        let words = [&given[..], more, &["--from-stdin"]].concat();
        home.ok_with(&words, random::secret(40).as_bytes());
    };
    let (url, ca) = (httpbin.tls.base_url(), httpbin.tls.ca());
    let other = verdaccio.tls.ca();
    connect("wrong-ca", "httpbin", &url, other.to_str().unwrap(), &["--allow-loopback"]);
    let npm = verdaccio.tls.base_url();
    connect("wrong-token", "npm", &npm, other.to_str().unwrap(), &["--allow-loopback"]);
    connect("gone", "httpbin", &gone.tls.base_url(), ca.to_str().unwrap(), &["--allow-loopback"]);
    drop(gone);
    let (all, code) = verify(&home, &["--all"]);
    assert_eq!(code, Some(1), "{all}");
    for (name, outcome) in [
        ("npm", "works"),
        ("wrong-ca", "certificate"),
        ("wrong-token", "refused"),
        ("gone", "unreachable"),
    ] {
        assert_eq!(named(&all, name)["outcome"], outcome, "{name}: {all}");
    }
    assert_eq!(verify(&home, &["npm"]).1, Some(0), "what was asked for works");
    let refused = home.refused(&["connections", "verify", "nobody"]);
    assert_eq!(refused.code, "no_connection");
    let said = home.run(&["connections", "verify", "npm", "wrong-token"]);
    assert_eq!(said.code(), Some(1));
    assert!(said.stderr().contains("2/2") && said.stdout().contains("refused"), "{}", said.all());
}

#[test]
fn too_wide_is_what_the_service_tells_and_no_grant_uses() {
    let httpbin = Httpbin::start();
    let home = Home::new();
    home.add_service_text("telling.toml", &telling("telling", "body:/headers/X-Told"));
    home.add_service_text(
        "heading.toml",
        &telling("heading", "header:access-control-allow-origin"),
    );
    home.add_service("services/httpbin.toml");
    for service in ["telling", "heading", "httpbin"] {
        home.connect(service, &httpbin.tls, &random::secret(40));
    }
    let (all, code) = verify(&home, &["--all"]);
    assert_eq!(code, Some(0), "wide is no failure: {all}");
    let it = named(&all, "telling");
    assert_eq!(it["scopes"], json!(["read", "change", "admin"]), "{it}");
    assert_eq!(it["too_wide"], json!(["change", "admin"]));
    assert_eq!(it["who"], "read, change admin");
    assert_eq!(named(&all, "heading")["too_wide"], json!(["*"]), "a header that agents do not see");
    let plain = named(&all, "httpbin");
    assert_eq!((&plain["scopes"], &plain["too_wide"]), (&Value::Null, &json!([])), "never guessed");

    let number = home.grant("claude", "telling.*")["id"].to_string();
    let too_wide = || named(&verify(&home, &["telling"]).0, "telling")["too_wide"].clone();
    assert_eq!(too_wide(), json!(["admin"]), "a grant uses what changes");
    home.ok(&["revoke", &number]);
    assert_eq!(too_wide(), json!(["change", "admin"]));
    // To agents the header is none of their business.
    home.grant("cli", "heading.things.read");
    let reply = home.json(&["call", "heading.me"]);
    assert!(!reply["headers"].to_string().contains("access-control"), "{reply}");
    let said = home.ok(&["connections", "verify", "telling", "httpbin"]).stdout();
    assert!(said.contains("change admin") && said.contains("not told"), "{said}");
}

/// A home with a connection whose tokens were asked for with these scopes.
fn connected(oidc: &Oidc, scopes: &str) -> Home {
    let home = oidc.home();
    let words = ["--oauth", "code", "--oauth-scope", scopes, "--client-id", "public"];
    let mut connecting = Connecting::start(&mut oidc.connect(&home, &words), "");
    let page = oidc.browse(&[&connecting.line("Open")]);
    assert!(page.contains("onnected"), "{page}");
    let (succeeded, _, all) = connecting.end();
    assert!(succeeded, "{all}");
    home
}

#[test]
fn a_token_is_too_wide_by_what_its_provider_gave_and_not_by_what_was_asked_for() {
    let oidc = Oidc::start(3);
    // The server gives `offline_access` to nobody who was not asked for his consent to it.
    let home = connected(&oidc, "openid offline_access");
    let seen = |home: &Home| {
        let all = verify(home, &["oidc"]).0;
        let it = named(&all, "oidc").clone();
        (it["scopes"].clone(), it["too_wide"].clone())
    };
    assert_eq!(seen(&home), (json!(["openid"]), json!(["openid"])));
    let number = home.grant("claude", "oidc.note.write")["id"].to_string();
    assert_eq!(seen(&home), (json!(["openid"]), json!([])), "a grant uses it");
    home.ok(&["revoke", &number]);
    // What is known of it outlives the process and a renewal.
    home.ok(&["lock", "--stop"]);
    std::thread::sleep(std::time::Duration::from_millis(3_300));
    assert_eq!(seen(&home), (json!(["openid"]), json!(["openid"])));
    assert!(oidc.asked("refresh_token") > 0, "it was renewed");
    let said = home.ok(&["connections", "verify", "oidc"]).stdout();
    assert!(said.contains("openid"), "{said}");
}

#[test]
fn tokens_that_the_broker_got_say_when_they_end_and_that_they_were_taken_back() {
    let oidc = Oidc::start(3);
    let home = connected(&oidc, "openid");
    let (good, code) = verify(&home, &["--all"]);
    assert_eq!(code, Some(0), "{good}");
    let it = &good[0];
    assert_eq!(it["outcome"], "works", "{it}");
    assert!(it["token_ends"].as_str().is_some_and(|at| at.ends_with('Z')), "{it}");

    oidc.revoke();
    std::thread::sleep(std::time::Duration::from_millis(3_300));
    let (ended, code) = verify(&home, &["--all"]);
    assert_eq!((code, &ended[0]["outcome"]), (Some(1), &json!("refused")), "{ended}");
    let after = verify(&home, &["--all"]).0;
    assert!(after[0]["renewal"].as_str().is_some(), "{after}");
}
