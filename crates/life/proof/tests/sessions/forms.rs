//! Policies, requests and presentations that are none.

use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_proof::{Policy, Presentation, Request, show};

fn issuer() -> String {
    let key = symbolon_circuits::IssuerKey::make(&symbolon_ambient::SeededRng::new(1));
    symbolon_codec::hex::encode(key.public().to_bytes())
}

fn request() -> Value {
    json!({
        "type": "symbolon/proof-request/v1", "audience": "https://shop.example", "account": "c-1",
        "nonce": "00112233445566778899aabbccddeeff", "date": "2026-11-22",
        "expires_unix_ms": 1_795_349_700_000_u64,
        "policy": {"statement": "identity/1", "at_least_years": 18, "group": "EU/1", "issuers": [issuer()]},
    })
}

#[test]
fn what_is_written_is_what_was_read() {
    let read = Request::from_value(request()).unwrap();
    assert_eq!(read.to_value(), request());
    assert_eq!(Request::parse(&serde_json::to_vec(&request()).unwrap()).unwrap(), read);
    let mut other = request();
    other["policy"]["at_least_years"] = json!(19);
    let other = Request::from_value(other).unwrap();
    assert_ne!(other.hash(), read.hash());
    assert_ne!(other.policy.hash(), read.policy.hash());
}

#[test]
fn each_member_of_a_request_is_held_to_its_form() {
    let wrong: [(&str, Value); 22] = [
        ("/type", json!("symbolon/proof-request/v2")),
        ("/audience", json!("http://shop.example")),
        ("/audience", json!("https://shop.example/")),
        ("/audience", json!("https://Shop.example")),
        ("/audience", json!("https://shop.example:443")),
        ("/account", json!("")),
        ("/account", json!("a".repeat(257))),
        ("/nonce", json!("00112233445566778899AABBCCDDEEFF")),
        ("/nonce", json!("00")),
        ("/date", json!("2026-02-29")),
        ("/date", json!("20261122")),
        ("/expires_unix_ms", json!(-1)),
        ("/expires_unix_ms", json!("1")),
        ("/policy", json!({})),
        ("/policy/statement", json!("identity/2")),
        ("/policy/at_least_years", json!(151)),
        ("/policy/at_least_years", json!(256)),
        ("/policy/group", json!("EU/2")),
        ("/policy/issuers", json!([])),
        ("/policy/issuers", json!([issuer(), issuer()])),
        ("/policy/issuers", json!(vec![issuer(); 65])),
        ("/policy/issuers/0", json!("00".repeat(32))),
    ];
    for (place, value) in wrong {
        let mut changed = request();
        *changed.pointer_mut(place).unwrap() = value.clone();
        assert!(Request::from_value(changed).is_err(), "{place}: {value}");
    }
    for (place, member) in [("", "more"), ("/policy", "more"), ("/policy", "root")] {
        let mut changed = request();
        changed.pointer_mut(place).unwrap()[member] = json!(1);
        assert!(Request::from_value(changed).is_err(), "{place}/{member}");
    }
    let long = vec![b' '; 9000];
    assert!(Request::parse(&[&long[..], b"{}"].concat()).is_err());
    let twice = serde_json::to_string(&request()).unwrap().replacen('{', "{\"account\":\"x\",", 1);
    assert!(Request::parse(twice.as_bytes()).is_err());
}

#[test]
fn a_presentation_has_what_its_policy_has() {
    let whole = json!({
        "type": "symbolon/proof/v1", "request": request(), "issuer": issuer(), "binding": "00".repeat(32),
        "agreed_unix_ms": 1, "proof": "AAAA",
    });
    let parse = |value: &Value| Presentation::parse(&serde_json::to_vec(value).unwrap());
    let read = parse(&whole).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&read.to_bytes()).unwrap(), whole);
    let with = |member: &str, value: Value| {
        let mut changed = whole.clone();
        changed[member] = value;
        parse(&changed)
    };
    for (member, value) in [
        ("type", json!("symbolon/proof/v2")),
        ("nullifier", json!("00".repeat(32))),
        ("binding", json!("ff".repeat(32))),
        ("binding", json!("00")),
        ("proof", json!("")),
        ("proof", json!("A".repeat(7000))),
        ("proof", json!("AAA=")),
        ("agreed_unix_ms", json!(1.5)),
        ("birth_date", json!("1990-03-14")),
    ] {
        assert!(with(member, value.clone()).is_err(), "{member}: {value}");
    }
    let mut without = whole.clone();
    without.as_object_mut().unwrap().remove("issuer");
    assert!(parse(&without).is_err());
    assert_eq!(show(&serde_json::to_vec(&whole).unwrap(), 0).unwrap_err().name(), "not_shown");
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Presentation::parse(&bytes);
        let _ = Request::parse(&bytes);
    }

    #[test]
    fn any_policy(years in any::<u8>(), group in "[A-Z]{2,8}/[0-9]", epoch in any::<Option<u32>>()) {
        let policy = json!({
            "statement": "identity/1", "at_least_years": years, "group": group, "issuers": [issuer()],
            "unique_epoch": epoch,
        });
        if let Ok(policy) = Policy::from_value(policy) {
            prop_assert_eq!(Policy::from_value(policy.to_value()).unwrap(), policy);
        }
    }
}
