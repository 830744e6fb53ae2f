//! `symbolon verify`: offline, strict, and in agreement with a verifier that others wrote.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::place;

/// A home with some receipts; the file of one; the operator's key.
fn receipt() -> (Home, Vec<u8>) {
    let (home, _upstream) = Home::with_upstream("cli");
    for _ in 0..5 {
        home.ok(&["call", "upstream.notes.list"]);
    }
    let number = home.json(&["call", "upstream.notes.list"])["receipt"].as_u64().unwrap();
    home.ok(&["call", "upstream.notes.list"]);
    let file = home.export_receipt(number);
    let bytes = std::fs::read(file).unwrap();
    (home, bytes)
}

fn verify(home: &Home, receipt: &[u8], key: &Path) -> Ran {
    let file = home.beside("candidate.json");
    std::fs::write(&file, receipt).unwrap();
    home.run(&["--json", "verify", file.to_str().unwrap(), "--key", key.to_str().unwrap()])
}

#[test]
fn it_needs_nothing_but_the_file_and_the_key() {
    let (home, bytes) = receipt();
    let elsewhere = Home::empty(place::symbolon());
    let key = elsewhere.beside("operator.pub");
    std::fs::copy(home.operator_key(), &key).unwrap();
    drop(home);
    verify(&elsewhere, &bytes, &key).succeeded();
    assert!(!elsewhere.path().exists(), "verify made a home");
}

#[test]
fn any_byte_that_differs_is_refused() {
    let (home, bytes) = receipt();
    let key = home.operator_key();
    verify(&home, &bytes, &key).succeeded();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let ran = verify(&home, &changed, &key);
        let near = String::from_utf8_lossy(&bytes[at.saturating_sub(30)..at]).into_owned();
        assert!(!ran.is_success(), "byte {at}, after `{near}`, does not count");
        ran.refused();
    }
    for length in [0, 1, bytes.len() / 2, bytes.len() - 3] {
        verify(&home, &bytes[..length], &key).refused();
    }
}

#[test]
fn any_byte_of_the_key_that_differs_is_refused() {
    let (home, bytes) = receipt();
    let text = std::fs::read(home.operator_key()).unwrap();
    let key = home.beside("changed.pub");
    for at in 0..text.trim_ascii_end().len() {
        let mut changed = text.clone();
        changed[at] ^= 1;
        std::fs::write(&key, changed).unwrap();
        verify(&home, &bytes, &key).refused();
    }
}

#[test]
fn another_operators_key_is_told_apart_from_damage() {
    let (home, bytes) = receipt();
    let other = Home::new();
    let stranger = verify(&home, &bytes, &other.operator_key()).refused();
    let mut damaged = bytes.clone();
    let signature = find(&bytes, b"\"sig\"") + 12;
    damaged[signature] = if damaged[signature] == b'A' { b'B' } else { b'A' };
    let damage = verify(&home, &damaged, &home.operator_key()).refused();
    assert_ne!(stranger.code, damage.code, "{} / {}", stranger.message, damage.message);
}

#[test]
fn a_verifier_that_others_wrote_agrees() {
    let (home, bytes) = receipt();
    let file = home.beside("candidate.json");
    let check = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Command::new(place::python())
            .arg(place::fixture("python/verify_dsse.py"))
            .args([&file, &home.operator_key()])
            .output()
            .expect("python runs")
    };
    let output = check(&bytes);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "securesystemslib refuses it: {said}");
    let statement: Value = serde_json::from_slice(&output.stdout).expect("an in-toto statement");
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1", "{statement}");
    let mut changed = bytes.clone();
    let payload = find(&bytes, b"\"payload\"") + 20;
    changed[payload] ^= 1;
    assert!(!check(&changed).status.success(), "the control passed");
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).expect("it is there")
}
