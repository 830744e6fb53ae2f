//! OPAQUE against npm's `@serenity-kit/opaque`: its client with our server, ours with its server.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::b64url;
use symbolon_crypto::opaque::{
    ClientLogin, ClientRegistration, CredentialFinalization, CredentialRequest, CredentialResponse,
    OpaqueError, RegistrationRequest, RegistrationResponse, RegistrationUpload, ServerKey,
    ServerSetup,
};
use symbolon_secret::Secret;
use symbolon_tests::place;

const NAME: &str = "amelie@example.org";
const PASSWORD: &str = "correct horse battery";

/// The other implementation, one step a line.
struct Other {
    child: Child,
    write: ChildStdin,
    read: BufReader<ChildStdout>,
}

impl Other {
    fn start() -> Self {
        let mut command = Command::new(place::node());
        command
            .arg(place::fixture("interop/opaque.mjs"))
            .current_dir(place::node_folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("Node starts");
        let write = child.stdin.take().expect("piped");
        let read = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, write, read }
    }

    #[track_caller]
    fn ask(&mut self, side: &str, step: &str, words: Value) -> Value {
        writeln!(self.write, "{}", json!([side, step, words])).expect("it reads");
        let mut line = String::new();
        self.read.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{step}: {line:?}: {e}"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
}

#[track_caller]
fn bytes(value: &Value) -> Vec<u8> {
    b64url::decode(value.as_str().expect("a string"), 4096).expect("base64url")
}

#[test]
fn their_client_and_our_server_agree_on_both_keys() {
    let (mut other, rng) = (Other::start(), SystemRng);
    let server = ServerSetup::make(&rng);

    let started = other.ask("client", "startRegistration", json!({"password": PASSWORD}));
    let request = RegistrationRequest::from_bytes(&bytes(&started["registrationRequest"])).unwrap();
    let response = server.start_registration(&request, NAME.as_bytes()).unwrap();
    let registered = other.ask(
        "client",
        "finishRegistration",
        json!({
            "clientRegistrationState": started["clientRegistrationState"], "password": PASSWORD,
            "registrationResponse": b64url::encode(&response.to_bytes()),
        }),
    );
    let pinned = bytes(&registered["serverStaticPublicKey"]);
    assert_eq!(pinned, server.public_key().as_bytes());
    let record = RegistrationUpload::from_bytes(&bytes(&registered["registrationRecord"])).unwrap();

    for (known, password) in [(true, PASSWORD), (true, "wrong horse"), (false, PASSWORD)] {
        let started = other.ask("client", "startLogin", json!({"password": password}));
        let request = CredentialRequest::from_bytes(&bytes(&started["startLoginRequest"])).unwrap();
        let record = known.then_some(&record);
        let (login, response) =
            server.start_login(record, &request, NAME.as_bytes(), &rng).unwrap();
        let finished = other.ask(
            "client",
            "finishLogin",
            json!({
                "clientLoginState": started["clientLoginState"], "password": password,
                "loginResponse": b64url::encode(&response.to_bytes()),
            }),
        );
        if !known || password != PASSWORD {
            assert_eq!(finished, Value::Null, "{known} {password}");
            continue;
        }
        assert_eq!(finished["exportKey"], registered["exportKey"]);
        let proof = bytes(&finished["finishLoginRequest"]);
        let session = login.finish(&CredentialFinalization::from_bytes(&proof).unwrap()).unwrap();
        assert!(session.secret().ct_eq_bytes(&bytes(&finished["sessionKey"])));
    }
}

#[test]
fn our_client_and_their_server_agree_on_both_keys() {
    let (mut other, rng, password) = (Other::start(), SystemRng, secret(PASSWORD));
    let setup = other.ask("server", "createSetup", Value::Null);
    let pinned = other.ask("server", "getPublicKey", setup.clone());
    let pinned = ServerKey::from_bytes(&bytes(&pinned).try_into().unwrap()).unwrap();

    let (state, request) = ClientRegistration::start(&password, &rng).unwrap();
    let answered = other.ask(
        "server",
        "createRegistrationResponse",
        json!({
            "serverSetup": setup, "userIdentifier": NAME,
            "registrationRequest": b64url::encode(&request.to_bytes()),
        }),
    );
    let response = bytes(&answered["registrationResponse"]);
    let response = RegistrationResponse::from_bytes(&response).unwrap();
    let registered = state.finish(&password, &response, &pinned, &rng).unwrap();
    let record = b64url::encode(&registered.upload.to_bytes());

    let mut log_in = |record: Value, password: &str| {
        let password = secret(password);
        let (state, request) = ClientLogin::start(&password, &rng).unwrap();
        let answered = other.ask(
            "server",
            "startLogin",
            json!({
                "serverSetup": setup, "userIdentifier": NAME, "registrationRecord": record,
                "startLoginRequest": b64url::encode(&request.to_bytes()),
            }),
        );
        let response = CredentialResponse::from_bytes(&bytes(&answered["loginResponse"])).unwrap();
        let logged = state.finish(&password, &response, &pinned, &rng)?;
        let finished = other.ask(
            "server",
            "finishLogin",
            json!({
                "serverLoginState": answered["serverLoginState"],
                "finishLoginRequest": b64url::encode(&logged.finalization.to_bytes()),
            }),
        );
        assert!(logged.session_key.secret().ct_eq_bytes(&bytes(&finished["sessionKey"])));
        Ok::<_, OpaqueError>(logged.export_key)
    };
    let again = log_in(record.clone().into(), PASSWORD).unwrap();
    assert!(again.secret().ct_eq(registered.export_key.secret()));
    assert_eq!(log_in(record.into(), "wrong horse").map(drop), Err(OpaqueError::Refused));
    assert_eq!(log_in(Value::Null, PASSWORD).map(drop), Err(OpaqueError::Refused));
}
