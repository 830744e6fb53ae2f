//! A receipt with its place in its operator's log: each way in which that can be another's.

use std::sync::Arc;

use symbolon_log::{Log, MemoryStorage, ProofError, WitnessKey, cosign, vkey, with_lines};
use symbolon_trust::capsule_entry;

use super::*;

const ORIGIN: &str = "example.test/log";

/// A log with this receipt at place 2 of 5, others' before and after.
fn log_of(operator: u64, origin: &str, transcript: &Digest32) -> Log<Arc<MemoryStorage>> {
    let signer = Some(Arc::new(key(operator)));
    let log = Log::open(Arc::new(MemoryStorage::default()), origin, signer).unwrap();
    for at in 0..5u8 {
        let other = Digest32([at; 32]);
        log.append(&capsule_entry(if at == 2 { transcript } else { &other })).unwrap();
    }
    log.commit().unwrap();
    log.checkpoint().unwrap();
    log
}

fn place(log: &Log<Arc<MemoryStorage>>, index: u64) -> Logged {
    log.prove(index).unwrap().into()
}

fn logged() -> CapsuleReceipt {
    let it = receipt();
    let log = log_of(3, ORIGIN, &it.transcript());
    it.with_log(place(&log, 2))
}

fn inclusion(verdict: &CapsuleVerdict) -> &Seen {
    &verdict.checks().iter().find(|it| it.name == "inclusion").unwrap().seen
}

fn named() -> OperatorKey {
    OperatorKey::parse(&vkey(ORIGIN, &key(3).verifying_key()).unwrap()).unwrap()
}

#[test]
fn its_place_is_shown_and_checked_against_the_operators_log() {
    let it = logged();
    assert_eq!(CapsuleReceipt::parse(&it.to_json()), Ok(it.clone()));
    let says = Seen::Held("entry 2 of example.test/log, which has 5".to_owned());
    assert_eq!(inclusion(&verify(&it).unwrap()), &says);
    let by_name = verify_capsule(&it.to_json(), Some(&named()), None).unwrap();
    assert_eq!(inclusion(&by_name), &says);
    // It is nothing that the receipt proves: without it the rest holds.
    let without = verify(&receipt()).unwrap();
    assert_eq!(inclusion(&without), &Seen::Withheld("its place in the operator's log"));
    assert!(without.finality(&[], 1).is_none());
}

#[test]
fn another_place_log_operator_or_receipt_is_refused() {
    let transcript = receipt().transcript();
    let log = log_of(3, ORIGIN, &transcript);
    let refused = |place: Logged, by: &OperatorKey| {
        verify_capsule(&receipt().with_log(place).to_json(), Some(by), None).unwrap_err()
    };
    // The proof of another entry, and this one's under another number.
    let not_there = CapsuleError::Inclusion(ProofError::Root);
    assert_eq!(refused(place(&log, 1), &operator()), not_there);
    assert_eq!(refused(Logged { index: 1, ..place(&log, 2) }, &operator()), not_there);
    let beyond = refused(Logged { index: 5, ..place(&log, 2) }, &operator());
    assert!(matches!(beyond, CapsuleError::Inclusion(_)), "{beyond}");
    // The log of another operator, and another log of this one.
    let theirs = place(&log_of(4, ORIGIN, &transcript), 2);
    assert!(matches!(refused(theirs, &operator()), CapsuleError::Checkpoint(_)));
    let second = place(&log_of(3, "example.test/second", &transcript), 2);
    assert!(matches!(refused(second.clone(), &named()), CapsuleError::Checkpoint(_)));
    // Who has the key alone takes any log of it.
    assert!(verify(&receipt().with_log(second)).is_ok());
    // Another receipt of the same operator at this place.
    let other = dishonest(FieldName::Use, json!({ "fuel": 1, "memory_bytes": 1 }));
    assert_eq!(verify(&other.with_log(place(&log, 2))), Err(not_there));
    let long = Logged { path: vec![Digest32([0; 32]); 65], ..place(&log, 2) };
    let long = CapsuleReceipt::parse(&receipt().with_log(long).to_json());
    assert!(matches!(long, Err(CapsuleFormError::Form(_))), "{long:?}");
}

#[test]
fn its_place_goes_with_its_time_and_no_unlinked_receipt_has_one() {
    assert!(logged().disclose(&[FieldName::Time]).dangerous_log().is_some());
    assert!(logged().disclose(&[FieldName::Policy]).dangerous_log().is_none());
    let mut value: Value = serde_json::from_slice(&logged().to_json()).unwrap();
    value["mediaType"] = json!(UNLINKED_MEDIA_TYPE);
    value["execution"] = value["operator"].take();
    let fields = value.as_object_mut().unwrap();
    fields.remove("operator");
    fields.remove("onion");
    let unlinked = CapsuleReceipt::parse(value.to_string().as_bytes()).unwrap_err();
    let what = "an unlinked receipt names no log, which would name its operator";
    assert_eq!(unlinked, CapsuleFormError::Form(what.to_owned()));
}

#[test]
fn witnesses_are_heard_under_its_checkpoint() {
    let mut it = logged();
    let witness = key(20);
    let north = WitnessKey::new("north.example", witness.verifying_key()).unwrap();
    let log = it.log.as_mut().unwrap();
    let line = cosign(&log.checkpoint, "north.example", &witness, NOW / 1000).unwrap();
    log.checkpoint = with_lines(&log.checkpoint, &line).unwrap();
    let verdict = verify(&it).unwrap();
    let finality = verdict.finality(std::slice::from_ref(&north), 1).unwrap();
    assert!(finality.is_final());
    assert_eq!((finality.signed_before(NOW), finality.signed_before(NOW + 1000)), (0, 1));
    let stranger = WitnessKey::new("south.example", key(21).verifying_key()).unwrap();
    assert!(!verdict.finality(&[north, stranger], 2).unwrap().is_final());
}

#[test]
fn any_byte_of_it_that_differs_is_refused_or_says_the_same() {
    let (json, good) = (logged().to_json(), verify(&logged()).unwrap());
    let from = String::from_utf8_lossy(&json).find("\"log\"").unwrap();
    for at in from..json.len() {
        let mut wrong = json.clone();
        wrong[at] ^= 1;
        if let Ok(verdict) = verify_capsule(&wrong, Some(&operator()), Some(&keys(1).public())) {
            assert_eq!(verdict, good, "byte {at}");
        }
    }
}
