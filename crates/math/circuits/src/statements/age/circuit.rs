//! The circuit; numbers are those of `specs/statements/age.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Age;
use super::witness::Opened;
use crate::Fr;
use crate::gadget::{Board, Drawn, bound};
use crate::statements::relation::id;
use crate::value::{DATE_BITS, YEAR};

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1, 2
    let (_, holder) = bound(board, id::<Age>(), opened)?;
    // 3, 4, 5
    let date = board.public()?;
    let years = board.public()?;
    board.below(&holder.birth, DATE_BITS)?;
    board.below(&years, 8)?;
    board.below(&date, DATE_BITS)?;
    // 6
    let terms = [(Fr::from(1), &holder.birth), (Fr::from(YEAR), &years)];
    let anniversary = board.sum(&terms, Fr::from(0))?;
    board.at_most(&anniversary, &date, DATE_BITS)
}
