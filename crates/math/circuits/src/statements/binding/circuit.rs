//! The circuit; numbers are those of `specs/statements/binding.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Bound;
use super::witness::Opened;
use crate::Fr;
use crate::gadget::{Board, Drawn, bound};
use crate::statements::relation::id;
use crate::value::DATE_BITS;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1, 2
    let (_, holder) = bound(board, id::<Bound>(), opened)?;
    // 3, 4
    let date = board.public()?;
    board.below(&holder.until, DATE_BITS)?;
    board.below(&date, DATE_BITS)?;
    // 5
    board.at_most(&date, &holder.until, DATE_BITS)
}
