//! The circuit; numbers are those of `specs/statements/returning.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Returning;
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::statements::combined::{self, Opened};
use crate::statements::relation::id;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1 to 12
    combined::draw(board, id::<Returning>(), opened).map(drop)
}
