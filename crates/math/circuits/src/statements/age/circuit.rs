//! The circuit; numbers are those of `specs/statements/age.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Age;
use super::witness::{Opened, PLACE};
use crate::Fr;
use crate::claim::ClaimType;
use crate::gadget::{Board, Drawn, claim, claim_root, session};
use crate::statements::relation::id;
use crate::value::{DATE_BITS, Domain, YEAR};

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1
    let session = session(board, id::<Age>())?;
    // 2
    let secret = board.private(opened.as_ref().map(|o| o.secret))?;
    let document = board.private(opened.as_ref().map(|o| o.document))?;
    let birth = board.private(opened.as_ref().map(|o| o.birth.value))?;
    let salt = board.private(opened.as_ref().map(|o| o.birth.salt))?;
    let kind = board.tag(Domain::Claim, ClaimType::BIRTH_DATE.number())?;
    let leaf = claim(board, [&kind, &birth, &document, &salt])?;
    let root = claim_root(board, leaf, PLACE, &opened.as_ref().map(|o| o.siblings))?;
    let binding = session.binding(board, [&secret, &document, &root])?;
    board.publish(&binding)?;
    // 3, 4, 5
    let date = board.public()?;
    let years = board.public()?;
    board.below(&birth, DATE_BITS)?;
    board.below(&years, 8)?;
    board.below(&date, DATE_BITS)?;
    // 6
    let anniversary = board.sum(&[(Fr::from(1), &birth), (Fr::from(YEAR), &years)], Fr::from(0))?;
    board.at_most(&anniversary, &date, DATE_BITS)
}
