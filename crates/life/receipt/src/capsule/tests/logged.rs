//! A receipt with its place in its operator's log: each way in which that can be another's.

use std::sync::Arc;

use symbolon_log::{
    Checkpoint, CheckpointError, Handover, Log, MemoryStorage, ProofError, Succession, WitnessKey,
    cosign, vkey, with_lines,
};
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
fn under_a_key_that_gave_way_only_what_the_log_had_before_stands() {
    let until = |size: u64| {
        let log = log_of(3, ORIGIN, &receipt().transcript());
        let root = log.root(size).unwrap();
        let at = Checkpoint { origin: ORIGIN.into(), size, root };
        let mut line = Succession::new(ORIGIN, key(3).verifying_key());
        line.push(Handover::sign(&at, &key(3), &key(5))).unwrap();
        line
    };
    let check = |it: &CapsuleReceipt, by: u64, line: Succession| {
        let by = OperatorKey::from(key(by).verifying_key()).within(line).unwrap();
        verify_capsule(&it.to_json(), Some(&by), None)
    };
    // By the key of now, and by the one of before.
    for by in [3, 5] {
        let verdict = check(&logged(), by, until(5)).unwrap();
        assert_eq!(verdict.operator(), Some(&key(3).verifying_key()));
        // Its place is not shown: whoever still has the key made it today, for all that is shown.
        let refused = check(&receipt(), by, until(5)).unwrap_err();
        assert_eq!(refused, CapsuleError::Retired { until: 5 });
        // It stands at 2, and the key gave way there.
        assert_eq!(check(&logged(), by, until(2)).unwrap_err(), CapsuleError::Retired { until: 2 });
        // At 3 it was there, and the checkpoint that is shown is of a day after.
        let late = check(&logged(), by, until(3)).unwrap_err();
        let retired = CheckpointError::Retired { size: 5, until: 3 };
        assert_eq!(late, CapsuleError::Checkpoint(retired));
        // Shown under the key of now.
        let log = log_of(3, ORIGIN, &receipt().transcript());
        log.set_signer(Some(key(5).into()));
        log.append(b"later").unwrap();
        log.commit().unwrap();
        log.checkpoint().unwrap();
        let renewed = receipt().with_log(place(&log, 2));
        check(&renewed, by, until(3)).unwrap();
    }
    // Without the line it is the first key's and nobody else's.
    verify(&logged()).unwrap();
    let next = OperatorKey::from(key(5).verifying_key());
    let alone = verify_capsule(&logged().to_json(), Some(&next), None).unwrap_err();
    assert_eq!(alone, CapsuleError::Operator);
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
