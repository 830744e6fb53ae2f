//! The native twin; numbers are those of `specs/statements/nationality.md`.

use super::Nationality;
use super::witness::Opened;
use crate::Fr;
use crate::group::leaf;
use crate::statements::common::Broken;
use crate::statements::relation::id;
use crate::value::COUNTRY_BITS;

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, bound, root] = publics else { return vec![0] };
    let mut broken = Broken::default();
    broken.unless(of == id::<Nationality>(), 1);
    broken.unless(bound == opened.bound.binding([audience, account]), 2);
    broken.small(opened.bound.code, COUNTRY_BITS, 3);
    broken.unless(root == opened.path.root(leaf(opened.bound.code)), 4);
    broken.done()
}
