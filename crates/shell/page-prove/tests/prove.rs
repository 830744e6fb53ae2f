//! What the page proves is what a verifier takes; what does not hold is said to its holder, in words.

use symbolon_ambient::{Rng, SystemRng};
use symbolon_circuits::Nonce;
use symbolon_page_prove::{Document, Holding, Prover, Refused, look};
use symbolon_proof::{
    Identity, IssuerPublicKey, Policy, Request, Returning, demo_issuer, keys, show,
};
use symbolon_secret::Secret;

const TODAY: &str = "2026-11-22";

fn typed(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |page| page.copy_from_slice(text.as_bytes()))
}

fn document(birth: &str, nationality: &str, expiry: &str) -> Document {
    Document {
        birth: typed(birth),
        nationality: typed(nationality),
        number: typed("L898902C3"),
        expiry: typed(expiry),
    }
}

fn holding() -> Holding {
    Holding::demo(document("2000-05-17", "DEU", "2030-01-31"), TODAY, &SystemRng).unwrap()
}

fn request(policy: Policy) -> String {
    let request = Request {
        audience: "https://shop.example".parse().unwrap(),
        account: "c-1029".to_owned(),
        nonce: Nonce::make(&SystemRng),
        date: TODAY.parse().unwrap(),
        expires_unix_ms: 1_795_000_000_000,
        policy,
    };
    request.to_value().to_string()
}

fn asked(years: u8, group: &str, issuer: IssuerPublicKey) -> String {
    let group = group.parse().unwrap();
    let issuers = vec![issuer];
    request(Policy::Identity(Identity {
        at_least_years: years,
        group,
        issuers,
        unique_epoch: None,
    }))
}

fn demo() -> IssuerPublicKey {
    demo_issuer().public()
}

#[test]
fn a_key_is_made_stored_and_read_and_its_proof_is_taken() {
    let (asked, holding) = (asked(18, "WORLD/1", demo()), holding());
    let made = Prover::make().unwrap();
    let stored = made.write();
    assert!(stored.len() < 32 << 20, "{} bytes are stored in a browser", stored.len());
    let read = Prover::read(&stored).unwrap();
    for prover in [&made, &read] {
        let shown = prover.prove(&asked, &holding, 1_700_000_000_000, &SystemRng).unwrap();
        let shown = show(&shown, 1_700_000_000_000).expect("it shows the statement");
        assert!(shown.presentation().is_demo());
        assert_eq!(shown.presentation().request.to_value().to_string(), asked);
    }

    let mut damaged = stored;
    let at = u64::from_le_bytes(SystemRng.bytes()) as usize % damaged.len();
    damaged[at] ^= 1;
    assert_eq!(Prover::read(&damaged).unwrap_err().code, "not_pinned", "byte {at}");
    assert_eq!(Prover::read(b"").unwrap_err().code, "not_pinned");
}

#[test]
fn the_key_is_the_one_that_verifiers_name() {
    let identity = keys().into_iter().find(|key| key.statement == "identity/1").unwrap();
    assert_eq!(Prover::verifying_key(), identity.sha256);
    assert!(Prover::name().starts_with("identity/1/"), "{}", Prover::name());
}

#[test]
fn what_does_not_hold_is_said_before_a_key_is_made() {
    let check = |asked: &str, holding: &Holding| Prover::check(asked, holding).unwrap_err();
    let held = holding();
    assert_eq!(Prover::check(&asked(18, "EU/1", demo()), &held), Ok(()));
    for (asked, code, says) in [
        (asked(27, "WORLD/1", demo()), "not_true", "that age"),
        (asked(18, "NORDIC/1", demo()), "not_true", "not in the group"),
        (
            asked(18, "WORLD/1", symbolon_circuits::IssuerKey::make(&SystemRng).public()),
            "issuer",
            "not asked for",
        ),
        (
            request(Policy::Returning(Returning {
                at_least_years: 18,
                group: "EU/1".parse().unwrap(),
            })),
            "another_statement",
            "returning/1",
        ),
        ("{}".to_owned(), "malformed", "cannot be read"),
    ] {
        let refused: Refused = check(&asked, &held);
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(refused.message.contains(says), "{refused:?}");
        assert!(refused.next.is_some(), "{refused:?}");
    }
}

#[test]
fn what_was_typed_is_held_against_its_form() {
    for (birth, nationality, expiry) in [
        ("17.05.2000", "DEU", "2030-01-31"),
        ("2000-02-30", "DEU", "2030-01-31"),
        ("2030-01-01", "DEU", "2030-01-31"),
        ("2000-05-17", "ZZZ", "2030-01-31"),
        ("2000-05-17", "DEU", "2020-01-31"),
        ("2000-05-17", "DEU", ""),
    ] {
        let refused = Holding::demo(document(birth, nationality, expiry), TODAY, &SystemRng);
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, "claims", "{birth} {nationality} {expiry}");
        for value in [birth, nationality, expiry].iter().filter(|value| !value.is_empty()) {
            assert!(!refused.message.contains(value), "{} quotes what was typed", refused.message);
        }
    }
    assert_eq!(Holding::read(&typed("{}")).unwrap_err().code, "claims");
}

#[test]
fn a_question_is_shown_in_the_words_that_evidence_is_bound_to() {
    let asked = asked(18, "WORLD/1", demo());
    let question = look(&asked).unwrap();
    assert_eq!(question.audience, "https://shop.example");
    assert_eq!(question.words, Request::parse(asked.as_bytes()).unwrap().words());
    assert!(question.takes_demo);
    let other = symbolon_circuits::IssuerKey::make(&SystemRng).public();
    assert!(!look(&self::asked(18, "EU/1", other)).unwrap().takes_demo);
    assert_eq!(look("nothing").unwrap_err().code, "malformed");
}
