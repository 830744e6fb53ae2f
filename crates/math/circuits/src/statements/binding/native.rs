//! The native twin; numbers are those of `specs/statements/binding.md`.

use super::Bound;
use super::witness::Opened;
use crate::Fr;
use crate::statements::common::Broken;
use crate::statements::relation::id;
use crate::value::DATE_BITS;

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, bound, date] = publics else { return vec![0] };
    let mut broken = Broken::default();
    broken.unless(of == id::<Bound>(), 1);
    broken.unless(bound == opened.binding([audience, account]), 2);

    let until = broken.small(opened.until, DATE_BITS, 3);
    let date = broken.small(date, DATE_BITS, 4);
    if let (Some(until), Some(date)) = (until, date) {
        broken.unless(date <= until, 5);
    }
    broken.done()
}
