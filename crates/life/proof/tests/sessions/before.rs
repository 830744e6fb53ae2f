//! What a holder is told before anything is proven: no key is made in these tests.

use symbolon_circuits::Nonce;
use symbolon_proof::{Identity, Lacking, Policy, PresentError, Presentation, Request, demo_issuer};

use crate::world::{NOON, Person, World, ann, regulars};

fn asked(date: &str, policy: Policy) -> Request {
    Request {
        audience: "https://shop.example".parse().unwrap(),
        account: "c-1029".to_owned(),
        nonce: Nonce([7; 16]),
        date: date.parse().unwrap(),
        expires_unix_ms: NOON + 1,
        policy,
    }
}

#[test]
fn what_does_not_hold_is_known_without_a_key() {
    let world = World::new();
    let check = |person: &Person, date: &str, policy: Policy| {
        let signature = person.signed(&world.issuer);
        let held = person.held(&world.issuer, &signature);
        Presentation::check(&asked(date, policy), &held).map_err(|error| error.lacking())
    };
    for policy in [world.adults(None), world.adults(Some(7)), regulars()] {
        assert_eq!(check(&ann(), "2008-03-14", policy.clone()), Ok(()), "the birthday");
        let young = check(&ann(), "2008-03-13", policy.clone());
        assert_eq!(young, Err(Some(Lacking::Age)), "the day before");
        let over = check(&ann(), "2028-01-01", policy.clone());
        assert_eq!(over, Err(Some(Lacking::Custody)));
        let abroad = check(&Person::new("1990-03-14", "BRA", 4), "2026-11-22", policy.clone());
        assert_eq!(abroad, Err(Some(Lacking::Nationality)));
        assert_eq!(check(&ann(), "2031-05-02", policy), Err(Some(Lacking::Document)));
    }
    let person = ann();
    let signature = person.signed(&world.stranger);
    let held = person.held(&world.stranger, &signature);
    let request = asked("2026-11-22", world.adults(None));
    assert_eq!(Presentation::check(&request, &held), Err(PresentError::Issuer));
}

#[test]
fn a_request_that_takes_demo_claims_says_so() {
    let world = World::new();
    let earnest = asked("2026-11-22", world.adults(None));
    assert!(!earnest.takes_demo() && !earnest.words().contains("demo"));
    let Policy::Identity(identity) = world.adults(None) else { panic!("a policy of issuers") };
    let issuers = vec![world.issuer.public(), demo_issuer().public()];
    let demo = asked("2026-11-22", Policy::Identity(Identity { issuers, ..identity }));
    assert!(demo.takes_demo());
    assert!(demo.words().ends_with("this is for trying it out.\n"), "{}", demo.words());
}
