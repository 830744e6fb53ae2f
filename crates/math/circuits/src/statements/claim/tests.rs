//! Each constraint broken alone, equality and ranges, and circuit against twin.

use proptest::prelude::*;

use super::witness::Opened;
use super::{NotComparable, Predicate, Says, Witness};
use crate::Fr;
use crate::claim::{BadValue, ClaimType};
use crate::statements::common::claim_root;
use crate::statements::relation::Circuit;
use crate::statements::{Binding, WitnessError};
use crate::testing::{all_broken, at, breaks, day, holds, off, person, taken};
use crate::value::{Domain, tag};

/// A claim of a number; it is 1234.
fn number() -> ClaimType {
    ClaimType::new(0x300).unwrap()
}

fn made(kind: ClaimType, predicate: Predicate) -> Result<(Vec<Fr>, Opened), WitnessError> {
    let person = person("2000-05-17", "DEU", "2030-01-31");
    let session = at("https://shop.example");
    let binding = Binding::of(&session, &person.holder, &person.claims);
    let witness = Witness { claims: &person.claims, holder: &person.holder };
    let statement = Says { session, binding, kind, predicate };
    Ok((statement.publics(), statement.open(witness)?))
}

fn between(low: u64, high: u64) -> (Vec<Fr>, Opened) {
    made(number(), Predicate::between(number(), low, high).unwrap()).unwrap()
}

fn equals(kind: ClaimType, value: &str) -> (Vec<Fr>, Opened) {
    made(kind, Predicate::equals(kind, value.as_bytes()).unwrap()).unwrap()
}

/// The root and the binding again, after the witness was changed.
fn bound((mut publics, mut opened): (Vec<Fr>, Opened)) -> (Vec<Fr>, Opened) {
    let leaf = opened.claim.hash(tag(Domain::Claim, 0) + publics[5], opened.bound.document);
    opened.bound.root = claim_root(leaf, opened.place(), &opened.siblings);
    opened.bound.bind(&mut publics);
    (publics, opened)
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let (publics, opened) = between(1000, 2000);
    holds::<Says>(&publics, &opened);
    let mut numbers = Vec::new();
    let mut case = |number: u8, (publics, opened): (Vec<Fr>, Opened)| {
        breaks::<Says>(number, &publics, &opened);
        numbers.push(number);
    };
    let changed = |change: &dyn Fn(&mut Vec<Fr>, &mut Opened)| {
        let (mut p, mut o) = (publics.clone(), opened.clone());
        change(&mut p, &mut o);
        (p, o)
    };
    case(1, changed(&|p, _| p[0] = off(p[0])));
    for at in 2..5 {
        case(2, changed(&|p, _| p[at] = off(p[at])));
    }
    case(2, changed(&|_, o| o.bound.secret = off(o.bound.secret)));
    case(2, changed(&|_, o| o.bound.birth = off(o.bound.birth)));
    case(2, changed(&|_, o| o.bound.until = off(o.bound.until)));
    // Everything that leads to the root, and the root.
    case(10, changed(&|p, _| p[5] = off(p[5])));
    case(10, changed(&|_, o| o.claim.salt = off(o.claim.salt)));
    case(10, changed(&|_, o| o.claim.value = off(o.claim.value)));
    for up in 0..3 {
        case(10, changed(&|_, o| o.siblings[up] = off(o.siblings[up])));
        case(10, changed(&|_, o| o.right[up] = !o.right[up]));
    }
    for change in [
        |o: &mut Opened| o.bound.root = off(o.bound.root),
        |o: &mut Opened| o.bound.document = off(o.bound.document),
    ] {
        let (mut p, mut o) = (publics.clone(), opened.clone());
        change(&mut o);
        o.bound.bind(&mut p);
        case(10, (p, o));
    }
    // Neither a range nor an equality: with 2 as its mode, the value would be compared negated.
    case(
        3,
        bound(changed(&|p, o| {
            p[6] = Fr::from(2);
            p[7] = -Fr::from(5);
            (p[8], p[9]) = (Fr::from(0), Fr::from(9));
            o.claim.value = -Fr::from(5);
        })),
    );
    let (publics_equal, opened_equal) = equals(number(), "1234");
    holds::<Says>(&publics_equal, &opened_equal);
    case(4, equals(number(), "1235"));
    // A value beyond 64 bits, with ends so that the differences are small.
    case(
        5,
        bound(changed(&|p, o| {
            o.claim.value = -Fr::from(1);
            (p[8], p[9]) = (Fr::from(0), Fr::from(0));
        })),
    );
    case(6, changed(&|p, _| p[8] = -Fr::from(1)));
    case(7, changed(&|p, _| p[9] = Fr::from(u64::MAX) + Fr::from(1)));
    case(8, between(1235, 2000));
    case(9, between(1000, 1233));
    all_broken(&numbers, 10);
}

#[test]
fn values_of_all_forms_are_compared() {
    for (kind, same, other) in [
        (ClaimType::NATIONALITY, "DEU", "D<<"),
        (ClaimType::DOCUMENT_NUMBER, "L898902C3", "L898902C4"),
        (ClaimType::BIRTH_DATE, "2000-05-17", "2000-05-18"),
        (number(), "1234", "12340"),
    ] {
        let (publics, opened) = equals(kind, same);
        holds::<Says>(&publics, &opened);
        let (publics, opened) = equals(kind, other);
        breaks::<Says>(4, &publics, &opened);
    }
    let days = Predicate::between_days(ClaimType::BIRTH_DATE, day("2000-01-01"), day("2000-12-31"));
    let (publics, opened) = made(ClaimType::BIRTH_DATE, days.unwrap()).unwrap();
    holds::<Says>(&publics, &opened);
}

#[test]
fn what_cannot_be_compared_or_is_not_there_is_refused() {
    let text = ClaimType::DOCUMENT_NUMBER;
    assert_eq!(Predicate::between(text, 0, 1), Err(NotComparable));
    assert_eq!(Predicate::between(ClaimType::BIRTH_DATE, 0, 1), Err(NotComparable));
    assert_eq!(Predicate::between(number(), 2, 1), Err(NotComparable));
    let (a, b) = (day("2000-01-02"), day("2000-01-01"));
    assert_eq!(Predicate::between_days(ClaimType::BIRTH_DATE, a, b), Err(NotComparable));
    assert_eq!(Predicate::between_days(number(), b, a), Err(NotComparable));
    assert_eq!(Predicate::equals(ClaimType::BIRTH_DATE, b"2000-02-30"), Err(BadValue));
    let none = ClaimType::new(0x301).unwrap();
    let asked = Predicate::between(none, 0, 1).unwrap();
    assert_eq!(made(none, asked).err(), Some(WitnessError::NoClaim));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn circuit_and_twin_agree(a in 1200u64..1260, b in 1200u64..1260, exact: bool) {
        let (low, high) = (a.min(b), a.max(b));
        let (publics, opened) =
            if exact { equals(number(), &a.to_string()) } else { between(low, high) };
        let good = if exact { a == 1234 } else { (low..=high).contains(&1234) };
        prop_assert_eq!(Says::broken(&publics, &opened).is_empty(), good);
        prop_assert_eq!(taken::<Says>(&publics, &opened), good);
    }
}
