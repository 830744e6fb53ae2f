//! What the tests of all statements share.

use ff::Field;
use midnight_proofs::circuit::Value;
use midnight_proofs::dev::MockProver;
use midnight_zk_stdlib::MidnightCircuit;
use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_secret::Secret;

use crate::Fr;
use crate::claim::{Claim, ClaimSet, ClaimType, Holder, document};
use crate::issuer::{IssuerKey, Signature};
use crate::statements::relation::{Circuit, Held, Shape};
use crate::value::{Date, Hidden, Nonce, Session};

/// A holder with claims, and who signed them.
pub(crate) struct Person {
    pub claims: ClaimSet,
    pub holder: Holder,
    pub issuer: IssuerKey,
    pub signature: Signature,
}

pub(crate) fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Somebody by birth date, nationality and expiry of the document; the custody secret is good to
/// the end of 2027.
pub(crate) fn person(birth: &str, nationality: &str, expiry: &str) -> Person {
    let rng = SeededRng::new(5);
    let claim = |kind, text| Claim::make(kind, &secret(text), &rng).unwrap();
    let claims = [
        claim(ClaimType::BIRTH_DATE, birth),
        claim(ClaimType::NATIONALITY, nationality),
        claim(ClaimType::DOCUMENT_EXPIRY, expiry),
    ];
    let others = vec![
        claim(ClaimType::DOCUMENT_NUMBER, "L898902C3"),
        claim(ClaimType::new(0x300).unwrap(), "1234"),
    ];
    let holder = Holder::new(Hidden::make(&rng), day("2027-12-31"));
    let document = document(&secret("UTO"), &secret("L898902C3"));
    let claims = ClaimSet::new(document, claims, holder.commitment(), others).unwrap();
    let issuer = IssuerKey::make(&rng);
    let signature = issuer.sign(&claims.root(), &rng);
    Person { claims, holder, issuer, signature }
}

pub(crate) fn at(audience: &str) -> Session {
    Session::new(Nonce([7; 16]), audience.as_bytes(), b"account-1").unwrap()
}

/// Whether the circuit takes a witness, by the library's mock prover.
pub(crate) fn taken<S: Circuit>(publics: &[Fr], opened: &S::Opened) -> bool {
    let shape = Shape::of::<S>();
    let circuit = MidnightCircuit::new(
        &shape,
        Value::known(publics.to_vec()),
        Value::known(Held::new::<S>(opened.clone())),
        Some(S::K),
    );
    let mock = MockProver::run(&circuit, vec![vec![], publics.to_vec()]).unwrap();
    mock.verify().is_ok()
}

/// Circuit and native twin take it.
#[track_caller]
pub(crate) fn holds<S: Circuit>(publics: &[Fr], opened: &S::Opened) {
    assert_eq!(S::broken(publics, opened), Vec::<u8>::new());
    assert!(taken::<S>(publics, opened));
}

/// It breaks one constraint and no other: the native twin says which, and the circuit refuses it.
#[track_caller]
pub(crate) fn breaks<S: Circuit>(number: u8, publics: &[Fr], opened: &S::Opened) {
    assert_eq!(S::broken(publics, opened), vec![number]);
    assert!(!taken::<S>(publics, opened), "the circuit takes what breaks {number}");
}

/// Each constraint was broken, and none that is not there.
#[track_caller]
pub(crate) fn all_broken(numbers: &[u8], last: u8) {
    let mut seen = numbers.to_vec();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
}

/// An element that was made wrong.
pub(crate) fn off(element: Fr) -> Fr {
    element + Fr::ONE
}

/// Days between 1900 and 2100, some of them leap days.
pub(crate) fn arb_day() -> impl Strategy<Value = Date> {
    let any = (1900u16..2100, 1u8..13, 1u8..32);
    let leap = (475u16..525).prop_map(|q| (q * 4, 2, 29));
    prop_oneof![4 => any, 1 => leap].prop_filter_map("a day", |(y, m, d)| Date::new(y, m, d).ok())
}
