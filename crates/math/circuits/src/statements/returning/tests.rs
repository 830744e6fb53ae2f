//! Each constraint broken alone, and circuit against twin.

use proptest::prelude::*;

use super::{Returning, Witness};
use crate::Fr;
use crate::statements::combined::{Opened, combined_cases};
use crate::statements::relation::Circuit;
use crate::statements::{Binding, Facts};
use crate::testing::{all_broken, arb_day, at, breaks, day, holds, person, taken};

fn made(birth: &str, expiry: &str, date: &str) -> (Vec<Fr>, Opened) {
    let person = person(birth, "DEU", expiry);
    let session = at("https://shop.example");
    let binding = Binding::of(&session, &person.holder, &person.claims);
    let facts = Facts { date: day(date), years: 18, group: "EU/1".parse().unwrap() };
    let witness = Witness { claims: &person.claims, holder: &person.holder };
    let statement = Returning { session, binding, facts };
    (statement.publics(), statement.open(witness).unwrap())
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let (publics, opened) = made("2000-05-17", "2030-01-31", "2026-11-22");
    holds::<Returning>(&publics, &opened);
    let mut numbers = Vec::new();
    for (number, publics, opened) in combined_cases(&publics, &opened) {
        breaks::<Returning>(number, &publics, &opened);
        numbers.push(number);
    }
    all_broken(&numbers, 12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn circuit_and_twin_agree(birth in arb_day(), expiry in arb_day(), date in arb_day()) {
        let [birth, expiry, date] = [birth, expiry, date].map(|d| d.to_string());
        let (publics, opened) = made(&birth, &expiry, &date);
        let good = Returning::broken(&publics, &opened).is_empty();
        prop_assert_eq!(taken::<Returning>(&publics, &opened), good);
    }
}
