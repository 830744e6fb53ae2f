//! The native twin; numbers are those of `specs/statements/key.md`.

use super::Key;
use super::witness::Opened;
use crate::Fr;
use crate::statements::common::Broken;
use crate::statements::relation::id;
use crate::value::{Domain, hash, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let &[of, _, audience, account, _, enrolled] = publics else { return vec![0] };
    let mut broken = Broken::default();
    broken.unless(of == id::<Key>(), 1);
    broken.unless(enrolled == commitment(opened, audience, account), 2);
    broken.done()
}

pub(super) fn commitment(opened: &Opened, audience: Fr, account: Fr) -> Fr {
    hash(&[tag(Domain::Key, 0), opened.key, opened.blind, account, audience])
}
