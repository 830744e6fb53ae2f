//! Each constraint broken alone, padding, roots of one's own, and circuit against twin.

use proptest::prelude::*;

use super::witness::Opened;
use super::{Nationality, Witness};
use crate::Fr;
use crate::group::{Group, GroupName, leaf};
use crate::statements::relation::Circuit;
use crate::statements::{Binding, WitnessError};
use crate::testing::{all_broken, at, breaks, holds, off, person, taken};
use crate::value::{Country, Domain, tag};

fn group(name: &str) -> GroupName {
    name.parse().unwrap()
}

fn made(code: &str, name: &str) -> Result<(Vec<Fr>, Opened), WitnessError> {
    let person = person("2000-05-17", code, "2030-01-31");
    let session = at("https://shop.example");
    let binding = Binding::of(&session, &person.holder, &person.claims);
    let witness = Witness { claims: &person.claims, holder: &person.holder };
    let statement = Nationality { session, binding, group: group(name) };
    Ok((statement.publics(), statement.open(witness)?))
}

/// The binding again, after the witness was changed.
fn bound((mut publics, opened): (Vec<Fr>, Opened)) -> (Vec<Fr>, Opened) {
    opened.bound.bind(&mut publics);
    (publics, opened)
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let (publics, opened) = made("DEU", "EU/1").unwrap();
    holds::<Nationality>(&publics, &opened);
    let mut numbers = Vec::new();
    let mut case = |number: u8, (publics, opened): (Vec<Fr>, Opened)| {
        breaks::<Nationality>(number, &publics, &opened);
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
    case(2, changed(&|_, o| o.bound.document = off(o.bound.document)));
    case(2, changed(&|_, o| o.bound.root = off(o.bound.root)));
    case(2, changed(&|_, o| o.bound.birth = off(o.bound.birth)));
    case(2, changed(&|_, o| o.bound.expiry = off(o.bound.expiry)));
    case(2, changed(&|_, o| o.bound.until = off(o.bound.until)));
    // A code of 255 bits whose leaf is the first place of the padding: only its length betrays it.
    let eu = Group::of(group("EU/1"));
    let place = eu.members().len();
    let code = tag(Domain::Padding, place as u32) - tag(Domain::Leaf, 0);
    let padded = bound(changed(&|_, o| {
        o.bound.code = code;
        o.path = eu.path_at(place);
    }));
    assert_eq!(padded.1.path.root(leaf(code)), eu.root().0, "the padding leads to the root");
    case(3, padded);
    // Another group's root, one made by the prover, siblings and sides changed.
    case(4, changed(&|p, _| p[5] = Group::of(group("CTA/1")).root().0));
    case(4, changed(&|p, _| p[5] = off(p[5])));
    for up in 0..8 {
        case(4, changed(&|_, o| o.path.siblings[up] = off(o.path.siblings[up])));
        case(4, changed(&|_, o| o.path.right[up] = !o.path.right[up]));
    }
    all_broken(&numbers, 4);
}

#[test]
fn who_is_no_member_has_no_witness_and_a_foreign_path_does_not_help() {
    assert_eq!(made("BRA", "EU/1").err(), Some(WitnessError::NotMember));
    let (publics, member) = made("DEU", "EU/1").unwrap();
    let mut foreign = member.clone();
    foreign.bound.code = "BRA".parse::<Country>().unwrap().element();
    let (publics, foreign) = bound((publics, foreign));
    assert_eq!(Nationality::broken(&publics, &foreign), [4]);
    assert!(!taken::<Nationality>(&publics, &foreign));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Somebody's nationality on any way through any tree.
    #[test]
    fn circuit_and_twin_agree(
        code in prop::sample::select(vec!["DEU", "FRA", "GBR", "IRL", "CHE", "BRA", "D<<"]),
        on in prop::sample::select(vec!["EU/1", "CTA/1", "EEA-CH/1"]),
        place in 0usize..40,
    ) {
        let (mut publics, mut opened) = made("IRL", "CTA/1").unwrap();
        let tree = Group::of(group(on));
        opened.bound.code = code.parse::<Country>().unwrap().element();
        opened.path = tree.path(opened.bound.code).unwrap_or_else(|_| tree.path_at(place));
        publics[5] = tree.root().0;
        let (publics, opened) = bound((publics, opened));
        let member = tree.path(opened.bound.code).is_ok();
        prop_assert_eq!(Nationality::broken(&publics, &opened).is_empty(), member);
        prop_assert_eq!(taken::<Nationality>(&publics, &opened), member);
    }
}
