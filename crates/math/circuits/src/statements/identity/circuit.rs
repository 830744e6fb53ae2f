//! The circuit; numbers are those of `specs/statements/identity.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Identity;
use super::witness::Opened;
use crate::Fr;
use crate::gadget::{Board, Drawn, signed};
use crate::statements::combined;
use crate::statements::relation::id;
use crate::value::Domain;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1 to 12
    let facts = opened.as_ref().map(|o| o.combined.clone());
    let of = combined::draw(board, id::<Identity>(), &facts)?;
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
    let nullifier = board.hash(&[&domain, &of.secret, &of.audience, &epoch])?;
    let shown = board.product(&unique, &nullifier)?;
    board.publish(&shown)
}
