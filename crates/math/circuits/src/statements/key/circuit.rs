//! The circuit; numbers are those of `specs/statements/key.md`.

use midnight_proofs::circuit::{Layouter, Value};

use super::Key;
use super::witness::Opened;
use crate::Fr;
use crate::gadget::{Board, Drawn, session};
use crate::statements::relation::id;
use crate::value::Domain;

pub(super) fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
    // 1
    let session = session(board, id::<Key>())?;
    // The device is said, and nothing else of it.
    board.public()?;
    // 2
    let key = board.private(opened.as_ref().map(|o| o.key))?;
    let blind = board.private(opened.as_ref().map(|o| o.blind))?;
    let domain = board.tag(Domain::Key, 0)?;
    let commitment = board.hash(&[&domain, &key, &blind, &session.account, &session.audience])?;
    board.publish(&commitment)
}
