//! The native twin; numbers are those of `specs/statements/validity.md`.

use super::Validity;
use super::witness::{Opened, PLACE};
use crate::Fr;
use crate::claim::ClaimType;
use crate::statements::common::{Broken, binding, claim_root};
use crate::statements::relation::id;
use crate::value::{DATE_BITS, Domain, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, bound, date] = publics else { return vec![0] };
    let mut broken = Broken::default();
    broken.unless(of == id::<Validity>(), 1);

    let kind = tag(Domain::Claim, ClaimType::DOCUMENT_EXPIRY.number());
    let leaf = opened.expiry.hash(kind, opened.document);
    let root = claim_root(leaf, PLACE, &opened.siblings);
    broken.unless(bound == binding([audience, account], [opened.secret, opened.document, root]), 2);

    let expiry = broken.small(opened.expiry.value, DATE_BITS, 3);
    let date = broken.small(date, DATE_BITS, 4);
    if let (Some(expiry), Some(date)) = (expiry, date) {
        broken.unless(date <= expiry, 5);
    }
    broken.done()
}
