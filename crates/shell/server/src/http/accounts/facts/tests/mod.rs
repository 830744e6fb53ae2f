//! The routes with real proofs: what is taken, each reason why not, who sees what.

mod batch;
mod changed;
mod clock;
mod holder;
pub(in crate::http::accounts) mod server;

use serde_json::{Value, json};
use symbolon_ambient::Clock;
use symbolon_codec::hex;
use symbolon_proof::{PRESENTATION_BYTES_MAX, SESSION_KEPT_MS, SESSION_MS, demo_issuer};

use holder::{Person, changed_proof};
use server::{Answer, Server, issuer, stranger};

fn adults(epoch: Option<u32>) -> Value {
    let mut policy = json!({ "statement": "identity/1", "at_least_years": 18, "group": "EU/1",
        "issuers": [key(&issuer())] });
    if let Some(epoch) = epoch {
        policy["unique_epoch"] = json!(epoch);
    }
    policy
}

fn key(issuer: &symbolon_circuits::IssuerKey) -> String {
    hex::encode(issuer.public().to_bytes())
}

/// An answer that reads, with everything of it but a proof that shows anything.
fn unproven(request: &Value) -> Value {
    json!({ "type": "symbolon/proof/v1", "request": request, "issuer": request["policy"]["issuers"][0],
        "binding": "00".repeat(32), "agreed_unix_ms": 1, "proof": "AAAA" })
}

fn with(answer: &Value, place: &str, value: Value) -> Value {
    let mut changed = answer.clone();
    match changed.pointer_mut(place) {
        Some(member) => *member = value,
        None => changed[&place[1..]] = value,
    }
    changed
}

#[tokio::test]
async fn a_service_asks_a_holder_answers_and_nobody_else_sees_it() {
    let server = Server::start().await;
    let request = server.ask(&json!({ "account": "c-1", "policy": adults(Some(7)) })).await;
    assert_eq!(request["audience"], "https://shop.example");
    let path = format!("/api/proofs/sessions/{}", request["nonce"].as_str().unwrap());
    let seen = server.get(&path, &server.secret).await.ok();
    assert_eq!(seen, json!({ "state": "open", "account": "c-1" }));

    let answer = Person::ann().answer(&request, &issuer());
    assert_eq!(server.post("/api/proofs", &changed_proof(&answer)).await.code(422), "not_shown");
    let taken = server.post("/api/proofs", &answer).await;
    assert_eq!(taken.header("cache-control"), "", "the door says no-store");
    let taken = taken.ok();
    assert_eq!((&taken["accepted"], &taken["demo"]), (&json!(true), &json!(false)));
    assert_eq!(taken["evidence"]["audience"], "https://shop.example");
    assert_eq!(server.post("/api/proofs", &answer).await.code(409), "spent");

    let seen = server.get(&path, &server.secret).await.ok();
    let shown = json!({ "state": "shown", "account": "c-1", "evidence": taken["evidence"],
        "binding": answer["binding"] });
    assert_eq!(seen, shown);
    assert_eq!(server.get(&path, &server.other_secret).await.code(404), "unknown_session");
    assert_eq!(server.get(&path, "symk_x").await.code(401), "no_service");
    let odd = server.get("/api/proofs/sessions/00", &server.secret).await;
    assert_eq!(odd.code(404), "unknown_session");

    // The same person again, under another name: in this epoch once.
    let request = server.ask(&json!({ "account": "c-2", "policy": adults(Some(7)) })).await;
    let again = Person::ann().answer(&request, &issuer());
    assert_eq!(server.post("/api/proofs", &again).await.code(409), "seen_before");

    server.clock.advance_ms(SESSION_MS + SESSION_KEPT_MS);
    server.service.facts.purge().await.unwrap();
    assert_eq!(server.get(&path, &server.secret).await.code(404), "unknown_session");
}

#[tokio::test]
async fn each_reason_has_its_code() {
    let server = Server::start().await;
    let request = server.ask(&json!({ "account": "c-1", "policy": adults(None) })).await;
    let answer = unproven(&request);
    let refused =
        async |answer: &Value, status| server.post("/api/proofs", answer).await.code(status);
    assert_eq!(refused(&json!({}), 400).await, "malformed");
    assert_eq!(refused(&with(&answer, "/birth_date", json!("1990-03-14")), 400).await, "malformed");
    let nobodys = with(&answer, "/request/nonce", json!("00".repeat(16)));
    assert_eq!(refused(&nobodys, 404).await, "unknown_session");
    for (place, value) in [
        ("/request/audience", json!("https://other.example")),
        ("/request/account", json!("c-2")),
        ("/request/date", json!("2040-01-01")),
        ("/request/policy/at_least_years", json!(16)),
        ("/request/policy/group", json!("WORLD/1")),
    ] {
        assert_eq!(refused(&with(&answer, place, value), 422).await, "another_request", "{place}");
    }
    let by_stranger = with(&answer, "/issuer", json!(key(&stranger())));
    assert_eq!(refused(&by_stranger, 422).await, "unknown_issuer");
    assert_eq!(refused(&answer, 422).await, "not_shown");
    server.store.revoke_issuer(issuer().public(), 1).await.unwrap();
    assert_eq!(refused(&answer, 422).await, "revoked_issuer");

    let returning = json!({ "account": "c-1", "binding": "01".repeat(32), "policy":
        { "statement": "returning/1", "at_least_years": 18, "group": "EU/1" } });
    let mut other = unproven(&server.ask(&returning).await);
    other.as_object_mut().unwrap().remove("issuer");
    assert_eq!(refused(&other, 422).await, "another_binding");
    server.clock.advance_ms(SESSION_MS);
    assert_eq!(refused(&answer, 410).await, "expired");
    let path = format!("/api/proofs/sessions/{}", request["nonce"].as_str().unwrap());
    let seen = server.get(&path, &server.secret).await.ok();
    assert_eq!(seen, json!({ "state": "over", "account": "c-1" }));

    let plain = server.send("POST", "/api/proofs", &[("content-type", "text/plain")], "{}").await;
    assert_eq!(plain.code(415), "not_json");
    server.store.close().await;
    let away = server.post("/api/proofs", &answer).await;
    assert_eq!(away.header("retry-after"), "1");
    assert_eq!(away.code(503), "store");
}

#[tokio::test]
async fn only_what_can_be_asked_is_asked() {
    let server = Server::start().await;
    let refused = async |asking: &Value, status| {
        server.post_as("/api/proofs/sessions", &server.secret, asking).await.code(status)
    };
    let policy = adults(None);
    assert_eq!(refused(&json!({ "account": "", "policy": policy }), 400).await, "malformed");
    let long = json!({ "account": "c".repeat(257), "policy": policy });
    assert_eq!(refused(&long, 400).await, "malformed");
    let more = with(&policy, "/root", json!("00".repeat(32)));
    assert_eq!(refused(&json!({ "account": "c", "policy": more }), 400).await, "malformed");
    let bound = json!({ "account": "c", "policy": policy, "binding": "00".repeat(32) });
    assert_eq!(refused(&bound, 400).await, "malformed");
    let short = json!({ "account": "c", "policy": policy, "binding": "00" });
    assert_eq!(refused(&short, 422).await, "bad_request");
    let shape = json!({ "account": "c", "policy": policy, "audience": "https://other.example" });
    assert_eq!(refused(&shape, 422).await, "bad_request");
    let asking = json!({ "account": "c", "policy": policy });
    let nobody = server.post("/api/proofs/sessions", &asking).await;
    assert_eq!(nobody.code(401), "no_service");
    let mut begun = 0;
    while server.post_as("/api/proofs/sessions", &server.secret, &asking).await.status() == 201 {
        begun += 1;
    }
    assert!((100..400).contains(&begun), "{begun} sessions of one service at once");
    let others = server.post_as("/api/proofs/sessions", &server.other_secret, &asking).await;
    assert_eq!(others.status(), 201);
}

#[tokio::test]
async fn the_demo_believes_everybody_and_says_so() {
    let server = Server::start().await;
    let begun = server.post("/demo/age/session", &Value::Null).await;
    assert_eq!(begun.status(), 201);
    let request = begun.json();
    assert_eq!(request["audience"], server::ORIGIN);
    assert_eq!(
        request["policy"],
        json!({ "statement": "identity/1", "at_least_years": 18,
        "group": "WORLD/1", "issuers": [key(&demo_issuer()), key(&stranger())] })
    );
    let taken = server.post("/api/proofs", &Person::ann().answer(&request, &demo_issuer())).await;
    let taken = taken.ok();
    assert_eq!((&taken["demo"], &taken["evidence"]["demo"]), (&json!(true), &json!(true)));
    // It is nobody's session: no service sees it.
    let path = format!("/api/proofs/sessions/{}", request["nonce"].as_str().unwrap());
    assert_eq!(server.get(&path, &server.secret).await.code(404), "unknown_session");
    let other = server.post("/demo/age/session", &Value::Null).await.json();
    assert_ne!(other["account"], request["account"]);
}

#[tokio::test]
async fn a_server_asks_for_itself_where_it_believes_somebody() {
    let (server, silent) = (Server::start().await, Server::silent().await);
    let question = json!({ "at_least_years": 21, "group": "EU/1" });
    let asked = server.post("/api/proofs/ask", &question).await;
    assert_eq!(asked.status(), 201);
    let asked = asked.json();
    assert_eq!(
        (&asked["audience"], &asked["policy"]["at_least_years"]),
        (&json!(server::ORIGIN), &json!(21))
    );
    assert_eq!(asked["policy"]["issuers"], json!([key(&issuer())]));
    for (place, value) in [("/group", json!("EU/9")), ("/at_least_years", json!(151))] {
        let odd = server.post("/api/proofs/ask", &with(&question, place, value)).await;
        assert_eq!(odd.code(400), "malformed");
    }
    assert_eq!(silent.post("/api/proofs/ask", &question).await.code(404), "not_asking");
    let demo = silent.post("/demo/age/session", &Value::Null).await.json();
    assert_eq!(demo["policy"]["issuers"], json!([key(&demo_issuer())]));
    let mut asked = 1;
    let limited = loop {
        let answer: Answer = silent.post("/demo/age/session", &Value::Null).await;
        if answer.status() != 201 {
            break answer;
        }
        asked += 1;
    };
    assert_eq!((limited.code(429).as_str(), asked), ("rate_limited", 60));
}

#[tokio::test]
async fn what_is_pinned_is_told() {
    let server = Server::start().await;
    let told = server.send("GET", "/api/proofs/keys", &[], "").await;
    assert_eq!(told.header("cache-control"), "public, max-age=300");
    assert_eq!(told.header("content-type"), "application/json");
    let told = told.ok();
    assert_eq!(told["keys"].as_array().unwrap().len(), symbolon_proof::keys().len());
    let identity = symbolon_proof::keys().into_iter().find(|key| key.statement == "identity/1");
    let told_key =
        told["keys"].as_array().unwrap().iter().find(|key| key["statement"] == "identity/1");
    assert_eq!(told_key.unwrap()["sha256"], identity.unwrap().sha256);
    assert!(told["groups"].as_array().unwrap().iter().any(|group| group["name"] == "WORLD/1"));
}
