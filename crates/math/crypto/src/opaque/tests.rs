use super::ksf::Stretch;
use super::*;
use serde_json::Value;
use std::sync::Mutex;
use symbolon_ambient::{Rng, SeededRng};

/// Hands out what it was given, in order.
struct Script(Mutex<Vec<u8>>);

impl Script {
    fn new(parts: &[&[u8]]) -> Self {
        Self(Mutex::new(parts.concat()))
    }
}

impl Rng for Script {
    fn fill(&self, out: &mut [u8]) {
        let mut left = self.0.lock().unwrap();
        out.copy_from_slice(&left.drain(..out.len()).collect::<Vec<_>>());
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        assert!(std::thread::panicking() || self.0.lock().unwrap().is_empty(), "all was drawn");
    }
}

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |b| b.copy_from_slice(bytes))
}

/// The vectors of RFC 9807, appendix C, for our group: two real ones, one of an unknown account.
fn vectors() -> Vec<Value> {
    let all = include_str!("../../../../../vectors/opaque/vectors.json");
    let all: Vec<Value> = serde_json::from_str(all).unwrap();
    all.into_iter().filter(|v| v["config"]["Group"] == "ristretto255").collect()
}

struct Vector(Value);

impl Vector {
    fn bytes(&self, part: &str, name: &str) -> Vec<u8> {
        hex::decode(self.0[part][name].as_str().unwrap_or_else(|| panic!("{name}"))).unwrap()
    }

    fn input(&self, name: &str) -> Vec<u8> {
        self.bytes("inputs", name)
    }

    fn identity(&self, name: &str) -> Option<Vec<u8>> {
        self.0["inputs"].get(name).map(|_| self.input(name))
    }

    fn server(&self) -> ServerSetup {
        let parts = ["oprf_seed", "server_private_key", "server_public_key"];
        let bytes = parts.map(|name| self.input(name)).concat();
        let server = ServerSetup::from_secret(&secret(&bytes).into_array().unwrap()).unwrap();
        assert_eq!(server.public_key().as_bytes()[..], self.input("server_public_key"));
        server
    }

    fn expect(&self, name: &str, found: &[u8]) {
        assert_eq!(hex::encode(found), self.0["outputs"][name].as_str().unwrap(), "{name}");
    }
}

#[test]
fn rfc_9807_real() {
    let vectors = vectors().into_iter().filter(|v| v["config"]["Fake"] == "False");
    let mut run = 0;
    for v in vectors.map(Vector) {
        let context = v.bytes("config", "Context");
        let (client, server) = (v.identity("client_identity"), v.identity("server_identity"));
        let identifiers = Identifiers { client: client.as_deref(), server: server.as_deref() };
        let terms = Terms { context: &context, identifiers, stretch: Stretch::Identity };
        let (setup, password) = (v.server(), secret(&v.input("password")));
        let (name, pinned) = (v.input("credential_identifier"), setup.public_key());

        let rng = Script::new(&[&v.input("blind_registration"), &[0; 32]]);
        let (state, request) = ClientRegistration::start(&password, &rng).unwrap();
        v.expect("registration_request", &request.to_bytes());
        let response = setup.start_registration(&request, &name).unwrap();
        v.expect("registration_response", &response.to_bytes());
        let rng = Script::new(&[&v.input("envelope_nonce")]);
        let done = state.finish_with(&terms, &password, &response, &pinned, &rng).unwrap();
        v.expect("registration_upload", &done.upload.to_bytes());
        // EXPOSE: a test compares.
        v.expect("export_key", done.export_key.secret().expose());

        let (seed, nonce) = (v.input("client_keyshare_seed"), v.input("client_nonce"));
        let rng = Script::new(&[&v.input("blind_login"), &[0; 32], &seed, &nonce]);
        let (state, ke1) = ClientLogin::start(&password, &rng).unwrap();
        v.expect("KE1", &ke1.to_bytes());
        let rest = ["masking_nonce", "server_keyshare_seed", "server_nonce"];
        let rest = rest.map(|name| v.input(name)).concat();
        let rng = Script::new(&[&[0; 64], &rest]);
        let (login, ke2) =
            setup.start_login_with(&terms, Some(&done.upload), &ke1, &name, &rng).unwrap();
        v.expect("KE2", &ke2.to_bytes());
        let rng = Script::new(&[]);
        let logged = state.finish_with(&terms, &password, &ke2, &pinned, &rng).unwrap();
        v.expect("KE3", &logged.finalization.to_bytes());
        // EXPOSE: a test compares.
        v.expect("session_key", logged.session_key.secret().expose());
        assert!(logged.export_key.secret().ct_eq(done.export_key.secret()));
        let shared = login.finish_with(&terms, &logged.finalization).unwrap();
        assert!(shared.secret().ct_eq(logged.session_key.secret()));
        run += 1;
    }
    assert_eq!(run, 2);
}

#[test]
fn rfc_9807_fake() {
    let vectors = vectors().into_iter().filter(|v| v["config"]["Fake"] == "True");
    let mut run = 0;
    for v in vectors.map(Vector) {
        let context = v.bytes("config", "Context");
        let (client, server) = (v.identity("client_identity"), v.identity("server_identity"));
        let identifiers = Identifiers { client: client.as_deref(), server: server.as_deref() };
        let terms = Terms { context: &context, identifiers, stretch: Stretch::Identity };
        let (key, mask) = (v.input("client_public_key"), v.input("masking_key"));
        let fake = RegistrationUpload::from_bytes(&[&key[..], &mask, &[0; 96]].concat()).unwrap();
        let ke1 = CredentialRequest::from_bytes(&v.input("KE1")).unwrap();
        let rest = ["masking_nonce", "server_keyshare_seed", "server_nonce"];
        let rng = Script::new(&[&[0; 64], &rest.map(|name| v.input(name)).concat()]);
        let name = v.input("credential_identifier");
        let (_, ke2) = v.server().start_login_with(&terms, Some(&fake), &ke1, &name, &rng).unwrap();
        v.expect("KE2", &ke2.to_bytes());
        run += 1;
    }
    assert_eq!(run, 1);
}

struct World {
    rng: SeededRng,
    server: ServerSetup,
    password: Secret<[u8]>,
    registered: Registered,
}

const NAME: &[u8] = b"amelie@example.org";

fn world() -> World {
    let rng = SeededRng::new(11);
    let (server, password) = (ServerSetup::make(&rng), secret(b"correct horse battery"));
    let registered = register(&server, &server.public_key(), &password, &rng).unwrap();
    World { rng, server, password, registered }
}

fn register(
    server: &ServerSetup,
    pinned: &ServerKey,
    password: &Secret<[u8]>,
    rng: &dyn Rng,
) -> Result<Registered, OpaqueError> {
    let (state, request) = ClientRegistration::start(password, rng)?;
    let response = server.start_registration(&request, NAME)?;
    state.finish(password, &response, pinned, rng)
}

impl World {
    fn log_in(
        &self,
        server: &ServerSetup,
        record: Option<&RegistrationUpload>,
        name: &[u8],
        password: &Secret<[u8]>,
    ) -> Result<(LoggedIn, ServerLogin), OpaqueError> {
        let (state, request) = ClientLogin::start(password, &self.rng)?;
        let (login, response) = server.start_login(record, &request, name, &self.rng)?;
        let pinned = self.server.public_key();
        Ok((state.finish(password, &response, &pinned, &self.rng)?, login))
    }
}

/// Through bytes, with the real cost, and with the server's secrets put away between.
#[test]
fn the_password_opens_to_the_same_export_key_and_nothing_else_does() {
    let w = world();
    let record = RegistrationUpload::from_bytes(&w.registered.upload.to_bytes()).unwrap();
    let server = ServerSetup::from_secret(&w.server.to_secret()).unwrap();
    assert_eq!(server.public_key(), w.server.public_key());

    let (client, login) = w.log_in(&server, Some(&record), NAME, &w.password).unwrap();
    assert!(client.export_key.secret().ct_eq(w.registered.export_key.secret()));
    let session = login.finish(&client.finalization).unwrap();
    assert!(session.secret().ct_eq(client.session_key.secret()));

    let refused = |r: Result<(LoggedIn, ServerLogin), _>| {
        assert_eq!(r.map(drop), Err(OpaqueError::Refused));
    };
    refused(w.log_in(&server, Some(&record), NAME, &secret(b"correct horse batterz")));
    refused(w.log_in(&server, None, NAME, &w.password));
    refused(w.log_in(&server, Some(&record), b"another@example.org", &w.password));

    // A proof of another login, as if replayed.
    let (state, request) = ClientLogin::start(&w.password, &w.rng).unwrap();
    let (other, _) = server.start_login(Some(&record), &request, NAME, &w.rng).unwrap();
    drop(state);
    assert_eq!(other.finish(&client.finalization).map(drop), Err(OpaqueError::Refused));
}

#[test]
fn a_login_goes_on_after_its_state_was_put_away() {
    let w = world();
    let record = Some(&w.registered.upload);
    let (client, login) = w.log_in(&w.server, record, NAME, &w.password).unwrap();
    let kept = login.to_secret().unwrap();
    let again = ServerLogin::from_secret(&kept).unwrap();
    let key = again.finish(&client.finalization).unwrap();
    assert!(key.secret().ct_eq(client.session_key.secret()));
    let short = Secret::<[u8]>::make_slice(kept.len() - 1, |b| b.fill(1));
    assert_eq!(ServerLogin::from_secret(&short).map(drop), Err(OpaqueError::Malformed));
}

#[test]
fn another_server_than_the_pinned_one_is_refused_by_name() {
    let w = world();
    let other = ServerSetup::make(&w.rng);
    let (expected, found) = (other.public_key(), w.server.public_key());
    let error = register(&w.server, &expected, &w.password, &w.rng).map(drop);
    assert_eq!(error, Err(OpaqueError::OtherServer { expected, found }));

    let (state, request) = ClientLogin::start(&w.password, &w.rng).unwrap();
    let record = Some(&w.registered.upload);
    let (_, response) = w.server.start_login(record, &request, NAME, &w.rng).unwrap();
    let error = state.finish(&w.password, &response, &expected, &w.rng).map(drop);
    assert_eq!(error, Err(OpaqueError::OtherServer { expected, found }));

    // A server without the account's record and with keys of its own.
    let error = w.log_in(&other, record, NAME, &w.password).map(drop);
    assert_eq!(error, Err(OpaqueError::Refused));
}

#[test]
fn an_answer_for_nobody_looks_like_one_for_somebody() {
    let w = world();
    let (_, request) = ClientLogin::start(&w.password, &w.rng).unwrap();
    let answer = |record: Option<&RegistrationUpload>, name: &[u8]| {
        let (_, response) = w.server.start_login(record, &request, name, &w.rng).unwrap();
        response.to_bytes()
    };
    let (known, again) = (answer(Some(&w.registered.upload), NAME), answer(None, b"nobody"));
    assert_eq!(known.len(), again.len());
    // The evaluated element is the account's own each time; all that follows is fresh each time.
    assert_eq!(answer(None, b"nobody")[..32], again[..32]);
    assert_ne!(answer(None, b"nobody")[32..], again[32..]);
    assert_eq!(answer(Some(&w.registered.upload), NAME)[..32], known[..32]);
    assert_ne!(answer(Some(&w.registered.upload), NAME)[32..], known[32..]);
}

#[test]
fn what_is_no_message_is_refused_where_it_is_read() {
    let w = world();
    let good = w.registered.upload.to_bytes();
    for bytes in [&[][..], &good[..191], &[&good[..], &[0]].concat(), &[0; 192], &[0xff; 192]] {
        assert_eq!(
            RegistrationUpload::from_bytes(bytes).map(drop),
            Err(OpaqueError::Malformed),
            "{}",
            bytes.len()
        );
    }
    // The identity, for which every key gives the same element.
    assert!(RegistrationRequest::from_bytes(&[0; 32]).is_err());
    assert!(CredentialRequest::from_bytes(&[0; 96]).is_err());
    assert!(ServerKey::from_bytes(&[0; 32]).is_err());
    assert!(ServerKey::from_hex("00").is_err());
    assert!(ServerSetup::from_secret(&Secret::<[u8; 128]>::make(|_| {})).is_err());

    let (state, request) = ClientRegistration::start(&w.password, &w.rng).unwrap();
    let reflected = [request.to_bytes(), *w.server.public_key().as_bytes()].concat();
    let reflected = RegistrationResponse::from_bytes(&reflected).unwrap();
    let error = state.finish(&w.password, &reflected, &w.server.public_key(), &w.rng).map(drop);
    assert_eq!(error, Err(OpaqueError::Reflected));
}

#[test]
fn lengths_are_bounded() {
    let w = world();
    let length = |bytes: usize| Secret::<[u8]>::make_slice(bytes, |b| b.fill(b'a'));
    for bytes in [0, 7, 1025] {
        let started = ClientRegistration::start(&length(bytes), &w.rng).map(drop);
        assert_eq!(started, Err(OpaqueError::Length), "{bytes}");
    }
    assert!(ClientRegistration::start(&length(8), &w.rng).is_ok());
    assert!(ClientLogin::start(&length(1), &w.rng).is_ok());
    assert_eq!(ClientLogin::start(&length(0), &w.rng).map(drop), Err(OpaqueError::Length));
    let (_, request) = ClientRegistration::start(&w.password, &w.rng).unwrap();
    for name in [vec![], vec![0; 257]] {
        let answered = w.server.start_registration(&request, &name).map(drop);
        assert_eq!(answered, Err(OpaqueError::Name));
    }
}
