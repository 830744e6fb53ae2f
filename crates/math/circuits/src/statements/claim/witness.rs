//! What the holder has.

use crate::Fr;
use crate::claim::{ClaimType, SET_DEPTH};
use crate::statements::WitnessError;
pub use crate::statements::common::Witness;
use crate::statements::common::{Bound, OpenedClaim};

/// The witness as elements.
#[derive(Clone)]
#[doc(hidden)]
pub struct Opened {
    pub(crate) bound: Bound,
    pub(crate) claim: OpenedClaim,
    pub(crate) siblings: [Fr; SET_DEPTH],
    /// Whether the claim's way up comes from the right, on each level; nobody sees its place.
    pub(crate) right: [bool; SET_DEPTH],
}

impl Opened {
    pub(crate) fn of(kind: ClaimType, witness: Witness<'_>) -> Result<Self, WitnessError> {
        let (place, claim) = witness.claims.find(kind).ok_or(WitnessError::NoClaim)?;
        Ok(Self {
            bound: Bound::of(witness.holder, witness.claims),
            claim: OpenedClaim::of(claim),
            siblings: witness.claims.path(place),
            right: std::array::from_fn(|up| (place >> up) & 1 == 1),
        })
    }

    pub(crate) fn place(&self) -> usize {
        self.right.iter().rev().fold(0, |place, right| place << 1 | usize::from(*right))
    }
}
