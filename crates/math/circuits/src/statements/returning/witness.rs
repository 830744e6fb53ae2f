//! What the holder has.

use crate::claim::{ClaimSet, Holder};

/// The holder and their claims.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'w> {
    /// Claims of one document.
    pub claims: &'w ClaimSet,
    /// Who they are about.
    pub holder: &'w Holder,
}
