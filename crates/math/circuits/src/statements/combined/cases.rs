//! For each constraint from 1 to 12 witnesses that break it alone.

use super::Opened;
use crate::Fr;
use crate::group::{Group, leaf};
use crate::statements::common::binding;
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
    case(2, &|_, o| o.birth.salt = off(o.birth.salt));
    case(2, &|_, o| o.code.salt = off(o.code.salt));
    case(2, &|_, o| o.expiry.salt = off(o.expiry.salt));
    case(2, &|_, o| o.document = off(o.document));
    case(2, &|_, o| o.until = off(o.until));
    case(2, &|_, o| o.others = off(o.others));

    case(3, &|p, o| {
        o.birth.value = -Fr::from(512 * 10);
        bind(p, o);
    });
    case(4, &|p, o| {
        o.birth.value = Fr::from(1);
        p[6] = Fr::from(256);
        bind(p, o);
    });
    // Later than any day there is; the document and the secret are good for longer.
    case(5, &|p, o| {
        p[5] = Fr::from(1 << 23);
        o.expiry.value = Fr::from((1 << 23) - 1);
        o.until = o.expiry.value;
        bind(p, o);
    });
    case(6, &|p, o| {
        o.birth.value = day("2008-11-23").element();
        bind(p, o);
    });
    case(7, &|p, o| {
        o.expiry.value = Fr::from(1 << 23);
        bind(p, o);
    });
    case(8, &|p, o| {
        o.expiry.value = day("2026-11-21").element();
        bind(p, o);
    });
    let eu = Group::of("EU/1".parse().unwrap());
    let place = eu.members().len();
    case(9, &|p, o| {
        o.code.value = tag(Domain::Padding, place as u32) - tag(Domain::Leaf, 0);
        o.path = eu.path_at(place);
        assert_eq!(o.path.root(leaf(o.code.value)), p[7], "the padding leads to the root");
        bind(p, o);
    });
    case(10, &|p, _| p[7] = Group::of("CTA/1".parse().unwrap()).root().0);
    case(10, &|_, o| o.path.siblings[7] = off(o.path.siblings[7]));
    case(10, &|_, o| o.path.right[0] = !o.path.right[0]);
    case(11, &|p, o| {
        o.until = Fr::from(1 << 23);
        bind(p, o);
    });
    case(12, &|p, o| {
        o.until = day("2026-11-21").element();
        bind(p, o);
    });
    cases
}

/// The binding again, after the witness was changed.
fn bind(publics: &mut [Fr], opened: &Opened) {
    let secrets = [opened.secret, opened.document, opened.root()];
    publics[4] = binding([publics[2], publics[3]], secrets);
}
