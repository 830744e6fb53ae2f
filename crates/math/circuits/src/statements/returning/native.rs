//! The native twin; numbers are those of `specs/statements/returning.md`.

use super::Returning;
use crate::Fr;
use crate::statements::combined::{self, Opened};
use crate::statements::common::Broken;
use crate::statements::relation::id;

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let Ok(publics) = publics.try_into() else { return vec![0] };
    let publics: &[Fr; 8] = publics;
    let mut broken = Broken::default();
    broken.unless(publics[0] == id::<Returning>(), 1);
    combined::broken(&mut broken, publics, opened);
    broken.done()
}
