//! The first byte chooses which message of OPAQUE, or a server's secrets.

use std::sync::LazyLock;

use symbolon_ambient::SeededRng;
use symbolon_crypto::opaque::{
    CredentialFinalization, CredentialRequest, CredentialResponse, RegistrationRequest,
    RegistrationResponse, RegistrationUpload, ServerSetup,
};
use symbolon_secret::Secret;

static SERVER: LazyLock<ServerSetup> = LazyLock::new(|| ServerSetup::make(&SeededRng::new(1)));

pub fn run(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 7 {
        0 => registration(bytes),
        1 => same(RegistrationResponse::from_bytes(bytes).map(|m| m.to_bytes()), bytes),
        2 => record(bytes),
        3 => login(None, bytes),
        4 => same(CredentialResponse::from_bytes(bytes).map(|m| m.to_bytes()), bytes),
        5 => same(CredentialFinalization::from_bytes(bytes).map(|m| m.to_bytes()), bytes),
        _ => setup(bytes),
    }
}

/// A message has one spelling.
fn same<const N: usize, E>(read: Result<[u8; N], E>, bytes: &[u8]) {
    if let Ok(written) = read {
        assert_eq!(written, bytes);
    }
}

fn registration(bytes: &[u8]) {
    let Ok(request) = RegistrationRequest::from_bytes(bytes) else { return };
    assert_eq!(request.to_bytes(), bytes);
    let answer = SERVER.start_registration(&request, b"name").expect("any request is answered");
    assert_eq!(answer.to_bytes()[32..], *SERVER.public_key().as_bytes());
}

fn record(bytes: &[u8]) {
    let Ok(record) = RegistrationUpload::from_bytes(bytes) else { return };
    assert_eq!(record.to_bytes(), bytes);
    login(Some(&record), &bytes[..CredentialRequest::BYTES]);
}

fn login(record: Option<&RegistrationUpload>, bytes: &[u8]) {
    let Ok(request) = CredentialRequest::from_bytes(bytes) else { return };
    assert_eq!(request.to_bytes(), bytes);
    let (login, answer) = SERVER
        .start_login(record, &request, b"name", &SeededRng::new(2))
        .expect("any request is answered");
    let answer = answer.to_bytes();
    let proof = CredentialFinalization::from_bytes(&answer[..64]).expect("any 64 bytes");
    assert!(login.finish(&proof).is_err(), "proved by what the server said");
}

fn setup(bytes: &[u8]) {
    let secret = Secret::<[u8]>::make_slice(bytes.len(), |b| b.copy_from_slice(bytes));
    let Ok(secret) = secret.into_array() else { return };
    if let Ok(server) = ServerSetup::from_secret(&secret) {
        assert!(server.to_secret().ct_eq(&secret), "a setup has one spelling");
    }
}
