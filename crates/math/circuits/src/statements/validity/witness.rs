//! What the holder has.

use crate::Fr;
use crate::claim::{ClaimSet, Holder, SET_DEPTH};
use crate::statements::common::OpenedClaim;

/// The place of the document's expiry in a claim set.
pub(crate) const PLACE: usize = 2;

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
    pub(crate) expiry: OpenedClaim,
    pub(crate) siblings: [Fr; SET_DEPTH],
}

impl Opened {
    pub(crate) fn of(witness: Witness<'_>) -> Self {
        Self {
            secret: witness.holder.secret.element(),
            document: witness.claims.document.element(),
            expiry: OpenedClaim::of(&witness.claims.expiry),
            siblings: witness.claims.path(PLACE),
        }
    }
}
