//! The protocol from both sides, and what each change of it comes to.

mod vectors;

use proptest::prelude::*;
use symbolon_ambient::{Rng, SeededRng};
use symbolon_crypto::schnorr::{PointError, ProofError};
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_secret::Secret;
use symbolon_token::{Scopes, TokenError};

use crate::*;

const NOW: u64 = 1_800_000_000_000;
const ISSUER: &str = "https://keys.example";
const KEY: &str = "sk_live_9f86d081884c7d659a2feaa0c55ad015";
const OTHER_KEY: &str = "sk_live_0b5ad1c2f9a348e7d6c1b2a39f58e741";

fn server() -> PossessionKeys {
    PossessionKeys::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(1)), ISSUER)
}

fn domain() -> Domain {
    Domain {
        issuer: ISSUER.to_owned(),
        service: [2; 16].into(),
        audience: Audience::parse("https://api.example").unwrap(),
        account: KeyAccount::parse("acct_7").unwrap(),
    }
}

fn possessed(text: &str, domain: &Domain) -> PossessedKey {
    let secret = Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()));
    let key = StrongKey::of(secret).unwrap();
    let enrolling = Enrolling::start(&key, &SeededRng::new(5)).unwrap();
    let evaluated = server().evaluate(domain.service, enrolling.element()).unwrap();
    enrolling.finish(&key, &evaluated, domain).unwrap()
}

fn device(seed: u64) -> SigningKey {
    SigningKey::make(&SeededRng::new(seed))
}

fn login() -> Statement {
    let device = device(1).verifying_key();
    let nonce = server().nonces.make(domain().service, &device, NOW, &SeededRng::new(9));
    Statement {
        purpose: Purpose::Login,
        domain: domain(),
        nonce,
        device,
        scopes: Scopes::of("read write").unwrap(),
        channel: Some([8; 32]),
        act: Act::None,
    }
}

fn proof(statement: &Statement) -> (PossessedKey, Proof) {
    let key = possessed(KEY, &domain());
    let proof = key.prove(statement, &device(1), &SeededRng::new(3));
    (key, proof)
}

#[test]
fn a_proof_holds_and_says_what_was_asked() {
    let statement = login();
    let (key, proof) = proof(&statement);
    let evidence = verify(&statement, &key.point(), &proof).unwrap();
    assert_eq!(evidence.purpose(), Purpose::Login);
    assert_eq!(evidence.scopes(), &statement.scopes);
    assert_eq!(evidence.proof_hash().len(), 43);
}

#[test]
fn each_field_of_the_statement_is_bound() {
    let statement = login();
    let (key, proof) = proof(&statement);
    let mut changed: Vec<(&str, Statement)> = Vec::new();
    let mut with = |name, change: &dyn Fn(&mut Statement)| {
        let mut other = statement.clone();
        change(&mut other);
        assert_ne!(other, statement, "{name}");
        changed.push((name, other));
    };
    for purpose in [Purpose::Enrol, Purpose::Rotate, Purpose::Replace, Purpose::Manage] {
        with("purpose", &|s| s.purpose = purpose);
    }
    with("issuer", &|s| s.domain.issuer.push('x'));
    with("service", &|s| s.domain.service = [3; 16].into());
    with("audience", &|s| s.domain.audience = Audience::parse("https://api.exampl").unwrap());
    with("account", &|s| s.domain.account = KeyAccount::default());
    for at in 0..NONCE_BYTES {
        with("nonce", &|s| s.nonce[at] ^= 1);
    }
    with("scopes", &|s| s.scopes = Scopes::of("read").unwrap());
    with("scopes", &|s| s.scopes = Scopes::of("read write admin").unwrap());
    with("channel", &|s| s.channel = None);
    with("channel", &|s| s.channel = Some([9; 32]));
    with("act", &|s| s.act = Act::Words("list".to_owned()));
    // A border between two fields that moves.
    with("border", &|s| {
        s.domain.issuer.push_str("https");
        s.domain.account = KeyAccount::parse("cct_7").unwrap();
    });
    for (name, other) in &changed {
        let refused = verify(other, &key.point(), &proof).unwrap_err();
        assert_eq!(refused, PossessionError::Device, "{name}");
        // The same with a device that signs whatever it is asked to: the key's own proof is bound too.
        let mut helped = proof;
        let message = crate::key::device_message(&other.to_bytes(), &[&proof.schnorr]);
        helped.signature = device(1).sign(&message);
        let refused = verify(other, &key.point(), &helped).unwrap_err();
        assert_eq!(refused, PossessionError::Proof(ProofError::Equation), "{name}");
    }
}

#[test]
fn a_device_cannot_be_swapped() {
    let statement = login();
    let (key, _) = proof(&statement);
    // Signed by another than the statement names.
    let by_other = key.prove(&statement, &device(2), &SeededRng::new(3));
    let refused = verify(&statement, &key.point(), &by_other).unwrap_err();
    assert_eq!(refused, PossessionError::Device);
    // A thief of the proof puts its own device into the statement and signs that.
    let stolen = Statement { device: device(2).verifying_key(), ..statement.clone() };
    let mut proof = key.prove(&statement, &device(1), &SeededRng::new(3));
    let message = crate::key::device_message(&stolen.to_bytes(), &[&proof.schnorr]);
    proof.signature = device(2).sign(&message);
    let refused = verify(&stolen, &key.point(), &proof).unwrap_err();
    assert_eq!(refused, PossessionError::Proof(ProofError::Equation));
}

#[test]
fn every_bit_of_a_proof_counts() {
    let statement = login();
    let (key, proof) = proof(&statement);
    for bit in 0..512 {
        let mut wrong = proof;
        wrong.schnorr[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&statement, &key.point(), &wrong).is_err(), "bit {bit} of the proof");
        let mut wrong = proof;
        wrong.signature[bit / 8] ^= 1 << (bit % 8);
        let refused = verify(&statement, &key.point(), &wrong).unwrap_err();
        assert_eq!(refused, PossessionError::Device, "bit {bit} of the signature");
    }
}

/// With a device that signs them: what is wrong with the proof itself has its error.
#[test]
fn malformed_proofs_are_told_apart() {
    let statement = login();
    let (key, good) = proof(&statement);
    let with = |at: usize, half: [u8; 32]| {
        let mut proof = good;
        proof.schnorr[at..at + 32].copy_from_slice(&half);
        let message = crate::key::device_message(&statement.to_bytes(), &[&proof.schnorr]);
        proof.signature = device(1).sign(&message);
        verify(&statement, &key.point(), &proof).unwrap_err()
    };
    let point = |error| PossessionError::Proof(ProofError::Commitment(error));
    assert_eq!(with(0, [0; 32]), point(PointError::Identity));
    assert_eq!(with(0, [0xff; 32]), point(PointError::Encoding));
    assert_eq!(with(32, [0xff; 32]), PossessionError::Proof(ProofError::Scalar));
    assert_eq!(with(32, [1; 32]), PossessionError::Proof(ProofError::Equation));
}

#[test]
fn a_key_is_another_in_each_domain_and_under_each_function() {
    let base = *possessed(KEY, &domain()).point().as_bytes();
    assert_eq!(base, *possessed(KEY, &domain()).point().as_bytes(), "the same on every device");
    assert_ne!(base, *possessed(OTHER_KEY, &domain()).point().as_bytes());
    for other in [
        Domain { issuer: "https://other.example".to_owned(), ..domain() },
        Domain { service: [3; 16].into(), ..domain() },
        Domain { audience: Audience::parse("https://api2.example").unwrap(), ..domain() },
        Domain { account: KeyAccount::default(), ..domain() },
    ] {
        assert_ne!(base, *possessed(KEY, &other).point().as_bytes(), "{other:?}");
    }
    // Another server's function: a database, or a whole transcript, does not let anybody try keys.
    let text = KEY.as_bytes();
    let secret = Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text));
    let key = StrongKey::of(secret).unwrap();
    let other = PossessionKeys::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(2)), ISSUER);
    let enrolling = Enrolling::start(&key, &SeededRng::new(5)).unwrap();
    let evaluated = other.evaluate(domain().service, enrolling.element()).unwrap();
    let there = enrolling.finish(&key, &evaluated, &domain()).unwrap();
    assert_ne!(base, *there.point().as_bytes());
}

#[test]
fn a_device_goes_on_from_what_it_sealed() {
    let once = possessed(KEY, &domain());
    let text = KEY.as_bytes();
    let key = || {
        let secret = Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text));
        StrongKey::of(secret).unwrap()
    };
    // EXPOSE: a test copies what a device would have sealed.
    let value = Secret::<[u8; 64]>::make(|b| b.copy_from_slice(once.value().expose()));
    let again = PossessedKey::from_parts(&key(), value, &domain()).unwrap();
    assert_eq!(again.point(), once.point());
}

#[test]
fn nonces_are_judged_in_their_order() {
    let (server, device, other) = (server(), device(1).verifying_key(), device(2).verifying_key());
    let service = domain().service;
    let nonce = server.nonces.make(service, &device, NOW, &SeededRng::new(9));
    let judge = |bytes: &[u8], service, device: &VerifyingKey, now| {
        server.nonces.judge(bytes, service, device, now).map(|nonce| nonce.id())
    };
    assert!(judge(&nonce, service, &device, NOW).is_ok());
    assert!(judge(&nonce, service, &device, NOW + NONCE_MS - 1).is_ok());
    assert_eq!(judge(&nonce, service, &device, NOW + NONCE_MS), Err(NonceError::Late));
    assert!(judge(&nonce, service, &device, NOW - 30_000).is_ok());
    assert_eq!(judge(&nonce, service, &device, NOW - 30_001), Err(NonceError::Early));
    assert_eq!(judge(&nonce, service, &device, NOW + 300_000), Err(NonceError::Late));
    assert_eq!(judge(&nonce, [3; 16].into(), &device, NOW), Err(NonceError::OtherService));
    assert_eq!(judge(&nonce, service, &other, NOW), Err(NonceError::OtherDevice));
    assert_eq!(judge(&nonce[1..], service, &device, NOW), Err(NonceError::Length));
    assert_eq!(judge(&[], service, &device, NOW), Err(NonceError::Length));
    for bit in 0..NONCE_BYTES * 8 {
        let mut wrong = nonce;
        wrong[bit / 8] ^= 1 << (bit % 8);
        let refused = judge(&wrong, service, &device, NOW);
        assert_eq!(refused, Err(NonceError::NotOurs), "bit {bit}");
    }
    // It is remembered for as long as any server could take it.
    let until = server.nonces.judge(&nonce, service, &device, NOW).unwrap().until_unix_ms();
    assert!(judge(&nonce, service, &device, until - 30_000).is_err() && until > NOW + NONCE_MS);
}

#[test]
fn a_rotation_needs_both_keys_and_the_device() {
    let (old, new) = (possessed(KEY, &domain()), possessed(OTHER_KEY, &domain()));
    let rotate = Statement {
        purpose: Purpose::Rotate,
        scopes: Scopes::default(),
        act: Act::Point(*new.point().as_bytes()),
        ..login()
    };
    let replace = Statement {
        purpose: Purpose::Replace,
        act: Act::Point(*old.point().as_bytes()),
        ..rotate.clone()
    };
    let rng = SeededRng::new(4);
    let proof = old.prove_rotation(&new, &rotate, &replace, &device(1), &rng);
    let judge = |proof: &RotationProof| {
        let judged = verify_rotation(&rotate, &replace, &old.point(), &new.point(), proof);
        judged.map(|rotated| (*rotated.before(), *rotated.after()))
    };
    assert_eq!(judge(&proof), Ok((old.point(), new.point())));
    let signed = |mut proof: RotationProof| {
        let parts = [&proof.old, &proof.new];
        let message = crate::key::device_message(&rotate.to_bytes(), &parts);
        proof.signature = device(1).sign(&message);
        proof
    };
    let swapped = signed(RotationProof { old: proof.new, new: proof.old, ..proof });
    let equation = ProofError::Equation;
    assert_eq!(judge(&swapped), Err(PossessionError::Proof(equation)));
    let without_new = signed(RotationProof { new: proof.old, ..proof });
    assert_eq!(judge(&without_new), Err(PossessionError::NewProof(equation)));
    let unsigned = RotationProof { new: proof.old, ..proof };
    assert_eq!(judge(&unsigned), Err(PossessionError::Device));
    // To itself.
    let own = Statement { act: Act::Point(*old.point().as_bytes()), ..rotate.clone() };
    let proof = old.prove_rotation(&old, &own, &replace, &device(1), &rng);
    let judged = verify_rotation(&own, &replace, &old.point(), &old.point(), &proof);
    assert_eq!(judged.unwrap_err(), PossessionError::SameKey);
}

fn rows() -> (Service, ApiKey, Device) {
    let scopes = Scopes::of("read write").unwrap();
    let service = Service {
        id: domain().service,
        account: [9; 16].into(),
        audience: domain().audience,
        name: "API".to_owned(),
        scopes: Scopes::of("admin read write").unwrap(),
        token_seconds: 600,
        secret_hash: symbolon_codec::Digest32([0; 32]),
        created_unix_ms: 0,
    };
    let key = ApiKey {
        id: [5; 16].into(),
        service: service.id,
        account: domain().account,
        name: "a key".to_owned(),
        scopes,
        point: possessed(KEY, &domain()).point(),
        created_unix_ms: 0,
        rotated_unix_ms: None,
        revoked_unix_ms: None,
    };
    let device = Device {
        id: [6; 16].into(),
        key: key.id,
        public: device(1).verifying_key(),
        name: "laptop".to_owned(),
        created_unix_ms: 0,
        used_unix_ms: None,
        revoked_unix_ms: None,
    };
    (service, key, device)
}

#[test]
fn a_token_says_what_was_proven_and_no_more() {
    let (service, key, device) = rows();
    let statement = login();
    let (possessed, proof) = proof(&statement);
    let evidence = || verify(&statement, &possessed.point(), &proof).unwrap();
    let tokens = &server().tokens;
    let issue = |evidence, service: &Service, key: &ApiKey, device: &Device| {
        tokens.issue(evidence, service, key, device, NOW, &SeededRng::new(1))
    };
    let issued = issue(evidence(), &service, &key, &device).unwrap();
    let read = tokens.read(&issued.text, &service, NOW).unwrap();
    assert_eq!(read.claims(), &issued.claims);
    assert_eq!(issued.claims.exp - issued.claims.iat, 600);
    assert_eq!(issued.claims.proof, evidence().proof_hash());
    assert_eq!(issued.claims.account.as_deref(), Some("acct_7"));
    let late = tokens.read(&issued.text, &service, NOW + 600_000);
    assert_eq!(late.unwrap_err(), TokenError::Expired);

    let narrow = ApiKey { scopes: Scopes::of("read").unwrap(), ..key.clone() };
    assert!(issue(evidence(), &service, &narrow, &device).is_none(), "more than the key may");
    let other = Device { public: self::device(2).verifying_key(), ..device.clone() };
    assert!(issue(evidence(), &service, &key, &other).is_none(), "another device");
    let stranger = Device { key: [7; 16].into(), ..device.clone() };
    assert!(issue(evidence(), &service, &key, &stranger).is_none(), "another key's device");
    let enrolment = Statement { purpose: Purpose::Enrol, ..login() };
    let (possessed, proof) = self::proof(&enrolment);
    let evidence = verify(&enrolment, &possessed.point(), &proof).unwrap();
    assert!(issue(evidence, &service, &key, &device).is_none(), "another purpose");
}

#[test]
fn audiences_have_one_spelling() {
    for good in ["https://api.example", "https://api.example:8443", "http://localhost:7070"] {
        assert_eq!(Audience::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "api.example",
        "http://api.example",
        "http://localhost.example",
        "https://API.example",
        "https://api.example/",
        "https://api.example/v1",
        "https://api.example:443",
        "https://api.example:08443",
        "https://api.example:0",
        "https://api.example:",
        "http://localhost:80",
        "http://127.0.0.1:7070",
        "https://user@api.example",
        "https://api.example?x",
        "https://api.example#x",
        "https://",
        "ftp://api.example",
    ] {
        assert_eq!(Audience::parse(bad), Err(DomainError::Audience), "{bad}");
    }
    assert!(Audience::parse(&format!("https://{}", "a".repeat(AUDIENCE_CHARS_MAX))).is_err());
    for bad in ["a b", "ä", &"x".repeat(ACCOUNT_CHARS_MAX + 1)] {
        assert_eq!(KeyAccount::parse(bad), Err(DomainError::Account));
    }
}

#[test]
fn a_service_s_secret_reads_back_and_is_hashed_under_the_server_s_key() {
    let secret = ServiceSecret::make(&SeededRng::new(1));
    let text = secret.to_holder();
    let again = ServiceSecret::read(text.as_bytes()).unwrap();
    assert_eq!(server().secret_hash(&again), server().secret_hash(&secret));
    let other = PossessionKeys::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(2)), ISSUER);
    assert_ne!(other.secret_hash(&secret), server().secret_hash(&secret));
    for bad in ["", "symk_", &text[1..], &text[..text.len() - 1], &text.replace("symk", "symv")] {
        assert!(ServiceSecret::read(bad.as_bytes()).is_none(), "{bad}");
    }
}

proptest! {
    #[test]
    fn whatever_is_stated_is_proven_for_that_alone(
        issuer in "[a-z]{1,20}", account in "[!-~]{0,20}", scope in "[a-z]{1,8}( [a-z]{1,8}){0,3}",
        channel in proptest::option::of(any::<[u8; 32]>()), act in "[a-z]{0,12}", seed in any::<u64>(),
    ) {
        let domain = Domain {
            issuer, account: KeyAccount::parse(&account).unwrap(), ..domain()
        };
        let act = if act.is_empty() { Act::None } else { Act::Words(act) };
        let statement = Statement {
            domain: domain.clone(), scopes: Scopes::of(&scope).unwrap(), channel, act, ..login()
        };
        let key = possessed(KEY, &domain);
        let rng = SeededRng::new(seed);
        let proof = key.prove(&statement, &device(1), &rng);
        prop_assert!(verify(&statement, &key.point(), &proof).is_ok());
        let mut other = statement;
        let mut nonce = [0; 1];
        rng.fill(&mut nonce);
        other.nonce[usize::from(nonce[0]) % NONCE_BYTES] ^= 0x80;
        prop_assert!(verify(&other, &key.point(), &proof).is_err());
    }
}
