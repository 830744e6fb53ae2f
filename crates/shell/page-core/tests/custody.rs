//! What the Worker does when somebody signs up, locks and opens again, against the server's half of OPAQUE.

use serde_json::{Value, json};
use symbolon_ambient::{Clock, SeededRng, SystemRng};
use symbolon_codec::b64url;
use symbolon_crypto::opaque::{
    CredentialFinalization, CredentialRequest, RegistrationRequest, RegistrationUpload, ServerSetup,
};
use symbolon_crypto::{VerifyingKey, ethereum};
use symbolon_page_core::account::{Login, Registration, ServerPin};
use symbolon_page_core::custody::{Change, Way};
use symbolon_page_core::{Failed, Moment, Opened};
use symbolon_secret::Secret;
use symbolon_vault::wire::{Head, SignedHead};

const ORIGIN: &str = "http://localhost:7070";
const SEED: &str = "test test test test test test test test test test test junk";
const NOW: f64 = 1_700_000_000_000.0;

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |out| out.copy_from_slice(bytes))
}

fn now() -> Moment {
    Moment::at(NOW)
}

fn recovery() -> (Way, Secret<[u8]>) {
    let way = Way::make_recovery(&SystemRng);
    let words = way.phrase().unwrap();
    (way, words)
}

/// As the server gives it back.
fn view(opened: &Opened) -> String {
    json!({ "id": opened.vault_id(), "wraps": opened.custody().wraps(), "ring": "" }).to_string()
}

fn code(result: Result<impl Sized, Failed>) -> &'static str {
    result.err().expect("a refusal").code
}

#[test]
fn a_vault_is_signed_up_whole_and_opened_again_by_its_code() {
    let (way, words) = recovery();
    let opened = Opened::create(&way, &SystemRng, &now()).unwrap();
    let body = opened.sign_up(&now()).unwrap();
    let key = b64url::decode(body["head_key"].as_str().unwrap(), 32).unwrap();
    let key = VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap();
    let head: SignedHead = serde_json::from_value(body["head"].clone()).unwrap();
    let head = head.verify(&key).unwrap();
    assert_eq!(*head, Head::first(opened.vault_id(), now().unix_ms()), "what a server checks");
    assert_eq!(body["wraps"].as_array().unwrap().len(), 1);
    let share = opened.keys().unwrap().share_key();
    let view = view(&opened);
    drop(opened);

    let again = Opened::unlock(&view, &Way::recovery(&words).unwrap()).unwrap();
    assert_eq!(again.keys().unwrap().share_key(), share);
    assert_eq!(code(Opened::unlock(&view, &recovery().0)), "wrong_secret");
    assert_eq!(code(Opened::unlock("{}", &way)), "shape");
}

#[test]
fn a_password_opens_after_a_login_and_the_servers_key_is_pinned() {
    let (server, other) = (ServerSetup::make(&SystemRng), ServerSetup::make(&SystemRng));
    let key = server.public_key().to_string();
    let pin = || ServerPin::new(None, &key).unwrap();
    let name = b"ada";

    let begun = Registration::start(secret(b"correct horse"), &SystemRng).unwrap();
    let request = b64url::decode(begun.request(), 512).unwrap();
    let request = RegistrationRequest::from_bytes(&request).unwrap();
    let response = server.start_registration(&request, name).unwrap();
    let (proof, way) =
        begun.finish(&b64url::encode(&response.to_bytes()), pin(), &SystemRng).unwrap();
    let record = b64url::decode(proof["record"].as_str().unwrap(), 512).unwrap();
    let record = RegistrationUpload::from_bytes(&record).unwrap();

    let (code_way, _) = recovery();
    let mut opened = Opened::create(&code_way, &SystemRng, &now()).unwrap();
    let change = Change::add(&opened, &way, &SystemRng, &now()).unwrap();
    opened.adopt(change);
    let view = view(&opened);

    let login = |password: &[u8], pinned: Option<String>| -> Result<Way, Failed> {
        let begun = Login::start(secret(password), &SystemRng)?;
        let request = b64url::decode(begun.request(), 512).unwrap();
        let request = CredentialRequest::from_bytes(&request).unwrap();
        let (waits, response) =
            server.start_login(Some(&record), &request, name, &SystemRng).unwrap();
        let pin = ServerPin::new(pinned.as_deref(), &key)?;
        let (proof, way) = begun.finish(&b64url::encode(&response.to_bytes()), pin, &SystemRng)?;
        let proof = b64url::decode(proof["finalization"].as_str().unwrap(), 512).unwrap();
        waits.finish(&CredentialFinalization::from_bytes(&proof).unwrap()).unwrap();
        Ok(way)
    };
    let way = login(b"correct horse", None).unwrap();
    assert_eq!(Opened::unlock(&view, &way).unwrap().vault_id(), opened.vault_id());
    assert_eq!(code(login(b"incorrect horse", None)), "wrong_secret");
    assert_eq!(code(login(b"correct horse", Some(other.public_key().to_string()))), "other_server");
    assert_eq!(code(Registration::start(secret(b"short"), &SystemRng)), "length");
}

#[test]
fn a_passkey_opens_for_its_own_credential_alone() {
    let (first, _) = recovery();
    let mut opened = Opened::create(&first, &SystemRng, &now()).unwrap();
    let passkey = |id: &[u8], byte: u8| Way::passkey(id.to_vec(), secret(&[byte; 32])).unwrap();
    let change = Change::add(&opened, &passkey(b"one", 7), &SystemRng, &now()).unwrap();
    assert_eq!(change.body(3)["base_version"], 3);
    assert_eq!(change.body(3)["wraps"].as_array().unwrap().len(), 2);
    assert_eq!(code(Opened::unlock(&view(&opened), &passkey(b"one", 7))), "no_such_method");
    opened.adopt(change);
    let view = view(&opened);
    assert!(Opened::unlock(&view, &passkey(b"one", 7)).is_ok());
    assert_eq!(code(Opened::unlock(&view, &passkey(b"one", 8))), "wrong_secret");
    assert_eq!(code(Opened::unlock(&view, &passkey(b"two", 7))), "other_passkey");
    assert_eq!(code(Way::passkey(b"one".to_vec(), secret(&[7; 31]))), "shape");
}

#[test]
fn a_seed_signs_in_as_its_wallet_and_opens_what_that_opens() {
    let seed = |origin| Way::seed(origin, &secret(SEED.as_bytes()), &secret(b"")).unwrap();
    let way = seed(ORIGIN);
    assert_eq!(way.address().unwrap(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    let (first, _) = recovery();
    let mut opened = Opened::create(&first, &SystemRng, &now()).unwrap();
    let change = Change::add(&opened, &way, &SystemRng, &now()).unwrap();
    opened.adopt(change);
    assert!(Opened::unlock(&view(&opened), &seed(ORIGIN)).is_ok());

    let message = "localhost:7070 wants you to sign in with your Ethereum account:\n…";
    let signature = way.sign_in(message).unwrap();
    let digest = ethereum::personal_message_digest(message.as_bytes());
    let signer = ethereum::recover(&digest, &signature).unwrap();
    assert_eq!(Some(signer.to_string()), way.address());
    let vault = opened.vault_id().to_string();
    let request = Way::to_sign("solana", ORIGIN, &vault).unwrap();
    assert_eq!(code(way.sign_in(&request)), "shape", "a key's request is signed for nobody");
    assert_eq!(code(first.sign_in(message)), "shape");
    assert_eq!(code(Way::seed("http://evil", &secret(SEED.as_bytes()), &secret(b""))), "origin");
}

#[test]
fn a_wallet_signs_twice_and_the_same() {
    let (first, _) = recovery();
    let opened = Opened::create(&first, &SystemRng, &now()).unwrap();
    let seed = symbolon_crypto::Seed::parse(&secret(SEED.as_bytes()), &secret(b"")).unwrap();
    let (key, vault) = (seed.solana_key(), opened.vault_id().to_string());
    let request = Way::to_sign("solana", ORIGIN, &vault).unwrap();
    let signature = key.sign(request.as_bytes());
    let address = key.verifying_key().to_base58();
    let way = |first: &[u8], second: Option<&[u8]>| {
        Way::solana(ORIGIN, &address, secret(first), second.map(secret)).unwrap()
    };
    let add = |way: &Way| Change::add(&opened, way, &SystemRng, &now());
    assert_eq!(code(add(&way(&signature, None))), "enrol");
    let elsewhere = key.sign(b"something else");
    assert_eq!(code(add(&way(&signature, Some(&elsewhere)))), "unstable_signature");
    assert_eq!(code(add(&way(&elsewhere, Some(&signature)))), "other_wallet");
    assert!(add(&way(&signature, Some(&signature))).is_ok());
    let ethereum = Way::to_sign("ethereum", ORIGIN, &vault).unwrap();
    let typed: Value = serde_json::from_str(&ethereum).unwrap();
    assert_eq!(typed["message"]["vault"], vault);
    assert_eq!(code(Way::to_sign("bitcoin", ORIGIN, &vault)), "shape");
}

#[test]
fn a_recovery_code_signs_in_by_a_key_of_its_own() {
    let (way, words) = recovery();
    let (id, nonce) = ([7; 16], [9; 32]);
    let (challenge, nonce_text) = (symbolon_codec::hex::encode(id), b64url::encode(&nonce));
    let ask = |way: &Way| way.key_proof(&challenge, "sign-in", ORIGIN, &nonce_text);
    let proof = ask(&way).unwrap();
    assert_eq!(ask(&Way::recovery(&words).unwrap()).unwrap(), proof, "the same from paper");
    let bytes = |name: &str| b64url::decode(proof[name].as_str().unwrap(), 64).unwrap();
    let key = VerifyingKey::from_bytes(&bytes("public_key").try_into().unwrap()).unwrap();
    let signed = symbolon_codec::Fields::new("symbolon/key-proof/v1")
        .bytes(&id)
        .str("sign-in")
        .str(ORIGIN)
        .bytes(&nonce)
        .finish();
    key.verify(&signed, &bytes("signature").try_into().unwrap()).unwrap();
    assert_eq!(code(way.key_proof("00", "sign-in", ORIGIN, &nonce_text)), "shape");
    assert_eq!(code(way.key_proof(&challenge, "sign-in", ORIGIN, "AAAA")), "shape");
}

#[test]
fn the_last_way_in_stays() {
    let (first, _) = recovery();
    let mut opened = Opened::create(&first, &SeededRng::new(1), &now()).unwrap();
    let wrap = opened.overview()["wraps"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(code(Change::remove(&opened, &wrap)), "last_wrap");
    let (second, words) = recovery();
    let change = Change::replace(&opened, &wrap, &second, &SystemRng, &now()).unwrap();
    opened.adopt(change);
    assert_eq!(code(Opened::unlock(&view(&opened), &first)), "wrong_secret");
    assert!(Opened::unlock(&view(&opened), &Way::recovery(&words).unwrap()).is_ok());
    assert_eq!(code(Change::remove(&opened, &wrap)), "wraps");
}
