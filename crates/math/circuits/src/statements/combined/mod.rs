//! What the combined statements share: age, validity, nationality and binding over one document.

#[cfg(test)]
mod cases;

use midnight_proofs::circuit::{Layouter, Value};

use super::common::{Broken, OpenedClaim, binding, holder};
use super::{Binding, WitnessError};
use crate::Fr;
use crate::claim::{ClaimSet, ClaimType, HOLDER_PLACE, Holder, SET_DEPTH};
use crate::gadget::{self, Board, Cell, Drawn};
use crate::group::{Group, GroupName, Path, leaf};
use crate::value::{COUNTRY_BITS, DATE_BITS, Date, Domain, Session, YEAR, node, tag};

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

/// The three claims and the holder, as elements.
#[derive(Clone)]
pub struct Opened {
    pub(crate) secret: Fr,
    pub(crate) until: Fr,
    pub(crate) document: Fr,
    pub(crate) birth: OpenedClaim,
    pub(crate) code: OpenedClaim,
    pub(crate) expiry: OpenedClaim,
    /// The node over the other claims.
    pub(crate) others: Fr,
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
        let code = OpenedClaim::of(&claims.nationality);
        let path = Group::of(group).path(code.value).map_err(|_| WitnessError::NotMember)?;
        Ok(Self {
            secret: holder.secret.element(),
            until: holder.until.element(),
            document: claims.document.element(),
            birth: OpenedClaim::of(&claims.birth),
            code,
            expiry: OpenedClaim::of(&claims.expiry),
            others: claims.path(HOLDER_PLACE)[SET_DEPTH - 1],
            path,
        })
    }

    /// The root over the claim set.
    pub(super) fn root(&self) -> Fr {
        let of = |claim: &OpenedClaim, kind: ClaimType| {
            claim.hash(tag(Domain::Claim, kind.number()), self.document)
        };
        let first =
            node(of(&self.birth, ClaimType::BIRTH_DATE), of(&self.code, ClaimType::NATIONALITY));
        let expiry = of(&self.expiry, ClaimType::DOCUMENT_EXPIRY);
        let second = node(expiry, holder(self.secret, self.until));
        node(node(first, second), self.others)
    }
}

/// Constraints 2 to 12, as `specs/statements/identity.md` numbers them.
pub(super) fn broken(broken: &mut Broken, publics: &[Fr; 8], opened: &Opened) {
    let [_, _, audience, account, bound, date, years, root] = *publics;
    let secrets = [opened.secret, opened.document, opened.root()];
    broken.unless(bound == binding([audience, account], secrets), 2);

    let birth = broken.small(opened.birth.value, DATE_BITS, 3);
    let years = broken.small(years, 8, 4);
    let date = broken.small(date, DATE_BITS, 5);
    let expiry = broken.small(opened.expiry.value, DATE_BITS, 7);
    broken.small(opened.code.value, COUNTRY_BITS, 9);
    broken.unless(root == opened.path.root(leaf(opened.code.value)), 10);
    let until = broken.small(opened.until, DATE_BITS, 11);
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

/// Cells that the combined statements go on with.
pub(super) struct Combined {
    pub audience: Cell,
    pub secret: Cell,
    pub root: Cell,
}

/// Constraints 1 to 12.
pub(super) fn draw<L: Layouter<Fr>>(
    board: &mut Board<'_, L>,
    id: Fr,
    opened: &Value<Opened>,
) -> Drawn<Combined> {
    // 1
    let session = gadget::session(board, id)?;
    // 2
    let secret = board.private(opened.as_ref().map(|o| o.secret))?;
    let until = board.private(opened.as_ref().map(|o| o.until))?;
    let document = board.private(opened.as_ref().map(|o| o.document))?;
    let claims = opened.as_ref().map(|o| [&o.birth, &o.code, &o.expiry].map(Clone::clone));
    let kinds = [ClaimType::BIRTH_DATE, ClaimType::NATIONALITY, ClaimType::DOCUMENT_EXPIRY];
    let mut values = Vec::with_capacity(3);
    let mut leaves = Vec::with_capacity(4);
    for (at, kind) in kinds.into_iter().enumerate() {
        let value = board.private(claims.as_ref().map(|c| c[at].value))?;
        let salt = board.private(claims.as_ref().map(|c| c[at].salt))?;
        let kind = board.tag(Domain::Claim, kind.number())?;
        leaves.push(gadget::claim(board, [&kind, &value, &document, &salt])?);
        values.push(value);
    }
    leaves.push(gadget::holder(board, &secret, &until)?);
    let first = board.hash(&[&leaves[0], &leaves[1]])?;
    let second = board.hash(&[&leaves[2], &leaves[3]])?;
    let four = board.hash(&[&first, &second])?;
    let others = board.private(opened.as_ref().map(|o| o.others))?;
    let root = board.hash(&[&four, &others])?;
    let binding = session.binding(board, [&secret, &document, &root])?;
    board.publish(&binding)?;
    let [birth, code, expiry] = [&values[0], &values[1], &values[2]];
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
    board.below(&until, DATE_BITS)?;
    board.at_most(&date, &until, DATE_BITS)?;
    Ok(Combined { audience: session.audience, secret, root })
}
