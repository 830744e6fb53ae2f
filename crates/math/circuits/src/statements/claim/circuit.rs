//! The circuit; numbers are those of `specs/statements/claim.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Says;
use super::witness::Opened;
use crate::Fr;
use crate::claim::SET_DEPTH;
use crate::gadget::{Board, Drawn, bound, claim};
use crate::statements::relation::id;
use crate::value::{Domain, tag};

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    let (zero, one) = (Fr::from(0), Fr::from(1));
    // 1, 2
    let of = opened.as_ref().map(|o| o.bound.clone());
    let (_, holder) = bound(board, id::<Says>(), &of)?;
    // 10
    let kind = board.public()?;
    let value = board.private(opened.as_ref().map(|o| o.claim.value))?;
    let salt = board.private(opened.as_ref().map(|o| o.claim.salt))?;
    let tagged = board.sum(&[(one, &kind)], tag(Domain::Claim, 0))?;
    let mut node = claim(board, [&tagged, &value, &holder.document, &salt])?;
    for up in 0..SET_DEPTH {
        let sibling = board.private(opened.as_ref().map(|o| o.siblings[up]))?;
        let right = board.private_bit(opened.as_ref().map(|o| o.right[up]))?;
        let (left, right) = board.swap(&right, &node, &sibling)?;
        node = board.hash(&[&left, &right])?;
    }
    board.equal(&node, &holder.root)?;
    // 3: a bit is its own square
    let exact = board.public()?;
    let square = board.product(&exact, &exact)?;
    board.equal(&square, &exact)?;
    // 4
    let equal = board.public()?;
    let difference = board.sum(&[(one, &value), (-one, &equal)], zero)?;
    let off = board.product(&exact, &difference)?;
    board.equal_fixed(&off, zero)?;
    // 5, 6, 7: the value where a range is asked for, else zero
    let low = board.public()?;
    let high = board.public()?;
    let exactly = board.product(&exact, &value)?;
    let ranged = board.sum(&[(one, &value), (-one, &exactly)], zero)?;
    for cell in [&ranged, &low, &high] {
        board.below(cell, 64)?;
    }
    // 8, 9
    board.at_most(&low, &ranged, 64)?;
    board.at_most(&ranged, &high, 64)
}
