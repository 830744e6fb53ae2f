//! A server with accounts, and a page before it: cookie, CSRF token and origin as a browser sends them.

use std::process::Stdio;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::{Digest32, b64url};
use symbolon_crypto::opaque::{ClientLogin, CredentialResponse, ServerKey};
use symbolon_crypto::{FIELD_OVERHEAD_BYTES, SigningKey, sha256};
use symbolon_secret::Secret;
use symbolon_vault::VaultId;
use symbolon_vault::wire::{Commit, Head, Header, ItemId, SealedRevision, SignedHead, State, root};

use crate::authenticator::Device;
use crate::home::Home;
use crate::http::{Request, Response};
use crate::place;
use crate::service::{Service, free_port};

/// Whoever signs up here types it.
const PASSWORD: &str = "correct horse battery";

/// A server with accounts.
#[derive(Debug)]
pub struct Accounts {
    pub home: Home,
    pub port: u16,
    served: Option<Service>,
}

impl Accounts {
    pub fn start() -> Self {
        let home = Home::new();
        home.ok(&["lock", "--stop"]);
        let mut own = Self { home, port: free_port(), served: None };
        own.serve();
        own
    }

    /// Ends the server, as a power cut would.
    pub fn stop(&mut self) {
        self.served = None;
    }

    /// Ends the server and starts it again on the same port.
    pub fn restart(&mut self) {
        self.served = None;
        self.serve();
    }

    fn serve(&mut self) {
        let port = self.port;
        let listen = format!("127.0.0.1:{port}");
        let mut command = self.home.command(&["serve", "--accounts", "--listen", &listen]);
        let mut served = Service::start("symbolon serve", command.stdin(Stdio::null()));
        served.wait_for("healthy answer", |_| {
            Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
        });
        self.served = Some(served);
    }

    /// Where pages are.
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Somebody with a vault at this server, on a device of their own.
    pub fn person(&self, handle: &str) -> Home {
        let home = Home::empty(place::symbolon());
        let code = home.beside("code");
        let server = self.origin();
        let mut line = vec!["vault", "create", "--server", &server, "--handle", handle];
        line.extend(["--device", "--from-stdin", "--recovery-file"]);
        line.extend(code.to_str());
        home.ok_with(&line, PASSWORD.as_bytes());
        home
    }

    /// A page that nobody signed in at.
    pub fn page(&self) -> Page {
        Page::at(self.port)
    }
}

/// A page in a browser.
#[derive(Clone, Debug)]
pub struct Page {
    pub port: u16,
    pub origin: String,
    pub cookie: Option<String>,
    pub csrf: Option<String>,
}

impl Page {
    /// A page of the server on this port, at which nobody signed in.
    pub fn at(port: u16) -> Self {
        Self { port, origin: format!("http://localhost:{port}"), cookie: None, csrf: None }
    }

    /// A request as the page's script makes it.
    pub fn request(&self, method: &'static str, path: &str) -> Request {
        let host = format!("localhost:{}", self.port);
        let mut request = Request::new(method, self.port, path).header("host", &host);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if method != "GET" {
            request =
                request.header("origin", &self.origin).header("sec-fetch-site", "same-origin");
            if let Some(csrf) = &self.csrf {
                request = request.header("x-symbolon-csrf", csrf);
            }
        }
        request
    }

    pub fn get(&mut self, path: &str) -> Response {
        self.took(self.request("GET", path).answer())
    }

    pub fn delete(&mut self, path: &str) -> Response {
        self.took(self.request("DELETE", path).answer())
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Response {
        self.took(self.request("POST", path).json(body).answer())
    }

    pub fn put(&mut self, path: &str, body: &Value) -> Response {
        self.took(self.request("PUT", path).json(body).answer())
    }

    /// Keeps the cookie and the CSRF token of an answer.
    pub fn took(&mut self, answer: Response) -> Response {
        if let Some(set) = answer.header("set-cookie") {
            let pair = set.split(';').next().expect("a pair");
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        if let Some(csrf) = json.as_ref().and_then(|json| json["csrf"].as_str()) {
            self.csrf = Some(csrf.to_owned());
        }
        answer
    }

    /// A challenge.
    #[track_caller]
    pub fn challenge(&mut self, ask: &Value) -> Value {
        self.post("/api/account/challenge", ask).expect(200).json()
    }

    /// Makes an account by a passkey of this device.
    #[track_caller]
    pub fn sign_up(&mut self, device: &mut Device, vault: &Holder) -> Response {
        let asked = self.challenge(&json!({ "purpose": "sign-up", "method": "passkey" }));
        let made = device.create(&self.origin, &asked["passkey"]);
        self.post(
            "/api/account",
            &json!({ "challenge_id": asked["challenge_id"], "proof": made.proof, "vault": vault.new }),
        )
    }

    /// Signs in by the device's passkey.
    #[track_caller]
    pub fn sign_in(&mut self, device: &mut Device) -> Response {
        let asked = self.challenge(&json!({ "purpose": "sign-in", "method": "passkey" }));
        let shown = device.get(&self.origin, &asked["passkey"]);
        let answer = json!({ "challenge_id": asked["challenge_id"], "proof": shown.proof });
        self.post("/api/session", &answer)
    }

    /// Signs in by a password, which the server does not see.
    #[track_caller]
    pub fn sign_in_by_password(&mut self, handle: &str, password: &str) -> Response {
        let bytes = password.as_bytes();
        let password = Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes));
        let (login, request) = ClientLogin::start(&password, &SystemRng).expect("a password");
        let asked = self.challenge(&json!({ "purpose": "sign-in", "method": "password",
            "handle": handle, "opaque": { "request": b64url::encode(&request.to_bytes()) } }));
        let text = |name: &str| asked["opaque"][name].as_str().expect("a text").to_owned();
        let server = ServerKey::from_hex(&text("server_key")).expect("a key");
        let response = b64url::decode(&text("response"), 512).expect("base64url");
        let response = CredentialResponse::from_bytes(&response).expect("KE2");
        let done = login.finish(&password, &response, &server, &SystemRng).expect("the password");
        let proof = json!({ "finalization": b64url::encode(&done.finalization.to_bytes()) });
        let answer = json!({ "challenge_id": asked["challenge_id"], "proof": proof });
        self.post("/api/session", &answer)
    }

    /// Confirms by the device's passkey.
    #[track_caller]
    pub fn confirm(&mut self, device: &mut Device) -> Response {
        let asked = self.challenge(&json!({ "purpose": "confirm", "method": "passkey" }));
        let shown = device.get(&self.origin, &asked["passkey"]);
        let answer = json!({ "challenge_id": asked["challenge_id"], "proof": shown.proof });
        self.post("/api/session/confirm", &answer)
    }
}

/// Who holds a vault: its head key, and the head as the holder knows it.
#[derive(Debug)]
pub struct Holder {
    key: Rc<SigningKey>,
    pub head: Head,
    current: Vec<(ItemId, u64, Digest32)>,
    /// The vault as a sign-up sends it.
    pub new: Value,
}

impl Default for Holder {
    fn default() -> Self {
        let key = Rc::new(SigningKey::make(&SystemRng));
        let head = Head::first(VaultId::make(&SystemRng), unix_ms());
        let share_key = sha256(key.verifying_key().as_bytes());
        let new = json!({
            "id": head.vault.to_string(),
            "head_key": b64url::encode(key.verifying_key().as_bytes()),
            "share_key": b64url::encode(&share_key.0),
            "wraps": [{ "id": "a wrap" }],
            "head": SignedHead::sign(head, &key),
        });
        Self { key, head, current: Vec::new(), new }
    }
}

impl Holder {
    /// A commit of new revisions of these items, on the head that the holder knows; with it, what the holder
    /// knows once it is taken.
    pub fn commit(&self, items: &[[u8; 16]]) -> (Commit, Self) {
        let mut current = self.current.clone();
        let mut revisions = Vec::new();
        for item in items {
            let item = ItemId::from(*item);
            let known = current.iter_mut().find(|(known, ..)| *known == item);
            let number = known.as_ref().map_or(1, |(_, number, _)| number + 1);
            let revision = self.revision(item, number);
            match known {
                Some(known) => (known.1, known.2) = (number, revision.digest()),
                None => current.push((item, number, revision.digest())),
            }
            revisions.push(revision);
        }
        let head = Head {
            counter: self.head.counter + 1,
            previous: self.head.digest(),
            root: root(&mut current),
            updated_unix_ms: unix_ms(),
            ..self.head
        };
        let signed = SignedHead::sign(head, &self.key);
        let commit = Commit::new(self.head.counter, signed, None, revisions).expect("in bounds");
        let key = self.key.clone();
        (commit, Self { key, head, current, new: self.new.clone() })
    }

    fn revision(&self, item: ItemId, number: u64) -> SealedRevision {
        let header = Header {
            vault: self.head.vault,
            item,
            number,
            parent: None,
            epoch: 1,
            created_unix_ms: unix_ms(),
            updated_unix_ms: unix_ms(),
            state: State::Live,
            commitment: Digest32([7; 32]),
        };
        let fields: Vec<_> = (1..=4).map(|n| (n, vec![n; FIELD_OVERHEAD_BYTES + 64])).collect();
        SealedRevision::new(&header, &fields).expect("well formed")
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    since.as_millis().try_into().expect("before the year 584 million")
}
