//! Facts without values, from outside: two servers on one database, every change of an answer, and what is left of
//! it in the server's files.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;

use serde_json::{Value, json};
use symbolon_ambient::{SeededRng, SystemRng};
use symbolon_circuits::{
    Claim, ClaimSet, ClaimType, Hidden, Holder as Custodian, IssuerKey, ProvingKey, document,
    identity,
};
use symbolon_codec::{b64url, hex};
use symbolon_proof::{Held, Presentation, Request as Asked};
use symbolon_secret::Secret;
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::home::Home;
use symbolon_tests::http::{Request, Response};
use symbolon_tests::service::{Service, free_port};

const BIRTH: &str = "1990-03-14";
const NUMBER: &str = "L898902C3";
const EXPIRY: &str = "2039-05-01";
const SHOP: &str = "https://shop.example";

/// Made once: seconds of work.
static KEY: LazyLock<ProvingKey<identity::Identity>> =
    LazyLock::new(|| ProvingKey::make().expect("a proving key"));

/// A holder with claims by an issuer.
struct Person {
    issuer: IssuerKey,
    claims: ClaimSet,
    custodian: Custodian,
}

impl Person {
    fn with_claims_by(issuer: IssuerKey) -> Self {
        let rng = SystemRng;
        let claim = |kind, text: &str| Claim::make(kind, &secret(text), &rng).expect("a claim");
        let claims = [
            claim(ClaimType::BIRTH_DATE, BIRTH),
            claim(ClaimType::NATIONALITY, "FRA"),
            claim(ClaimType::DOCUMENT_EXPIRY, EXPIRY),
        ];
        let custodian = Custodian::new(Hidden::make(&rng), "2039-12-31".parse().expect("a day"));
        let document = document(&secret("UTO"), &secret(NUMBER));
        let claims = ClaimSet::new(document, claims, custodian.commitment(), Vec::new());
        Self { issuer, claims: claims.expect("claims"), custodian }
    }

    /// What their program sends, with a real proof.
    #[track_caller]
    fn answer(&self, request: &Value) -> Value {
        let signature = &self.issuer.sign(&self.claims.root(), &SystemRng);
        let (claims, holder, issuer) = (&self.claims, &self.custodian, self.issuer.public());
        let held = Held { claims, holder, issuer, signature };
        let asked = Asked::from_value(request.clone()).expect("a request");
        let made = Presentation::identity(&asked, &held, &KEY, 1_795_348_800_000, &SystemRng);
        serde_json::from_slice(&made.expect("it holds").to_bytes()).expect("JSON")
    }
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |bytes| bytes.copy_from_slice(text.as_bytes()))
}

fn hex_of(issuer: &IssuerKey) -> String {
    hex::encode(issuer.public().to_bytes())
}

/// A service on a server with accounts.
struct Shop {
    port: u16,
    secret: String,
    issuer: String,
}

impl Shop {
    fn set_up(port: u16, origin: &str, audience: &str, issuer: &IssuerKey) -> Self {
        let mut page = Page { origin: origin.to_owned(), ..Page::at(port) };
        page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
        let new = json!({ "audience": audience, "name": "A shop", "scopes": "read",
            "token_seconds": 300 });
        let made = page.post("/api/keys/services", &new).expect(201).json();
        let secret = made["secret"].as_str().expect("text").to_owned();
        Self { port, secret, issuer: hex_of(issuer) }
    }

    fn policy(&self, epoch: Option<u32>) -> Value {
        let mut policy = json!({ "statement": "identity/1", "at_least_years": 18, "group": "EU/1",
            "issuers": [self.issuer] });
        if let Some(epoch) = epoch {
            policy["unique_epoch"] = json!(epoch);
        }
        policy
    }

    #[track_caller]
    fn ask(&self, account: &str, epoch: Option<u32>) -> Value {
        let body = json!({ "account": account, "policy": self.policy(epoch) });
        let request = Request::post(self.port, "/api/proofs/sessions").bearer(&self.secret);
        request.json(&body).answer().expect(201).json()
    }

    #[track_caller]
    fn state(&self, port: u16, request: &Value) -> Value {
        let nonce = request["nonce"].as_str().expect("text");
        let look = Request::get(port, &format!("/api/proofs/sessions/{nonce}"));
        look.bearer(&self.secret).answer().expect(200).json()
    }
}

fn send(port: u16, answer: &Value) -> Response {
    Request::post(port, "/api/proofs").json(answer).answer()
}

#[track_caller]
fn refused(port: u16, answer: &Value) -> (u16, String) {
    let refused = send(port, answer);
    let code = refused.json()["code"].as_str().unwrap_or_default().to_owned();
    (refused.status, code)
}

#[test]
fn of_two_servers_on_one_database_one_takes_a_proof() {
    let folder = std::env::temp_dir().join(format!("symbolon-proofs-{}", std::process::id()));
    let own = OwnPostgres::start(&folder, Afterwards::Remove).expect("PostgreSQL starts");
    own.make_database("accounts").expect("a database");
    let (one, two) = (Home::new(), Home::new());
    let ports = [free_port(), free_port()];
    // One origin, as behind a balancer.
    let origin = format!("http://localhost:{}", ports[0]);
    let url = own.url("accounts");
    let person = Person::with_claims_by(IssuerKey::make(&SystemRng));
    let believed = hex_of(&person.issuer);
    let start = |home: &Home, port: u16| {
        home.ok(&["lock", "--stop"]);
        let listen = format!("127.0.0.1:{port}");
        let words = [
            "serve",
            "--accounts",
            "--listen",
            &listen,
            "--origin",
            &origin,
            "--database",
            &url,
            "--proof-issuer",
            &believed,
        ];
        let mut served =
            Service::start("symbolon serve", home.command(&words).stdin(Stdio::null()));
        served.wait_for("healthy answer", |_| {
            Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
        });
        served
    };
    let _first = start(&one, ports[0]);
    fs::copy(one.path().join("server.key"), two.path().join("server.key")).expect("one key");
    let _second = start(&two, ports[1]);
    let shop = Shop::set_up(ports[0], &origin, SHOP, &person.issuer);

    for round in 0..3 {
        let request = shop.ask("c-1", Some(round));
        let answer = person.answer(&request);
        let tries: Vec<_> = (0..6)
            .map(|n| {
                let (answer, port) = (answer.clone(), ports[n % 2]);
                std::thread::spawn(move || send(port, &answer))
            })
            .collect();
        let answers: Vec<_> = tries.into_iter().map(|one| one.join().unwrap()).collect();
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(taken, 1, "{:?}", answers.iter().map(Response::text).collect::<Vec<_>>());
        for late in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!((late.status, &late.json()["code"]), (409, &json!("spent")));
        }
        // Both servers say so.
        let said = ports.map(|port| shop.state(port, &request));
        assert_eq!((&said[0], &said[0]["state"]), (&said[1], &json!("shown")));
    }
    // One person, two accounts, two servers, at once: once in the epoch.
    let pair = ["c-2", "c-3"].map(|account| person.answer(&shop.ask(account, Some(9))));
    let tries: Vec<_> = pair
        .into_iter()
        .zip(ports)
        .map(|(answer, port)| std::thread::spawn(move || send(port, &answer)))
        .collect();
    let mut codes: Vec<_> = tries
        .into_iter()
        .map(|one| one.join().unwrap())
        .map(|answer| (answer.status, answer.json()["code"].clone()))
        .collect();
    codes.sort_by_key(|(status, _)| *status);
    assert_eq!(codes, [(200, Value::Null), (409, json!("seen_before"))]);

    // The server asks for itself too; one asks, the other takes it.
    let question = json!({ "at_least_years": 18, "group": "WORLD/1" });
    let asked = Request::post(ports[0], "/api/proofs/ask").json(&question).answer().expect(201);
    assert_eq!(asked.json()["audience"], json!(origin));
    let answer = person.answer(&asked.json());
    send(ports[1], &answer).expect(200);

    // An issuer is revoked at one: at once at both, in sessions that are open too.
    let request = shop.ask("c-4", None);
    let answer = person.answer(&request);
    let revoke = ["accounts", "revoke-issuer", &believed, "--database", &url];
    assert_eq!(one.json(&revoke), json!({ "revoked": true, "was_revoked": false }));
    assert_eq!(one.json(&revoke), json!({ "revoked": true, "was_revoked": true }));
    for port in ports {
        assert_eq!(refused(port, &answer), (422, "revoked_issuer".to_owned()));
    }
    assert_eq!(shop.state(ports[1], &request)["state"], "open");
}

#[test]
fn every_change_of_an_answer_is_refused_and_nothing_of_the_holder_is_kept() {
    let accounts = Accounts::start();
    let (port, origin) = (accounts.port, accounts.origin());
    let person = Person::with_claims_by(IssuerKey::make(&SeededRng::new(1)));
    let stranger = IssuerKey::make(&SeededRng::new(2));
    let shop = Shop::set_up(port, &origin, SHOP, &person.issuer);
    let other_shop = Shop::set_up(port, &origin, "https://other.example", &person.issuer);
    let request = shop.ask("c-1", None);
    let answer = person.answer(&request);
    let elsewhere = person.answer(&other_shop.ask("c-1", None));
    let later = person.answer(&shop.ask("c-9", None));

    let letter = |text: &Value, at: usize| {
        let text = text.as_str().expect("text");
        let other = if &text[at..=at] == "1" { "0" } else { "1" };
        json!(format!("{}{other}{}", &text[..at], &text[at + 1..]))
    };
    let proof = b64url::decode(answer["proof"].as_str().expect("text"), 8192).expect("base64url");
    let longer = b64url::encode(&[&proof[..], &[0]].concat());
    let shorter = b64url::encode(&proof[..proof.len() - 1]);
    let hostile: Vec<(&str, Value, (u16, &str))> = vec![
        ("/type", json!("symbolon/proof/v2"), (400, "malformed")),
        ("/request/type", json!("symbolon/proof-request/v2"), (400, "malformed")),
        ("/request/audience", json!("https://other.example"), (422, "another_request")),
        ("/request/audience", json!("https://shop.example/"), (400, "malformed")),
        ("/request/account", json!("c-2"), (422, "another_request")),
        ("/request/nonce", json!("0".repeat(32)), (404, "unknown_session")),
        ("/request/nonce", later["request"]["nonce"].clone(), (422, "another_request")),
        ("/request/date", json!("2020-01-01"), (422, "another_request")),
        ("/request/expires_unix_ms", json!(u64::MAX), (422, "another_request")),
        ("/request/policy/at_least_years", json!(0), (422, "another_request")),
        ("/request/policy/group", json!("WORLD/1"), (422, "another_request")),
        ("/request/policy/issuers/0", json!(hex_of(&stranger)), (422, "another_request")),
        ("/request/policy/statement", json!("identity/2"), (400, "malformed")),
        ("/issuer", json!(hex_of(&stranger)), (422, "unknown_issuer")),
        ("/issuer", json!("00".repeat(32)), (400, "malformed")),
        ("/issuer", Value::Null, (400, "malformed")),
        ("/binding", later["binding"].clone(), (422, "not_shown")),
        ("/binding", letter(&answer["binding"], 3), (422, "not_shown")),
        ("/binding", json!("ff".repeat(32)), (400, "malformed")),
        ("/proof", later["proof"].clone(), (422, "not_shown")),
        ("/proof", elsewhere["proof"].clone(), (422, "not_shown")),
        ("/proof", letter(&answer["proof"], 700), (422, "not_shown")),
        ("/proof", json!(longer), (422, "not_shown")),
        ("/proof", json!(shorter), (422, "not_shown")),
        ("/proof", json!(b64url::encode(&vec![0; proof.len()])), (422, "not_shown")),
        ("/proof", json!(""), (400, "malformed")),
        ("/agreed_unix_ms", json!(-1), (400, "malformed")),
    ];
    for (place, value, (status, code)) in hostile {
        let mut changed = answer.clone();
        *changed.pointer_mut(place).expect("a member") = value.clone();
        assert_eq!(refused(port, &changed), (status, code.to_owned()), "{place}: {value}");
    }
    for (member, value) in [("nullifier", json!("00".repeat(32))), ("birth_date", json!(BIRTH))] {
        let mut more = answer.clone();
        more[member] = value;
        assert_eq!(refused(port, &more), (400, "malformed".to_owned()), "{member}");
    }
    let mut long = answer.clone();
    long["padding"] = json!("x".repeat(20_000));
    assert_eq!(send(port, &long).status, 413);
    // A page of another origin may bring an answer, with no cookie of its own; on this machine alone here.
    let from =
        |origin: &str| Request::post(port, "/api/proofs").header("origin", origin).json(&json!({}));
    let near = from("http://localhost:5173").answer();
    assert_eq!(
        (near.status, near.header("access-control-allow-origin")),
        (400, Some("http://localhost:5173"))
    );
    assert_eq!(near.header("access-control-allow-credentials"), None);
    assert_eq!(from("https://evil.example").answer().status, 403);

    // None of it used the session up; the true answer does.
    let taken = send(port, &answer).expect(200);
    assert_eq!(taken.header("cache-control"), Some("no-store"));
    assert_eq!(taken.json()["demo"], json!(false));
    assert_eq!(refused(port, &answer), (409, "spent".to_owned()));
    send(port, &elsewhere).expect(200);
    let kept = shop.state(port, &request);
    assert_eq!((&kept["state"], &kept["binding"]), (&json!("shown"), &answer["binding"]));
    assert_eq!(kept["evidence"], taken.json()["evidence"]);

    // The demo is on every server, and says what it is.
    let demo = Request::post(port, "/demo/age/session").answer().expect(201).json();
    assert_eq!(demo["audience"], json!(origin));
    let player = Person::with_claims_by(symbolon_proof::demo_issuer());
    assert_eq!(send(port, &player.answer(&demo)).expect(200).json()["demo"], json!(true));
    let nothing = json!({ "at_least_years": 18, "group": "WORLD/1" });
    let closed = Request::post(port, "/api/proofs/ask").json(&nothing).answer().expect(404).json();
    assert_eq!(closed["code"], "not_asking");

    // What the server keeps: of the holder, none of the values.
    let canaries = [BIRTH, "19900314", NUMBER, EXPIRY, "20390501", "\"FRA\""];
    let mut searched = 0;
    search(&accounts.home.path(), &mut |file, bytes| {
        searched += usize::from(file.ends_with("accounts.db") || file.ends_with("accounts.db-wal"));
        for canary in canaries {
            let found = bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
            assert!(!found, "{canary} is in {}", file.display());
        }
    });
    assert!(searched > 0, "the database was looked at");
}

/// Every file of a folder.
fn search(folder: &Path, each: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let kind = fs::symlink_metadata(&path).expect("it is there").file_type();
        if kind.is_dir() {
            search(&path, each);
        } else if kind.is_file() {
            each(&path, &fs::read(&path).expect("a file"));
        }
    }
}
