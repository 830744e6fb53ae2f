//! Assistants: the OAuth flow and a vault's tools with the MCP project's client, and every way around the consent.

use serde_json::{Value, json};
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::assistant::{Assistant, Sdk, encoded, form, mcp, tokens};
use symbolon_tests::authenticator::Device;
use symbolon_tests::http::Request;

const CALLBACK: &str = "https://assistant.example/callback";
const BOTH: [&str; 2] = ["notes.read", "notes.write"];

fn person(server: &Accounts) -> Page {
    let mut page = server.page();
    page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
    page
}

/// Kinds and details of the account's events.
fn events(page: &mut Page) -> Vec<(String, Value)> {
    let all = page.get("/api/audit").expect(200).json();
    let all = all["events"].as_array().unwrap().iter();
    all.map(|one| (one["kind"].as_str().unwrap().to_owned(), one["detail"].clone())).collect()
}

fn error(answer: &symbolon_tests::http::Response) -> (u16, String) {
    let word = answer.json()["error"].as_str().unwrap_or_default().to_owned();
    (answer.status, word)
}

#[test]
fn the_sdks_client_discovers_registers_is_allowed_calls_and_renews() {
    let server = Accounts::start();
    let mut page = person(&server);
    // Another port than the one that it registers: a program takes what is free (RFC 8252).
    let mut sdk = Sdk::start(server.port, "http://localhost:53682/callback");
    let refused = sdk.step("connect").unwrap_err();
    assert!(refused.starts_with("UnauthorizedError"), "{refused}");
    let asked = sdk.step("redirect").unwrap();
    let redirect = asked["redirect"].as_str().unwrap();
    assert!(asked["client"]["client_id"].as_str().unwrap().starts_with("symo_"), "{asked}");
    assert_eq!(asked["client"].get("client_secret"), None);
    let authorize = format!("{}/oauth/authorize?", server.origin());
    let query = redirect.strip_prefix(&authorize).unwrap_or_else(|| panic!("{redirect}"));

    let shown = page.post("/api/oauth/request", &json!({ "query": query })).expect(200).json();
    assert_eq!(shown["client_name"], "SDK assistant");
    assert_eq!((&shown["client_host"], &shown["problem"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&shown["answers_to"], &shown["on_this_machine"]),
        (&json!("localhost:53682"), &json!(true))
    );
    let scopes: Vec<_> =
        shown["scopes"].as_array().unwrap().iter().map(|one| &one["scope"]).collect();
    assert_eq!(scopes, ["notes.read", "notes.write"], "as the challenge of the 401 says");

    let decision = json!({ "query": query, "allow": true, "client_name": "SDK assistant",
        "scopes": BOTH, "days": 7 });
    let decided = page.post("/api/oauth/consent", &decision).expect(200).json();
    let address = decided["address"].as_str().unwrap();
    assert!(address.starts_with("http://localhost:53682/callback?code=symc_"), "{address}");
    assert!(address.contains(&format!("&state={}", encoded("a state & more"))), "{address}");
    assert!(address.ends_with(&format!("&iss={}", encoded(&server.origin()))), "{address}");
    let code = address.split("code=").nth(1).unwrap().split('&').next().unwrap();

    let given = sdk.step(&format!("finish {code}")).unwrap();
    assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(given["scope"], "notes.read notes.write");
    let connected = sdk.step("connect").unwrap();
    assert_eq!(connected["server"]["name"], "symbolon-vault");
    let tools = sdk.step("tools").unwrap();
    let named: Vec<_> = tools.as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    let wanted =
        ["list_notes", "search_notes", "read_note", "list_folders", "save_note", "update_note"];
    assert_eq!(named, wanted, "those of its rights");
    assert_eq!(tools[0]["annotations"]["readOnlyHint"], true);
    let locked = sdk.step(r#"call {"name":"list_notes","arguments":{}}"#).unwrap();
    assert_eq!(
        (&locked["isError"], &locked["structuredContent"]["code"]),
        (&json!(true), &json!("locked"))
    );
    assert!(locked["content"][0]["text"].as_str().unwrap().contains(&server.origin()), "{locked}");

    let renewed = sdk.step("refresh").unwrap();
    assert_eq!(renewed["result"], "AUTHORIZED");
    assert_ne!(renewed["tokens"]["refresh_token"], given["refresh_token"], "it rotates");
    sdk.step(r#"call {"name":"list_notes","arguments":{}}"#).unwrap();

    let grants = page.get("/api/oauth/grants").expect(200).json();
    let grant = &grants["grants"][0];
    assert_eq!(grant["client_name"], "SDK assistant");
    page.delete(&format!("/api/oauth/grants/{}", grant["id"].as_str().unwrap())).expect(204);
    let gone = sdk.step(r#"call {"name":"list_notes","arguments":{}}"#).unwrap_err();
    assert!(gone.starts_with("UnauthorizedError"), "at once: {gone}");
    assert_eq!(page.get("/api/oauth/grants").expect(200).json()["grants"], json!([]));

    let events = events(&mut page);
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    let wanted = [
        "signed-up",
        "assistant-allowed",
        "assistant-connected",
        "assistant-called",
        "assistant-renewed",
        "assistant-called",
        "assistant-revoked",
    ];
    assert_eq!(kinds, wanted);
    let called = &events[3].1;
    assert_eq!((&called["tool"], &called["outcome"]), (&json!("list_notes"), &json!("locked")));
    assert_eq!(called["client"], asked["client"]["client_id"]);
}

#[test]
fn discovery_says_what_there_is() {
    let server = Accounts::start();
    let origin = server.origin();
    let get = |path: &str| Request::get(server.port, path).answer().expect(200).json();
    for path in
        ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]
    {
        let resource = get(path);
        assert_eq!(resource["resource"], format!("{origin}/mcp"));
        assert_eq!(resource["authorization_servers"], json!([origin]));
        assert_eq!(resource["bearer_methods_supported"], json!(["header"]));
    }
    let issuer = get("/.well-known/oauth-authorization-server");
    assert_eq!(issuer["issuer"], origin);
    assert_eq!(issuer["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(issuer["token_endpoint_auth_methods_supported"], json!(["none"]));
    assert_eq!(issuer["authorization_response_iss_parameter_supported"], true);
    assert_eq!(issuer["client_id_metadata_document_supported"], true);

    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let nobody = mcp(server.port, "/mcp").json(&ping).answer().expect(401);
    let challenge = nobody.header("www-authenticate").unwrap();
    let metadata =
        format!(r#"resource_metadata="{origin}/.well-known/oauth-protected-resource/mcp""#);
    assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
    assert!(challenge.contains(r#"scope="notes.read notes.write""#), "{challenge}");
    let bad = mcp(server.port, "/mcp").bearer(&format!("symv_{}", "A".repeat(43))).json(&ping);
    let bad = bad.answer().expect(401);
    assert!(bad.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));
    let framed = Request::get(server.port, "/oauth/authorize?client_id=x")
        .header("host", &format!("localhost:{}", server.port))
        .answer();
    assert_eq!(framed.header("x-frame-options"), Some("DENY"));
    assert!(framed.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
}

#[test]
fn a_code_that_was_shown_is_gone_and_shown_again_ends_what_it_gave() {
    let server = Accounts::start();
    let mut page = person(&server);
    let one = Assistant::register(server.port, CALLBACK);
    let other = Assistant::register(server.port, CALLBACK);
    let code = one.code(&mut page, &one.query(&[]), &BOTH);
    let given = one.tokens(&code);
    one.call(&given.access, "list_notes", &json!({})).expect(200);
    assert_eq!(error(&one.ask(&code, &[])), (400, "invalid_grant".into()));
    one.call(&given.access, "list_notes", &json!({})).expect(401);
    assert_eq!(error(&one.refresh(&given.refresh, &[])), (400, "invalid_grant".into()));

    let wrong = |change: &[(&str, &str)], word: &str| {
        let mut page = page.clone();
        let code = one.code(&mut page, &one.query(&[]), &BOTH);
        assert_eq!(error(&one.ask(&code, change)).1, word, "{change:?}");
        if word == "invalid_request" {
            return;
        }
        assert_eq!(error(&one.ask(&code, &[])), (400, "invalid_grant".into()), "{change:?}");
    };
    wrong(&[("client_id", &other.id)], "invalid_grant");
    wrong(&[("code_verifier", &"a".repeat(43))], "invalid_grant");
    wrong(&[("code_verifier", "")], "invalid_request");
    wrong(&[("redirect_uri", "https://assistant.example/callback2")], "invalid_grant");
    wrong(&[("resource", "https://other.example/mcp")], "invalid_target");
    let access = one.tokens(&one.code(&mut page, &one.query(&[]), &BOTH)).access;
    assert_eq!(error(&one.ask(&access, &[])), (400, "invalid_grant".into()), "a token is no code");
    assert_eq!(one.ask("x", &[("client_id", "")]).status, 401);
    let twice = format!("{}&code=x", form(&[("grant_type", "authorization_code"), ("code", "y")]));
    let twice = Request::post(server.port, "/oauth/token").bytes(twice.into_bytes());
    let twice = twice.only_header("content-type", "application/x-www-form-urlencoded").answer();
    assert_eq!(error(&twice), (400, "invalid_request".into()));
}

#[test]
fn a_refresh_token_is_used_once_by_its_client() {
    let server = Accounts::start();
    let mut page = person(&server);
    let one = Assistant::register(server.port, CALLBACK);
    let first = one.tokens(&one.code(&mut page, &one.query(&[]), &BOTH));
    let narrowed = one.refresh(&first.refresh, &[("scope", "notes.read")]).expect(200).json();
    assert_eq!(narrowed["scope"], "notes.read");
    let second = tokens(&narrowed);
    let refused = one.call(&second.access, "save_note", &json!({ "title": "x" })).expect(403);
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="notes.write""#), "{challenge}");
    let more = one.refresh(&second.refresh, &[("scope", "notes.read notes.delete")]);
    assert_eq!(error(&more), (400, "invalid_scope".into()));
    let third = tokens(&one.refresh(&second.refresh, &[]).expect(200).json());
    one.call(&third.access, "list_notes", &json!({})).expect(200);

    assert_eq!(error(&one.refresh(&second.refresh, &[])), (400, "invalid_grant".into()));
    one.call(&third.access, "list_notes", &json!({})).expect(401);
    assert_eq!(error(&one.refresh(&third.refresh, &[])), (400, "invalid_grant".into()));
    let (kind, detail) =
        events(&mut page).into_iter().rev().find(|(kind, _)| kind == "assistant-ended").unwrap();
    assert_eq!((kind.as_str(), &detail["why"]), ("assistant-ended", &json!("reused")));

    let other = Assistant::register(server.port, CALLBACK);
    let given = one.tokens(&one.code(&mut page, &one.query(&[]), &BOTH));
    assert_eq!(error(&other.refresh(&given.refresh, &[])), (400, "invalid_grant".into()));
    one.call(&given.access, "list_notes", &json!({})).expect(401);

    // Revocation by the client; of another's nothing is told and nothing ends.
    let given = one.tokens(&one.code(&mut page, &one.query(&[]), &BOTH));
    let revoke = |who: &Assistant, token: &str| {
        who.post("/oauth/revoke", &[("token", token), ("client_id", &who.id)]).expect(200)
    };
    revoke(&other, &given.refresh);
    one.call(&given.access, "list_notes", &json!({})).expect(200);
    revoke(&one, "symr_unknown");
    revoke(&one, &given.refresh);
    one.call(&given.access, "list_notes", &json!({})).expect(401);
}

#[test]
fn nothing_goes_to_an_address_that_was_not_registered() {
    let server = Accounts::start();
    let mut page = person(&server);
    let one = Assistant::register(server.port, CALLBACK);
    let ask = |page: &mut Page, change: &[(&str, &str)]| {
        let answer = page.post("/api/oauth/request", &json!({ "query": one.query(change) }));
        (answer.status, answer.json())
    };
    for uri in [
        "https://assistant.example/callback/",
        "https://assistant.example/callback2",
        "https://assistant.example/callback/../other",
        "https://assistant.example/callback?x=1",
        "https://assistant.example/callback#x",
        "https://assistant.example.evil.example/callback",
        "https://evil.example/https://assistant.example/callback",
        "https://assistant.example@evil.example/callback",
        "https://user@assistant.example/callback",
        "https://assistant.example:444/callback",
        "http://assistant.example/callback",
        "http://localhost/callback",
        "//assistant.example/callback",
        "",
    ] {
        let (status, said) = ask(&mut page, &[("redirect_uri", uri)]);
        assert_eq!((status, &said["code"]), (422, &json!("unsafe_request")), "{uri}");
        assert!(!said.to_string().contains("evil.example"), "{said}");
        let decision = json!({ "query": one.query(&[("redirect_uri", uri)]), "allow": false,
            "client_name": "Black box" });
        page.post("/api/oauth/consent", &decision).expect(422);
    }
    assert_eq!(ask(&mut page, &[("client_id", "symo_00000000000000000000000000000000")]).0, 404);
    for (change, word) in [
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "everything"), "invalid_scope"),
        (("resource", "https://other.example/mcp"), "invalid_target"),
        (("resource", ""), "invalid_target"),
    ] {
        let (status, said) = ask(&mut page, &[change]);
        assert_eq!((status, &said["problem"]["error"]), (200, &json!(word)), "{change:?}");
        // Even a yes gives no code.
        let decision = json!({ "query": one.query(&[change]), "allow": true, "client_name": "Black box",
            "scopes": ["notes.read"], "days": 1 });
        let decided = page.post("/api/oauth/consent", &decision).expect(200).json();
        let address = decided["address"].as_str().unwrap();
        assert!(
            address.contains(&format!("error={word}")) && !address.contains("code="),
            "{address}"
        );
    }
    // Inside addresses are no client's, and a name that leads nowhere is told apart from one that says no.
    for id in [
        "https://127.0.0.1/c",
        "https://localhost/c",
        "https://10.0.0.1/c",
        "https://[::1]/c",
        "http://assistant.example/c",
        "https://assistant.example",
    ] {
        let (status, said) = ask(&mut page, &[("client_id", id)]);
        assert_eq!((status, &said["code"]), (422, &json!("unsafe_request")), "{id}");
    }
    let (status, said) = ask(&mut page, &[("client_id", "https://nowhere.invalid/client.json")]);
    assert_eq!((status, &said["code"]), (502, &json!("client_unreachable")));
}

#[test]
fn only_the_person_in_their_own_page_allows() {
    let server = Accounts::start();
    let (mut page, mut device) = (server.page(), Device::default());
    page.sign_up(&mut device, &Holder::default()).expect(201);
    let one = Assistant::register(server.port, CALLBACK);
    let query = one.query(&[]);
    let decision = |scopes: Value, days: u32, name: &str| json!({ "query": query, "allow": true, "client_name": name, "scopes": scopes, "days": days });
    let yes = decision(json!(BOTH), 30, "Black box");
    server.page().post("/api/oauth/consent", &yes).expect(401);
    server.page().post("/api/oauth/request", &json!({ "query": query })).expect(401);
    let host = format!("localhost:{}", server.port);
    let bare = || {
        let request = Request::post(server.port, "/api/oauth/consent").header("host", &host);
        request.header("cookie", page.cookie.as_ref().unwrap()).json(&yes)
    };
    assert_eq!(bare().answer().expect(403).json()["code"], "bad_origin");
    let own = page.origin.clone();
    assert_eq!(bare().header("origin", &own).answer().expect(403).json()["code"], "bad_csrf");
    let evil = bare().header("origin", "https://evil.example");
    let evil = evil.header("x-symbolon-csrf", page.csrf.as_ref().unwrap()).answer().expect(403);
    assert_eq!(evil.json()["code"], "bad_origin");
    let cross = bare().header("origin", &own).header("sec-fetch-site", "cross-site");
    cross.header("x-symbolon-csrf", page.csrf.as_ref().unwrap()).answer().expect(403);

    for bad in [
        decision(json!(["notes.delete"]), 30, "Black box"),
        decision(json!(["notes.read", "notes.write", "notes.delete"]), 30, "Black box"),
        decision(json!([]), 30, "Black box"),
        decision(json!(BOTH), 0, "Black box"),
        decision(json!(BOTH), 91, "Black box"),
    ] {
        page.post("/api/oauth/consent", &bad).expect(422);
    }
    page.post("/api/oauth/consent", &decision(json!(BOTH), 30, "Your bank")).expect(409);
    let no = json!({ "query": query, "allow": false, "client_name": "Black box" });
    let said = page.post("/api/oauth/consent", &no).expect(200).json();
    assert!(said["address"].as_str().unwrap().contains("error=access_denied"), "{said}");
    assert_eq!(page.get("/api/oauth/grants").expect(200).json()["grants"], json!([]));
    let kinds: Vec<_> = events(&mut page).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["signed-up", "assistant-refused"]);

    // A person allows less than was asked for; and another's page sees nothing of it.
    let code = one.code(&mut page, &query, &["notes.read"]);
    let given = one.tokens(&code);
    one.call(&given.access, "save_note", &json!({ "title": "x" })).expect(403);
    let mut other = person(&server);
    assert_eq!(other.get("/api/oauth/grants").expect(200).json()["grants"], json!([]));
    let grants = page.get("/api/oauth/grants").expect(200).json();
    let path = format!("/api/oauth/grants/{}", grants["grants"][0]["id"].as_str().unwrap());
    other.delete(&path).expect(404);
    one.call(&given.access, "list_notes", &json!({})).expect(200);
}

#[test]
fn tokens_and_agents_keys_open_nothing_of_each_other() {
    let server = Accounts::start();
    let mut page = person(&server);
    let one = Assistant::register(server.port, CALLBACK);
    let given = one.tokens(&one.code(&mut page, &one.query(&[]), &BOTH));
    let made = server.home.json(&["agents", "add", "claude"]);
    let key = made["key"].as_str().unwrap().to_owned();
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });

    let vault = mcp(server.port, "/mcp").bearer(&given.access).json(&list).answer().expect(200);
    assert!(vault.text().contains("list_notes") && !vault.text().contains("symbolon.search_tools"));
    let broker = mcp(server.port, "/mcp").bearer(&key).json(&list).answer();
    assert!(!broker.text().contains("list_notes"), "{}", broker.text());
    let call = one.call(&key, "list_notes", &json!({}));
    assert!(
        !call.text().contains("for assistants"),
        "an agent's key reaches no vault: {}",
        call.text()
    );

    for path in
        ["/api/status", "/api/tools", "/api/vault", "/api/session", "/api/oauth/grants", "/to/x/y"]
    {
        let answer = Request::get(server.port, path).bearer(&given.access).answer();
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    for header in ["x-api-key", "private-token"] {
        mcp(server.port, "/mcp").header(header, &given.access).json(&list).answer().expect(401);
    }
    mcp(server.port, "/mcp").bearer(&given.refresh).json(&list).answer().expect(401);
    let path = format!("/mcp?access_token={}", given.access);
    mcp(server.port, &path).json(&list).answer().expect(400);
    mcp(server.port, &path).bearer(&given.access).json(&list).answer().expect(400);
    let session =
        mcp(server.port, "/mcp").header("cookie", page.cookie.as_ref().unwrap()).json(&list);
    session.answer().expect(401);
}

#[test]
fn registrations_are_bounded_and_what_they_say_is_text() {
    let server = Accounts::start();
    let register = |body: &Value| Request::post(server.port, "/oauth/register").json(body).answer();
    let named = json!({ "client_name": "\u{202e}Your\u{0} bank\n", "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_basic", "scope": "everything" });
    let made = register(&named).expect(201).json();
    assert_eq!(
        (&made["client_name"], &made["token_endpoint_auth_method"]),
        (&json!("Your bank"), &json!("none"))
    );
    assert_eq!(made.get("client_secret"), None);
    for (body, word) in [
        (json!({ "redirect_uris": ["http://assistant.example/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["cursor://cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://a.example/#x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_client_metadata"),
        (json!({}), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": [CALLBACK], "grant_types": ["password"] }),
            "invalid_client_metadata",
        ),
    ] {
        assert_eq!(error(&register(&body)), (400, word.into()), "{body}");
    }
    let long = json!({ "client_name": "x".repeat(20_000), "redirect_uris": [CALLBACK] });
    assert_eq!(register(&long).status, 413);
    let mut refused = None;
    for _ in 0..30 {
        let answer = register(&json!({ "redirect_uris": [CALLBACK] }));
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a flood is bounded");
    assert_eq!(error(&refused), (429, "temporarily_unavailable".into()));
    assert!(refused.header("retry-after").is_some());
}

#[test]
fn tokens_outlive_the_process_and_are_nowhere_in_the_database() {
    let mut server = Accounts::start();
    let mut page = person(&server);
    let one = Assistant::register(server.port, CALLBACK);
    let code = one.code(&mut page, &one.query(&[]), &BOTH);
    let given = one.tokens(&code);
    server.restart();
    one.call(&given.access, "list_notes", &json!({})).expect(200);
    server.stop();
    let mut found_id = false;
    for entry in std::fs::read_dir(server.home.path()).unwrap().flatten() {
        if !entry.file_name().to_string_lossy().starts_with("accounts.db") {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        found_id |= has(&one.id);
        for secret in [&code, &given.access, &given.refresh] {
            assert!(!has(&secret[5..]), "{:?}", entry.path());
        }
    }
    assert!(found_id, "the control: a client's id stands there");
}
