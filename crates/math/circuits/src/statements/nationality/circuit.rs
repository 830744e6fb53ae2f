//! The circuit; numbers are those of `specs/statements/nationality.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Nationality;
use super::witness::{Opened, PLACE};
use crate::Fr;
use crate::claim::ClaimType;
use crate::gadget::{Board, Drawn, claim, claim_root, group_root, session};
use crate::statements::relation::id;
use crate::value::Domain;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1
    let session = session(board, id::<Nationality>())?;
    // 2
    let secret = board.private(opened.as_ref().map(|o| o.secret))?;
    let document = board.private(opened.as_ref().map(|o| o.document))?;
    let code = board.private(opened.as_ref().map(|o| o.code.value))?;
    let salt = board.private(opened.as_ref().map(|o| o.code.salt))?;
    let kind = board.tag(Domain::Claim, ClaimType::NATIONALITY.number())?;
    let leaf = claim(board, [&kind, &code, &document, &salt])?;
    let root = claim_root(board, leaf, PLACE, &opened.as_ref().map(|o| o.siblings))?;
    let binding = session.binding(board, [&secret, &document, &root])?;
    board.publish(&binding)?;
    // 3, 4
    let root = group_root(board, &code, &opened.as_ref().map(|o| o.path))?;
    board.publish(&root)
}
