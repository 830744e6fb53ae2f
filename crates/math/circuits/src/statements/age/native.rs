//! The native twin; numbers are those of `specs/statements/age.md`.

use super::Age;
use super::witness::Opened;
use crate::Fr;
use crate::statements::common::Broken;
use crate::statements::relation::id;
use crate::value::{DATE_BITS, YEAR};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, bound, date, years] = publics else { return vec![0] };
    let mut broken = Broken::default();
    broken.unless(of == id::<Age>(), 1);
    broken.unless(bound == opened.binding([audience, account]), 2);

    let birth = broken.small(opened.birth, DATE_BITS, 3);
    let years = broken.small(years, 8, 4);
    let date = broken.small(date, DATE_BITS, 5);
    if let (Some(birth), Some(years), Some(date)) = (birth, years, date) {
        broken.unless(birth + YEAR * years <= date, 6);
    }
    broken.done()
}
