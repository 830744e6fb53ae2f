//! Accounts: sign-up, sign-in, sessions, ways to sign in, with an authenticator that others wrote.

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::b64url;
use symbolon_crypto::SigningKey;
use symbolon_crypto::ethereum::{EthereumKey, personal_message_digest};
use symbolon_crypto::opaque::{
    ClientLogin, ClientRegistration, CredentialResponse, RegistrationResponse, ServerKey,
};
use symbolon_secret::Secret;
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;

#[test]
fn a_passkey_signs_up_and_in_and_its_prf_gives_the_same() {
    let server = Accounts::start();
    let (mut page, mut device) = (server.page(), Device::default());

    let asked = page.challenge(&json!({ "purpose": "sign-up", "method": "passkey" }));
    let made = device.create(&page.origin, &asked["passkey"]);
    let whole = json!({ "challenge_id": asked["challenge_id"], "proof": made.whole,
        "vault": Holder::default().new });
    let refused = page.post("/api/account", &whole).expect(422).json();
    assert!(refused["message"].as_str().unwrap().contains("PRF"), "a secret was sent: {refused}");

    let mut device = Device::default();
    let holder = Holder::default();
    let asked = page.challenge(&json!({ "purpose": "sign-up", "method": "passkey" }));
    let made = device.create(&page.origin, &asked["passkey"]);
    let sign_up = json!({ "challenge_id": asked["challenge_id"], "proof": made.proof,
        "vault": holder.new, "name": "Laptop" });
    let answer = page.post("/api/account", &sign_up).expect(201);
    let cookie = answer.header("set-cookie").expect("a cookie");
    for part in ["__Host-symbolon=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let account = answer.json()["account"].clone();
    assert_eq!(page.get("/api/vault").expect(200).json()["id"], holder.new["id"]);

    page.delete("/api/session").expect(204);
    assert_eq!(page.cookie, None);
    page.get("/api/vault").expect(401);

    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
    assert_eq!(asked["passkey"]["allowCredentials"], json!([]), "nobody is named");
    let shown = device.get(&page.origin, &asked["passkey"]);
    assert!(made.prf.is_some() && shown.prf == made.prf, "the PRF gives the same at every tap");
    let proof = json!({ "challenge_id": asked["challenge_id"], "proof": shown.proof });
    let session = page.post("/api/session", &proof).expect(200).json();
    assert_eq!((&session["account"], &session["method"]), (&account, &json!("passkey")));

    let kinds: Vec<Value> = events(&mut page).iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["signed-up", "signed-out", "signed-in"]);
}

#[test]
fn a_webauthn_message_is_taken_once_and_from_its_origin_alone() {
    let server = Accounts::start();
    let (mut page, mut device) = (server.page(), Device::default());
    let asked = page.challenge(&json!({ "purpose": "sign-up", "method": "passkey" }));
    let made = device.create(&page.origin, &asked["passkey"]);
    let sign_up = json!({ "challenge_id": asked["challenge_id"], "proof": made.proof,
        "vault": Holder::default().new });
    page.post("/api/account", &sign_up).expect(201);
    assert_eq!(code(&mut server.page(), "/api/account", &sign_up), (401, "no_challenge".into()));

    let mut page = server.page();
    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
    let shown = device.get(&page.origin, &asked["passkey"]).proof;
    let answer = json!({ "challenge_id": asked["challenge_id"], "proof": shown });
    page.clone().post("/api/session", &answer).expect(200);
    assert_eq!(code(&mut page, "/api/session", &answer), (401, "no_challenge".into()), "replayed");

    let other = page.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
    let answer = json!({ "challenge_id": other["challenge_id"], "proof": answer["proof"] });
    assert_eq!(
        code(&mut page, "/api/session", &answer),
        (401, "bad_proof".into()),
        "another's proof"
    );

    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
    let mut options = asked["passkey"].clone();
    options["rpId"] = "localhost".into();
    let elsewhere = device.get("http://localhost:1", &options).proof;
    let answer = json!({ "challenge_id": asked["challenge_id"], "proof": elsewhere });
    assert_eq!(
        code(&mut page, "/api/session", &answer),
        (401, "bad_proof".into()),
        "another origin"
    );

    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
    let shown = device.get(&page.origin, &asked["passkey"]).proof;
    let answer = json!({ "challenge_id": asked["challenge_id"], "proof": shown });
    let confirm = code(&mut page, "/api/session/confirm", &answer);
    assert_eq!(confirm, (401, "no_session".into()), "nobody confirms who is not there");

    // Who the device says that it knows is who the passkey is of.
    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
    let mut shown = device.get(&page.origin, &asked["passkey"]).proof;
    assert!(shown["response"]["userHandle"].is_string(), "{shown}");
    shown["response"]["userHandle"] = b64url::encode(&[7; 16]).into();
    let answer = json!({ "challenge_id": asked["challenge_id"], "proof": shown });
    let other = code(&mut page, "/api/session", &answer);
    assert_eq!(other, (401, "bad_proof".into()), "somebody else's account");

    // Whoever holds the device is not enough: it must have looked who they are.
    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
    let mut options = asked["passkey"].clone();
    options["userVerification"] = "discouraged".into();
    let unlooked = device.get(&page.origin, &options).proof;
    let answer = json!({ "challenge_id": asked["challenge_id"], "proof": unlooked });
    let unverified = code(&mut page, "/api/session", &answer);
    assert_eq!(unverified, (401, "bad_proof".into()), "nobody was verified");

    // A device that was copied: the copy counts from where it was taken.
    let mut copy = device.clone();
    server.page().sign_in(&mut device).expect(200);
    let cloned = server.page().sign_in(&mut copy);
    assert_eq!(cloned.expect(401).json()["code"], "bad_proof", "the counter");
    server.page().sign_in(&mut device).expect(200);
}

#[test]
fn a_password_never_reaches_the_server_and_a_name_nobody_has_is_answered_alike() {
    let server = Accounts::start();
    let mut page = server.page();
    let password = secret("correct horse battery");
    let (registration, request) = ClientRegistration::start(&password, &SystemRng).unwrap();
    let ask = json!({ "purpose": "sign-up", "method": "password", "handle": "amelie",
        "opaque": { "request": b64url::encode(&request.to_bytes()) } });
    let asked = page.challenge(&ask);
    let pinned = ServerKey::from_hex(asked["opaque"]["server_key"].as_str().unwrap()).unwrap();
    let response = RegistrationResponse::from_bytes(&bytes(&asked["opaque"]["response"])).unwrap();
    let registered = registration.finish(&password, &response, &pinned, &SystemRng).unwrap();
    let record = b64url::encode(&registered.upload.to_bytes());
    let sign_up = json!({ "challenge_id": asked["challenge_id"], "proof": { "record": record },
        "vault": Holder::default().new });
    page.post("/api/account", &sign_up).expect(201);

    let (proof, asked, export_key) = log_in(&mut server.page(), "Amelie", "correct horse battery");
    assert!(export_key.unwrap().secret().ct_eq(registered.export_key.secret()));
    server.page().post("/api/session", &proof).expect(200);
    assert_eq!(code(&mut server.page(), "/api/session", &proof), (401, "no_challenge".into()));

    // The client sees that the password is wrong; who sends something all the same learns no more.
    let (wrong, known, none) = log_in(&mut server.page(), "amelie", "another horse battery");
    assert!(none.is_none());
    let (nobody, unknown, none) = log_in(&mut server.page(), "nobody", "correct horse battery");
    assert!(none.is_none());
    let shape = |answer: &Value| {
        let mut fields: Vec<(String, usize)> = Vec::new();
        for (name, value) in
            answer.as_object().unwrap().iter().chain(answer["opaque"].as_object().unwrap())
        {
            fields.push((name.clone(), value.to_string().len()));
        }
        fields
    };
    assert_eq!(shape(&known), shape(&unknown));
    assert_eq!(shape(&known), shape(&asked));
    let mut said = Vec::new();
    for proof in [wrong, nobody] {
        let answer = server.page().post("/api/session", &proof).expect(401);
        said.push(answer.body);
    }
    assert_eq!(said[0], said[1], "the same words");
}

#[test]
fn what_a_page_of_another_site_can_send_does_nothing() {
    let server = Accounts::start();
    let (mut page, mut device) = (server.page(), Device::default());
    page.sign_up(&mut device, &Holder::default()).expect(201);
    let csrf = page.csrf.clone().unwrap();
    let with = |change: &dyn Fn(Request) -> Request| {
        let host = format!("localhost:{}", server.port);
        let request = Request::new("DELETE", server.port, "/api/session").header("host", &host);
        let answer = change(request.header("cookie", page.cookie.as_ref().unwrap())).answer();
        (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
    };
    let own = page.origin.clone();
    assert_eq!(with(&|r| r).1, "bad_origin", "no Origin");
    assert_eq!(with(&|r| r.header("origin", &own)).1, "bad_csrf", "no token");
    assert_eq!(with(&|r| r.header("origin", &own).header("x-symbolon-csrf", "x")).1, "bad_csrf");
    let evil = "https://evil.example";
    assert_eq!(
        with(&|r| r.header("origin", evil).header("x-symbolon-csrf", &csrf)).1,
        "bad_origin"
    );
    let by_address = format!("http://127.0.0.1:{}", server.port);
    assert_eq!(
        with(&|r| r.header("origin", &by_address).header("x-symbolon-csrf", &csrf)).1,
        "bad_origin"
    );
    let cross = |r: Request| {
        r.header("origin", &own)
            .header("x-symbolon-csrf", &csrf)
            .header("sec-fetch-site", "cross-site")
    };
    assert_eq!(with(&cross).1, "bad_origin");

    let mut other = server.page();
    other.sign_up(&mut Device::default(), &Holder::default()).expect(201);
    let others = other.csrf.clone().unwrap();
    let mixed = |r: Request| r.header("origin", &own).header("x-symbolon-csrf", &others);
    assert_eq!(with(&mixed).1, "bad_csrf", "another session's token");
    page.get("/api/session").expect(200);
    page.delete("/api/session").expect(204);
}

#[test]
fn sessions_are_new_after_each_proof_and_end_everywhere() {
    let mut server = Accounts::start();
    let (mut page, mut device) = (server.page(), Device::default());
    page.sign_up(&mut device, &Holder::default()).expect(201);
    let before = page.clone();
    page.confirm(&mut device).expect(200);
    assert_ne!(before.cookie, page.cookie);
    before.clone().get("/api/session").expect(401);

    // Who took over an open page confirms nothing with a passkey of their own account.
    let mut thief = Device::default();
    server.page().sign_up(&mut thief, &Holder::default()).expect(201);
    let asked = page.challenge(&json!({ "purpose": "confirm", "method": "passkey" }));
    let mut options = asked["passkey"].clone();
    options["allowCredentials"] = json!([]);
    let own = thief.get(&page.origin, &options).proof;
    let answer = json!({ "challenge_id": asked["challenge_id"], "proof": own });
    let refused = code(&mut page, "/api/session/confirm", &answer);
    assert_eq!(refused, (401, "bad_proof".into()), "another account's passkey");

    let before = page.clone();
    page.sign_in(&mut device).expect(200);
    before.clone().get("/api/session").expect(401);

    let mut elsewhere = server.page();
    elsewhere.sign_in(&mut device).expect(200);
    assert_eq!(
        page.get("/api/sessions").expect(200).json()["sessions"].as_array().unwrap().len(),
        2
    );
    server.restart();
    elsewhere.get("/api/session").expect(200);
    assert_eq!(page.delete("/api/sessions").expect(200).json(), json!({ "ended": 1 }));
    elsewhere.get("/api/session").expect(401);
    page.get("/api/session").expect(200);
}

#[test]
fn ways_to_sign_in_come_and_go_and_one_stays() {
    let server = Accounts::start();
    let (mut page, mut device) = (server.page(), Device::default());
    page.sign_up(&mut device, &Holder::default()).expect(201);
    let mut second = Device::default();
    let asked = page.challenge(&json!({ "purpose": "add", "method": "passkey" }));
    assert_eq!(asked["passkey"]["excludeCredentials"].as_array().unwrap().len(), 1);
    let made = second.create(&page.origin, &asked["passkey"]);
    let add =
        json!({ "challenge_id": asked["challenge_id"], "proof": made.proof, "name": "Key ring" });

    let mut stranger = server.page();
    stranger.sign_up(&mut Device::default(), &Holder::default()).expect(201);
    let stolen = code(&mut stranger, "/api/account/credentials", &add);
    assert_eq!(stolen, (401, "no_challenge".into()), "asked in another session");

    let asked = page.challenge(&json!({ "purpose": "add", "method": "passkey" }));
    let mut second = Device::default();
    let made = second.create(&page.origin, &asked["passkey"]);
    let add =
        json!({ "challenge_id": asked["challenge_id"], "proof": made.proof, "name": "Key ring" });
    let added = page.post("/api/account/credentials", &add).expect(201).json();
    assert_eq!(added["name"], "Key ring");
    server.page().sign_in(&mut second).expect(200);

    let all = page.get("/api/account/credentials").expect(200).json();
    let first = all["credentials"][0]["id"].as_str().unwrap().to_owned();
    page.delete(&format!("/api/account/credentials/{first}")).expect(204);
    server.page().sign_in(&mut device).expect(401);
    let last = format!("/api/account/credentials/{}", added["id"].as_str().unwrap());
    page.delete(&last).expect(422);
    server.page().sign_in(&mut second).expect(200);
}

#[test]
fn a_wallet_signs_up_and_in_by_a_text_that_is_good_once() {
    let server = Accounts::start();
    let ethereum = EthereumKey::from_secret(&Secret::<[u8; 32]>::make(|b| b.fill(7))).unwrap();
    let solana = SigningKey::make(&SystemRng);
    let sign_ethereum = |text: &str| {
        // EXPOSE: a signature that goes to the server.
        ethereum.sign(&personal_message_digest(text.as_bytes())).expose().to_vec()
    };
    let sign_solana = |text: &str| solana.sign(text.as_bytes()).to_vec();
    type Sign<'a> = &'a dyn Fn(&str) -> Vec<u8>;
    let wallets: [(&str, String, Sign<'_>); 2] = [
        ("ethereum", ethereum.address().to_string(), &sign_ethereum),
        ("solana", solana.verifying_key().to_base58(), &sign_solana),
    ];
    for (method, address, sign) in wallets {
        let ask = |page: &mut Page, purpose: &str| {
            page.challenge(&json!({ "purpose": purpose, "method": method, "address": address }))
        };
        let proof = |asked: &Value, signature: Vec<u8>| {
            json!({ "challenge_id": asked["challenge_id"],
                "proof": { "signature": b64url::encode(&signature) } })
        };
        let mut page = server.page();
        let asked = ask(&mut page, "sign-in");
        let text = asked["message"].as_str().unwrap().to_owned();
        let host = format!("http://localhost:{} wants you to sign in with your ", server.port);
        assert!(text.starts_with(&host) && text.contains(&address), "{text}");
        let unknown = code(&mut page, "/api/session", &proof(&asked, sign(&text)));
        assert_eq!(unknown, (401, "bad_proof".into()), "{method}: nobody has it yet");

        let asked = ask(&mut page, "sign-up");
        let mut new = proof(&asked, sign(asked["message"].as_str().unwrap()));
        new["vault"] = Holder::default().new;
        page.post("/api/account", &new).expect(201);

        let mut page = server.page();
        let asked = ask(&mut page, "sign-in");
        let answer = proof(&asked, sign(asked["message"].as_str().unwrap()));
        page.clone().post("/api/session", &answer).expect(200);
        assert_eq!(code(&mut page, "/api/session", &answer), (401, "no_challenge".into()));
        let other = ask(&mut page, "sign-in");
        let old = proof(&other, sign(asked["message"].as_str().unwrap()));
        assert_eq!(
            code(&mut page, "/api/session", &old),
            (401, "bad_proof".into()),
            "another text"
        );
        let asked = ask(&mut page, "sign-in");
        let mut signature = sign(asked["message"].as_str().unwrap());
        signature[40] ^= 1;
        let changed = code(&mut page, "/api/session", &proof(&asked, signature));
        assert_eq!(changed, (401, "bad_proof".into()));
    }
    let none = json!({ "purpose": "sign-in", "method": "ethereum", "address": "0x12" });
    server.page().post("/api/account/challenge", &none).expect(422);
}

#[test]
fn who_asks_too_often_waits() {
    let server = Accounts::start();
    let mut page = server.page();
    let ask = json!({ "purpose": "sign-in", "method": "passkey" });
    let refused = (0..200).find_map(|_| {
        Some(page.post("/api/account/challenge", &ask)).filter(|answer| answer.status != 200)
    });
    let refused = refused.expect("a limit").expect(429);
    assert_eq!(refused.json()["code"], "rate_limited");
    let wait: u64 = refused.header("retry-after").expect("a time").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    page.get("/api/session").expect(401);
}

#[test]
fn without_accounts_there_are_no_routes_and_without_an_origin_there_is_no_server() {
    let home = Home::new();
    for words in [
        &["serve", "--origin", "https://vault.example"][..],
        &["serve", "--accounts", "--origin", "http://vault.example"],
        &["serve", "--accounts", "--origin", "https://192.0.2.1"],
        &["serve", "--accounts", "--listen", "0.0.0.0:0"],
        &["serve", "--accounts", "--listen", "127.0.0.1:0"],
        &["up", "--listen", "0.0.0.0:0"],
    ] {
        let ran = home.run(words);
        assert!(!ran.is_success(), "{words:?}");
    }
    let server = Accounts::start();
    let key = server.home.json(&["agents", "add", "claude"])["key"].as_str().unwrap().to_owned();
    let host = format!("localhost:{}", server.port);
    for path in ["/api/vault", "/api/account/credentials", "/api/audit", "/api/sessions"] {
        let answer = Request::get(server.port, path).header("host", &host).bearer(&key).answer();
        assert_eq!(answer.expect(401).json()["code"], "no_session", "{path}");
    }
    let mut page = server.page();
    page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
    assert_eq!(
        page.get("/api/tools").expect(401).json()["code"],
        "no_key",
        "a session calls no tool"
    );
}

/// What a password gives: the answer to send, the challenge, and the key where the client knows that it is right.
fn log_in(
    page: &mut Page,
    handle: &str,
    password: &str,
) -> (Value, Value, Option<symbolon_crypto::opaque::ExportKey>) {
    let password = secret(password);
    let (login, request) = ClientLogin::start(&password, &SystemRng).unwrap();
    let ask = json!({ "purpose": "sign-in", "method": "password", "handle": handle,
        "opaque": { "request": b64url::encode(&request.to_bytes()) } });
    let asked = page.challenge(&ask);
    let pinned = ServerKey::from_hex(asked["opaque"]["server_key"].as_str().unwrap()).unwrap();
    let response = CredentialResponse::from_bytes(&bytes(&asked["opaque"]["response"])).unwrap();
    let done = login.finish(&password, &response, &pinned, &SystemRng).ok();
    let finalization = match &done {
        Some(done) => done.finalization.to_bytes().to_vec(),
        None => vec![7; 64],
    };
    let proof = json!({ "challenge_id": asked["challenge_id"],
        "proof": { "finalization": b64url::encode(&finalization) } });
    (proof, asked, done.map(|done| done.export_key))
}

fn code(page: &mut Page, path: &str, body: &Value) -> (u16, String) {
    let answer = page.post(path, body);
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn events(page: &mut Page) -> Vec<Value> {
    let answer = page.get("/api/audit").expect(200).json();
    answer["events"].as_array().expect("events").clone()
}

fn bytes(text: &Value) -> Vec<u8> {
    b64url::decode(text.as_str().expect("text"), 4096).expect("base64url")
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
}
