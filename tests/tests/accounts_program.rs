//! Programs that sign their requests: by PyPI `http-message-signatures`, sent by `requests`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::{Fields, b64url};
use symbolon_crypto::SigningKey;
use symbolon_secret::Secret;
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::place;

/// The other implementation.
struct Program {
    child: Child,
    write: ChildStdin,
    read: BufReader<ChildStdout>,
    origin: String,
    seed: [u8; 32],
}

impl Program {
    fn start(origin: &str, seed: [u8; 32]) -> Self {
        let mut command = Command::new(place::python());
        command
            .arg(place::fixture("interop/signed.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let write = child.stdin.take().expect("piped");
        let read = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, write, read, origin: origin.to_owned(), seed }
    }

    /// Its status, and the code where it is refused.
    #[track_caller]
    fn send(&mut self, method: &str, path: &str, more: Value) -> (u64, String) {
        let mut asked = json!({
            "method": method,
            "url": format!("{}{path}", self.origin),
            "seed": b64url::encode(&self.seed),
            "keyid": b64url::encode(self.key().verifying_key().as_bytes()),
        });
        for (name, value) in more.as_object().expect("an object") {
            asked[name] = value.clone();
        }
        writeln!(self.write, "{asked}").expect("it reads");
        let mut line = String::new();
        self.read.read_line(&mut line).expect("it answers");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"));
        let body: Value =
            serde_json::from_str(answer["body"].as_str().unwrap()).unwrap_or_default();
        (answer["status"].as_u64().unwrap(), body["code"].as_str().unwrap_or_default().to_owned())
    }

    fn key(&self) -> SigningKey {
        SigningKey::from_seed(Secret::<[u8; 32]>::make(|b| b.copy_from_slice(&self.seed)))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The proof of a key for a challenge (specs/sessions.md).
fn proof(page: &Page, key: &SigningKey, purpose: &str, asked: &Value) -> Value {
    let id: Vec<u8> = symbolon_codec::hex::decode(asked["challenge_id"].as_str().unwrap()).unwrap();
    let nonce = b64url::decode(asked["nonce"].as_str().unwrap(), 32).unwrap();
    let signed = Fields::new("symbolon/key-proof/v1")
        .bytes(&id)
        .str(purpose)
        .str(&page.origin)
        .bytes(&nonce)
        .finish();
    json!({ "challenge_id": asked["challenge_id"], "proof": {
        "public_key": b64url::encode(key.verifying_key().as_bytes()),
        "signature": b64url::encode(&key.sign(&signed)),
    } })
}

fn with_key(server: &Accounts, holder: &Holder) -> (Page, Program) {
    let (mut page, mut device) = (server.page(), Device::default());
    page.sign_up(&mut device, holder).expect(201);
    let mut seed = [0; 32];
    symbolon_ambient::Rng::fill(&SystemRng, &mut seed);
    let program = Program::start(&page.origin, seed);
    let asked = page.challenge(&json!({ "purpose": "add", "method": "key" }));
    let add = proof(&page, &program.key(), "add", &asked);
    page.post("/api/account/credentials", &add).expect(201);
    (page, program)
}

#[test]
fn a_signed_request_is_taken_once_and_as_it_was_signed() {
    let mut server = Accounts::start();
    let holder = Holder::default();
    let (mut page, mut program) = with_key(&server, &holder);
    let refused = |code: &str| (401, code.to_owned());
    assert_eq!(program.send("GET", "/api/vault", json!({})), (200, String::new()));
    assert_eq!(program.send("GET", "/api/vault/changes?after=0", json!({})), (200, String::new()));
    let again = json!({ "again": 1 });
    assert_eq!(program.send("GET", "/api/vault", again), refused("replayed"));

    let (commit, after) = holder.commit(&[[1; 16]]);
    let body = serde_json::to_string(&commit).unwrap();
    let sent = json!({ "body": body });
    assert_eq!(program.send("POST", "/api/vault/commit", sent), (200, String::new()));
    let body = serde_json::to_string(&after.commit(&[[2; 16]]).0).unwrap();
    let changed = json!({ "body": body, "change": "body" });
    assert_eq!(program.send("POST", "/api/vault/commit", changed), refused("bad_signature"));
    let uncovered = json!({ "body": body, "covers": ["@method", "@authority", "@path"] });
    assert_eq!(program.send("POST", "/api/vault/commit", uncovered), refused("bad_signature"));
    let query = json!({ "change": "query" });
    assert_eq!(program.send("GET", "/api/vault/changes", query), refused("bad_signature"));
    let signature = json!({ "change": "signature" });
    assert_eq!(program.send("GET", "/api/vault", signature), refused("bad_signature"));
    for seconds in [-120, 120] {
        let late = json!({ "later": seconds });
        assert_eq!(program.send("GET", "/api/vault", late), refused("bad_signature"));
    }
    let nobody = SigningKey::make(&SystemRng);
    let keyid = json!({ "keyid": b64url::encode(nobody.verifying_key().as_bytes()) });
    assert_eq!(program.send("GET", "/api/vault", keyid), refused("unknown_key"));

    // No program does what is dangerous, or a session's.
    let wraps = json!({ "body": json!({ "base_version": 1, "wraps": [{}] }).to_string() });
    assert_eq!(program.send("PUT", "/api/vault/wraps", wraps), refused("no_session"));
    assert_eq!(program.send("GET", "/api/session", json!({})), refused("no_session"));
    assert_eq!(program.send("DELETE", "/api/sessions", json!({})), refused("no_session"));
    assert_eq!(program.send("DELETE", "/api/account", json!({})), refused("no_session"));

    server.restart();
    assert_eq!(program.send("GET", "/api/vault", json!({})), (200, String::new()));
    let all = page.get("/api/account/credentials").expect(200).json();
    let key = all["credentials"].as_array().unwrap().iter().find(|one| one["method"] == "key");
    let id = key.unwrap()["id"].as_str().unwrap().to_owned();
    page.delete(&format!("/api/account/credentials/{id}")).expect(204);
    assert_eq!(program.send("GET", "/api/vault", json!({})), refused("unknown_key"));
}

#[test]
fn a_key_signs_in_for_its_challenge_alone() {
    let server = Accounts::start();
    let (_, program) = with_key(&server, &Holder::default());
    let (mut page, key) = (server.page(), program.key());
    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "key" }));
    let answer = proof(&page, &key, "sign-in", &asked);
    page.clone().post("/api/session", &answer).expect(200);
    assert_eq!(page.post("/api/session", &answer).expect(401).json()["code"], "no_challenge");

    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "key" }));
    let for_other = proof(&page, &key, "confirm", &asked);
    assert_eq!(page.post("/api/session", &for_other).expect(401).json()["code"], "bad_proof");
    let stranger = SigningKey::make(&SystemRng);
    let asked = page.challenge(&json!({ "purpose": "sign-in", "method": "key" }));
    let unknown = proof(&page, &stranger, "sign-in", &asked);
    assert_eq!(page.post("/api/session", &unknown).expect(401).json()["code"], "bad_proof");
}
