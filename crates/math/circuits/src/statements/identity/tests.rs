//! Each constraint broken alone, forged signatures, nullifiers, and circuit against twin.

use ff::Field;
use proptest::prelude::*;
use symbolon_ambient::SeededRng;

use super::native::{claims, nullifier};
use super::witness::Opened;
use super::{Identity, Nullifier, Uniqueness, Witness};
use crate::Fr;
use crate::claim::ClaimRoot;
use crate::group::Group;
use crate::issuer::{IssuerKey, coordinates};
use crate::statements::combined::combined_cases;
use crate::statements::relation::Circuit;
use crate::statements::{Binding, Facts};
use crate::testing::{Person, all_broken, arb_day, at, breaks, day, holds, off, person, taken};
use crate::value::{Country, Element};

fn statement(person: &Person, audience: &str, epoch: Option<u32>) -> Identity {
    let session = at(audience);
    let nullifier = |epoch| Nullifier::of(&session, &person.holder, epoch);
    Identity {
        session,
        binding: Binding::of(&session, &person.holder, &person.claims),
        facts: Facts { date: day("2026-11-22"), years: 18, group: "EU/1".parse().unwrap() },
        issuer: person.issuer.public(),
        unique: epoch.map(|epoch| Uniqueness { epoch, nullifier: nullifier(epoch) }),
    }
}

fn made(person: &Person, epoch: Option<u32>) -> (Vec<Fr>, Opened) {
    let Person { claims, holder, signature, .. } = person;
    let statement = statement(person, "https://shop.example", epoch);
    let opened = statement.open(Witness { claims, holder, signature }).unwrap();
    (statement.publics(), opened)
}

/// The issuer signs again what the witness was changed to.
fn sign(issuer: &IssuerKey, opened: &mut Opened) {
    let root = ClaimRoot(Element(opened.combined.bound.root));
    let signature = issuer.sign(&root, &SeededRng::new(8));
    (opened.s, opened.e) = (signature.s, signature.e);
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let person = person("2000-05-17", "DEU", "2030-01-31");
    let (publics, opened) = made(&person, Some(3));
    holds::<Identity>(&publics, &opened);
    let mut numbers = Vec::new();
    let mut case = |number: u8, publics: &[Fr], opened: &Opened| {
        breaks::<Identity>(number, publics, opened);
        numbers.push(number);
    };
    for (number, publics, combined) in combined_cases(&publics, &opened.combined) {
        // The claims are those that the witness was changed to, and the issuer signs them.
        let (mut publics, mut opened) = (publics, Opened { combined, ..opened.clone() });
        opened.combined.bound.root = claims(&opened);
        sign(&person.issuer, &mut opened);
        if number != 2 {
            opened.combined.bound.bind(&mut publics);
        }
        case(number, &publics, &opened);
    }

    // 13: a signature by nobody, by another issuer, over other claims.
    let mut forged = opened.clone();
    forged.s += midnight_curves::Fr::ONE;
    case(13, &publics, &forged);
    let mut forged = opened.clone();
    forged.e = off(forged.e);
    case(13, &publics, &forged);
    let other = IssuerKey::make(&SeededRng::new(77));
    let mut forged = opened.clone();
    sign(&other, &mut forged);
    case(13, &publics, &forged);
    let mut of_other = publics.clone();
    (of_other[8], of_other[9]) = coordinates(&other.public().0);
    case(13, &of_other, &opened);

    // 14: neither none nor one; with 2 the nullifier would be another number for the same holder.
    let mut twice = publics.clone();
    twice[10] = Fr::from(2);
    twice[12] = publics[12].double();
    case(14, &twice, &opened);

    // 15: of another epoch, none where one is asked for, one where none is.
    for (at, to) in [(11, Fr::from(4)), (12, off(publics[12])), (12, Fr::ZERO), (10, Fr::ZERO)] {
        let mut changed = publics.clone();
        changed[at] = to;
        case(15, &changed, &opened);
    }
    // 16: facts that the issuer did not sign, under a root that it did; and a root that is none of these claims.
    let changes: [fn(&mut Opened); 9] = [
        |o| o.combined.bound.birth = off(o.combined.bound.birth),
        |o| o.combined.bound.expiry = off(o.combined.bound.expiry),
        |o| o.combined.bound.until = off(o.combined.bound.until),
        |o| o.combined.bound.document = off(o.combined.bound.document),
        |o| o.combined.bound.root = off(o.combined.bound.root),
        |o| o.salts[0] = off(o.salts[0]),
        |o| o.salts[1] = off(o.salts[1]),
        |o| o.salts[2] = off(o.salts[2]),
        |o| o.others = off(o.others),
    ];
    for change in changes {
        let (mut publics, mut opened) = (publics.clone(), opened.clone());
        change(&mut opened);
        opened.combined.bound.bind(&mut publics);
        sign(&person.issuer, &mut opened);
        case(16, &publics, &opened);
    }
    // Another nationality of the same group, and another holder's secret.
    let (mut publics, mut opened) = (publics.clone(), opened.clone());
    let france = "FRA".parse::<Country>().unwrap().element();
    opened.combined.bound.code = france;
    opened.combined.path = Group::of("EU/1".parse().unwrap()).path(france).unwrap();
    opened.combined.bound.bind(&mut publics);
    case(16, &publics, &opened);
    opened.combined.bound.code = "DEU".parse::<Country>().unwrap().element();
    opened.combined.path =
        Group::of("EU/1".parse().unwrap()).path(opened.combined.bound.code).unwrap();
    opened.combined.bound.secret = off(opened.combined.bound.secret);
    opened.combined.bound.bind(&mut publics);
    publics[12] = nullifier(opened.combined.bound.secret, publics[2], publics[11]);
    case(16, &publics, &opened);
    all_broken(&numbers, 16);
}

#[test]
fn a_nullifier_is_one_for_a_holder_an_audience_and_an_epoch() {
    let person = person("2000-05-17", "DEU", "2030-01-31");
    let of = |audience: &str, epoch| Nullifier::of(&at(audience), &person.holder, epoch);
    assert_eq!(of("https://a", 1), of("https://a", 1));
    assert_ne!(of("https://a", 1), of("https://a", 2));
    assert_ne!(of("https://a", 1), of("https://b", 1));
    let (publics, opened) = made(&person, None);
    assert_eq!(publics[10..], [Fr::ZERO; 3], "nothing is said where nothing is asked");
    holds::<Identity>(&publics, &opened);
}

/// What two relying parties and the issuer can put together: of two presentations only what the
/// relying parties asked for is the same, and nothing is a value that the issuer knows.
#[test]
fn presentations_are_not_linked_by_any_public_value() {
    let person = person("2000-05-17", "DEU", "2030-01-31");
    let publics = |audience, epoch| statement(&person, audience, epoch).publics();
    for epoch in [None, Some(3)] {
        let a = publics("https://a.example", epoch);
        let mut b = publics("https://b.example", epoch);
        b[1] += Fr::ONE; // another session, another nonce
        let same: Vec<usize> = (0..a.len()).filter(|at| a[*at] == b[*at]).collect();
        // Statement, date, years, group, issuer, whether and in which epoch holders are counted;
        // the nullifier is the same where it is none.
        let asked: &[usize] = if epoch.is_some() {
            &[0, 5, 6, 7, 8, 9, 10, 11]
        } else {
            &[0, 5, 6, 7, 8, 9, 10, 11, 12]
        };
        assert_eq!(same, asked);
        // Nothing of one stands anywhere else in the other.
        let own = |at: &usize| !asked.contains(at);
        let shared = (0..a.len()).filter(own).any(|at| b.contains(&a[at]));
        assert!(!shared);
    }

    // All that the issuer has: values, salts, document, the claims' hashes and nodes, the holder's
    // commitment, the root and its signature.
    let Person { claims, holder, signature, .. } = &person;
    let document = claims.document.element();
    let all = [&claims.birth, &claims.nationality, &claims.expiry];
    let all: Vec<_> = all.into_iter().chain(&claims.others).collect();
    let mut known: Vec<Fr> = all.iter().map(|c| c.hash(document)).collect();
    known.extend(all.iter().flat_map(|c| [c.value.element(), c.salt.element()]));
    known.extend((0..8).flat_map(|place| claims.path(place)));
    known.extend([document, holder.commitment().0.0, claims.root().0.0, signature.e]);
    let public = publics("https://a.example", Some(3));
    assert!(public.iter().all(|value| !known.contains(value)));
    // And the two that it would have to compute take the secret, which it does not have.
    let stranger =
        crate::claim::Holder::new(crate::value::Hidden::make(&SeededRng::new(1)), holder.until);
    let session = at("https://a.example");
    assert_ne!(Binding::of(&session, &stranger, claims), Binding::of(&session, holder, claims));
    assert_ne!(Nullifier::of(&session, &stranger, 3), Nullifier::of(&session, holder, 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn circuit_and_twin_agree(birth in arb_day(), expiry in arb_day(), forged: bool) {
        let person = person(&birth.to_string(), "DEU", &expiry.to_string());
        let (publics, mut opened) = made(&person, None);
        if forged {
            opened.e = off(opened.e);
        }
        let good = Identity::broken(&publics, &opened).is_empty();
        prop_assert_eq!(taken::<Identity>(&publics, &opened), good);
    }
}
