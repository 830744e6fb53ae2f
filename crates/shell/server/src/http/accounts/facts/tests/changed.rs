//! A true answer with one thing changed: whatever it is, it is refused for what it is, and the session stays open.

use symbolon_codec::b64url;

use super::*;

/// What the route says of each, 128 at a time; the limit by address is waited for.
async fn said(server: &Server, changed: &[Value]) -> Vec<String> {
    let mut all = Vec::new();
    for batch in changed.chunks(128) {
        server.clock.advance_ms(13_000);
        let answer =
            server.post("/api/proofs/batch", &json!({ "presentations": batch })).await.ok();
        for one in answer["results"].as_array().unwrap() {
            assert_eq!(one["accepted"], false, "{one}");
            all.push(one["error"]["code"].as_str().unwrap().to_owned());
        }
    }
    all
}

/// A proof is commitments of 48 bytes and numbers of 32, so each of its parts has a place that 16 divides. Of each 16
/// bytes the first and the last are changed, one bit of them, each time another.
#[tokio::test]
async fn no_byte_of_a_proof_can_be_another() {
    let server = Server::start().await;
    let request = server.ask(&json!({ "account": "c-1", "policy": adults(None) })).await;
    let answer = Person::ann().answer(&request, &issuer());
    let proof = b64url::decode(answer["proof"].as_str().unwrap(), 8192).unwrap();
    assert!(proof.len() > 1000 && proof.len() <= 4608 && proof.len().is_multiple_of(16));
    let places = (0..proof.len()).filter(|at| at % 16 == 0 || at % 16 == 15);
    let changed: Vec<Value> = places
        .map(|at| {
            let mut proof = proof.clone();
            proof[at] ^= 1 << (at / 16 % 8);
            with(&answer, "/proof", json!(b64url::encode(&proof)))
        })
        .collect();
    let said = said(&server, &changed).await;
    assert_eq!(said.len(), proof.len() / 8);
    assert!(said.iter().all(|code| code == "not_shown"), "{said:?}");
    // It was open all the time.
    server.post("/api/proofs", &answer).await.ok();
}

#[tokio::test]
async fn no_public_input_can_be_another() {
    let server = Server::start().await;
    let asking = |account: &str| json!({ "account": account, "policy": adults(Some(5)) });
    let request = server.ask(&asking("c-1")).await;
    let answer = Person::ann().answer(&request, &issuer());
    let other = Person::ann().answer(&server.ask(&asking("c-2")).await, &issuer());
    let element = |place: &str| {
        let text = answer.pointer(place).unwrap().as_str().unwrap();
        let last = if text.starts_with('0') { "1" } else { "0" };
        json!(format!("{last}{}", &text[1..]))
    };
    let largest = json!("ff".repeat(32));
    let cases = [
        ("/request/nonce", json!("ab".repeat(16)), "unknown_session"),
        ("/request/nonce", other["request"]["nonce"].clone(), "another_request"),
        ("/request/audience", json!("https://other.example"), "another_request"),
        ("/request/account", json!("c-2"), "another_request"),
        ("/request/date", json!("2026-11-21"), "another_request"),
        ("/request/date", json!("2026-11-23"), "another_request"),
        ("/request/date", json!("2026-02-29"), "malformed"),
        ("/request/expires_unix_ms", json!(u64::MAX), "another_request"),
        ("/request/policy/at_least_years", json!(17), "another_request"),
        ("/request/policy/group", json!("EEA/1"), "another_request"),
        ("/request/policy/group", json!("EU/2"), "malformed"),
        ("/request/policy/issuers", json!([key(&stranger())]), "another_request"),
        ("/request/policy/unique_epoch", json!(6), "another_request"),
        ("/issuer", json!(key(&stranger())), "unknown_issuer"),
        // Off the curve, the identity, a point of small order, not canonical.
        ("/issuer", element("/issuer"), "malformed"),
        ("/issuer", json!(format!("01{}", "00".repeat(31))), "malformed"),
        ("/issuer", json!("00".repeat(32)), "malformed"),
        ("/issuer", largest.clone(), "malformed"),
        ("/binding", element("/binding"), "not_shown"),
        ("/binding", other["binding"].clone(), "not_shown"),
        ("/binding", answer["nullifier"].clone(), "not_shown"),
        ("/binding", largest.clone(), "malformed"),
        ("/nullifier", element("/nullifier"), "not_shown"),
        ("/nullifier", json!("00".repeat(32)), "not_shown"),
        ("/nullifier", largest, "malformed"),
        ("/proof", other["proof"].clone(), "not_shown"),
    ];
    let changed: Vec<Value> =
        cases.iter().map(|(place, value, _)| with(&answer, place, value.clone())).collect();
    let said = said(&server, &changed).await;
    for ((place, value, code), said) in cases.iter().zip(said) {
        assert_eq!(said, *code, "{place}: {value}");
    }
    // The holder is one in the epoch, so of the two true answers one is taken.
    server.post("/api/proofs", &answer).await.ok();
    assert_eq!(server.post("/api/proofs", &other).await.code(409), "seen_before");
}
