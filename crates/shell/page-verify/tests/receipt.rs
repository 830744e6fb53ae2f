//! Each check has a way to fail, and is named where it does.

use std::sync::Arc;

use serde_json::Value;
use symbolon_ambient::SystemRng;
use symbolon_crypto::{SigningKey, sha256};
use symbolon_log::{Checkpoint, Durability, Handover, Log, MemoryStorage, Succession, vkey};
use symbolon_page_verify::{gave_way, verdict};
use symbolon_receipt::*;

const ORIGIN: &str = "example.test/log";

/// A bundle of a refused call, and the operator's key.
fn receipt() -> (Value, String) {
    let key = Arc::new(SigningKey::make(&SystemRng));
    (receipt_by(&key), of(&key))
}

fn of(key: &SigningKey) -> String {
    vkey(ORIGIN, &key.verifying_key()).unwrap()
}

fn receipt_by(key: &Arc<SigningKey>) -> Value {
    let log = Log::open(MemoryStorage::new(), ORIGIN, Some(Arc::clone(key))).unwrap();
    let salt = Salt::make(&SystemRng);
    let gate = Gate { gate: "scope".into(), held: false, detail: "".into() };
    let statement = Statement {
        request: salt.request(&sha256(b"request")),
        predicate: Predicate {
            agent: "claude".into(),
            session: sha256(b"session"),
            door: Door::Mcp,
            context: "direct".into(),
            tool: "github.issues.list".into(),
            service: "github".into(),
            connection: "github".into(),
            method: "GET".into(),
            host: "api.github.com".into(),
            path_template: "/issues".into(),
            parameters: salt.parameters(b"{}"),
            decision: Decision { outcome: Outcome::Refused, gates: vec![gate] },
            intent: None,
            retries: 0,
            idempotency_key: None,
            minted: None,
            lineage: (&[]).into(),
            approval: None,
            request_body: None,
            response: None,
            error: None,
            times: Times {
                requested: Time::from_unix_ms(1_795_169_160_000),
                released: None,
                completed: Time::from_unix_ms(1_795_169_160_000),
            },
            durability: Durability::Group,
        },
    };
    let mut buffer = Vec::new();
    statement.write(&mut buffer).unwrap();
    for other in 0..3 {
        log.append(format!("entry {other}").as_bytes()).unwrap();
    }
    let index = log.append(&buffer).unwrap().index();
    log.commit().unwrap();
    let proof = log.prove(index).unwrap();
    let bundle = Bundle::make(log.entry(index).unwrap(), proof, ORIGIN, key).unwrap();
    serde_json::from_slice(&bundle.to_json()).unwrap()
}

/// The line of a key that gave way to another under the checkpoint of a bundle.
fn line(bundle: &Value, from: &SigningKey, to: &SigningKey) -> Vec<u8> {
    let note = bundle["log"]["checkpoint"].as_str().unwrap();
    let last = Checkpoint::open(note, &from.verifying_key(), ORIGIN).unwrap();
    let mut line = Succession::new(ORIGIN, from.verifying_key());
    line.push(Handover::sign(&last, from, to)).unwrap();
    line.to_bytes()
}

fn failed(bundle: &Value, key: &str) -> (String, usize) {
    let verdict = verdict(bundle.to_string().as_bytes(), key, None, None);
    assert_eq!(verdict["verified"], false, "{verdict}");
    let held = verdict["checks"].as_array().unwrap().len();
    (verdict["failed"]["check"].as_str().unwrap().to_owned(), held)
}

/// Turns one character of a string somewhere in the bundle into another of its alphabet.
fn changed(bundle: &Value, pointer: &str, at: usize) -> Value {
    let mut bundle = bundle.clone();
    let place = bundle.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"));
    let mut text = place.as_str().unwrap().to_owned();
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    text.replace_range(at..=at, other);
    *place = text.into();
    bundle
}

#[test]
fn all_that_was_checked_is_said() {
    let (bundle, key) = receipt();
    let verdict = verdict(bundle.to_string().as_bytes(), &key, None, None);
    assert_eq!(verdict["verified"], true, "{verdict}");
    assert_eq!(verdict["number"], 3);
    assert_eq!(verdict["statement"]["agent"], "claude");
    assert_eq!(verdict["log"]["origin"], ORIGIN);
    let checks: Vec<_> = verdict["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["check"].as_str().unwrap())
        .collect();
    let all = ["Form", "Operator", "Signature", "Statement", "Checkpoint", "Inclusion", "Order"];
    assert_eq!(checks, all);
}

#[test]
fn what_was_changed_names_the_check_that_saw_it() {
    let (bundle, key) = receipt();
    let (_, other) = receipt();
    assert_eq!(failed(&bundle, "no key"), ("Key".to_owned(), 0));
    assert_eq!(failed(&Value::Null, &key), ("Form".to_owned(), 0));
    assert_eq!(failed(&bundle, &other), ("Operator".to_owned(), 1));
    let envelope = "/dsseEnvelope/payload";
    assert_eq!(failed(&changed(&bundle, envelope, 40), &key), ("Signature".to_owned(), 0));
    let signature = "/dsseEnvelope/signatures/0/sig";
    assert_eq!(failed(&changed(&bundle, signature, 10), &key), ("Signature".to_owned(), 0));
    let checkpoint = bundle["log"]["checkpoint"].as_str().unwrap();
    let at = checkpoint.find('\n').unwrap() + 5;
    let changed = changed(&bundle, "/log/checkpoint", at);
    assert_eq!(failed(&changed, &key), ("Checkpoint".to_owned(), 4));
    let mut moved = bundle.clone();
    moved["log"]["index"] = 2.into();
    assert_eq!(failed(&moved, &key), ("Inclusion".to_owned(), 5));
}

#[test]
fn a_key_that_gave_way_stands_for_what_was_its_own_by_the_line_alone() {
    let [old, new, other] = [(); 3].map(|()| Arc::new(SigningKey::make(&SystemRng)));
    let bundle = receipt_by(&old);
    let file = bundle.to_string();
    let line_of = line(&bundle, &old, &new);
    assert_eq!(failed(&bundle, &of(&new)).0, "Operator");
    for key in [of(&old), of(&new), new.verifying_key().to_string()] {
        let verdict = verdict(file.as_bytes(), &key, Some(&line_of), None);
        assert_eq!(verdict["verified"], true, "{verdict}");
        let operator = verdict["checks"][1]["what"].as_str().unwrap();
        assert!(operator.contains("until entry 4 of the log"), "{operator}");
    }
    // Neither a line of other keys, nor one that is changed.
    let refused = |key: &SigningKey, line: &[u8]| {
        let verdict = verdict(file.as_bytes(), &of(key), Some(line), None);
        assert_eq!(verdict["verified"], false, "{verdict}");
        verdict["failed"]["check"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(&other, &line_of), "Succession");
    assert_eq!(refused(&old, b"{}"), "Succession");
    let renamed = String::from_utf8(line_of.clone()).unwrap().replace(ORIGIN, "example.test/gol");
    assert_eq!(refused(&old, renamed.as_bytes()), "Succession");
    // The next key's log tells the same history, or is refused.
    let forked = receipt_by(&new).to_string();
    let forked = verdict(forked.as_bytes(), &of(&old), Some(&line_of), None);
    assert_eq!(forked["failed"]["check"], "Checkpoint", "{forked}");
}

#[test]
fn a_key_that_is_kept_gives_way_forward_only() {
    let [old, new, other] = [(); 3].map(|()| Arc::new(SigningKey::make(&SystemRng)));
    let line = line(&receipt_by(&old), &old, &new);
    assert!(gave_way(&of(&old), &of(&new), &line));
    assert!(!gave_way(&of(&new), &of(&old), &line), "backwards");
    assert!(!gave_way(&of(&old), &of(&old), &line), "to itself");
    assert!(!gave_way(&of(&other), &of(&new), &line), "from another");
    assert!(!gave_way(&of(&old), &of(&other), &line), "to another");
    let elsewhere = vkey("example.test/gol", &old.verifying_key()).unwrap();
    assert!(!gave_way(&elsewhere, &of(&new), &line), "of another log");
    assert!(!gave_way(&of(&old), &of(&new), b"{}"));
}
