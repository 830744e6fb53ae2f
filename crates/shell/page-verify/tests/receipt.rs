//! Each check has a way to fail, and is named where it does.

use std::sync::Arc;

use serde_json::Value;
use symbolon_ambient::SystemRng;
use symbolon_crypto::{SigningKey, sha256};
use symbolon_log::{Durability, Log, MemoryStorage, vkey};
use symbolon_page_verify::verdict;
use symbolon_receipt::*;

const ORIGIN: &str = "example.test/log";

/// A bundle of a refused call, and the operator's key.
fn receipt() -> (Value, String) {
    let key = Arc::new(SigningKey::make(&SystemRng));
    let log = Log::open(MemoryStorage::new(), ORIGIN, Some(key.clone())).unwrap();
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
    let bundle = Bundle::make(log.entry(index).unwrap(), proof, ORIGIN, &key).unwrap();
    let value = serde_json::from_slice(&bundle.to_json()).unwrap();
    (value, vkey(ORIGIN, &key.verifying_key()).unwrap())
}

fn failed(bundle: &Value, key: &str) -> (String, usize) {
    let verdict = verdict(bundle.to_string().as_bytes(), key, None);
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
    let verdict = verdict(bundle.to_string().as_bytes(), &key, None);
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
