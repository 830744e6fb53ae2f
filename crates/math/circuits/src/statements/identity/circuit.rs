//! The circuit; numbers are those of `specs/statements/identity.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Identity;
use super::witness::Opened;
use crate::Fr;
use crate::claim::ClaimType;
use crate::gadget::{Board, Bound, Cell, Drawn, claim, holder, signed};
use crate::statements::combined;
use crate::statements::relation::id;
use crate::value::Domain;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1 to 12
    let facts = opened.as_ref().map(|o| o.combined.clone());
    let (session, of) = combined::draw(board, id::<Identity>(), &facts)?;
    // 13
    let (s, e) = (opened.as_ref().map(|o| o.s), opened.as_ref().map(|o| o.e));
    signed(board, &of.root, s, e)?;
    // 14: a bit is its own square
    let unique = board.public()?;
    let square = board.product(&unique, &unique)?;
    board.equal(&square, &unique)?;
    // 15
    let epoch = board.public()?;
    let domain = board.tag(Domain::Nullifier, 0)?;
    let nullifier = board.hash(&[&domain, &of.secret, &session.audience, &epoch])?;
    let shown = board.product(&unique, &nullifier)?;
    board.publish(&shown)?;
    // 16
    let root = claims(board, &of, opened)?;
    board.equal(&root, &of.root)
}

/// The root over the claim set of a holder.
fn claims<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    of: &Bound,
    opened: &Value<Opened>,
) -> Drawn<Cell> {
    let facts = [
        (ClaimType::BIRTH_DATE, &of.birth),
        (ClaimType::NATIONALITY, &of.code),
        (ClaimType::DOCUMENT_EXPIRY, &of.expiry),
    ];
    let mut leaves = Vec::with_capacity(4);
    for (at, (kind, value)) in facts.into_iter().enumerate() {
        let salt = board.private(opened.as_ref().map(|o| o.salts[at]))?;
        let kind = board.tag(Domain::Claim, kind.number())?;
        leaves.push(claim(board, [&kind, value, &of.document, &salt])?);
    }
    leaves.push(holder(board, &of.secret, &of.until)?);
    let first = board.hash(&[&leaves[0], &leaves[1]])?;
    let second = board.hash(&[&leaves[2], &leaves[3]])?;
    let four = board.hash(&[&first, &second])?;
    let others = board.private(opened.as_ref().map(|o| o.others))?;
    board.hash(&[&four, &others])
}
