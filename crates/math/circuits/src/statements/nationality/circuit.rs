//! The circuit; numbers are those of `specs/statements/nationality.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Nationality;
use super::witness::Opened;
use crate::Fr;
use crate::gadget::{Board, Drawn, bound, group_root};
use crate::statements::relation::id;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1, 2
    let of = opened.as_ref().map(|o| o.bound.clone());
    let (_, holder) = bound(board, id::<Nationality>(), &of)?;
    // 3, 4
    let root = group_root(board, &holder.code, &opened.as_ref().map(|o| o.path))?;
    board.publish(&root)
}
