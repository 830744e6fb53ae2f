//! What the holder has.

use midnight_curves::Fr as Scalar;

use super::native::nullifier;
use crate::Fr;
use crate::claim::{ClaimSet, HOLDER_PLACE, Holder, SET_DEPTH};
use crate::group::GroupName;
use crate::issuer::Signature;
use crate::statements::WitnessError;
use crate::statements::combined;
use crate::value::{Element, Session};

/// The holder, their claims, and the issuer's signature over them.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'w> {
    /// Claims of one document.
    pub claims: &'w ClaimSet,
    /// Who they are about.
    pub holder: &'w Holder,
    /// The issuer's signature over the claims' root.
    pub signature: &'w Signature,
}

/// Says that a holder was here in an epoch, and not who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nullifier(pub Element);

/// The witness as elements.
#[derive(Clone)]
#[doc(hidden)]
pub struct Opened {
    pub(crate) combined: combined::Opened,
    /// Of birth, nationality and expiry.
    pub(crate) salts: [Fr; 3],
    /// The node over the other claims.
    pub(crate) others: Fr,
    pub(crate) s: Scalar,
    pub(crate) e: Fr,
}

impl Nullifier {
    /// The nullifier of a holder at a session's audience in an epoch.
    pub fn of(session: &Session, holder: &Holder, epoch: u32) -> Self {
        let epoch = Fr::from(u64::from(epoch));
        Self(Element(nullifier(holder.secret.element(), session.audience(), epoch)))
    }
}

impl Opened {
    pub(crate) fn of(group: GroupName, witness: Witness<'_>) -> Result<Self, WitnessError> {
        let combined = combined::Opened::of(group, witness.claims, witness.holder)?;
        let Witness { claims, signature, .. } = witness;
        Ok(Self {
            combined,
            salts: [&claims.birth, &claims.nationality, &claims.expiry].map(|c| c.salt.element()),
            others: claims.path(HOLDER_PLACE)[SET_DEPTH - 1],
            s: signature.s,
            e: signature.e,
        })
    }
}
