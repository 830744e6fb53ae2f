//! The circuit; numbers are those of `specs/statements/validity.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Validity;
use super::witness::{Opened, PLACE};
use crate::Fr;
use crate::claim::ClaimType;
use crate::gadget::{Board, Drawn, claim, claim_root, session};
use crate::statements::relation::id;
use crate::value::{DATE_BITS, Domain};

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1
    let session = session(board, id::<Validity>())?;
    // 2
    let secret = board.private(opened.as_ref().map(|o| o.secret))?;
    let document = board.private(opened.as_ref().map(|o| o.document))?;
    let expiry = board.private(opened.as_ref().map(|o| o.expiry.value))?;
    let salt = board.private(opened.as_ref().map(|o| o.expiry.salt))?;
    let kind = board.tag(Domain::Claim, ClaimType::DOCUMENT_EXPIRY.number())?;
    let leaf = claim(board, [&kind, &expiry, &document, &salt])?;
    let root = claim_root(board, leaf, PLACE, &opened.as_ref().map(|o| o.siblings))?;
    let binding = session.binding(board, [&secret, &document, &root])?;
    board.publish(&binding)?;
    // 3, 4
    let date = board.public()?;
    board.below(&expiry, DATE_BITS)?;
    board.below(&date, DATE_BITS)?;
    // 5
    board.at_most(&date, &expiry, DATE_BITS)
}
