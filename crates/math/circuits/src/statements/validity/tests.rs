//! Each constraint broken alone, the last day, and circuit against twin.

use proptest::prelude::*;

use super::witness::Opened;
use super::{Validity, Witness};
use crate::Fr;
use crate::statements::Binding;
use crate::statements::relation::Circuit;
use crate::testing::{all_broken, arb_day, at, breaks, day, holds, off, person, taken};
use crate::value::Date;

fn made(expiry: &str, date: Date) -> (Vec<Fr>, Opened) {
    let person = person("2000-05-17", "DEU", expiry);
    let session = at("https://shop.example");
    let binding = Binding::of(&session, &person.holder, &person.claims);
    let witness = Witness { claims: &person.claims, holder: &person.holder };
    let statement = Validity { session, binding, date };
    (statement.publics(), statement.open(witness).unwrap())
}

/// The binding again, after the witness was changed.
fn bound((mut publics, opened): (Vec<Fr>, Opened)) -> (Vec<Fr>, Opened) {
    opened.bind(&mut publics);
    (publics, opened)
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let (publics, opened) = made("2030-01-31", day("2026-11-22"));
    holds::<Validity>(&publics, &opened);
    let mut numbers = Vec::new();
    let mut case = |number: u8, (publics, opened): (Vec<Fr>, Opened)| {
        breaks::<Validity>(number, &publics, &opened);
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
    case(2, changed(&|_, o| o.secret = off(o.secret)));
    case(2, changed(&|_, o| o.document = off(o.document)));
    case(2, changed(&|_, o| o.root = off(o.root)));
    case(2, changed(&|_, o| o.birth = off(o.birth)));
    case(2, changed(&|_, o| o.code = off(o.code)));
    case(2, changed(&|_, o| o.expiry = off(o.expiry)));
    case(2, changed(&|_, o| o.until = off(o.until)));
    // Not a day, and far in the future.
    case(3, bound(changed(&|_, o| o.expiry = Fr::from(1 << 23))));
    // A negative today is before any expiry.
    case(4, changed(&|p, _| p[5] = -Fr::from(1)));
    case(5, made("2026-11-21", day("2026-11-22")));
    all_broken(&numbers, 5);
}

#[test]
fn a_document_is_valid_on_its_last_day() {
    for (expiry, date, good) in [
        ("2026-11-22", "2026-11-22", true),
        ("2026-11-21", "2026-11-22", false),
        ("2024-02-29", "2024-02-29", true),
        ("2024-02-29", "2024-03-01", false),
        ("2025-12-31", "2026-01-01", false),
    ] {
        let (publics, opened) = made(expiry, day(date));
        assert_eq!(Validity::broken(&publics, &opened).is_empty(), good, "{expiry} {date}");
        assert_eq!(taken::<Validity>(&publics, &opened), good, "{expiry} {date}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn circuit_and_twin_agree(expiry in arb_day(), date in arb_day()) {
        let (publics, opened) = made(&expiry.to_string(), date);
        prop_assert_eq!(Validity::broken(&publics, &opened).is_empty(), date <= expiry);
        prop_assert_eq!(taken::<Validity>(&publics, &opened), date <= expiry);
    }
}
