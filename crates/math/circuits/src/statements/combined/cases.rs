//! For each constraint from 1 to 12 witnesses that break it alone.

use super::Opened;
use crate::Fr;
use crate::group::{Group, leaf};
use crate::testing::{day, off};
use crate::value::{Domain, tag};

/// Cases over public inputs and a witness that hold, of somebody who is 18 and a member of `EU/1`
/// on 2026-11-22; inputs after the eighth stay as they are.
pub(crate) fn combined_cases(publics: &[Fr], opened: &Opened) -> Vec<(u8, Vec<Fr>, Opened)> {
    let mut cases = Vec::new();
    let mut case = |number: u8, change: &dyn Fn(&mut Vec<Fr>, &mut Opened)| {
        let (mut p, mut o) = (publics.to_vec(), opened.clone());
        change(&mut p, &mut o);
        cases.push((number, p, o));
    };
    case(1, &|p, _| p[0] = off(p[0]));

    for at in 3..5 {
        case(2, &|p, _| p[at] = off(p[at]));
    }
    case(2, &|_, o| o.bound.birth = off(o.bound.birth));
    case(2, &|_, o| o.bound.expiry = off(o.bound.expiry));
    case(2, &|_, o| o.bound.until = off(o.bound.until));

    case(3, &|p, o| {
        o.bound.birth = -Fr::from(512 * 10);
        o.bound.bind(p);
    });
    case(4, &|p, o| {
        o.bound.birth = Fr::from(1);
        p[6] = Fr::from(256);
        o.bound.bind(p);
    });
    // Later than any day there is; the document and the secret are good for longer.
    case(5, &|p, o| {
        p[5] = Fr::from(1 << 23);
        o.bound.expiry = Fr::from((1 << 23) - 1);
        o.bound.until = o.bound.expiry;
        o.bound.bind(p);
    });
    case(6, &|p, o| {
        o.bound.birth = day("2008-11-23").element();
        o.bound.bind(p);
    });
    case(7, &|p, o| {
        o.bound.expiry = Fr::from(1 << 23);
        o.bound.bind(p);
    });
    case(8, &|p, o| {
        o.bound.expiry = day("2026-11-21").element();
        o.bound.bind(p);
    });
    let eu = Group::of("EU/1".parse().unwrap());
    let place = eu.members().len();
    case(9, &|p, o| {
        o.bound.code = tag(Domain::Padding, place as u32) - tag(Domain::Leaf, 0);
        o.path = eu.path_at(place);
        assert_eq!(o.path.root(leaf(o.bound.code)), p[7], "the padding leads to the root");
        o.bound.bind(p);
    });
    case(10, &|p, _| p[7] = Group::of("CTA/1".parse().unwrap()).root().0);
    case(10, &|_, o| o.path.siblings[7] = off(o.path.siblings[7]));
    case(10, &|_, o| o.path.right[0] = !o.path.right[0]);
    case(11, &|p, o| {
        o.bound.until = Fr::from(1 << 23);
        o.bound.bind(p);
    });
    case(12, &|p, o| {
        o.bound.until = day("2026-11-21").element();
        o.bound.bind(p);
    });
    cases
}
