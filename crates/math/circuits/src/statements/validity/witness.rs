//! What the holder has.

use crate::claim::{ClaimSet, Holder};
use crate::statements::common;

/// The holder and their claims.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'w> {
    /// Claims of one document.
    pub claims: &'w ClaimSet,
    /// Who they are about.
    pub holder: &'w Holder,
}

/// The witness as elements.
pub(crate) type Opened = common::Bound;

impl Witness<'_> {
    pub(crate) fn opened(self) -> Opened {
        Opened::of(self.holder, self.claims)
    }
}
