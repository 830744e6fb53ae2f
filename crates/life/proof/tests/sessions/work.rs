//! What is taken.

use symbolon_circuits::ProveError;
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::sha256;
use symbolon_proof::{
    Asker, Outcome, PresentError, Presentation, ProofError, RelyingParty, SESSION_KEPT_MS,
    SESSION_MS, SessionState, SessionView, groups, keys, show,
};

use crate::world::{NOON, Person, World, ann, regulars, run};

#[test]
fn a_shop_learns_that_somebody_is_of_age_and_nothing_else() {
    run(async {
        let world = World::new();
        let request = world.shop.begin(world.adults(None), "c-1029", None).await.unwrap();
        assert!(request.words().contains("at least 18 years old"), "{}", request.words());
        let answer = world.answer(&request, &ann());
        let verified = world.shop.accept(&answer).await.unwrap();
        assert_eq!(verified.request(), &request);

        let kept = verified.evidence().to_value();
        let kept = kept.as_object().unwrap();
        assert_eq!(kept["statement"], "identity/1");
        let proof = Presentation::parse(&answer).unwrap().proof;
        let hash = |label: &str, part: &[u8]| sha256(&Fields::new(label).bytes(part).finish());
        let proof = hash("symbolon/proof-bytes/v1", proof.as_bytes());
        assert_eq!(kept["proofs"][0], proof.to_string());
        assert_eq!(kept["proof_set"], hash("symbolon/proof-set/v1", &proof.0).to_string());
        assert_eq!(kept["request"], request.hash().to_string());
        let consent = Fields::new("symbolon/proof-consent/v1").bytes(&request.hash().0);
        let consent = consent.str(&request.words()).u64(NOON).finish();
        assert_eq!(kept["consent"], sha256(&consent).to_string());
        let identity = keys().into_iter().find(|key| key.statement == "identity/1").unwrap();
        assert_eq!(kept["verifying_key"], identity.sha256);

        let text = String::from_utf8(answer).unwrap() + &verified.evidence().to_value().to_string();
        for canary in ["1990-03-14", "19900314", "FRA", "L898902C3", "2031-05-01"] {
            assert!(!text.contains(canary), "{canary} is in what the shop has");
        }
        assert!(!verified.evidence().to_value().to_string().contains("c-1029"));
    });
}

/// Who was taken once comes again without the issuer.
#[test]
fn somebody_who_was_registered_comes_back() {
    run(async {
        let world = World::new();
        let request = world.shop.begin(world.adults(None), "c-1029", None).await.unwrap();
        let first = world.shop.accept(&world.answer(&request, &ann())).await.unwrap();
        let registered = Some(first.binding());
        let request = world.shop.begin(regulars(), "c-1029", registered).await.unwrap();
        let again = world.shop.accept(&world.answer_again(&request, &ann())).await.unwrap();
        assert_eq!(again.binding(), first.binding());

        // Another person, another document of the same person, another account: another binding.
        let other = Person::new("1990-03-14", "FRA", 42);
        let request = world.shop.begin(regulars(), "c-1029", registered).await.unwrap();
        let answer = world.answer_again(&request, &other);
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::AnotherBinding);
        let request = world.shop.begin(regulars(), "c-1030", registered).await.unwrap();
        let answer = world.answer_again(&request, &ann());
        assert_eq!(world.shop.accept(&answer).await.unwrap_err(), ProofError::AnotherBinding);
    });
}

#[test]
fn one_person_has_one_account_in_an_epoch() {
    run(async {
        let world = World::new();
        let at = async |account: &str, epoch: u32| {
            let request = world.shop.begin(world.adults(Some(epoch)), account, None).await.unwrap();
            world.shop.accept(&world.answer(&request, &ann())).await.map(|_| ())
        };
        assert_eq!(at("c-1", 7).await, Ok(()));
        assert_eq!(at("c-2", 7).await, Err(ProofError::SeenBefore));
        assert_eq!(at("c-2", 8).await, Ok(()));
        // Another shop on the same database has its own.
        let other = world.server("https://other.example");
        let request = other.begin(world.adults(Some(7)), "c-1", None).await.unwrap();
        other.accept(&world.answer(&request, &ann())).await.unwrap();
        // And another operator who says that they are the same shop takes nothing from it.
        let asker = Some(Asker { service: [3; 16], operator: [4; 16] });
        let party = RelyingParty { asker, ..world.shop.party.clone() };
        let sessions = &world.shop.sessions;
        let request = sessions.begin(&party, world.adults(Some(9)), "x", None).await.unwrap();
        sessions.accept(&world.answer(&request, &ann())).await.unwrap();
        assert_eq!(at("c-3", 9).await, Ok(()));
    });
}

/// Several relying parties at one server: each sees its own sessions alone, until some time after their end.
#[test]
fn who_asked_sees_what_came_of_it() {
    run(async {
        let world = World::new();
        let sessions = &world.shop.sessions;
        let asker = |n: u8| Some(Asker { service: [n; 16], operator: [n + 100; 16] });
        let party = RelyingParty { asker: asker(1), ..world.shop.party.clone() };
        let request = sessions.begin(&party, world.adults(None), "c-1", None).await.unwrap();
        let nonce = symbolon_codec::hex::encode(request.nonce.0);
        let look = async |service: u8| sessions.look([service; 16], &nonce).await;
        let view = |state| SessionView { account: "c-1".to_owned(), state };
        assert_eq!(look(1).await, Ok(view(SessionState::Open)));
        assert_eq!(look(2).await, Err(ProofError::UnknownSession), "another's");
        assert_eq!(sessions.look([1; 16], "00").await, Err(ProofError::UnknownSession));
        let verified = sessions.accept(&world.answer(&request, &ann())).await.unwrap();
        let evidence = verified.evidence().to_value().to_string();
        let outcome = Outcome { binding: verified.binding(), evidence };
        assert_eq!(look(1).await, Ok(view(SessionState::Shown(outcome))));

        let late = sessions.begin(&party, world.adults(None), "c-1", None).await.unwrap();
        let late = symbolon_codec::hex::encode(late.nonce.0);
        world.clock.advance_ms(SESSION_MS);
        let over = sessions.look([1; 16], &late).await;
        assert_eq!(over, Ok(view(SessionState::Over)));
        assert!(matches!(look(1).await.unwrap().state, SessionState::Shown(_)));
        world.clock.advance_ms(SESSION_KEPT_MS - 1);
        assert_eq!(sessions.purge().await, Ok(0));
        world.clock.advance_ms(1);
        assert_eq!(sessions.purge().await, Ok(2));
        assert_eq!(look(1).await, Err(ProofError::UnknownSession));
    });
}

/// What does not hold is the holder's to know, before anything is sent.
#[test]
fn what_does_not_hold_is_not_proven() {
    run(async {
        let world = World::new();
        let request = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        for (birth, nationality) in [("2008-11-23", "FRA"), ("1990-03-14", "CHE")] {
            let person = Person::new(birth, nationality, 43);
            let signature = person.signed(&world.issuer);
            let held = person.held(&world.issuer, &signature);
            let rng = symbolon_ambient::SeededRng::new(1);
            let made = Presentation::identity(&request, &held, &crate::world::IDENTITY, NOON, &rng);
            let refused = matches!(made, Err(PresentError::Prove(ProveError::Witness(_))));
            assert!(refused, "{birth} {nationality}: {made:?}");
        }
        // Eighteen today.
        let today = Person::new("2008-11-22", "FRA", 44);
        world.shop.accept(&world.answer(&request, &today)).await.unwrap();
    });
}

#[test]
fn many_are_judged_at_once_each_for_itself() {
    run(async {
        let world = World::new();
        let mut answers = Vec::new();
        for account in ["c-1", "c-2", "c-3", "c-4"] {
            let request = world.shop.begin(world.adults(None), account, None).await.unwrap();
            answers.push(world.answer(&request, &ann()));
        }
        let damaged = changed_proof(&answers[1]);
        let all: Vec<&[u8]> =
            vec![&answers[0], &damaged, b"{}", &answers[2], &answers[0], &answers[3]];
        let outcomes = world.shop.sessions.accept_many(&all).await.unwrap();
        let names: Vec<_> = outcomes
            .iter()
            .map(|one| one.as_ref().map_or_else(ProofError::name, |_| "ok"))
            .collect();
        assert_eq!(names, ["ok", "not_shown", "malformed", "ok", "spent", "ok"]);
        // The damaged one used nothing up.
        world.shop.accept(&answers[1]).await.unwrap();
        assert_eq!(world.shop.sessions.accept_many(&[]).await.unwrap_err().name(), "malformed");
    });
}

#[test]
fn anybody_sees_of_a_proof_in_a_file_what_it_shows() {
    run(async {
        let world = World::new();
        let request = world.shop.begin(world.adults(None), "c-1", None).await.unwrap();
        let answer = world.answer(&request, &ann());
        let shown = show(&answer, NOON).unwrap();
        assert_eq!(shown.presentation().request, request);
        assert!(!shown.is_over() && show(&answer, request.expires_unix_ms).unwrap().is_over());
        assert_eq!(show(&changed_proof(&answer), NOON), Err(ProofError::NotShown));
    });
}

#[test]
fn the_registry_tells_what_is_pinned() {
    let keys = keys();
    assert_eq!(keys.len(), 9);
    for key in &keys {
        let file = symbolon_codec::b64url::decode(&key.key, 4096).unwrap();
        assert_eq!(Digest32(sha256(&file).0).to_string(), key.sha256, "{}", key.statement);
    }
    let union = groups().into_iter().find(|group| group.name == "EU/1").unwrap();
    // Germany's passports say `D`, and its neighbours' lists `DEU`.
    assert_eq!(union.members.len(), 28);
}

pub fn changed_proof(answer: &[u8]) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(answer).unwrap();
    let proof = value["proof"].as_str().unwrap();
    let other = if proof.as_bytes()[500] == b'A' { "B" } else { "A" };
    let changed = format!("{}{other}{}", &proof[..500], &proof[501..]);
    value["proof"] = changed.into();
    serde_json::to_vec(&value).unwrap()
}
