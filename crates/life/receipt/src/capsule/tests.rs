//! A receipt in order, each gate broken alone, and fields withheld.

mod logged;
mod private;
mod unlinked;

use serde_json::{Value, json};
use symbolon_ambient::SeededRng;
use symbolon_capsule::{
    Admitted, Ceiling, Certificate, Certified, Checked, ComponentDigest, Envelope, Kind, Manifest,
    Measured, PolicyError, SYSCALL_PROFILE, Satisfied, SigningKeys,
};
use symbolon_crypto::{IdentityError, SigningKey, prove_identity};
use symbolon_trust::capsule_statement;

use super::*;
use crate::OperatorKey;

const NOW: u64 = 1_790_000_000_000;
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn key(seed: u64) -> SigningKey {
    SigningKey::make(&SeededRng::new(seed))
}

fn keys(seed: u64) -> SigningKeys {
    key(seed).into()
}

fn operator() -> OperatorKey {
    key(3).verifying_key().into()
}

struct Documents {
    manifest: Vec<u8>,
    certificate: Vec<u8>,
}

fn documents(change: impl Fn(&mut Manifest)) -> Documents {
    let digest = ComponentDigest::of(COMPONENT);
    let mut manifest = Manifest::template("hello", digest, COMPONENT.len() as u64);
    change(&mut manifest);
    let certificate = Certificate {
        ceiling: Ceiling::plain(),
        keys: keys(2).public(),
        not_after_ms: NOW + 1000,
        not_before_ms: NOW - 1000,
        number: 7,
        publisher: "acme".into(),
    };
    let sign = |kind, bytes, seed| Envelope::sign(kind, bytes, &keys(seed)).unwrap().to_json();
    Documents {
        manifest: sign(Kind::Manifest, manifest.to_bytes(), 2),
        certificate: sign(Kind::Certificate, certificate.to_bytes(), 1),
    }
}

fn admitted(documents: &Documents) -> Admitted<'static> {
    let certified = Certified::check(&documents.certificate, &keys(1).public(), None, NOW).unwrap();
    Checked::check(&documents.manifest, &certified).unwrap().admit(COMPONENT).unwrap()
}

fn measured() -> Measured {
    Measured {
        cpu: vec!["aes".into()],
        landlock_abi: 6,
        no_dumps: true,
        no_new_privileges: true,
        seccomp_mode: 2,
        syscalls: Some(SYSCALL_PROFILE.into()),
    }
}

fn satisfied(admitted: &Admitted<'_>) -> Satisfied {
    admitted.manifest().policy.satisfied_by(measured()).unwrap()
}

fn facts(documents: &Documents) -> Facts<'_> {
    Facts {
        manifest: &documents.manifest,
        certificate: &documents.certificate,
        started_ms: NOW,
        completed_ms: NOW + 5,
        input: b"in",
        output: b"out",
        fuel: 9,
        memory_bytes: 65536,
    }
}

fn draft(documents: &Documents) -> Draft {
    draft_by(documents, None)
}

fn draft_by(documents: &Documents, unlinked: Option<&Unlinked<'_>>) -> Draft {
    let admitted = admitted(documents);
    let facts = facts(documents);
    let satisfied = satisfied(&admitted);
    let rng = SeededRng::new(4);
    match unlinked {
        None => Draft::new(&admitted, &satisfied, &facts, &key(3).verifying_key(), &rng).unwrap(),
        Some(it) => Draft::unlinked(&admitted, &satisfied, &facts, it, &rng).unwrap(),
    }
}

fn proof(by: &SigningKey, transcript: &Digest32) -> [u8; 64] {
    prove_identity(by, &capsule_statement(transcript), &SeededRng::new(5))
}

pub(super) fn receipt() -> CapsuleReceipt {
    let draft = draft(&documents(|_| ()));
    let proof = proof(&key(3), &draft.transcript());
    draft.prove(proof).unwrap()
}

/// What an operator makes that says something else, with commitments and proof that are its own.
fn dishonest(name: FieldName, value: Value) -> CapsuleReceipt {
    let mut it = receipt();
    let place = it.fields.iter_mut().find(|field| field.name() == name).unwrap();
    *place = Field::commit(name, [9; 32], value);
    it.proof = proof(&key(3), &it.transcript());
    it
}

pub(super) fn verify(receipt: &CapsuleReceipt) -> Result<CapsuleVerdict, CapsuleError> {
    verify_capsule(&receipt.to_json(), Some(&operator()), Some(&keys(1).public()))
}

#[test]
fn a_receipt_in_order_shows_every_check() {
    let verdict = verify(&receipt()).unwrap();
    let names: Vec<_> = verdict.checks().iter().map(|it| it.name).collect();
    assert_eq!(names, ["operator", "identity", "hash", "state", "publisher", "time", "inclusion"]);
    assert!(verdict.checks()[..6].iter().all(|it| matches!(it.seen, Seen::Held(_))));
    assert_eq!(verdict.value(FieldName::Output), Some(&json!(sha256(b"out"))));
    assert_eq!(CapsuleReceipt::parse(&receipt().to_json()), Ok(receipt()));
}

#[test]
fn the_hash_gate_alone_is_broken() {
    let other = ComponentDigest::of(b"another");
    let it = dishonest(FieldName::Component, json!(other));
    assert_eq!(verify(&it), Err(CapsuleError::Hash));
}

#[test]
fn the_state_gate_alone_is_broken() {
    let mut found = measured();
    found.landlock_abi = 0;
    let it = dishonest(FieldName::Measured, json!(found));
    let expected = PolicyError::Landlock { required: 1, found: 0 };
    assert_eq!(verify(&it), Err(CapsuleError::State(expected)));
    // A policy that is easier to satisfy than the signed one.
    let mut policy = symbolon_capsule::Policy::strict();
    policy.landlock_abi = 0;
    let it = dishonest(FieldName::Policy, json!(policy));
    assert_eq!(verify(&it), Err(CapsuleError::Manifest(FieldName::Policy)));
}

#[test]
fn the_identity_gate_alone_is_broken() {
    let mut it = receipt();
    it.proof = proof(&key(8), &it.transcript());
    assert_eq!(verify(&it), Err(CapsuleError::Identity(IdentityError::Equation)));
    // No receipt can be drafted into being either.
    let draft = draft(&documents(|_| ()));
    let wrong = proof(&key(8), &draft.transcript());
    assert_eq!(draft.prove(wrong).unwrap_err(), DraftError::Identity(IdentityError::Equation));
    // A signature of the same statement is no proof.
    let mut it = receipt();
    it.proof = key(3).sign(&capsule_statement(&it.transcript()));
    assert_eq!(verify(&it), Err(CapsuleError::Identity(IdentityError::Equation)));
}

#[test]
fn a_field_of_another_receipt_or_another_time_is_refused() {
    let other =
        dishonest(FieldName::Time, json!({ "started_ms": NOW + 9, "completed_ms": NOW + 9 }));
    // The other's time in this one: commitment and all.
    let mut it = receipt();
    it.fields[0] = other.fields[0].clone();
    assert_eq!(verify(&it), Err(CapsuleError::Identity(IdentityError::Equation)));
    // And under this one's commitment.
    let mut it = receipt();
    let shown = other.fields[0].shown().map(|(salt, value)| (*salt, value.clone()));
    it.fields[0] = Field::read(FieldName::Time, *it.fields[0].commitment(), shown);
    assert_eq!(verify(&it), Err(CapsuleError::Field(FieldName::Time)));
    let it = dishonest(FieldName::Time, json!({ "started_ms": 2, "completed_ms": 1 }));
    // It was before the certificate was good, too; without a root that is not looked at.
    let got = verify_capsule(&it.to_json(), Some(&operator()), None);
    assert_eq!(got, Err(CapsuleError::Time));
    let it = dishonest(FieldName::Time, json!("now"));
    assert_eq!(verify(&it), Err(CapsuleError::Value(FieldName::Time)));
}

#[test]
fn another_operator_and_another_publisher_are_refused() {
    let json = receipt().to_json();
    let other = OperatorKey::from(key(8).verifying_key());
    assert_eq!(verify_capsule(&json, Some(&other), None), Err(CapsuleError::Operator));
    let mut it = receipt();
    let foreign = onion(&key(8).verifying_key());
    it.prover = Prover::Operator { key: key(3).verifying_key(), onion: foreign };
    assert_eq!(verify(&it), Err(CapsuleError::Operator));
    let got = verify_capsule(&json, Some(&operator()), Some(&keys(8).public()));
    assert!(matches!(got, Err(CapsuleError::Publisher(_))));
    let it = dishonest(FieldName::Publisher, json!({ "name": "other", "certificate": 7 }));
    assert_eq!(verify(&it), Err(CapsuleError::Manifest(FieldName::Publisher)));
    let it = dishonest(FieldName::Capsule, json!({ "name": "hello", "version": "9.9.9" }));
    assert_eq!(verify(&it), Err(CapsuleError::Manifest(FieldName::Capsule)));
    // A manifest that another publisher signed, whole in itself.
    let mut foreign = documents(|_| ());
    let payload = Envelope::parse(Kind::Manifest, &foreign.manifest).unwrap();
    let payload = payload.dangerous_unverified().to_vec();
    foreign.manifest = Envelope::sign(Kind::Manifest, payload, &keys(9)).unwrap().to_json();
    let value = serde_json::from_slice(&foreign.manifest).unwrap();
    let it = dishonest(FieldName::Manifest, value);
    assert!(matches!(verify(&it), Err(CapsuleError::Publisher(_))));
}

#[test]
fn what_is_withheld_is_said_and_what_is_shown_still_holds() {
    let shown = receipt().disclose(&[FieldName::Time, FieldName::Policy]);
    let text = String::from_utf8(shown.to_json()).unwrap();
    assert!(!text.contains("hello") && !text.contains("landlock_abi\": 6"));
    let verdict = verify(&shown).unwrap();
    let held = |name| {
        let check = verdict.checks().iter().find(|it| it.name == name).unwrap();
        matches!(check.seen, Seen::Held(_))
    };
    assert!(held("identity") && held("time"));
    assert!(!held("hash") && !held("state") && !held("publisher"));
    assert_eq!(verdict.value(FieldName::Component), None);
    assert!(verdict.value(FieldName::Policy).is_some());
    // Nothing that was withheld comes back.
    let all = shown.disclose(FieldName::STANDARD);
    assert_eq!(all, shown);
    assert!(verify(&receipt().disclose(&[])).is_ok());
    assert!(!shown.has(FieldName::Identity) && shown.has(FieldName::Use));
    let without = verify_capsule(&shown.to_json(), None, None);
    assert_eq!(without, Err(CapsuleError::NoKey));
}

#[test]
fn a_draft_wants_the_documents_that_were_checked() {
    let (good, other) = (documents(|_| ()), documents(|it| it.version = "2.0.0".into()));
    let mixed = Documents { manifest: other.manifest, certificate: good.certificate.clone() };
    let admitted = admitted(&good);
    let facts = Facts {
        manifest: &mixed.manifest,
        certificate: &mixed.certificate,
        started_ms: NOW,
        completed_ms: NOW,
        input: b"",
        output: b"",
        fuel: 0,
        memory_bytes: 0,
    };
    let (satisfied, operator) = (satisfied(&admitted), key(3).verifying_key());
    let got = Draft::new(&admitted, &satisfied, &facts, &operator, &SeededRng::new(4));
    assert_eq!(got.unwrap_err(), DraftError::Envelope("manifest"));
}

#[test]
fn a_receipt_damaged_at_any_byte_is_refused_or_the_same() {
    let json = receipt().to_json();
    let good = verify(&receipt()).unwrap();
    for at in (0..json.len()).step_by(3) {
        let mut wrong = json.clone();
        wrong[at] ^= 1;
        if let Ok(verdict) = verify_capsule(&wrong, Some(&operator()), Some(&keys(1).public())) {
            assert_eq!(verdict, good, "byte {at}");
        }
    }
}

#[test]
fn forms_that_are_none_are_refused() {
    let form = |change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&receipt().to_json()).unwrap();
        change(&mut value);
        CapsuleReceipt::parse(value.to_string().as_bytes()).unwrap_err()
    };
    assert_eq!(form(|it| it["mediaType"] = json!("other")), CapsuleFormError::MediaType);
    assert_eq!(form(|it| it["fields"][0]["salt"] = Value::Null), CapsuleFormError::Fields);
    assert_eq!(form(|it| it["fields"][0]["name"] = json!("use")), CapsuleFormError::Fields);
    // The other form's name on it, or its key.
    let other = form(|it| it["mediaType"] = json!(UNLINKED_MEDIA_TYPE));
    assert!(matches!(other, CapsuleFormError::Form(_)));
    let both = form(|it| it["execution"] = it["operator"].clone());
    assert!(matches!(both, CapsuleFormError::Form(_)));
    let short = form(|it| drop(it["fields"].as_array_mut().map(Vec::pop)));
    assert_eq!(short, CapsuleFormError::Fields);
    assert!(matches!(form(|it| it["proof"] = json!("00")), CapsuleFormError::Form(_)));
    assert!(matches!(form(|it| it["more"] = json!(1)), CapsuleFormError::Form(_)));
}
