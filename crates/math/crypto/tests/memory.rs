//! Nothing of a key, passphrase or plaintext is in ordinary memory after it was used.

use std::hint::black_box;

use symbolon_ambient::SystemRng;
use symbolon_crypto::opaque::{ClientLogin, ClientRegistration, ServerSetup};
use symbolon_crypto::{
    AeadKey, MasterKey, Params, RecoveryCode, Seed, SigningKey, argon2id, ethereum, hkdf_sha256,
    hmac_sha256, labels,
};
use symbolon_secret::{
    Secret, on_stack,
    scan::{MASK, Needle, own_memory},
};

/// A copy that the search does not take for the value.
fn masked<T: AsRef<[u8]> + ?Sized>(secret: &Secret<T>) -> Vec<u8> {
    // EXPOSE: masked for the search, on the secret stack.
    on_stack(|| secret.expose().as_ref().iter().map(|b| b ^ MASK).collect())
}

fn random() -> Secret<[u8; 32]> {
    Secret::<[u8; 32]>::make(|b| symbolon_ambient::Rng::fill(&SystemRng, b))
}

#[test]
fn after_every_operation_ordinary_memory_has_none_of_its_secrets() {
    let rng = SystemRng;
    let (raw, ikm, seed, passphrase) = (random(), random(), random(), random().into_slice());
    let mut needle = Needle::masked(&masked(&raw));
    for other in [masked(&ikm), masked(&seed), masked(&passphrase)] {
        needle.add_masked(&other);
    }
    let search = |after: &str| {
        let found = own_memory(&needle).unwrap();
        assert!(found.bytes > 1 << 20, "the search reads memory");
        assert_eq!(found.hits, [], "after {after}");
    };
    search("making them");

    let key = AeadKey::from_secret(&raw);
    search("the key schedule");
    // EXPOSE: sealed where it is.
    let envelope = key.seal(&labels::STATE_ROW, &[b"x"], passphrase.expose(), &rng);
    search("sealing");
    let opened = key.open(&labels::STATE_ROW, &[b"x"], &envelope).unwrap();
    search("opening");
    assert!(opened.ct_eq(&passphrase));

    let derived = hkdf_sha256(&ikm, b"salt", &labels::KEK_DEVICE, b"");
    needle_of(&derived, "hkdf");
    black_box(hmac_sha256(&ikm, &[b"message"]));
    search("hkdf and hmac");

    let stretched = argon2id(&passphrase, &[1; 16], Params::new(8192, 1, 1).unwrap()).unwrap();
    search("argon2id");
    needle_of(&stretched, "argon2id's output");

    let code = RecoveryCode::from_secret(random());
    let words = code.phrase();
    needle_of(code.secret(), "a recovery code");
    phrase(&words, "writing its words");
    RecoveryCode::parse(&words).unwrap();
    phrase(&words, "reading its words");

    let nothing = Secret::<[u8]>::make_slice(0, |_| {});
    let wallet = Seed::parse(&words, &nothing).unwrap();
    phrase(&words, "reading a seed phrase");
    let digest = ethereum::keccak256(&[b"message"]);
    let signature = wallet.ethereum_key().sign(&digest);
    let one = ethereum::secret_signature(&signature).unwrap();
    // EXPOSE: a signature is checked, on the secret stack.
    black_box(on_stack(|| ethereum::recover(&digest, signature.expose()))).unwrap();
    needle_of(&one, "an Ethereum wallet's signature");
    needle_of(&wallet.solana_key().sign_secret(b"message"), "a Solana wallet's signature");

    let server = ServerSetup::make(&rng);
    let (state, request) = ClientRegistration::start(&passphrase, &rng).unwrap();
    let answer = server.start_registration(&request, b"name").unwrap();
    let made = state.finish(&passphrase, &answer, &server.public_key(), &rng).unwrap();
    search("an OPAQUE registration");
    let (state, request) = ClientLogin::start(&passphrase, &rng).unwrap();
    let (login, answer) = server.start_login(Some(&made.upload), &request, b"name", &rng).unwrap();
    let logged = state.finish(&passphrase, &answer, &server.public_key(), &rng).unwrap();
    let session = login.finish(&logged.finalization).unwrap();
    search("an OPAQUE login");
    needle_of(made.export_key.secret(), "an export key");
    needle_of(session.secret(), "a session key");
    needle_of(&server.to_secret(), "a server's secrets");

    let signing = SigningKey::from_seed(seed);
    black_box(signing.sign(b"message"));
    black_box(signing.seal_seed(&key, &[], &rng));
    search("signing");

    let master = MasterKey::make(&rng);
    let wrap = master.wrap_under(&key, &labels::VAULT_WRAP, &[], &rng);
    MasterKey::unwrap_under(&key, &labels::VAULT_WRAP, &[], &wrap).unwrap();
    search("wrapping");

    // The search finds what is there to be found.
    // EXPOSE: put into ordinary memory on purpose.
    let copy = black_box(raw.expose().to_vec());
    assert_ne!(own_memory(&needle).unwrap().hits, []);
    drop(copy);
}

fn needle_of<T: AsRef<[u8]> + ?Sized>(secret: &Secret<T>, after: &str) {
    assert_eq!(own_memory(&Needle::masked(&masked(secret))).unwrap().hits, [], "after {after}");
}

/// Single words are in dictionaries and programs; what is looked for is where two of them meet,
/// in memory that is not a program's.
fn phrase(words: &Secret<[u8]>, after: &str) {
    let masked = masked(words);
    let mut needle = Needle::masked(&[]);
    for (at, _) in masked.iter().enumerate().filter(|(_, b)| **b == b' ' ^ MASK) {
        needle.add_masked(&masked[at.saturating_sub(4)..(at + 5).min(masked.len())]);
    }
    let mut found = own_memory(&needle).unwrap();
    found.hits.retain(|(mapping, _)| !mapping.starts_with('/'));
    assert_eq!(found.hits, [], "after {after}");
}
