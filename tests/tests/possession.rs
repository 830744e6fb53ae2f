//! API keys that are proven and never sent: another implementation, two servers on one database, the command line, a
//! service behind the guard.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_codec::b64url;
use symbolon_guard::GuardOptions;
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::home::Home;
use symbolon_tests::http::{Request, Response};
use symbolon_tests::place;
use symbolon_tests::service::{Service, free_port};

#[path = "../../crates/shell/guard/examples/api.rs"]
#[allow(dead_code)]
mod api;

const KEY: &str = "sk_live_9f86d081884c7d659a2feaa0c55ad015";
const NEW_KEY: &str = "sk_live_0b5ad1c2f9a348e7d6c1b2a39f58e741";
const SEED: &str = "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d";
const OTHER_SEED: &str = "2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e";

/// A client in Python alone, from the specification.
struct Other {
    child: Child,
    write: ChildStdin,
    read: BufReader<ChildStdout>,
}

impl Other {
    fn start() -> Self {
        let mut command = Command::new(place::python());
        command.arg(place::fixture("interop/pzk_auth.py")).arg("live");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
        let write = child.stdin.take().expect("piped");
        let read = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, write, read }
    }

    #[track_caller]
    fn order(&mut self, at: &Issuer, what: &Value) -> Value {
        let mut order = json!({ "issuer": at.origin, "key": KEY, "device_seed": SEED, "domain": {
            "issuer": at.origin, "service": at.service, "audience": at.audience, "account": "" } });
        for (name, value) in what.as_object().expect("an object") {
            order[name] = value.clone();
        }
        writeln!(self.write, "{order}").expect("it reads");
        let mut line = String::new();
        self.read.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{what}: {line:?}: {e}"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server with a service.
struct Issuer {
    port: u16,
    origin: String,
    service: String,
    secret: String,
    audience: String,
}

impl Issuer {
    fn set_up(port: u16, audience: &str) -> Self {
        let mut page = Page::at(port);
        page.sign_up(&mut Device::default(), &Holder::default()).expect(201);
        let new = json!({ "audience": audience, "name": "API", "scopes": "write read",
            "token_seconds": 300 });
        let made = page.post("/api/keys/services", &new).expect(201).json();
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        let (service, secret) = (text("id"), text("secret"));
        Self { port, origin: page.origin, service, secret, audience: audience.to_owned() }
    }

    /// Registers the key's point, as the service does.
    #[track_caller]
    fn register(&self, other: &mut Other, key: &str) -> Value {
        let made = other.order(self, &json!({ "do": "point", "key": key }));
        let body = json!({ "point": made["point"], "name": "customer-7" });
        let request = Request::post(self.port, "/api/keys/points");
        request.bearer(&self.secret).json(&body).answer().expect(201).json()
    }

    fn post(&self, path: &str, body: &Value) -> Response {
        Request::post(self.port, path).json(body).answer()
    }

    fn is_active(&self, token: &str) -> bool {
        let answer = form(self.port, "/api/keys/introspect", token).bearer(&self.secret).answer();
        answer.expect(200).json()["active"].as_bool().expect("a word")
    }
}

fn form(port: u16, path: &str, token: &str) -> Request {
    let request = Request::post(port, path).bytes(format!("token={token}").into_bytes());
    request.only_header("content-type", "application/x-www-form-urlencoded")
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or_else(|| panic!("no code: {answer}"))
}

#[test]
fn another_implementation_computes_the_vectors() {
    let vectors = place::fixture("../vectors/pzk-auth/possession.json");
    let script = place::fixture("interop/pzk_auth.py");
    let ran =
        Command::new(place::python()).arg(script).arg("check").arg(&vectors).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success() && ran.stdout == b"ok\n", "{said}");
}

#[test]
fn a_client_in_python_proves_a_key_and_every_change_of_it_is_refused() {
    let (accounts, mut other) = (Accounts::start(), Other::start());
    let at = Issuer::set_up(accounts.port, "https://api.example");
    let enrol = json!({ "do": "enrol", "name": "script" });
    assert_eq!(code(&other.order(&at, &enrol)), "unknown_key", "nothing is registered");
    let key = at.register(&mut other, KEY);
    let enrolled = other.order(&at, &enrol);
    assert_eq!((&enrolled["key"], &enrolled["is_new"]), (&key["id"], &json!(true)));
    let device = enrolled["device"].clone();
    let login = json!({ "do": "login", "device": device, "scope": "read" });
    let token = other.order(&at, &login);
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("DPoP"), &json!(300)));
    assert!(at.is_active(token["access_token"].as_str().expect("a token")));

    // What is sent, changed before it is sent.
    let body = |other: &mut Other| {
        let mut dry = login.clone();
        dry["dry"] = json!(true);
        other.order(&at, &dry)
    };
    let sent = body(&mut other);
    at.post("/api/keys/login", &sent).expect(200);
    let again = at.post("/api/keys/login", &sent).expect(401).json();
    assert_eq!(code(&again), "nonce_used");
    let changed = |other: &mut Other, change: &dyn Fn(&mut Value)| {
        let mut body = body(other);
        change(&mut body);
        let answer = at.post("/api/keys/login", &body);
        assert!(answer.status >= 400, "{}", answer.text());
        code(&answer.json()).to_owned()
    };
    let set = |at: &'static str, value: &str| {
        let value = value.to_owned();
        move |body: &mut Value| *body.pointer_mut(at).expect("a member") = json!(value)
    };
    let zeros = b64url::encode(&[0; 64]);
    let identity = b64url::encode(&[0; 32]);
    for (wanted, change) in [
        ("device_signature", &set("/scope", "write") as &dyn Fn(&mut Value)),
        ("scope", &set("/scope", "admin")),
        ("scope", &set("/scope", "")),
        ("bad_request", &set("/scope", "write read")),
        ("unknown_device", &set("/device", "00000000000000000000000000000000")),
        ("nonce_length", &set("/signed/nonce", "AAAA")),
        ("device_signature", &set("/signed/signature", &zeros)),
        ("device_signature", &set("/signed/proof", &zeros)),
        ("bad_request", &set("/signed/proof", "AAAA")),
        ("channel", &|body: &mut Value| body["signed"]["channel"] = json!(true)),
        ("bad_request", &|body: &mut Value| body["admin"] = json!(true)),
    ] {
        assert_eq!(changed(&mut other, change), wanted);
    }
    // A nonce of another device, and of another service.
    let stranger = other.order(
        &at,
        &json!({ "do": "login", "device": device, "scope": "read", "device_seed": OTHER_SEED, "dry": true }),
    );
    let refused = at.post("/api/keys/login", &stranger).expect(401).json();
    assert_eq!(code(&refused), "nonce_other_device");
    let elsewhere = Issuer::set_up(accounts.port, "https://api2.example");
    let nonce = other.order(
        &elsewhere,
        &json!({ "do": "login", "device": device, "scope": "read", "dry": true }),
    );
    let refused = at.post("/api/keys/login", &nonce).expect(401).json();
    assert_eq!(code(&refused), "nonce_other_service");
    // Another key under the enrolled device.
    let wrong = json!({ "do": "login", "device": device, "scope": "read", "key": NEW_KEY });
    assert_eq!(code(&other.order(&at, &wrong)), "proof_wrong");
    // Points that are none, at the door where they come in.
    let register = |point: &str| {
        let body = json!({ "point": point, "name": "x" });
        let request = Request::post(at.port, "/api/keys/points").bearer(&at.secret);
        code(&request.json(&body).answer().expect(422).json()).to_owned()
    };
    assert_eq!(register(&identity), "point_identity");
    assert_eq!(register(&b64url::encode(&[0xff; 35])), "bad_request");
    assert_eq!(register(&b64url::encode(&[0xff; 32])), "point_encoding");
    // A service's secret is needed, and is another's.
    let body = json!({ "point": identity, "name": "x" });
    let nobody = Request::post(at.port, "/api/keys/points").json(&body).answer();
    assert_eq!(code(&nobody.expect(401).json()), "no_service");
    let token = token["access_token"].as_str().expect("a token");
    assert!(!elsewhere.is_active(token), "another service learns nothing");

    // Taken back: the token, then the device.
    form(at.port, "/api/keys/revoke", token).answer().expect(200);
    assert!(!at.is_active(token));
    form(at.port, "/api/keys/revoke", "a.b.c").answer().expect(200);
    let next = other.order(&at, &login);
    let next = next["access_token"].as_str().expect("a token");
    assert!(at.is_active(next));
    let path = format!("/api/keys/points/{}", key["id"].as_str().expect("an id"));
    let gone = format!("{path}/devices/{}", device.as_str().expect("an id"));
    Request::new("DELETE", at.port, &gone).bearer(&at.secret).answer().expect(204);
    assert!(!at.is_active(next), "at once");
    assert_eq!(code(&other.order(&at, &login)), "revoked");
    assert_eq!(code(&other.order(&at, &enrol)), "missing", "a removed device stays out");
    // Nothing of the key is anywhere.
    let home = accounts.home.path();
    for file in ["accounts.db", "accounts.db-wal"] {
        let bytes = fs::read(home.join(file)).unwrap_or_default();
        assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "{file}");
    }
}

#[test]
fn of_two_servers_on_one_database_one_takes_a_nonce() {
    let folder = std::env::temp_dir().join(format!("symbolon-keys-{}", std::process::id()));
    let own = OwnPostgres::start(&folder, Afterwards::Remove).expect("PostgreSQL starts");
    own.make_database("accounts").expect("a database");
    let (one, two) = (Home::new(), Home::new());
    let ports = [free_port(), free_port()];
    // One origin, as behind a balancer.
    let origin = format!("http://localhost:{}", ports[0]);
    let url = own.url("accounts");
    let start = |home: &Home, port: u16| {
        home.ok(&["lock", "--stop"]);
        let listen = format!("127.0.0.1:{port}");
        let words =
            ["serve", "--accounts", "--listen", &listen, "--origin", &origin, "--database", &url];
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
    let mut other = Other::start();
    let at = Issuer::set_up(ports[0], "https://api.example");
    at.register(&mut other, KEY);
    let enrolled = other.order(&at, &json!({ "do": "enrol", "name": "script" }));
    let device = enrolled["device"].clone();
    for _ in 0..10 {
        let dry = json!({ "do": "login", "device": device, "scope": "read", "dry": true });
        let body = other.order(&at, &dry);
        let tries: Vec<_> = (0..4)
            .map(|n| {
                let (body, port) = (body.clone(), ports[n % 2]);
                std::thread::spawn(move || {
                    Request::post(port, "/api/keys/login").json(&body).answer()
                })
            })
            .collect();
        let answers: Vec<_> = tries.into_iter().map(|one| one.join().unwrap()).collect();
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(taken, 1, "{:?}", answers.iter().map(Response::text).collect::<Vec<_>>());
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(code(&refused.json()), "nonce_used");
        }
    }
    // What one server takes back the other knows.
    let login = json!({ "do": "login", "device": device, "scope": "read" });
    let token = other.order(&at, &login);
    let token = token["access_token"].as_str().expect("a token");
    let there = Issuer {
        port: ports[1],
        origin: at.origin.clone(),
        service: at.service.clone(),
        secret: at.secret.clone(),
        audience: at.audience.clone(),
    };
    assert!(at.is_active(token) && there.is_active(token));
    form(ports[0], "/api/keys/revoke", token).answer().expect(200);
    assert!(!there.is_active(token));
}

/// A service behind the guard, in this process: its own program would be the same lines.
struct Guarded {
    port: u16,
    at: Issuer,
}

impl Guarded {
    fn start(server: u16) -> Self {
        let port = free_port();
        let at = Issuer::set_up(server, &format!("http://localhost:{port}"));
        let options = GuardOptions::new(&at.origin, &at.audience, &at.service, &at.secret)
            .standing(Duration::from_millis(500));
        let app = api::app(options).expect("a guard");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listen = ("127.0.0.1", port);
                let listener = tokio::net::TcpListener::bind(listen).await.expect("the port");
                axum::serve(listener, app).await
            })
        });
        let until = Instant::now() + Duration::from_secs(20);
        while Request::get(port, "/").send().is_err() {
            assert!(Instant::now() < until, "the service starts");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { port, at }
    }

    fn call(&self, method: &'static str, path: &str, headers: &Value) -> Response {
        let mut request = Request::new(method, self.port, path);
        for (name, value) in headers.as_object().expect("headers") {
            request = request.header(name, value.as_str().expect("text"));
        }
        request.answer()
    }
}

fn error(answer: &Response) -> String {
    answer.json()["error"].as_str().expect("a word").to_owned()
}

#[test]
fn a_key_is_enrolled_proven_rotated_and_revoked_by_the_command_line() {
    let (accounts, mut other) = (Accounts::start(), Other::start());
    let api = Guarded::start(accounts.port);
    let url = api.at.audience.as_str();
    api.at.register(&mut other, KEY);
    let (laptop, phone) = (Home::new(), Home::new());

    // Words before anything is enrolled, and keys that are none.
    let refused = laptop.refused(&["key", "login", url, "--scope", "read"]);
    assert_eq!(
        (refused.code.as_str(), refused.next.as_deref()),
        ("no_key", Some(&*format!("symbolon key enrol {url}")))
    );
    let weak = laptop.run_with(&["key", "enrol", url, "--from-stdin", "--json"], b"password123\n");
    assert_eq!(weak.refused().code, "weak_key");
    let enrol = ["key", "enrol", url, "--name", "laptop", "--from-stdin", "--json"];
    let unknown = laptop.run_with(&enrol, NEW_KEY.as_bytes());
    assert_eq!(unknown.refused().code, "unknown_key");
    let elsewhere = "http://localhost:9";
    let none =
        laptop.run_with(&["key", "enrol", elsewhere, "--from-stdin", "--json"], KEY.as_bytes());
    assert_eq!(none.refused().code, "server_away");

    let made = laptop.ok_with(&enrol, KEY.as_bytes()).json();
    assert_eq!((&made["key_name"], &made["scopes"]), (&json!("customer-7"), &json!("read write")));
    let list = laptop.json(&["key", "ls"]);
    assert_eq!(list[0]["service"], json!(url));
    let again = ["key", "enrol", url, "--name", "phone", "--from-stdin"];
    phone.ok_with(&again, KEY.as_bytes());
    let devices = laptop.json(&["key", "devices", url]);
    let names: Vec<_> = devices.as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, [json!("laptop"), json!("phone")]);
    sealed(&laptop);

    // The guard, without and with what it wants.
    let nothing = api.call("GET", "/items", &json!({}));
    assert_eq!((nothing.status, error(&nothing).as_str()), (401, "no_token"));
    let challenge = nothing.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.starts_with("DPoP ") && challenge.contains("resource_metadata="),
        "{challenge}"
    );
    let get = format!("GET {url}/items");
    let headers = |home: &Home, scope: &str, request: &str| {
        home.json(&["key", "login", url, "--scope", scope, "--header", request])
    };
    let read = headers(&laptop, "read", &get);
    let items = api.call("GET", "/items", &read).expect(200).text();
    assert_eq!(items, format!("items of key {}", made["key"].as_str().unwrap()));
    let replayed = api.call("GET", "/items", &read);
    assert_eq!((replayed.status, error(&replayed).as_str()), (401, "invalid_dpop_proof"));
    let moved = headers(&laptop, "read", &format!("GET {url}/items/new"));
    let moved = api.call("GET", "/items", &moved);
    assert_eq!((moved.status, error(&moved).as_str()), (401, "invalid_dpop_proof"));
    let post = format!("POST {url}/items/new");
    let narrow = api.call("POST", "/items/new", &headers(&laptop, "read", &post));
    assert_eq!((narrow.status, error(&narrow).as_str()), (403, "insufficient_scope"));
    api.call("POST", "/items/new", &headers(&laptop, "write", &post)).expect(200);
    // A stolen token beside another device's proof, as a bearer, and changed.
    let (mut stolen, theirs) = (headers(&laptop, "read", &get), headers(&phone, "read", &get));
    stolen["DPoP"] = theirs["DPoP"].clone();
    let stolen = api.call("GET", "/items", &stolen);
    assert_eq!((stolen.status, error(&stolen).as_str()), (401, "invalid_dpop_proof"));
    let mut bearer = headers(&laptop, "read", &get);
    let text = bearer["Authorization"].as_str().unwrap().replace("DPoP", "Bearer");
    bearer["Authorization"] = json!(text);
    assert_eq!(error(&api.call("GET", "/items", &bearer)), "no_token");
    let mut changed = headers(&laptop, "read", &get);
    let text = changed["Authorization"].as_str().unwrap();
    let at = text.len() - 20;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    changed["Authorization"] = json!(format!("{}{other}{}", &text[..at], &text[at + 1..]));
    let changed = error(&api.call("GET", "/items", &changed));
    assert!(changed == "invalid_token", "{changed}");

    // A token goes to a file that is its owner's alone.
    let file = laptop.beside("token");
    let file_text = file.to_str().unwrap();
    laptop.ok(&["key", "login", url, "--scope", "read", "--out", file_text]);
    let about = fs::metadata(&file).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777, 0o600);
    assert!(api.at.is_active(&fs::read_to_string(&file).unwrap()));
    let said = laptop.ok(&["key", "login", url, "--scope", "read"]);
    assert_eq!(said.stdout(), "", "nothing is printed where nobody asked");

    // Rotation: both devices are there, and the one that knows the new key proves it.
    let rotate = ["key", "rotate", url, "--from-stdin"];
    laptop.ok_with(&rotate, NEW_KEY.as_bytes());
    laptop.ok(&["key", "login", url, "--scope", "read"]);
    let old = phone.refused(&["key", "login", url, "--scope", "read"]);
    assert_eq!(old.code, "proof_wrong");
    phone.ok_with(&again, NEW_KEY.as_bytes());
    phone.ok(&["key", "login", url, "--scope", "read"]);
    sealed(&laptop);

    // A device that is removed, and the guard's next look.
    let live = headers(&phone, "read", &get);
    api.call("GET", "/items", &live).expect(200);
    let phones: Vec<_> = laptop
        .json(&["key", "devices", url])
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["name"] == "phone")
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();
    for id in &phones {
        laptop.ok(&["key", "devices", url, "--remove", id]);
    }
    assert_eq!(phone.refused(&["key", "login", url, "--scope", "read"]).code, "revoked");
    laptop.ok(&["key", "revoke", url]);
    assert_eq!(laptop.json(&["key", "ls"]), json!([]));
    assert!(!api.at.is_active(&fs::read_to_string(&file).unwrap()), "every token of it");
}

#[test]
fn the_guard_believes_the_server_no_longer_than_it_was_told() {
    let (accounts, mut other) = (Accounts::start(), Other::start());
    let api = Guarded::start(accounts.port);
    let url = api.at.audience.as_str();
    let key = api.at.register(&mut other, KEY);
    let home = Home::new();
    home.ok_with(&["key", "enrol", url, "--from-stdin"], KEY.as_bytes());
    let says = Request::get(api.port, "/.well-known/oauth-protected-resource").answer();
    let says = says.expect(200).json();
    assert_eq!(says["resource"], json!(url));
    assert_eq!(says["scopes_supported"], json!(["read", "write"]));
    // One token, a proof for each request.
    let get = format!("GET {url}/items");
    let first = home.json(&["key", "login", url, "--scope", "read", "--header", &get]);
    api.call("GET", "/items", &first).expect(200);
    let path = format!("/api/keys/points/{}", key["id"].as_str().expect("an id"));
    let second = home.json(&["key", "login", url, "--scope", "read", "--header", &get]);
    Request::new("DELETE", accounts.port, &path).bearer(&api.at.secret).answer().expect(204);
    // A token that the guard did not see before is asked for.
    let refused = api.call("GET", "/items", &second);
    assert_eq!((refused.status, error(&refused).as_str()), (401, "invalid_token"));
    assert!(refused.text().contains("revoked"), "{}", refused.text());
}

/// What the home keeps of keys is sealed, and its owner's alone.
fn sealed(home: &Home) {
    let folder = home.path().join("api-keys");
    let mut files = 0;
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let bytes = fs::read(&path).expect("a file");
        for key in [KEY, NEW_KEY] {
            let is_there = bytes.windows(key.len()).any(|part| part == key.as_bytes());
            assert!(!is_there, "{}", path.display());
        }
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 2, "the device's key and the API key's file");
}
