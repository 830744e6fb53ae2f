//! The native twin; numbers are those of `specs/statements/claim.md`.

use super::Says;
use super::witness::Opened;
use crate::Fr;
use crate::statements::common::{Broken, claim_root};
use crate::statements::relation::id;
use crate::value::{Domain, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, bound, kind, exact, equal, low, high] = publics else {
        return vec![0];
    };
    let mut broken = Broken::default();
    broken.unless(of == id::<Says>(), 1);
    broken.unless(bound == opened.bound.binding([audience, account]), 2);
    let value = opened.claim.value;
    let leaf = opened.claim.hash(tag(Domain::Claim, 0) + kind, opened.bound.document);
    let root = claim_root(leaf, opened.place(), &opened.siblings);
    broken.unless(opened.bound.root == root, 10);

    broken.unless(exact * exact == exact, 3);
    broken.unless(exact * (value - equal) == Fr::from(0), 4);
    let ranged = broken.small(value - exact * value, 64, 5);
    let low = broken.small(low, 64, 6);
    let high = broken.small(high, 64, 7);
    if let (Some(ranged), Some(low), Some(high)) = (ranged, low, high) {
        broken.unless(low <= ranged, 8);
        broken.unless(ranged <= high, 9);
    }
    broken.done()
}
