//! What the holder has.

use crate::Fr;
use crate::claim::{ClaimSet, Holder, SET_DEPTH};
use crate::group::{Group, GroupName, Path};
use crate::statements::WitnessError;
use crate::statements::common::OpenedClaim;

/// The place of the nationality in a claim set.
pub(crate) const PLACE: usize = 1;

/// The holder and their claims.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'w> {
    /// Claims of one document.
    pub claims: &'w ClaimSet,
    /// Who they are about.
    pub holder: &'w Holder,
}

/// The witness as elements.
#[derive(Clone)]
#[doc(hidden)]
pub struct Opened {
    pub(crate) secret: Fr,
    pub(crate) document: Fr,
    pub(crate) code: OpenedClaim,
    pub(crate) siblings: [Fr; SET_DEPTH],
    pub(crate) path: Path,
}

impl Opened {
    pub(crate) fn of(group: GroupName, witness: Witness<'_>) -> Result<Self, WitnessError> {
        let code = OpenedClaim::of(&witness.claims.nationality);
        let path = Group::of(group).path(code.value).map_err(|_| WitnessError::NotMember)?;
        Ok(Self {
            secret: witness.holder.secret.element(),
            document: witness.claims.document.element(),
            code,
            siblings: witness.claims.path(PLACE),
            path,
        })
    }
}
