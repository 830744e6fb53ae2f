//! A broker that is unlocked by a passkey's tap in the page (`specs/custody.md`, "A tap in the page"): what works, and
//! what is tried against it. The passkey is 32 bytes here; `page_unlock.rs` has a browser's.

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::b64url;
use symbolon_crypto::RecipientKey;
use symbolon_custody::{Act, Tap, VaultId};
use symbolon_secret::Secret;
use symbolon_tests::accounts::Accounts;
use symbolon_tests::http::{Request, Response};
use symbolon_tests::owner::Owner;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

const KEY: &str = "/api/owner/unlock-key";
const UNLOCK: &str = "/api/owner/unlock";
const WAYS: &str = "/api/owner/ways";
const WAY_KEY: &str = "/api/owner/way-key";

/// What a passkey gives when it is tapped, and its id.
struct Passkey {
    prf: Secret<[u8; 32]>,
    id: Vec<u8>,
}

impl Passkey {
    fn new(byte: u8) -> Self {
        Self { prf: Secret::<[u8; 32]>::make(|page| page.fill(byte)), id: vec![byte; 16] }
    }

    /// What the page's Worker makes of a question, at this origin and for this salt.
    fn sealed(&self, act: Act, asked: &Value, origin: &str, salt: &Value) -> String {
        let salt = bytes::<16>(salt);
        let to = RecipientKey::from_bytes(&bytes::<32>(&asked["key"])).expect("a key");
        let tap = Tap {
            act,
            origin,
            vault: text(&asked["vault"]).parse::<VaultId>().expect("a vault"),
            to: &to,
            nonce: &bytes::<32>(&asked["nonce"]),
            expires_unix_ms: asked["expires_unix_ms"].as_u64().expect("a time"),
            credential: &self.id,
            salt: &salt,
        };
        b64url::encode(&tap.answer(&self.prf, &SystemRng).expect("sealed"))
    }

    /// Its row of a question.
    #[track_caller]
    fn row<'a>(&self, asked: &'a Value) -> &'a Value {
        let rows = asked["passkeys"].as_array().expect("passkeys");
        let own = json!(b64url::encode(&self.id));
        rows.iter().find(|row| row["credential"] == own).expect("its row")
    }

    /// The body of an unlock.
    #[track_caller]
    fn answer(&self, asked: &Value, origin: &str) -> Value {
        let row = self.row(asked);
        let sealed = self.sealed(Act::Unlock, asked, origin, &row["salt"]);
        json!({ "nonce": asked["nonce"], "wrap": row["wrap"], "sealed": sealed })
    }

    /// The body of an addition.
    fn addition(&self, asked: &Value, origin: &str) -> Value {
        let sealed = self.sealed(Act::Add, asked, origin, &asked["salt"]);
        json!({ "nonce": asked["nonce"], "credential": b64url::encode(&self.id), "sealed": sealed })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    b64url::decode(text(value), N).expect("base64url").try_into().expect("as many bytes")
}

fn code(answer: Response, status: u16) -> Value {
    answer.expect(status).json()["code"].clone()
}

/// A served broker, its owner's browser, and its owner's passkeys.
struct World {
    server: Accounts,
    owner: Owner,
}

impl World {
    fn start() -> Self {
        let server = Accounts::start();
        let owner = Owner::by_link(&server);
        Self { server, owner }
    }

    fn get(&self, path: &str) -> Response {
        self.owner.alone(&self.server, "GET", path).answer()
    }

    fn post(&self, path: &str, body: &Value) -> Response {
        self.owner.alone(&self.server, "POST", path).json(body).answer()
    }

    #[track_caller]
    fn add(&self, passkey: &Passkey) -> String {
        let asked = self.get(WAY_KEY).expect(200).json();
        let made = self.post(WAYS, &passkey.addition(&asked, &self.server.origin()));
        text(&made.expect(201).json()["id"]).to_owned()
    }

    fn lock(&self) {
        self.server.home.ok(&["lock"]);
    }

    #[track_caller]
    fn asked(&self) -> Value {
        self.get(KEY).expect(200).json()
    }

    #[track_caller]
    fn tap(&self, passkey: &Passkey) -> Response {
        let asked = self.asked();
        self.post(UNLOCK, &passkey.answer(&asked, &self.server.origin()))
    }

    fn is_locked(&self) -> bool {
        Request::get(self.server.port, "/healthz").answer().status == 503
    }
}

#[test]
fn a_tap_unlocks_and_an_agents_call_works_again() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let mut w = World::start();
    w.server.home.add_service("upstream/service.toml");
    w.server.restart();
    w.owner = Owner::by_link(&w.server);
    let home = &w.server.home;
    home.connect("upstream", &upstream, &credential);
    home.grant("claude", "upstream.notes.read");
    let key = text(&home.json(&["agents", "add", "claude"])["key"]).to_owned();
    let call = || {
        let tool = json!({ "tool": "upstream.notes.list" });
        Request::post(w.server.port, "/api/call").bearer(&key).json(&tool).answer()
    };
    call().expect(200);

    assert_eq!(code(w.get(KEY), 409), "open");
    let passkey = Passkey::new(1);
    let way = w.add(&passkey);
    let listed = home.json(&["custody", "list"]);
    let is_own = |row: &Value| row["id"] == way.as_str() && row["method"] == "passkey";
    assert!(listed.as_array().expect("ways").iter().any(is_own), "{listed}");
    let methods = home.json(&["status"])["methods"].clone();
    assert!(methods.as_array().expect("methods").contains(&json!("passkey")), "{methods}");
    let asked = w.get(WAY_KEY).expect(200).json();
    let again = w.post(WAYS, &passkey.addition(&asked, &w.server.origin()));
    assert_eq!(code(again, 409), "exists");

    w.lock();
    let refused = call().expect(503).json();
    assert_eq!((&refused["code"], &refused["next"]), (&json!("locked"), &json!("symbolon unlock")));
    let health = Request::get(w.server.port, "/healthz").answer().expect(503).json();
    assert_eq!((&health["status"], &health["next"]), (&json!("locked"), &json!("symbolon unlock")));
    let status = Request::get(w.server.port, "/api/status").bearer(&key).answer().expect(200);
    assert_eq!(status.json()["unlocked"], false);
    assert_eq!(w.tap(&passkey).expect(200).json()["unlocked"], true);
    call().expect(200);
    assert!(!w.is_locked());

    // The home's own device key opens it no more unasked after a lock by hand; the tap was a hand's.
    w.lock();
    w.tap(&passkey).expect(200);
    home.ok(&["call", "upstream.notes.list", "--agent", "claude"]);

    // Neither key nor nonce outlives the process.
    let before = {
        w.lock();
        w.asked()
    };
    w.server.restart();
    w.server.home.ok(&["lock"]);
    w.owner = Owner::by_link(&w.server);
    let late = w.post(UNLOCK, &passkey.answer(&before, &w.server.origin()));
    assert_eq!(code(late, 409), "tap_nonce");
    assert_ne!(w.asked()["key"], before["key"]);
    w.tap(&passkey).expect(200);

    // Removed by the command line: nothing is asked any more.
    w.server.home.ok(&["custody", "remove", &way]);
    w.lock();
    assert_eq!(code(w.get(KEY), 404), "no_passkey");
}

#[test]
fn nobody_but_the_owners_page_is_asked_or_heard() {
    let w = World::start();
    let passkey = Passkey::new(1);
    w.add(&passkey);
    let agent = text(&w.server.home.json(&["agents", "add", "claude"])["key"]).to_owned();
    let token = text(&w.server.home.json(&["owner", "token"])["token"]).to_owned();
    w.lock();
    let port = w.server.port;
    let host = format!("localhost:{port}");
    let asked = w.asked();
    let body = passkey.answer(&asked, &w.server.origin());

    for path in [KEY, WAYS, WAY_KEY] {
        let bare = Request::get(port, path).header("host", &host);
        assert_eq!(code(bare.answer(), 401), "no_owner_token", "{path}");
        bare.clone().bearer(&agent).answer().expect(401);
        assert_eq!(code(bare.clone().bearer(&token).answer(), 401), "no_session", "{path}");
        let cookie = bare.header("cookie", &w.owner.cookie);
        assert_eq!(code(cookie.answer(), 401), "no_owner_token", "{path} without its word");
        let rebound = w.owner.alone(&w.server, "GET", path).only_header("host", "evil.example");
        assert_eq!(code(rebound.answer(), 403), "bad_host", "{path}");
    }
    let post = || Request::post(port, UNLOCK).header("host", &host).json(&body);
    let mine = |asked: Request| {
        asked.header("cookie", &w.owner.cookie).header("x-symbolon-csrf", &w.owner.word)
    };
    assert_eq!(code(mine(post()).answer(), 401), "no_session", "no Origin");
    let evil = mine(post()).header("origin", "https://evil.example");
    assert_eq!(code(evil.answer(), 403), "bad_origin");
    let ours = post().header("origin", &w.server.origin());
    assert_eq!(code(ours.clone().answer(), 401), "no_owner_token");
    ours.clone().header("cookie", &w.owner.cookie).answer().expect(401);
    ours.bearer(&agent).answer().expect(401);

    // None of that used the nonce up.
    assert!(w.is_locked());
    w.post(UNLOCK, &body).expect(200);
}

#[test]
fn an_answer_is_good_once_for_its_question_its_way_and_its_page() {
    let w = World::start();
    let (one, two) = (Passkey::new(1), Passkey::new(2));
    let (_, second) = (w.add(&one), w.add(&two));
    let origin = w.server.origin();
    w.lock();

    // Used up, whatever came of it.
    let asked = w.asked();
    let mut swapped = one.answer(&asked, &origin);
    swapped["wrap"] = two.row(&asked)["wrap"].clone();
    assert_eq!(code(w.post(UNLOCK, &swapped), 422), "tap_sealed", "another way");
    assert_eq!(code(w.post(UNLOCK, &one.answer(&asked, &origin)), 409), "tap_nonce", "again");

    // Of another page of ours, which a browser says.
    let asked = w.asked();
    let elsewhere = format!("http://127.0.0.1:{}", w.server.port);
    let told = w.owner.alone(&w.server, "POST", UNLOCK).only_header("origin", &elsewhere);
    let told = told.json(&one.answer(&asked, &origin)).answer();
    assert_eq!(code(told, 422), "tap_sealed");

    // Of a longer time, another process, another act.
    for (what, change) in [
        ("expires_unix_ms", json!(asked["expires_unix_ms"].as_u64().unwrap_or(0) + 600_000)),
        ("vault", json!("02020202020202020202020202020202")),
        ("key", json!("QYUjIP82dJX6UiyUy4OvOR5OiQGDknJbvyCY3ZMbxCQ")),
    ] {
        let asked = w.asked();
        let mut other = asked.clone();
        other[what] = change;
        assert_eq!(code(w.post(UNLOCK, &one.answer(&other, &origin)), 422), "tap_sealed", "{what}");
    }
    let asked = w.asked();
    let row = one.row(&asked);
    let sealed = one.sealed(Act::Add, &asked, &origin, &row["salt"]);
    let added = json!({ "nonce": asked["nonce"], "wrap": row["wrap"], "sealed": sealed });
    assert_eq!(code(w.post(UNLOCK, &added), 422), "tap_sealed");

    // Another key under the right id; another browser's question.
    let asked = w.asked();
    let wrong = Passkey { prf: Secret::<[u8; 32]>::make(|page| page.fill(9)), id: one.id.clone() };
    assert_eq!(code(w.post(UNLOCK, &wrong.answer(&asked, &origin)), 403), "wrong_secret");
    let other = Owner::by_link(&w.server);
    let asked = other.alone(&w.server, "GET", KEY).answer().expect(200).json();
    let third = Owner::by_link(&w.server).alone(&w.server, "POST", UNLOCK);
    assert_eq!(code(third.json(&one.answer(&asked, &origin)).answer(), 409), "tap_nonce");

    // By now the first browser has had its answers for the minute, and the other its own.
    assert!(w.is_locked());
    let asked = other.alone(&w.server, "GET", KEY).answer().expect(200).json();
    let tapped = other.alone(&w.server, "POST", UNLOCK).json(&two.answer(&asked, &origin));
    tapped.answer().expect(200);
    assert!(!w.is_locked());

    // A way that was removed between question and answer.
    w.lock();
    let asked = other.alone(&w.server, "GET", KEY).answer().expect(200).json();
    w.server.home.ok(&["unlock"]);
    w.server.home.ok(&["custody", "remove", &second]);
    let gone = other.alone(&w.server, "POST", UNLOCK).json(&two.answer(&asked, &origin)).answer();
    assert_eq!(code(gone, 409), "open");
}

#[test]
fn questions_and_answers_are_limited_and_what_is_malformed_is_refused() {
    let w = World::start();
    let passkey = Passkey::new(1);
    w.add(&passkey);
    w.lock();
    // One was for the passkey; nine are left at once.
    let mut last = Value::Null;
    for _ in 0..9 {
        last = w.asked();
    }
    let refused = w.get(KEY).expect(429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.json()["code"], "tap_rate");
    for body in [
        json!({}),
        json!({ "nonce": "AA", "wrap": "x", "sealed": "AA" }),
        json!({ "nonce": last["nonce"], "wrap": [], "sealed": "A".repeat(107) }),
        json!({ "nonce": last["nonce"], "wrap": "x", "sealed": "A".repeat(107), "more": 1 }),
    ] {
        assert_eq!(code(w.post(UNLOCK, &body), 422), "bad_request", "{body}");
    }
    let nobody = json!({ "nonce": "A".repeat(43), "wrap": "x", "sealed": "A".repeat(107) });
    for _ in 0..9 {
        assert_eq!(code(w.post(UNLOCK, &nobody), 409), "tap_nonce");
    }
    let flooded = w.post(UNLOCK, &passkey.answer(&last, &w.server.origin()));
    assert_eq!(code(flooded, 429), "tap_rate");
    assert!(w.is_locked());
}

#[test]
fn ways_are_changed_by_an_owner_who_just_showed_themselves_while_it_is_open() {
    let w = World::start();
    let origin = w.server.origin();
    let passkey = Passkey::new(1);
    let early = w.get(WAY_KEY).expect(200).json();
    w.lock();
    assert_eq!(code(w.get(WAY_KEY), 403), "needs_confirmation", "a lock ends it");
    w.server.home.ok(&["unlock"]);
    assert_eq!(code(w.get(WAY_KEY), 403), "needs_confirmation");
    let late = w.post(WAYS, &passkey.addition(&early, &origin));
    assert_eq!(code(late, 403), "needs_confirmation");

    let fresh = World { owner: Owner::by_link(&w.server), server: w.server };
    let late = fresh.post(WAYS, &passkey.addition(&early, &origin));
    assert_eq!(code(late, 409), "tap_nonce", "a question of before the lock");
    let way = fresh.add(&passkey);
    let path = format!("{WAYS}/{way}");
    let old = w.owner.alone(&fresh.server, "DELETE", &path).answer();
    assert_eq!(code(old, 403), "needs_confirmation");

    // Ways of a terminal stay the terminal's.
    let ways = fresh.get(WAYS).expect(200).json();
    let device =
        ways["ways"].as_array().expect("ways").iter().find(|way| way["method"] == "device");
    let device = format!("{WAYS}/{}", text(&device.expect("a device key")["id"]));
    let refused = fresh.owner.alone(&fresh.server, "DELETE", &device).answer();
    assert_eq!(code(refused, 409), "not_here");
    let nobody = fresh.owner.alone(&fresh.server, "DELETE", &format!("{WAYS}/nobody")).answer();
    assert_eq!(code(nobody, 404), "no_wrap");

    // While it is locked nothing is added or removed, also by whom a tap confirmed before.
    fresh.lock();
    fresh.tap(&passkey).expect(200);
    fresh.get(WAY_KEY).expect(200);
    fresh.owner.alone(&fresh.server, "DELETE", &path).answer().expect(204);
    fresh.lock();
    let again = Owner::by_link(&fresh.server);
    assert_eq!(code(again.alone(&fresh.server, "GET", WAY_KEY).answer(), 503), "locked");
    let removal = again.alone(&fresh.server, "DELETE", &device).answer();
    assert_eq!(code(removal, 409), "not_here");
}
