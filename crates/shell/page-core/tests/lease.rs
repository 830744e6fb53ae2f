//! What the Worker seals of a vault's key opens for the process that asked, on what was agreed, alone.

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::b64url;
use symbolon_crypto::{RecipientKey, RecipientSecret};
use symbolon_custody::{Asked, HandedOver, Purpose, Purposes, Terms};
use symbolon_page_core::custody::Way;
use symbolon_page_core::{Moment, Opened};
use symbolon_secret::Secret;

const ORIGIN: &str = "http://localhost:7070";

fn opened() -> Opened {
    Opened::create(&Way::make_recovery(&SystemRng), &SystemRng, &Moment::at(1.0)).unwrap()
}

fn process() -> (RecipientSecret, RecipientKey) {
    let own = RecipientSecret::derive(&Secret::<[u8; 32]>::make(|page| page.fill(3)));
    let key = own.public();
    (own, key)
}

fn asked(opened: &Opened, key: &RecipientKey) -> Value {
    json!({ "key": b64url::encode(key.as_bytes()), "nonce": b64url::encode(&[7; 32]),
        "origin": ORIGIN, "vault": opened.vault_id(), "epoch": 1 })
}

#[test]
fn the_key_opens_for_the_process_that_asked() {
    let (opened, (own, key)) = (opened(), process());
    let asked = asked(&opened, &key).to_string();
    let body = opened.lend(&asked, ORIGIN, &["notes"], 15, &SystemRng).unwrap();
    assert_eq!((&body["purposes"], &body["minutes"]), (&json!(["notes"]), &json!(15)));
    let sealed = b64url::decode(body["sealed"].as_str().unwrap(), 80).unwrap().try_into().unwrap();
    let on = Asked { origin: ORIGIN, key: &key, nonce: &[7; 32], minutes: 15 };
    let notes = Purposes::new([Purpose::Notes]).unwrap();
    let terms = Terms::lease(opened.vault_id(), 1, &on, notes);
    let handed = HandedOver::open(&own, &terms, Vec::new(), &sealed).unwrap();
    let mine = opened.keys().unwrap().head_key();
    let head = |keys: &symbolon_custody::Unlocked| symbolon_vault::Keys::new(keys, 1).head_key();
    assert!(handed.prove(|unlocked| head(unlocked) == mine).is_some());
}

#[test]
fn nothing_is_sealed_for_another_origin_vault_or_key_or_for_too_long() {
    let (opened, (_, key)) = (opened(), process());
    let code = |asked: &Value, purposes: &[&str], minutes| {
        let refused = opened.lend(&asked.to_string(), ORIGIN, purposes, minutes, &SystemRng);
        refused.err().map(|failed| failed.code)
    };
    let good = asked(&opened, &key);
    assert_eq!(code(&good, &["notes", "connections"], 60), None);
    let with = |member: &str, value: Value| {
        let mut changed = good.clone();
        changed[member] = value;
        changed
    };
    let phished = with("origin", json!("http://localhost:7071"));
    assert_eq!(code(&phished, &["notes"], 15), Some("other_server"));
    let other = with("vault", json!("00".repeat(16)));
    assert_eq!(code(&other, &["notes"], 15), Some("other_server"));
    assert_eq!(code(&with("epoch", json!(2)), &["notes"], 15), Some("stale"));
    assert_eq!(code(&with("key", json!("AAAA")), &["notes"], 15), Some("shape"));
    let weak = with("key", json!(b64url::encode(&[0; 32])));
    assert_eq!(code(&weak, &["notes"], 15), Some("shape"), "a key that anybody opens");
    assert_eq!(code(&good, &["notes"], 61), Some("lease"));
    assert_eq!(code(&good, &["connections"], 721), Some("lease"));
    assert_eq!(code(&good, &[], 5), Some("shape"));
    assert_eq!(code(&good, &["everything"], 5), Some("shape"));
}
