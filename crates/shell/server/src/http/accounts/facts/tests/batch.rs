//! Many answers at once: each is taken or refused for itself, and weighs as much as one that comes alone.

use super::*;

async fn judged(server: &Server, presentations: &[Value]) -> Vec<Value> {
    let body = json!({ "presentations": presentations });
    let answer = server.post("/api/proofs/batch", &body).await.ok();
    answer["results"].as_array().unwrap().clone()
}

fn codes(results: &[Value]) -> Vec<&str> {
    let code = |one: &Value| one["accepted"].as_bool().unwrap();
    results
        .iter()
        .map(|one| if code(one) { "taken" } else { one["error"]["code"].as_str().unwrap() })
        .collect()
}

#[tokio::test]
async fn a_bad_proof_keeps_no_other_back() {
    let server = Server::start().await;
    let mut answers = Vec::new();
    for (account, epoch) in [("c-1", None), ("c-2", None), ("c-3", Some(4)), ("c-4", Some(4))] {
        let asking = json!({ "account": account, "policy": adults(epoch) });
        answers.push(Person::ann().answer(&server.ask(&asking).await, &issuer()));
    }
    let mut large = answers[0].clone();
    large["request"]["account"] = "c".repeat(PRESENTATION_BYTES_MAX).into();
    let batch = [
        answers[0].clone(),
        changed_proof(&answers[1]),
        json!({ "birth_date": "1990-03-14" }),
        with(&answers[1], "/request/nonce", json!("00".repeat(16))),
        with(&answers[1], "/issuer", json!(key(&stranger()))),
        answers[2].clone(),
        answers[3].clone(),
        answers[0].clone(),
        large,
    ];
    let results = judged(&server, &batch).await;
    let expected = [
        "taken",
        "not_shown",
        "malformed",
        "unknown_session",
        "unknown_issuer",
        "taken",
        "seen_before",
        "spent",
        "malformed",
    ];
    assert_eq!(codes(&results), expected);
    // What is said of each is what is said of one that comes alone.
    assert_eq!(results[0]["evidence"]["audience"], "https://shop.example");
    assert_eq!((&results[0]["demo"], &results[0]["error"]), (&json!(false), &Value::Null));
    let alone = server.post("/api/proofs", &changed_proof(&answers[1])).await;
    assert_eq!((alone.status(), alone.json()), (422, results[1]["error"].clone()));
    assert_eq!(results[1].get("evidence"), None);

    // Sessions of what was refused are open, the others are used up.
    for (answer, state) in answers.iter().zip(["shown", "open", "shown", "open"]) {
        let nonce = answer["request"]["nonce"].as_str().unwrap();
        let seen = server.get(&format!("/api/proofs/sessions/{nonce}"), &server.secret).await.ok();
        assert_eq!(seen["state"], state);
    }
    assert_eq!(codes(&judged(&server, &answers).await), ["spent", "taken", "spent", "seen_before"]);
}

#[tokio::test]
async fn only_what_is_a_batch_is_read() {
    let server = Server::start().await;
    let refused =
        async |body: Value, status| server.post("/api/proofs/batch", &body).await.code(status);
    assert_eq!(refused(json!({ "presentations": [] }), 400).await, "malformed");
    assert_eq!(refused(json!({ "presentations": vec![Value::Null; 129] }), 400).await, "malformed");
    assert_eq!(refused(json!({ "presentations": {} }), 422).await, "bad_request");
    assert_eq!(refused(json!({ "presentations": [], "session": 1 }), 422).await, "bad_request");
    let plain = server.send("POST", "/api/proofs/batch", &[("content-type", "text/plain")], "{}");
    let plain = plain.await;
    assert_eq!((plain.status(), &plain.json()["code"]), (415, &json!("not_json")));
    server.store.close().await;
    let request = json!({ "type": "symbolon/proof-request/v1", "audience": "https://shop.example",
        "account": "c-1", "nonce": "00".repeat(16), "date": "2026-11-22", "expires_unix_ms": 1,
        "policy": adults(None) });
    let results = judged(&server, &[unproven(&request)]).await;
    assert_eq!(codes(&results), ["store"]);
    assert_eq!(results[0]["error"]["retry_after_seconds"], 1);
}

#[tokio::test]
async fn an_address_has_so_many_answers_however_they_come() {
    let server = Server::start().await;
    let nothing = vec![json!({}); 128];
    let results = judged(&server, &nothing).await;
    assert_eq!(codes(&results), vec!["malformed"; 128]);
    for body in [json!({ "presentations": [{}] }), json!({ "presentations": nothing })] {
        let late = server.post("/api/proofs/batch", &body).await;
        let seconds = late.header("retry-after").parse::<u64>().unwrap();
        assert_eq!(late.code(429), "rate_limited");
        assert_eq!(
            seconds,
            if body["presentations"].as_array().unwrap().len() == 1 { 1 } else { 13 }
        );
    }
    let late = server.post("/api/proofs", &json!({})).await;
    assert_eq!(late.header("retry-after"), "1");
    assert_eq!(late.code(429), "rate_limited");
    // Ten a second come again.
    server.clock.advance_ms(1_000);
    assert_eq!(judged(&server, &nothing[..8]).await.len(), 8);
    for status in [400, 400, 429] {
        server.post("/api/proofs", &json!({})).await.code(status);
    }
}
