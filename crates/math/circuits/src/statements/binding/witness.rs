//! What the holder has.

use crate::Fr;
use crate::claim::{ClaimSet, HOLDER_PLACE, Holder, SET_DEPTH};

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
    pub(crate) until: Fr,
    pub(crate) document: Fr,
    pub(crate) siblings: [Fr; SET_DEPTH],
}

impl Opened {
    pub(crate) fn of(witness: Witness<'_>) -> Self {
        Self {
            secret: witness.holder.secret.element(),
            until: witness.holder.until.element(),
            document: witness.claims.document.element(),
            siblings: witness.claims.path(HOLDER_PLACE),
        }
    }
}
