use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_secret::Secret;

use super::*;
use crate::ServerKey;

fn uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn answers_go_to_https_or_to_this_machine_in_one_spelling() {
    for good in [
        "https://claude.ai/api/mcp/auth_callback",
        "https://app.example:8443/cb?x=1",
        "https://a-b.example",
        "http://localhost:33418/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9/cb",
        "https://localhost:1/cb",
    ] {
        assert_eq!(uri(good).as_str(), good);
    }
    for bad in [
        "",
        "claude.ai/cb",
        "http://app.example/cb",
        "http://127.0.0.2/cb",
        "http://localhost.evil.example/cb",
        "https://user@app.example/cb",
        "https://user:pass@app.example/cb",
        "https://app.example#frag",
        "https://app.example/cb#frag",
        "https://app.example\\@evil.example/cb",
        "https://app.example/a/../cb",
        "https://app.example/a/%2e%2E/cb",
        "https://app.example/.",
        "https://App.example/cb",
        "https://app.example./cb",
        "https://10.0.0.1/cb",
        "https://0x7f000001/cb",
        "https://2130706433/cb",
        "https://[fe80::1]/cb",
        "https://app.example:/cb",
        "https://app.example:0443/cb",
        "https://app.example:+443/cb",
        "https://app.example:99999/cb",
        "https://app .example/cb",
        "https://app.example/cb\r\nlocation: x",
        "https://äpp.example/cb",
        "cursor://anysphere.cursor/cb",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "HTTPS://app.example/cb",
    ] {
        assert!(RedirectUri::parse(bad).is_none(), "{bad}");
    }
    assert!(RedirectUri::parse(&format!("https://a.example/{}", "x".repeat(1024))).is_none());
}

#[test]
fn a_redirect_uri_is_the_registered_one_but_for_a_loopback_port() {
    let cases = [
        ("https://app.example/cb", "https://app.example/cb", true),
        ("https://app.example/cb", "https://app.example/cb/", false),
        ("https://app.example/cb", "https://app.example/cb?x=1", false),
        ("https://app.example/cb", "https://app.example/cbx", false),
        ("https://app.example/cb", "https://app.example:443/cb", false),
        ("https://app.example/cb", "https://app.example.evil.example/cb", false),
        ("https://app.example/cb", "https://sub.app.example/cb", false),
        ("http://localhost:1/cb", "http://localhost:65535/cb", true),
        ("http://localhost/cb", "http://localhost:9/cb", true),
        ("http://[::1]:1/cb", "http://[::1]:2/cb", true),
        ("http://localhost:1/cb", "http://127.0.0.1:1/cb", false),
        ("http://localhost:1/cb", "http://localhost:1/other", false),
        ("http://localhost:1/cb", "https://localhost:1/cb", false),
        ("https://localhost:1/cb", "https://localhost:2/cb", false),
    ];
    for (registered, asked, wanted) in cases {
        assert_eq!(uri(registered).admits(&uri(asked)), wanted, "{registered} {asked}");
    }
}

#[test]
fn an_answer_keeps_the_query_and_encodes_what_it_adds() {
    let with = |text: &str| uri(text).with(&[("code", "a b&c=d"), ("iss", "https://x.example")]);
    let added = "code=a%20b%26c%3Dd&iss=https%3A%2F%2Fx.example";
    assert_eq!(with("https://a.example/cb"), format!("https://a.example/cb?{added}"));
    assert_eq!(with("https://a.example/cb?q=1"), format!("https://a.example/cb?q=1&{added}"));
}

#[test]
fn s256_of_rfc_7636_appendix_b_and_nothing_else() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let text = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let challenge = CodeChallenge::parse(text).unwrap();
    assert!(challenge.is_of(verifier));
    assert!(!challenge.is_of(text) && !challenge.is_of(""), "plain");
    assert!(!challenge.is_of(&verifier.replace('d', "e")));
    assert!(CodeChallenge::parse(&text[..42]).is_none());
    assert!(CodeChallenge::parse(&text.replace("cM", "cN")).is_none(), "another spelling");
    assert!(!is_code_verifier(&"a".repeat(42)) && !is_code_verifier(&"a".repeat(129)));
    assert!(!is_code_verifier(&"ä".repeat(43)) && is_code_verifier(&"~".repeat(128)));
}

#[test]
fn scopes_are_words_and_unknown_ones_give_nothing() {
    let both = Scopes::asked("notes.write openid notes.read");
    assert_eq!(both.to_string(), "notes.read notes.write");
    assert_eq!(Scopes::parse("notes.read notes.write"), Some(both));
    for bad in ["", "notes.write notes.read", "notes.read openid", "notes.read ", "Notes.Read"] {
        assert_eq!(Scopes::parse(bad), None, "{bad}");
    }
    assert!(Scopes::asked("openid notes.readx").is_empty());
    assert!(both.is_within(Scopes::ALL) && !Scopes::ALL.is_within(both));
    assert!(both.has(Scope::NotesRead) && !both.has(Scope::NotesDelete));
}

#[test]
fn a_form_has_each_parameter_once() {
    let form = Form::parse(b"a=1+2&b=%C3%A4&c=&d").unwrap();
    assert_eq!((form.get("a"), form.get("b")), (Some("1 2"), Some("ä")));
    assert_eq!((form.get("c"), form.get("d"), form.get("e")), (None, None, None));
    assert_eq!(Form::parse(b"a=1&a=1"), Err(FormError::Twice));
    assert_eq!(Form::parse(b"a=1&%61=2"), Err(FormError::Twice));
    for bad in [&b"a=%4"[..], b"a=%zz", b"a=%+1", b"a=%ff"] {
        assert_eq!(Form::parse(bad), Err(FormError::Encoding), "{bad:?}");
    }
    assert_eq!(Form::parse(&vec![b'a'; FORM_BYTES_MAX + 1]), Err(FormError::TooLong));
}

#[test]
fn a_client_is_a_registration_or_an_https_address_with_a_name() {
    let made = ClientId::make(&SeededRng::new(1));
    assert_eq!(ClientId::parse(made.as_str()), Some(made.clone()));
    assert_eq!(made.document(), None);
    let own = ClientId::parse("https://app.example:8443/oauth/client.json").unwrap();
    assert_eq!(own.document(), Some(("https://app.example:8443", "/oauth/client.json")));
    assert_eq!(own.host(), Some("app.example:8443"));
    for bad in [
        "",
        "symo_",
        "symo_00000000000000000000000000000000x",
        "symo_0000000000000000000000000000000G",
        "http://app.example/client.json",
        "https://app.example",
        "https://app.example/",
        "https://app.example/c?x",
        "https://app.example/c#x",
        "https://app.example/a/../c",
        "https://u@app.example/c",
        "https://localhost/c",
        "https://127.0.0.1/c",
        "https://[::1]/c",
        "https://10.0.0.1/c",
        "https://intranet/c",
    ] {
        assert_eq!(ClientId::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_description_is_read_within_its_bounds() {
    let id = ClientId::parse("https://app.example/c").unwrap();
    let whole = json!({ "client_id": id.as_str(), "client_name": "An\u{202e} as\nsistant\u{7}",
        "redirect_uris": ["https://app.example/cb"], "grant_types": ["authorization_code", "refresh_token"],
        "logo_uri": "https://app.example/logo.png" });
    let read = ClientMetadata::of_document(&whole, &id).unwrap();
    assert_eq!(read.name.as_deref(), Some("An as sistant"));
    let with = |name: &str, value: Value| {
        let mut changed = whole.clone();
        changed[name] = value;
        ClientMetadata::of_document(&changed, &id).unwrap_err()
    };
    assert_eq!(with("client_id", json!("https://app.example/d")), MetadataError::OtherClient);
    assert_eq!(with("redirect_uris", json!(["http://app.example/cb"])), MetadataError::RedirectUri);
    for (name, value) in [
        ("redirect_uris", json!([])),
        ("redirect_uris", json!("https://app.example/cb")),
        ("redirect_uris", Value::Array(vec![json!("https://app.example/cb"); 11])),
        ("client_name", json!(1)),
        ("grant_types", json!(["client_credentials"])),
        ("response_types", json!(["token"])),
        ("client_secret", json!("x")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
    ] {
        assert!(matches!(with(name, value), MetadataError::Shape(_)), "{name}");
    }
    assert!(ClientMetadata::of_registration(&json!([])).is_err());
}

const RESOURCE: &str = "https://vault.example/mcp";

fn query(change: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("response_type", "code"),
        ("client_id", "https://app.example/c"),
        ("redirect_uri", "https://app.example/cb"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
        ("state", "x"),
    ];
    for (name, value) in change {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all.iter().map(|(name, value)| format!("{name}={value}&")).collect()
}

#[test]
fn a_request_says_what_is_wrong_with_it_and_to_whom() {
    let read =
        |change: &[(&str, &str)]| AuthorizationRequest::parse(query(change).as_bytes(), RESOURCE);
    let asked = read(&[]).unwrap();
    let wanted = asked.wanted.unwrap();
    assert_eq!(
        (wanted.scopes.to_string(), wanted.resource.as_str()),
        ("notes.read".into(), RESOURCE)
    );
    assert!(read(&[("resource", "HTTPS://Vault.Example/mcp")]).unwrap().wanted.is_ok());
    for (change, wanted) in [
        (("client_id", ""), RequestError::Client),
        (("client_id", "https://127.0.0.1/c"), RequestError::Client),
        (("redirect_uri", ""), RequestError::RedirectUri),
        (("redirect_uri", "http://evil.example/"), RequestError::RedirectUri),
    ] {
        assert_eq!(read(&[change]).unwrap_err(), wanted, "{change:?}");
    }
    for (change, wanted) in [
        (("response_type", "token"), RequestError::ResponseType),
        (("response_mode", "fragment"), RequestError::ResponseMode),
        (("code_challenge_method", "plain"), RequestError::Pkce),
        (("code_challenge_method", ""), RequestError::Pkce),
        (("code_challenge", ""), RequestError::Pkce),
        (("scope", "openid"), RequestError::Scope),
        (("resource", ""), RequestError::Resource),
        (("resource", "https://vault.example"), RequestError::Resource),
        (("resource", "https://vault.example/mcp/"), RequestError::Resource),
        (("resource", "https://vault.example/MCP"), RequestError::Resource),
        (("resource", "https://other.example/mcp"), RequestError::Resource),
        (("request_uri", "https://evil.example/r"), RequestError::RequestObject),
    ] {
        assert_eq!(read(&[change]).unwrap().wanted.unwrap_err(), wanted, "{change:?}");
    }
    let long = "x".repeat(STATE_BYTES_MAX + 1);
    assert_eq!(read(&[("state", &long)]).unwrap_err(), RequestError::State);
}

fn grant() -> Grant {
    Grant {
        id: [1; 16].into(),
        account: [2; 16].into(),
        client: ClientId::parse("https://app.example/c").unwrap(),
        client_name: "App".into(),
        redirect_uri: uri("https://app.example/cb"),
        scopes: Scopes::ALL,
        resource: RESOURCE.into(),
        created_unix_ms: 1_000,
        ends_unix_ms: 1_000 + 2 * ACCESS_MS,
        used_unix_ms: None,
        revoked_unix_ms: None,
        code_hash: Digest32([3; 32]),
        code_challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
            .unwrap(),
        code_used_unix_ms: None,
    }
}

#[test]
fn a_code_is_for_its_client_address_verifier_and_server_within_a_minute() {
    let proof = CodeProof {
        client: grant().client,
        redirect_uri: Some("https://app.example/cb".into()),
        verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(),
        resource: Some(RESOURCE.into()),
    };
    assert_eq!(grant().judge_code(&proof, 60_999), Ok(()));
    assert_eq!(grant().judge_code(&proof, 61_000), Err(Refusal::Over));
    let ended = Grant { revoked_unix_ms: Some(1), ..grant() };
    assert_eq!(ended.judge_code(&proof, 2_000), Err(Refusal::Over));
    let used = Grant { code_used_unix_ms: Some(1), ..grant() };
    assert_eq!(used.judge_code(&proof, 2_000), Err(Refusal::Reused));
    let with = |change: &dyn Fn(&mut CodeProof)| {
        let mut proof = proof.clone();
        change(&mut proof);
        grant().judge_code(&proof, 2_000)
    };
    let other = ClientId::parse("https://evil.example/c").unwrap();
    assert_eq!(with(&|p| p.client = other.clone()), Err(Refusal::OtherClient));
    assert_eq!(
        with(&|p| p.redirect_uri = Some("https://app.example/cb2".into())),
        Err(Refusal::OtherRedirectUri)
    );
    assert_eq!(with(&|p| p.verifier = "a".repeat(43)), Err(Refusal::OtherVerifier));
    assert_eq!(
        with(&|p| p.resource = Some("https://other.example/mcp".into())),
        Err(Refusal::OtherResource)
    );
    assert_eq!(with(&|p| (p.redirect_uri, p.resource) = (None, None)), Ok(()));
}

#[test]
fn tokens_end_with_their_grant_and_each_does_one_thing() {
    let grant = grant();
    let hashes = [Digest32([4; 32]), Digest32([5; 32])];
    let [access, refresh] = grant.tokens(hashes, Scopes::asked("notes.read"), 2_000);
    assert_eq!(access.expires_unix_ms, 2_000 + ACCESS_MS);
    assert_eq!(refresh.expires_unix_ms, grant.ends_unix_ms);
    assert!(grant.opens(&access, RESOURCE, 1_999 + ACCESS_MS));
    assert!(!grant.opens(&access, RESOURCE, 2_000 + ACCESS_MS), "expired");
    assert!(!grant.opens(&access, "https://other.example/mcp", 3_000));
    assert!(!grant.opens(&refresh, RESOURCE, 3_000), "a refresh token opens nothing");
    let judged = |token: &Token| grant.judge_refresh(token, &grant.client, None, 3_000);
    assert_eq!(judged(&refresh), Ok(()));
    assert_eq!(judged(&access), Err(Refusal::Over), "an access token renews nothing");
    assert_eq!(judged(&Token { used_unix_ms: Some(1), ..refresh.clone() }), Err(Refusal::Reused));
    let short = Token { expires_unix_ms: 3_000, ..refresh.clone() };
    assert_eq!(judged(&short), Err(Refusal::Over), "it ends before its grant");
    let other = ClientId::parse("symo_0000000000000000000000000000000a").expect("an id");
    let by_other = grant.judge_refresh(&refresh, &other, None, 3_000);
    assert_eq!(by_other, Err(Refusal::OtherClient), "it is its client's alone");
    assert_eq!(judged(&Token { grant: [9; 16].into(), ..refresh }), Err(Refusal::Over));
    let ended = Grant { revoked_unix_ms: Some(1), ..grant.clone() };
    assert!(!ended.opens(&access, RESOURCE, 3_000));
}

#[test]
fn a_bearer_reads_back_as_its_kind_alone() {
    let rng = SeededRng::new(3);
    let key = ServerKey::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(1)));
    let code = Bearer::make(BearerKind::Code, &rng);
    let text = code.to_holder();
    assert!(text.starts_with("symc_") && text.len() == 48);
    let again = Bearer::read(BearerKind::Code, text.as_bytes()).unwrap();
    assert_eq!(again.hash(&key), code.hash(&key));
    assert!(Bearer::read(BearerKind::Access, text.as_bytes()).is_none());
    let same_bytes = text.replace("symc_", "symv_");
    let access = Bearer::read(BearerKind::Access, same_bytes.as_bytes()).unwrap();
    assert_ne!(access.hash(&key), code.hash(&key), "a code is no token");
    for bad in ["", "symc_", &text[..47], &format!("{text}A"), &text.to_uppercase()] {
        assert!(Bearer::read(BearerKind::Code, bad.as_bytes()).is_none(), "{bad}");
    }
    assert!(!format!("{code:?}").contains(&text[5..]));
}

proptest! {
    #[test]
    fn nothing_that_is_read_panics_and_what_is_read_says_the_same(text in "\\PC{0,200}", bytes: Vec<u8>) {
        if let Some(read) = RedirectUri::parse(&text) {
            prop_assert_eq!(read.as_str(), &text);
            prop_assert!(read.admits(&read));
        }
        if let Some(read) = ClientId::parse(&text) {
            prop_assert_eq!(read.as_str(), &text);
        }
        let _ = AuthorizationRequest::parse(&bytes, RESOURCE);
        if let Ok(form) = Form::parse(&bytes) {
            let mut written = String::new();
            for (name, value) in form.iter() {
                form::encode(name, &mut written);
                written.push('=');
                form::encode(value, &mut written);
                written.push('&');
            }
            prop_assert_eq!(Form::parse(written.as_bytes()), Ok(form));
        }
    }
}
