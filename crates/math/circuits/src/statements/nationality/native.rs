//! The native twin; numbers are those of `specs/statements/nationality.md`.

use super::Nationality;
use super::witness::{Opened, PLACE};
use crate::Fr;
use crate::claim::ClaimType;
use crate::group::leaf;
use crate::statements::common::{Broken, binding, claim_root};
use crate::statements::relation::id;
use crate::value::{COUNTRY_BITS, Domain, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, bound, root] = publics else { return vec![0] };
    let mut broken = Broken::default();
    broken.unless(of == id::<Nationality>(), 1);

    let kind = tag(Domain::Claim, ClaimType::NATIONALITY.number());
    let own = opened.code.hash(kind, opened.document);
    let claims = claim_root(own, PLACE, &opened.siblings);
    let secrets = [opened.secret, opened.document, claims];
    broken.unless(bound == binding([audience, account], secrets), 2);

    broken.small(opened.code.value, COUNTRY_BITS, 3);
    broken.unless(root == opened.path.root(leaf(opened.code.value)), 4);
    broken.done()
}
