//! The native twin; numbers are those of `specs/statements/identity.md`.

use super::Identity;
use super::witness::Opened;
use crate::Fr;
use crate::issuer::Signature;
use crate::statements::combined;
use crate::statements::common::{Broken, signed};
use crate::statements::relation::id;
use crate::value::{Domain, hash, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let Some((first, &[u, v, unique, epoch, shown])) = publics.split_first_chunk::<8>() else {
        return vec![0];
    };
    let mut broken = Broken::default();
    broken.unless(first[0] == id::<Identity>(), 1);
    combined::broken(&mut broken, first, &opened.combined);
    let signature = Signature { s: opened.s, e: opened.e };
    broken.unless(signed([u, v], &signature, opened.combined.root()), 13);
    broken.unless(unique * unique == unique, 14);
    let nullifier = nullifier(opened.combined.secret, first[2], epoch);
    broken.unless(shown == unique * nullifier, 15);
    broken.done()
}

pub(super) fn nullifier(secret: Fr, audience: Fr, epoch: Fr) -> Fr {
    hash(&[tag(Domain::Nullifier, 0), secret, audience, epoch])
}
