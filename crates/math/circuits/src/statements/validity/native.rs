//! The native twin; numbers are those of `specs/statements/validity.md`.

use super::Validity;
use super::witness::Opened;
use crate::Fr;
use crate::statements::common::Broken;
use crate::statements::relation::id;
use crate::value::DATE_BITS;

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, bound, date] = publics else { return vec![0] };
    let mut broken = Broken::default();
    broken.unless(of == id::<Validity>(), 1);
    broken.unless(bound == opened.binding([audience, account]), 2);

    let expiry = broken.small(opened.expiry, DATE_BITS, 3);
    let date = broken.small(date, DATE_BITS, 4);
    if let (Some(expiry), Some(date)) = (expiry, date) {
        broken.unless(date <= expiry, 5);
    }
    broken.done()
}
