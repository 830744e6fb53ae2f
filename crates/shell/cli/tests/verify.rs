//! `symbolon verify` as it is seen: a good receipt, and one for each way to be refused.

mod common;

use std::sync::Arc;

use common::Place;
use symbolon_ambient::SeededRng;
use symbolon_crypto::{SigningKey, sha256};
use symbolon_log::{Durability, Log, MemoryStorage, vkey};
use symbolon_receipt::{
    Bundle, Decision, Door, Gate, IntentRef, Outcome, Predicate, Redaction, Response, Salt,
    Statement, Time, Times,
};

const ORIGIN: &str = "example.test/log";

/// Writes `receipt.json` and `operator.pub`, the same bytes each time.
fn place_with_receipt() -> Place {
    let place = Place::new();
    let rng = SeededRng::new(7);
    let key = Arc::new(SigningKey::make(&rng));
    let log = Log::open(MemoryStorage::new(), ORIGIN, Some(key.clone())).unwrap();
    let ticket = log.append(b"intent").unwrap();
    log.commit().unwrap();
    let durable = log.durable(&ticket, Durability::Group).unwrap();
    let salt = Salt::from_bytes([3; 32]);
    let held = |gate: &'static str| Gate { gate: gate.into(), held: true, detail: "".into() };
    let at = |ms: u64| Time::from_unix_ms(1_795_169_160_000 + ms);
    let statement = Statement {
        request: salt.request(&sha256(b"request")),
        predicate: Predicate {
            agent: "claude".into(),
            session: sha256(b"session"),
            door: Door::Mcp,
            context: "direct".into(),
            tool: "github.issues.list".into(),
            service: "github".into(),
            connection: "work".into(),
            method: "GET".into(),
            host: "api.github.com".into(),
            path_template: "/repos/{owner}/{repo}/issues".into(),
            parameters: salt.parameters(b"{}"),
            decision: Decision {
                outcome: Outcome::Allowed,
                gates: ["scope", "rate", "ttl", "fingerprint"].map(held).into(),
            },
            lineage: std::borrow::Cow::default(),
            approval: None,
            intent: Some(IntentRef::from(&durable)),
            retries: 0,
            idempotency_key: None,
            minted: None,
            request_body: None,
            response: Some(Response {
                status: 200,
                bytes_in: 5120,
                bytes_out: 5100,
                redirects: 0,
                grpc_status: None,
                searched: None,
                content_type: "application/json".into(),
                redactions: vec![Redaction { form: "raw".into(), count: 2 }],
            }),
            error: None,
            times: Times { requested: at(0), released: Some(at(2)), completed: at(300) },
            durability: Durability::Group,
        },
    };
    let mut entry = Vec::new();
    statement.write(&mut entry).unwrap();
    let index = log.append(&entry).unwrap().index();
    log.commit().unwrap();
    let bundle = Bundle::make(entry, log.prove(index).unwrap(), ORIGIN, &key).unwrap();
    std::fs::write(place.file("receipt.json"), bundle.to_json()).unwrap();
    let text = vkey(ORIGIN, &key.verifying_key()).unwrap();
    std::fs::write(place.file("operator.pub"), text).unwrap();
    let other = vkey(ORIGIN, &SigningKey::make(&rng).verifying_key()).unwrap();
    std::fs::write(place.file("other.pub"), other).unwrap();
    place
}

fn see(place: &Place, file: &str, key: &str) -> String {
    place.see(&["verify", file, "--key", key])
}

#[test]
fn a_receipt_is_verified_with_no_home() {
    let place = place_with_receipt();
    insta::assert_snapshot!("good", see(&place, "receipt.json", "operator.pub"));
    let words = ["verify", "-", "--key", "operator.pub", "--json"];
    let bytes = std::fs::read(place.file("receipt.json")).unwrap();
    insta::assert_snapshot!("good_json", place.see_with(&words, &bytes));
    assert!(!place.home().exists());
}

#[test]
fn each_way_to_be_refused_has_its_own_words() {
    let place = place_with_receipt();
    let good = std::fs::read_to_string(place.file("receipt.json")).unwrap();
    insta::assert_snapshot!("other_operator", see(&place, "receipt.json", "other.pub"));
    insta::assert_snapshot!("no_key", see(&place, "receipt.json", "nowhere.pub"));
    insta::assert_snapshot!("key_that_is_none", see(&place, "receipt.json", "receipt.json"));
    insta::assert_snapshot!("receipt_that_is_none", see(&place, "operator.pub", "operator.pub"));
    let signature = good.find("\"sig\"").unwrap() + 10;
    let swap = |at: usize| {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        std::fs::write(place.file("changed.json"), bytes).unwrap();
    };
    swap(signature);
    insta::assert_snapshot!("changed_signature", see(&place, "changed.json", "operator.pub"));
    std::fs::write(place.file("changed.json"), good.replace("\"index\": 1", "\"index\": 0"))
        .unwrap();
    insta::assert_snapshot!("changed_place", see(&place, "changed.json", "operator.pub"));
    let words = ["verify", "changed.json", "--key", "operator.pub", "--json"];
    insta::assert_snapshot!("changed_json", place.see(&words));
    std::fs::write(place.file("changed.json"), &good[..good.len() / 2]).unwrap();
    insta::assert_snapshot!("cut_short", see(&place, "changed.json", "operator.pub"));
    std::fs::write(place.file("changed.json"), "x".repeat(300 * 1024)).unwrap();
    insta::assert_snapshot!("too_long", see(&place, "changed.json", "operator.pub"));
}
