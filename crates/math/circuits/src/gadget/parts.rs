//! Parts that several circuits have.

use midnight_proofs::circuit::{Layouter, Value};

use super::board::{Board, Cell, Drawn};
use crate::Fr;
use crate::claim::SET_DEPTH;
use crate::group::{GROUP_DEPTH, Path};
use crate::value::{COUNTRY_BITS, Domain, tag};

/// The first public inputs of each statement.
pub(crate) struct Session {
    pub audience: Cell,
    pub account: Cell,
}

/// Constraint 1 of each statement: the first public input is its id. Nonce, audience and account
/// follow it.
pub(crate) fn session<L: Layouter<Fr>>(board: &mut Board<'_, L>, id: Fr) -> Drawn<Session> {
    let id = board.fixed(id)?;
    board.publish(&id)?;
    board.public()?;
    let audience = board.public()?;
    let account = board.public()?;
    Ok(Session { audience, account })
}

impl Session {
    /// The binding of a holder, a document and its claims to this account at this audience.
    pub(crate) fn binding<L: Layouter<Fr>>(
        &self,
        board: &mut Board<'_, L>,
        [secret, document, root]: [&Cell; 3],
    ) -> Drawn<Cell> {
        let domain = board.tag(Domain::Binding, 0)?;
        board.hash(&[&domain, secret, &self.account, &self.audience, document, root])
    }
}

/// A claim: of a type, a value, a document, a salt.
pub(crate) fn claim<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    [kind, value, document, salt]: [&Cell; 4],
) -> Drawn<Cell> {
    board.hash(&[kind, value, document, salt])
}

/// The place of a claim set that says who the holder is.
pub(crate) fn holder<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    secret: &Cell,
    until: &Cell,
) -> Drawn<Cell> {
    let domain = board.tag(Domain::Holder, 0)?;
    board.hash(&[&domain, secret, until])
}

/// The root over a claim set, from what stands at a place that the circuit fixes.
pub(crate) fn claim_root<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    leaf: Cell,
    place: usize,
    siblings: &Value<[Fr; SET_DEPTH]>,
) -> Drawn<Cell> {
    (0..SET_DEPTH).try_fold(leaf, |below, up| {
        let sibling = board.private(siblings.as_ref().map(|s| s[up]))?;
        if (place >> up) & 1 == 1 {
            board.hash(&[&sibling, &below])
        } else {
            board.hash(&[&below, &sibling])
        }
    })
}

/// The root over a group from a nationality, which is held to 24 bits: a larger number could be
/// that of the padding.
pub(crate) fn group_root<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    code: &Cell,
    path: &Value<Path>,
) -> Drawn<Cell> {
    board.below(code, COUNTRY_BITS)?;
    let tagged = board.sum(&[(Fr::from(1), code)], tag(Domain::Leaf, 0))?;
    let leaf = board.hash(&[&tagged])?;
    (0..GROUP_DEPTH).try_fold(leaf, |below, up| {
        let sibling = board.private(path.as_ref().map(|p| p.siblings[up]))?;
        let right = board.private_bit(path.as_ref().map(|p| p.right[up]))?;
        let (left, right) = board.swap(&right, &below, &sibling)?;
        board.hash(&[&left, &right])
    })
}
