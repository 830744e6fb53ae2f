//! The circuit; numbers are those of `specs/statements/binding.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Bound;
use super::witness::Opened;
use crate::Fr;
use crate::claim::HOLDER_PLACE;
use crate::gadget::{Board, Drawn, claim_root, holder, session};
use crate::statements::relation::id;
use crate::value::DATE_BITS;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1
    let session = session(board, id::<Bound>())?;
    // 2
    let secret = board.private(opened.as_ref().map(|o| o.secret))?;
    let until = board.private(opened.as_ref().map(|o| o.until))?;
    let document = board.private(opened.as_ref().map(|o| o.document))?;
    let leaf = holder(board, &secret, &until)?;
    let root = claim_root(board, leaf, HOLDER_PLACE, &opened.as_ref().map(|o| o.siblings))?;
    let binding = session.binding(board, [&secret, &document, &root])?;
    board.publish(&binding)?;
    // 3, 4
    let date = board.public()?;
    board.below(&until, DATE_BITS)?;
    board.below(&date, DATE_BITS)?;
    // 5
    board.at_most(&date, &until, DATE_BITS)
}
