//! The circuit; numbers are those of `specs/statements/capsule.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Capsule;
use super::witness::{Opened, PARTS};
use crate::Fr;
use crate::gadget::{Board, Cell, Drawn, signed};
use crate::statements::relation::id;
use crate::value::Domain;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1
    let id = board.fixed(id::<Capsule>())?;
    board.publish(&id)?;
    // The receipt is said, and nothing else of it.
    board.public()?;
    let policy = board.public()?;
    // 2
    let component: Vec<Cell> = (0..PARTS)
        .map(|at| board.private(opened.as_ref().map(|o| o.component[at])))
        .collect::<Drawn<_>>()?;
    let capsule = board.private(opened.as_ref().map(|o| o.capsule))?;
    let domain = board.tag(Domain::Capsule, 0)?;
    let [first, second, third] = [&component[0], &component[1], &component[2]];
    let description = board.hash(&[&domain, first, second, third, &capsule, &policy])?;
    let (s, e) = (opened.as_ref().map(|o| o.s), opened.as_ref().map(|o| o.e));
    signed(board, &description, s, e)?;
    // 3
    let salt = board.private(opened.as_ref().map(|o| o.salt))?;
    let domain = board.tag(Domain::Component, 0)?;
    let commitment = board.hash(&[&domain, first, second, third, &salt])?;
    board.publish(&commitment)
}
