//! Facts without values against a server: what of a person crosses the wire or stays anywhere, a holder who comes back,
//! what an address may ask, and days and clocks.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};

const SURNAME: &str = "ZWETSCHKENBAUM";
const GIVEN: &str = "QUINDOLYNNE";
const BIRTH: &str = "1987-03-14";
const EXPIRY: &str = "2041-05-01";
const NUMBER: &str = "ZQ7714093";

/// A vault on a device of its own.
fn vault() -> Home {
    with_vault(Home::empty(place::symbolon()))
}

fn with_vault(home: Home) -> Home {
    let code = home.beside("code");
    let line = ["vault", "create", "--local", "--device", "--from-stdin", "--recovery-file"];
    home.ok_with(&[&line[..], &[path(&code)]].concat(), b"correct horse battery");
    fs::remove_file(code).unwrap();
    home
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn file(home: &Home, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = home.beside(name);
    fs::write(&path, content).unwrap();
    path
}

/// The machine-readable zone of a passport of France, as its two lines.
fn zone() -> String {
    let check = |text: &str| {
        let value = |c: u8| match c {
            b'0'..=b'9' => u32::from(c - b'0'),
            b'A'..=b'Z' => u32::from(c - b'A') + 10,
            _ => 0,
        };
        let weighed = text.bytes().zip([7, 3, 1].into_iter().cycle()).map(|(c, w)| value(c) * w);
        weighed.sum::<u32>() % 10
    };
    let (birth, expiry, optional) = ("870314", "410501", "<".repeat(14));
    let part = |text: &str| format!("{text}{}", check(text));
    let (number, birth, expiry, more) = (part(NUMBER), part(birth), part(expiry), part(&optional));
    let all = check(&format!("{number}{birth}{expiry}{more}"));
    let first = format!("{:<<44}", format!("P<FRA{SURNAME}<<{GIVEN}"));
    format!("{first}\n{number}FRA{birth}F{expiry}{more}{all}\n")
}

/// Everything that goes through a port to another, both ways.
struct Tap {
    port: u16,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let pair = |one: &TcpStream| one.try_clone().expect("a socket");
                let ways = [(pair(&client), pair(&server)), (server, client)];
                for (from, to) in ways {
                    let kept = kept.clone();
                    thread::spawn(move || copy(from, to, &kept));
                }
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<u8> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, seen: &Mutex<Vec<u8>>) {
    let mut some = [0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut some) {
        seen.lock().expect("not poisoned").extend_from_slice(&some[..n]);
        if to.write_all(&some[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// An issuer who reads a passport, and a holder who has the claims.
fn issued() -> (Home, String, Home) {
    let (city, ann) = (vault(), vault());
    let key = city.json(&["issuer", "init", "--name", "City of Ulm"])["key"].clone();
    let (request, claims) = (ann.beside("request.json"), city.beside("claims.json"));
    ann.ok(&["claims", "request", "--out", path(&request), "--until", "2050-01-01"]);
    let zone = file(&city, "zone.txt", zone());
    let line = ["issuer", "issue", "--request", path(&request), "--mrz", path(&zone)];
    let seen = ["--i-have-seen-the-document", "--out", path(&claims)];
    city.ok(&[&line[..], &seen].concat());
    fs::remove_file(zone).unwrap();
    let text = fs::read_to_string(&claims).unwrap();
    assert!(text.contains(BIRTH) && text.contains(EXPIRY) && text.contains(NUMBER), "the values");
    assert!(!text.contains(SURNAME) && !text.contains(GIVEN), "a name is no claim");
    ann.ok(&["claims", "add", path(&claims)]);
    fs::remove_file(claims).unwrap();
    (city, key.as_str().expect("a key").to_owned(), ann)
}

#[test]
fn of_a_person_nothing_crosses_the_wire_and_nothing_stays() {
    let (city, key, ann) = issued();
    let server = Home::new();
    server.ok(&["lock", "--stop"]);
    let port = free_port();
    let tap = Tap::to(port);
    let (listen, origin) = (format!("127.0.0.1:{port}"), format!("http://localhost:{}", tap.port));
    let words =
        ["serve", "--accounts", "--listen", &listen, "--origin", &origin, "--proof-issuer", &key];
    let mut served = Service::start("symbolon serve", server.command(&words).stdin(Stdio::null()));
    served.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });

    let line =
        ["prove", "age", "--nationality-in", "EU", "--valid-today", "--for", &origin, "--yes"];
    let taken = ann.json(&line);
    assert_eq!((&taken["accepted"], &taken["demo"]), (&json!(true), &json!(false)));
    // What is not so is said to the holder alone; the question is all that crosses the wire.
    let before = tap.seen().len();
    let refused = ann.refused(&["prove", "age", "--at-least", "120", "--for", &origin, "--yes"]);
    assert_eq!(refused.code, "too_young");
    let asked = tap.seen()[before..].to_vec();
    assert!(!asked.windows(8).any(|it| it == b"\"proof\":"), "nothing was shown");

    let seen = tap.seen();
    assert!(seen.windows(9).any(|it| it == b"\"binding\""), "the tap saw the proof");
    let canaries = Canaries::new()
        .plant("surname", SURNAME.as_bytes())
        .plant("given name", GIVEN.as_bytes())
        .plant("birth", BIRTH.as_bytes())
        .plant("number", NUMBER.as_bytes());
    // The holder alone is told until when they can prove something.
    let everything = canaries.clone().plant("expiry", EXPIRY.as_bytes());
    assert_clean(&everything.find_in("the network", &seen));
    assert_clean(&everything.find_in("the server's log", served.said().as_bytes()));
    drop(served);
    assert_clean(&everything.find_in("what the server said", &server.said()));
    for home in [&ann, &city] {
        assert_clean(&canaries.find_in("what was said", &home.said()));
    }
    for home in [&server, &ann, &city] {
        assert_clean(&everything.find_below(&home.path()).unwrap());
    }
    // Three letters are anywhere by chance; as a value they are nowhere.
    let database = fs::read(server.path().join("accounts.db")).unwrap();
    let wal = fs::read(server.path().join("accounts.db-wal")).unwrap_or_default();
    for bytes in [&seen, &database, &wal] {
        for nationality in [&b"\"FRA\""[..], b"FRA<<", b"FRAF", b"FRA8703"] {
            let found = bytes.windows(nationality.len()).any(|it| it == nationality);
            assert!(!found, "{}", String::from_utf8_lossy(nationality));
        }
    }
}

/// A service with sessions at a server.
struct Shop {
    port: u16,
    secret: String,
}

impl Shop {
    fn set_up(accounts: &Accounts) -> Self {
        let mut page = Page { origin: accounts.origin(), ..Page::at(accounts.port) };
        page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
        let new = json!({ "audience": "https://shop.example", "name": "A shop", "scopes": "read",
            "token_seconds": 300 });
        let made = page.post("/api/keys/services", &new).expect(201).json();
        Self { port: accounts.port, secret: made["secret"].as_str().expect("text").to_owned() }
    }

    #[track_caller]
    fn ask(&self, home: &Home, name: &str, asking: &Value) -> (PathBuf, Value) {
        let request = Request::post(self.port, "/api/proofs/sessions").bearer(&self.secret);
        let request = request.json(asking).answer().expect(201).json();
        (file(home, name, request.to_string()), request)
    }

    fn send(&self, proof: &Path) -> (u16, Value) {
        let proof: Value = serde_json::from_slice(&fs::read(proof).unwrap()).unwrap();
        let answer = Request::post(self.port, "/api/proofs").json(&proof).answer();
        (answer.status, answer.json())
    }
}

#[test]
fn who_was_registered_comes_back_by_the_command_line_without_an_issuer() {
    let accounts = Accounts::start();
    let (_city, key, ann) = issued();
    let shop = Shop::set_up(&accounts);
    let proves = |request: &Path, name: &str, claims: &str| {
        let out = ann.beside(name);
        let line = ["prove", "age", "--request", path(request), "--out", path(&out), "--yes"];
        ann.ok(&[&line[..], &["--claims", claims]].concat());
        out
    };
    let policy = json!({ "statement": "identity/1", "at_least_years": 18, "group": "EU/1",
        "issuers": [key] });
    let (asked, request) = shop.ask(&ann, "1.json", &json!({ "account": "c-7", "policy": policy }));
    let first = proves(&asked, "first.json", "Claims");
    let (status, taken) = shop.send(&first);
    assert_eq!((status, &taken["accepted"]), (200, &json!(true)));
    let nonce = request["nonce"].as_str().expect("text");
    let look = Request::get(shop.port, &format!("/api/proofs/sessions/{nonce}"));
    let binding = look.bearer(&shop.secret).answer().expect(200).json()["binding"].clone();

    // The binding is what the shop keeps; no issuer is named any more.
    let policy = json!({ "statement": "returning/1", "at_least_years": 21, "group": "EU/1" });
    let asking = json!({ "account": "c-7", "policy": policy, "binding": binding });
    let (asked, _) = shop.ask(&ann, "2.json", &asking);
    let again = proves(&asked, "again.json", "Claims");
    let seen = ann.json(&["verify", path(&again)]);
    assert_eq!((&seen["verified"], &seen["at_least_years"]), (&json!(true), &json!(21)));
    let (status, taken) = shop.send(&again);
    assert_eq!((status, &taken["evidence"]["statement"]), (200, &json!("returning/1")));
    assert_eq!(taken["evidence"]["issuer"], Value::Null);

    // Claims of one's own making are another binding, though the proof holds.
    let known = json!({ "birth_date": "1960-01-01", "nationality": "FRA", "document_state": "FRA",
        "document_expiry": "2041-05-01", "document_number": "X1" });
    let known = file(&ann, "known.json", known.to_string());
    ann.ok(&["claims", "demo", "--from", path(&known)]);
    let (asked, _) = shop.ask(&ann, "3.json", &asking);
    let (status, refused) = shop.send(&proves(&asked, "other.json", "Demo claims"));
    assert_eq!((status, &refused["code"]), (422, &json!("another_binding")));

    // Two presentations at one shop have nothing in common but the holder's binding there, which is what it asked for.
    let text = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let (first, again) = (text(&first), text(&again));
    assert_eq!(first["binding"], again["binding"]);
    let (one, two) = (first["proof"].as_str().unwrap(), again["proof"].as_str().unwrap());
    let parts: std::collections::HashSet<&[u8]> = one.as_bytes().windows(16).collect();
    // But for zeros, which are commitments to nothing: the circuits have them in every proof. A window that is zeros but for
    // a character or two is in both by chance.
    let zeros = b"AAAAAAAAAAAA";
    let is_shared =
        |part: &&[u8]| parts.contains(part) && !part.starts_with(zeros) && !part.ends_with(zeros);
    let shared: Vec<_> =
        two.as_bytes().windows(16).filter(is_shared).map(String::from_utf8_lossy).collect();
    assert!(shared.is_empty(), "{shared:?}");
}

#[test]
fn an_address_sends_so_many_answers_and_is_told_when_it_may_again() {
    let accounts = Accounts::start();
    let mut sent = 0;
    let limited = loop {
        let answer = Request::post(accounts.port, "/api/proofs").json(&json!({})).answer();
        if answer.status != 400 {
            break answer;
        }
        sent += 1;
        assert!(sent < 600, "128 at once, and ten a second");
    };
    assert!(sent >= 128, "{sent}");
    assert_eq!((limited.status, &limited.json()["code"]), (429, &json!("rate_limited")));
    assert_eq!(limited.header("retry-after"), Some("1"));
    // A batch weighs as much as its presentations.
    let batch = json!({ "presentations": vec![json!({}); 100] });
    let limited = Request::post(accounts.port, "/api/proofs/batch").json(&batch).answer();
    assert_eq!(limited.status, 429);
    let seconds: u64 = limited.header("retry-after").expect("a number").parse().unwrap();
    assert!((2..=10).contains(&seconds), "{seconds}");
    // One that is too long is not read.
    let long = json!({ "presentations": ["x".repeat((2 << 20) + 1)] });
    assert_eq!(Request::post(accounts.port, "/api/proofs/batch").json(&long).answer().status, 413);
}

/// The day in UTC, some days from now.
fn day(from_now: i64) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ms = (seconds as i64 + from_now * 86_400) as u64 * 1000;
    let (year, month, day) = symbolon_codec::utc_date(ms);
    format!("{year:04}-{month:02}-{day:02}")
}

fn asks(home: &Home, date: &str, expires_in_ms: i64) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let demo = "e4469b728afe187ab274280b1b6424241ad424f40b71a4a759bf0b85d6ea521c";
    let request = json!({ "type": "symbolon/proof-request/v1", "audience": "https://shop.example",
        "account": "c-1", "nonce": "000102030405060708090a0b0c0d0e0f", "date": date,
        "expires_unix_ms": now + expires_in_ms, "policy": { "statement": "identity/1",
        "at_least_years": 18, "group": "WORLD/1", "issuers": [demo] } });
    file(home, &format!("asks-{date}.json"), request.to_string())
}

/// Two zones that are on different days but for some minutes of each, and both are not UTC.
#[test]
fn neither_leap_days_nor_zones_make_anybody_older() {
    for zone in ["Pacific/Kiritimati", "XXX+11:59"] {
        let leapling = with_vault(Home::empty(place::symbolon()).with_variable("TZ", zone));
        let known = json!({ "birth_date": "2008-02-29", "nationality": "FRA",
            "document_expiry": "2041-05-01", "document_state": "FRA", "document_number": "X1" });
        let known = file(&leapling, "known.json", known.to_string());
        leapling.ok(&["claims", "demo", "--from", path(&known)]);
        // Nobody is at a terminal to agree: as far as that it holds, and no further.
        let tries = |date: &str, more: &[&str]| {
            let request = asks(&leapling, date, 600_000);
            let line = ["prove", "age", "--request", path(&request)];
            leapling.refused(&[&line[..], more].concat()).code
        };
        assert_eq!(tries("2026-02-28", &[]), "too_young");
        assert_eq!(tries("2026-03-01", &[]), "usage");
        assert_eq!(tries("2025-02-29", &[]), "form");
        loop {
            let today = day(0);
            let codes = [-1, 0, 1].map(|it| tries(&day(it), &["--valid-today"]));
            if today == day(0) {
                assert_eq!(codes, ["another_day", "usage", "another_day"], "{zone}");
                break;
            }
        }
        // A relying party's clock may be minutes ahead; a session that is over by the holder's is not answered.
        let (ahead, over) = (asks(&leapling, &day(0), 1_500_000), day(0));
        let line = ["prove", "age", "--request", path(&ahead)];
        assert_eq!(leapling.refused(&line).code, "usage");
        asks(&leapling, &over, -1);
        assert_eq!(leapling.refused(&line).code, "request_over");
    }
}

#[test]
fn claims_go_where_somebody_says_so_and_a_key_is_no_text() {
    let home = vault();
    let known = json!({ "birth_date": BIRTH, "nationality": "FRA", "document_expiry": EXPIRY,
        "document_state": "FRA", "document_number": NUMBER });
    let known = file(&home, "known.json", known.to_string());
    home.ok(&["claims", "demo", "--from", path(&known)]);
    let listed = home.ok(&["claims", "ls"]).stdout();
    assert!(listed.contains("demo, by anybody: Demo issuer"), "{listed}");
    assert_eq!(home.refused(&["claims", "rm", "Nothing"]).code, "no_claims");
    let asked = home.refused(&["claims", "rm", "Demo claims"]);
    assert_eq!(
        (asked.code.as_str(), asked.next.as_deref()),
        ("usage", Some("the same command with --yes"))
    );
    assert_eq!(home.json(&["claims", "ls"]).as_array().unwrap().len(), 1);
    let gone = home.json(&["claims", "rm", "Demo claims", "--yes"]);
    assert_eq!((&gone["name"], &gone["trashed"]), (&json!("Demo claims"), &json!(true)));
    assert_eq!(home.json(&["claims", "ls"]), json!([]));

    // An issuer's key is bytes: a terminal would obey some.
    home.ok(&["issuer", "init", "--name", "City of Ulm"]);
    let plain = home.run(&["item", "show", "City of Ulm", "--reveal"]);
    assert_eq!((plain.stdout().as_str(), plain.code()), ("", Some(1)));
    let said = plain.all();
    assert!(said.contains("an issuer's private key") && said.contains("--reveal --hex"), "{said}");
    let digits =
        home.run(&["item", "show", "City of Ulm", "--reveal", "--hex"]).succeeded().stdout();
    assert_eq!((digits.trim().len(), digits.len()), (64, 65));
    assert!(digits.trim().bytes().all(|it| it.is_ascii_hexdigit()));
    // A password of letters that are no ASCII is text, and is printed as it is.
    let line = ["item", "new", "login", "Library", "--username", "a", "--from-stdin"];
    home.ok_with(&line, "pässwörd\twith tab".as_bytes());
    let shown = home.ok(&["item", "show", "Library", "--reveal"]).stdout();
    assert_eq!(shown, "pässwörd\twith tab\n");
    let line = ["item", "new", "login", "Odd", "--username", "a", "--from-stdin"];
    home.ok_with(&line, b"clear\x1b[2Jthe screen");
    assert_eq!(home.run(&["item", "show", "Odd", "--reveal"]).code(), Some(1));
}
