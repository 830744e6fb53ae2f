//! Each constraint broken alone, the calendar's edges, and circuit against twin.

use proptest::prelude::*;

use super::witness::Opened;
use super::{Age, Witness};
use crate::Fr;
use crate::statements::Binding;
use crate::statements::relation::Circuit;
use crate::testing::{all_broken, arb_day, at, breaks, day, holds, off, person, taken};
use crate::value::Date;

fn made(birth: &str, date: Date, years: u8) -> (Vec<Fr>, Opened) {
    let person = person(birth, "DEU", "2030-01-01");
    let session = at("https://shop.example");
    let binding = Binding::of(&session, &person.holder, &person.claims);
    let statement = Age { session, binding, date, years };
    let witness = Witness { claims: &person.claims, holder: &person.holder };
    (statement.publics(), statement.open(witness).unwrap())
}

/// The binding again, after the witness was changed.
fn bound(mut publics: Vec<Fr>, opened: Opened) -> (Vec<Fr>, Opened) {
    opened.bind(&mut publics);
    (publics, opened)
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let (publics, opened) = made("2000-05-17", day("2026-11-22"), 18);
    holds::<Age>(&publics, &opened);
    let mut numbers = Vec::new();
    let mut case = |number: u8, (publics, opened): (Vec<Fr>, Opened)| {
        breaks::<Age>(number, &publics, &opened);
        numbers.push(number);
    };
    let changed = |change: &dyn Fn(&mut Vec<Fr>, &mut Opened)| {
        let (mut p, mut o) = (publics.clone(), opened.clone());
        change(&mut p, &mut o);
        (p, o)
    };

    case(1, changed(&|p, _| p[0] = off(p[0])));
    // Everything that goes into the binding.
    case(2, changed(&|p, _| p[2] = off(p[2])));
    case(2, changed(&|p, _| p[3] = off(p[3])));
    case(2, changed(&|p, _| p[4] = off(p[4])));
    case(2, changed(&|_, o| o.secret = off(o.secret)));
    case(2, changed(&|_, o| o.document = off(o.document)));
    case(2, changed(&|_, o| o.root = off(o.root)));
    case(2, changed(&|_, o| o.birth = off(o.birth)));
    case(2, changed(&|_, o| o.code = off(o.code)));
    case(2, changed(&|_, o| o.expiry = off(o.expiry)));
    case(2, changed(&|_, o| o.until = off(o.until)));
    // A negative day of birth would be old enough for anything.
    let (p, o) = changed(&|_, o| o.birth = -Fr::from(512 * 10));
    case(3, bound(p, o));
    let (p, o) = changed(&|p, o| {
        o.birth = Fr::from(1);
        p[6] = Fr::from(256);
    });
    case(4, bound(p, o));
    case(5, changed(&|p, _| p[5] = Fr::from(1 << 23)));
    case(6, made("2008-11-23", day("2026-11-22"), 18));
    all_broken(&numbers, 6);
}

#[test]
fn birthdays_are_those_of_the_calendar() {
    for (birth, years, date, old) in [
        ("2008-11-22", 18, "2026-11-22", true),
        ("2008-11-23", 18, "2026-11-22", false),
        ("2008-12-01", 18, "2026-11-30", false),
        // Born on a leap day: older on 1 March, or on the 29th where there is one.
        ("2008-02-29", 18, "2026-02-28", false),
        ("2008-02-29", 18, "2026-03-01", true),
        ("2008-02-29", 16, "2024-02-28", false),
        ("2008-02-29", 16, "2024-02-29", true),
        // 2100 is no leap year, 2000 was one.
        ("2080-02-29", 20, "2100-02-28", false),
        ("2080-02-29", 20, "2100-03-01", true),
        ("2000-02-29", 0, "2000-02-29", true),
        ("2026-11-22", 0, "2026-11-22", true),
        ("2026-11-23", 0, "2026-11-22", false),
        ("1899-12-31", 127, "2026-12-30", false),
        ("1771-01-01", 255, "2026-01-01", true),
    ] {
        let (publics, opened) = made(birth, day(date), years);
        let broken = if old { vec![] } else { vec![6] };
        assert_eq!(Age::broken(&publics, &opened), broken, "{birth} {years} {date}");
        assert_eq!(taken::<Age>(&publics, &opened), old, "{birth} {years} {date}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Circuit and twin agree, and both with years counted one by one.
    #[test]
    fn circuit_and_twin_agree(birth in arb_day(), date in arb_day(), years in 0u8..130) {
        let (publics, opened) = made(&birth.to_string(), date, years);
        let old = Age::broken(&publics, &opened).is_empty();
        prop_assert_eq!(taken::<Age>(&publics, &opened), old);
        let had = (date.month(), date.day()) >= (birth.month(), birth.day());
        let lived = i32::from(date.year()) - i32::from(birth.year()) - i32::from(!had);
        prop_assert_eq!(old, lived >= i32::from(years));
    }
}
