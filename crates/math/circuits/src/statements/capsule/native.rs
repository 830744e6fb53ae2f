//! The native twin; numbers are those of `specs/statements/capsule.md`.

use super::Capsule;
use super::witness::{Opened, PARTS};
use crate::Fr;
use crate::issuer::Signature;
use crate::statements::common::{Broken, signed};
use crate::statements::relation::id;
use crate::value::{Domain, hash, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, policy, u, v, committed] = publics else { return vec![0] };
    let Opened { component, capsule, salt, s, e } = *opened;
    let mut broken = Broken::default();
    broken.unless(of == id::<Capsule>(), 1);
    let signature = Signature { s, e };
    broken.unless(signed([u, v], &signature, description(component, capsule, policy)), 2);
    broken.unless(committed == commitment(component, salt), 3);
    broken.done()
}

/// What a publisher signs of a capsule.
pub(super) fn description([a, b, c]: [Fr; PARTS], capsule: Fr, policy: Fr) -> Fr {
    hash(&[tag(Domain::Capsule, 0), a, b, c, capsule, policy])
}

/// What a receipt says of a component that it hides.
pub(super) fn commitment([a, b, c]: [Fr; PARTS], salt: Fr) -> Fr {
    hash(&[tag(Domain::Component, 0), a, b, c, salt])
}
