//! What is not taken, each for its own reason, and that nothing is used up by it.

use serde_json::{Value, json};
use symbolon_proof::{ProofError, SESSION_MS};

use crate::work::changed_proof;
use crate::world::{World, ann, regulars, run};

#[test]
fn a_session_is_good_once_on_all_servers() {
    run(async {
        let world = World::new();
        let twin = world.server("https://shop.example");
        let request = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        let answer = world.answer(&request, &ann());
        let (a, b) = (world.shop.accept(&answer).await, twin.accept(&answer).await);
        assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1);
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::Spent);
    });
}

#[test]
fn a_session_ends() {
    run(async {
        let world = World::new();
        let request = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        let answer = world.answer(&request, &ann());
        world.clock.advance_ms(SESSION_MS);
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::Expired);
        let request = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        world.clock.advance_ms(SESSION_MS - 1);
        world.shop.accept(&world.answer(&request, &ann())).await.unwrap();
    });
}

/// Whatever of the question is changed, with a proof of the changed question: it was not asked.
#[test]
fn only_what_was_asked_is_answered() {
    run(async {
        let world = World::new();
        let asked = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        let stranger = symbolon_codec::hex::encode(world.stranger.public().to_bytes());
        let changes: [(&str, Value); 7] = [
            ("/audience", json!("https://other.example")),
            ("/account", json!("c-2")),
            ("/date", json!("2040-01-01")),
            ("/expires_unix_ms", json!(asked.expires_unix_ms + 1)),
            ("/policy/at_least_years", json!(16)),
            ("/policy/group", json!("SCHENGEN/1")),
            ("/policy/issuers/0", json!(stranger)),
        ];
        for (place, value) in changes {
            let mut changed = asked.to_value();
            *changed.pointer_mut(place).unwrap() = value;
            let changed = symbolon_proof::Request::from_value(changed).unwrap();
            let by = if place.contains("issuers") { &world.stranger } else { &world.issuer };
            let answer = if place == "/date" {
                // The document has ended by then: the proof of another day is moved here.
                let mut moved: Value =
                    serde_json::from_slice(&world.answer(&asked, &ann())).unwrap();
                moved["request"] = changed.to_value();
                serde_json::to_vec(&moved).unwrap()
            } else {
                world.answer_by(by, &changed, &ann())
            };
            let refused = world.shop.accept(&answer).await.unwrap_err();
            assert_eq!(refused, ProofError::AnotherRequest, "{place}");
        }
        world.shop.accept(&world.answer(&asked, &ann())).await.unwrap();
    });
}

#[test]
fn a_nonce_of_nobodys_is_no_session() {
    run(async {
        let world = World::new();
        let mut asked = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        asked.nonce.0[0] ^= 1;
        let answer = world.answer(&asked, &ann());
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::UnknownSession);
        // A session of another relying party on the same database is none of this one's.
        let other = world.server("https://other.example");
        let mut asked = other.begin(world.adults(None), "c-1", None).await.unwrap();
        asked.audience = world.shop.party.audience.clone();
        let answer = world.answer(&asked, &ann());
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::AnotherRequest);
    });
}

#[test]
fn only_issuers_that_were_asked_for_are_believed() {
    run(async {
        let world = World::new();
        let asked = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        let answer = world.answer(&asked, &ann());
        let with = |issuer: String| {
            let mut value: Value = serde_json::from_slice(&answer).unwrap();
            value["issuer"] = issuer.into();
            serde_json::to_vec(&value).unwrap()
        };
        let stranger = symbolon_codec::hex::encode(world.stranger.public().to_bytes());
        let refused = world.shop.accept(&with(stranger)).await.unwrap_err();
        assert_eq!(refused, ProofError::UnknownIssuer);
        // Points of small order, and none.
        for point in ["00".repeat(32), format!("01{}", "00".repeat(31)), "ff".repeat(32)] {
            assert_eq!(world.shop.accept(&with(point)).await.unwrap_err().name(), "malformed");
        }
        // Two are asked for: the claims of one, under the other's name.
        let symbolon_proof::Policy::Identity(mut policy) = world.adults(None) else {
            unreachable!()
        };
        policy.issuers.push(world.stranger.public());
        let asked =
            world.shop.begin(symbolon_proof::Policy::Identity(policy), "c-2", None).await.unwrap();
        let mut value: Value = serde_json::from_slice(&world.answer(&asked, &ann())).unwrap();
        value["issuer"] = symbolon_codec::hex::encode(world.stranger.public().to_bytes()).into();
        let moved = serde_json::to_vec(&value).unwrap();
        assert_eq!(world.shop.accept(&moved).await.unwrap_err(), ProofError::NotShown);

        world.store.revoked.lock().unwrap().insert(world.issuer.public().to_bytes());
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::RevokedIssuer);
        world.store.revoked.lock().unwrap().clear();
        world.shop.accept(&answer).await.unwrap();
    });
}

/// A proof, a binding or a nullifier of another session shows nothing in this one.
#[test]
fn parts_of_another_answer_show_nothing() {
    run(async {
        let world = World::new();
        let ask = async |account: &str| {
            world.shop.begin(world.adults(Some(1)), account, None).await.unwrap()
        };
        let (one, two) = (ask("c-1").await, ask("c-2").await);
        let (first, second) = (world.answer(&one, &ann()), world.answer(&two, &ann()));
        let value = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).unwrap() };
        for member in ["proof", "binding"] {
            let mut mixed = value(&first);
            mixed[member] = value(&second)[member].clone();
            let mixed = serde_json::to_vec(&mixed).unwrap();
            assert_eq!(
                world.shop.accept(&mixed).await.unwrap_err(),
                ProofError::NotShown,
                "{member}"
            );
        }
        let mut mixed = value(&first);
        mixed["nullifier"] = value(&first)["binding"].clone();
        let mixed = serde_json::to_vec(&mixed).unwrap();
        assert_eq!(world.shop.accept(&mixed).await.unwrap_err(), ProofError::NotShown);
        assert_eq!(
            world.shop.accept(&changed_proof(&first)).await.unwrap_err(),
            ProofError::NotShown
        );
        world.shop.accept(&first).await.unwrap();
    });
}

/// Without an issuer's signature nothing says who the holder is: only for a binding that is known.
#[test]
fn returning_is_for_who_was_registered() {
    run(async {
        let world = World::new();
        let unknown = world.shop.begin(regulars(), "c-1", None).await.unwrap_err();
        assert_eq!(unknown.name(), "malformed");
        let needless =
            world.shop.begin(world.adults(None), "c-1", Some([0; 32])).await.unwrap_err();
        assert_eq!(needless.name(), "malformed");
        let asked = world.shop.begin(regulars(), "c-1", Some([0; 32])).await.unwrap();
        let answer = world.answer_again(&asked, &ann());
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::AnotherBinding);
    });
}

/// Who sees two presentations, at two relying parties or at one, and has all that the issuer has, finds
/// no public value in both that the relying parties did not put there.
#[test]
fn two_presentations_have_nothing_in_common() {
    run(async {
        let world = World::new();
        let other = world.server("https://other.example");
        let one = world.shop.begin(world.adults(Some(1)), "c-1", None).await.unwrap();
        let two = other.begin(world.adults(Some(1)), "c-1", None).await.unwrap();
        let value = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).unwrap() };
        let (first, second) =
            (value(&world.answer(&one, &ann())), value(&world.answer(&two, &ann())));
        for member in ["binding", "nullifier", "proof"] {
            assert_ne!(first[member], second[member], "{member}");
        }
        assert_eq!(first["issuer"], second["issuer"]);
        // What the issuer keeps: the root that it signed, its signature, the holder's commitment.
        let person = ann();
        let signature = person.signed(&world.issuer);
        let known = [
            symbolon_codec::hex::encode(person.claims.root().0.to_bytes()),
            symbolon_codec::hex::encode(person.holder.commitment().0.to_bytes()),
            symbolon_codec::hex::encode(&signature.to_bytes()[..32]),
            symbolon_codec::hex::encode(&signature.to_bytes()[32..]),
        ];
        let proof = symbolon_codec::b64url::decode(first["proof"].as_str().unwrap(), 8192).unwrap();
        let public = first.to_string() + &symbolon_codec::hex::encode(proof);
        for value in known {
            assert!(!public.contains(&value), "{value}");
        }
    });
}
