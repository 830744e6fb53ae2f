//! Parts that several circuits have.

use midnight_proofs::circuit::{Layouter, Value};

use super::board::{Board, Cell, Drawn};
use crate::Fr;
use crate::group::{GROUP_DEPTH, Path};
use crate::statements::common;
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

/// What a binding is made of beside the account and its audience.
pub(crate) struct Bound {
    pub secret: Cell,
    pub document: Cell,
    pub root: Cell,
    pub birth: Cell,
    pub code: Cell,
    pub expiry: Cell,
    pub until: Cell,
}

/// Constraints 1 and 2 of each statement over a binding: the id, and that the public binding is that of the account and of
/// these.
pub(crate) fn bound<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    id: Fr,
    of: &Value<common::Bound>,
) -> Drawn<(Session, Bound)> {
    // 1
    let session = session(board, id)?;
    // 2
    let mut private = |part: fn(&common::Bound) -> Fr| board.private(of.as_ref().map(part));
    let bound = Bound {
        secret: private(|of| of.secret)?,
        document: private(|of| of.document)?,
        root: private(|of| of.root)?,
        birth: private(|of| of.birth)?,
        code: private(|of| of.code)?,
        expiry: private(|of| of.expiry)?,
        until: private(|of| of.until)?,
    };
    let Bound { secret, document, root, birth, code, expiry, until } = &bound;
    let Session { audience, account } = &session;
    let domain = board.tag(Domain::Binding, 0)?;
    let binding = board
        .hash(&[&domain, secret, account, audience, document, root, birth, code, expiry, until])?;
    board.publish(&binding)?;
    Ok((session, bound))
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
