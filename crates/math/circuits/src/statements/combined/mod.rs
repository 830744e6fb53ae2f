//! What the combined statements share: age, validity, nationality and binding over one document.

#[cfg(test)]
mod cases;

use midnight_proofs::circuit::{Layouter, Value};

use super::common::{Bound, Broken};
use super::{Binding, WitnessError};
use crate::Fr;
use crate::claim::{ClaimSet, Holder};
use crate::gadget::{self, Board, Drawn};
use crate::group::{Group, GroupName, Path, leaf};
use crate::value::{COUNTRY_BITS, DATE_BITS, Date, Session, YEAR};

#[cfg(test)]
pub(crate) use cases::combined_cases;

/// What the combined statements say of a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The day on which they hold: the verifier's today.
    pub date: Date,
    /// The holder is at least so many years old.
    pub years: u8,
    /// Their nationality is in this group.
    pub group: GroupName,
}

/// What the binding is made of, and the nationality's way through the group.
#[derive(Clone)]
#[doc(hidden)]
pub struct Opened {
    pub(crate) bound: Bound,
    pub(crate) path: Path,
}

impl Facts {
    /// The public inputs up to the group's root.
    pub(super) fn publics(&self, session: &Session, binding: &Binding, id: Fr) -> Vec<Fr> {
        let mut publics = session.public_inputs(id);
        let years = Fr::from(u64::from(self.years));
        publics.extend([binding.0.0, self.date.element(), years, self.group.root().0]);
        publics
    }
}

impl Opened {
    pub(super) fn of(
        group: GroupName,
        claims: &ClaimSet,
        holder: &Holder,
    ) -> Result<Self, WitnessError> {
        let bound = Bound::of(holder, claims);
        let path = Group::of(group).path(bound.code).map_err(|_| WitnessError::NotMember)?;
        Ok(Self { bound, path })
    }
}

/// Constraints 2 to 12, as `specs/statements/identity.md` numbers them.
pub(super) fn broken(broken: &mut Broken, publics: &[Fr; 8], opened: &Opened) {
    let [_, _, audience, account, bound, date, years, root] = *publics;
    let of = &opened.bound;
    broken.unless(bound == of.binding([audience, account]), 2);

    let birth = broken.small(of.birth, DATE_BITS, 3);
    let years = broken.small(years, 8, 4);
    let date = broken.small(date, DATE_BITS, 5);
    let expiry = broken.small(of.expiry, DATE_BITS, 7);
    broken.small(of.code, COUNTRY_BITS, 9);
    broken.unless(root == opened.path.root(leaf(of.code)), 10);
    let until = broken.small(of.until, DATE_BITS, 11);
    if let (Some(birth), Some(years), Some(date)) = (birth, years, date) {
        broken.unless(birth + YEAR * years <= date, 6);
    }
    if let (Some(date), Some(expiry)) = (date, expiry) {
        broken.unless(date <= expiry, 8);
    }
    if let (Some(date), Some(until)) = (date, until) {
        broken.unless(date <= until, 12);
    }
}

/// Constraints 1 to 12; gives the cells that a statement goes on with.
pub(super) fn draw<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    id: Fr,
    opened: &Value<Opened>,
) -> Drawn<(gadget::Session, gadget::Bound)> {
    // 1, 2
    let bound = opened.as_ref().map(|o| o.bound.clone());
    let (session, holder) = gadget::bound(board, id, &bound)?;
    let gadget::Bound { birth, code, expiry, until, .. } = &holder;
    // 3, 4, 5
    let date = board.public()?;
    let years = board.public()?;
    board.below(birth, DATE_BITS)?;
    board.below(&years, 8)?;
    board.below(&date, DATE_BITS)?;
    // 6
    let anniversary = board.sum(&[(Fr::from(1), birth), (Fr::from(YEAR), &years)], Fr::from(0))?;
    board.at_most(&anniversary, &date, DATE_BITS)?;
    // 7, 8
    board.below(expiry, DATE_BITS)?;
    board.at_most(&date, expiry, DATE_BITS)?;
    // 9, 10
    let group = gadget::group_root(board, code, &opened.as_ref().map(|o| o.path))?;
    board.publish(&group)?;
    // 11, 12
    board.below(until, DATE_BITS)?;
    board.at_most(&date, until, DATE_BITS)?;
    Ok((session, holder))
}
