//! What the native twins share.

use ff::PrimeField;
use group::Group;
use midnight_circuits::ecc::curves::CircuitCurve;
use midnight_curves::{JubjubExtended, JubjubSubgroup};

use crate::Fr;
use crate::claim::{ClaimSet, Holder};
use crate::issuer::{IssuerPublicKey, Signature, coordinates};
use crate::value::{Domain, Element, Session, hash, node, tag};

/// A holder, a document and its claims, bound to one account at one audience.
///
/// Nobody without the holder's custody secret can compute it, the issuer neither; at another
/// audience, or for another account, the same holder has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding(pub Element);

impl Binding {
    /// The binding of a holder and their claims in a session.
    pub fn of(session: &Session, holder: &Holder, claims: &ClaimSet) -> Self {
        Self(Element(Bound::of(holder, claims).binding([session.audience(), session.account()])))
    }
}

/// What a holder has: the witness of every statement over a binding.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'w> {
    /// Claims of one document.
    pub claims: &'w ClaimSet,
    /// Who they are about.
    pub holder: &'w Holder,
}

/// What a binding is made of beside the account and its audience.
///
/// The three facts stand in it themselves, and the secret's last day: who shows them again opens the binding, and
/// neither a claim nor the way to the root.
#[derive(Clone)]
#[doc(hidden)]
pub struct Bound {
    pub(crate) secret: Fr,
    pub(crate) document: Fr,
    pub(crate) root: Fr,
    pub(crate) birth: Fr,
    pub(crate) code: Fr,
    pub(crate) expiry: Fr,
    pub(crate) until: Fr,
}

impl Bound {
    pub(crate) fn of(holder: &Holder, claims: &ClaimSet) -> Self {
        Self {
            secret: holder.secret.element(),
            document: claims.document.element(),
            root: claims.root().0.0,
            birth: claims.birth.value.element(),
            code: claims.nationality.value.element(),
            expiry: claims.expiry.value.element(),
            until: holder.until.element(),
        }
    }

    pub(crate) fn binding(&self, [audience, account]: [Fr; 2]) -> Fr {
        let Self { secret, document, root, birth, code, expiry, until } = *self;
        let domain = tag(Domain::Binding, 0);
        hash(&[domain, secret, account, audience, document, root, birth, code, expiry, until])
    }

    /// The public binding of the first public inputs again, after this was changed.
    #[cfg(test)]
    pub(crate) fn bind(&self, publics: &mut [Fr]) {
        publics[4] = self.binding([publics[2], publics[3]]);
    }
}

/// A claim with what stands around it, opened.
#[derive(Clone)]
pub(crate) struct OpenedClaim {
    pub value: Fr,
    pub salt: Fr,
}

impl OpenedClaim {
    pub(crate) fn of(claim: &crate::claim::Claim) -> Self {
        Self { value: claim.value.element(), salt: claim.salt.element() }
    }

    pub(crate) fn hash(&self, kind: Fr, document: Fr) -> Fr {
        hash(&[kind, self.value, document, self.salt])
    }
}

/// The root over a claim set from what stands at a place.
pub(crate) fn claim_root(leaf: Fr, place: usize, siblings: &[Fr]) -> Fr {
    siblings.iter().enumerate().fold(leaf, |below, (up, sibling)| {
        if (place >> up) & 1 == 1 { node(*sibling, below) } else { node(below, *sibling) }
    })
}

/// Whether a signature is over an element by the key of these coordinates, and those are of a key.
pub(crate) fn signed([u, v]: [Fr; 2], signature: &Signature, message: Fr) -> bool {
    let Some(point) = JubjubExtended::from_xy(u, v) else { return false };
    let Some(key): Option<JubjubSubgroup> = point.try_into_subgroup() else { return false };
    // The library reads a point by one coordinate and the other's sign.
    if coordinates(&key) != (u, v) || bool::from(key.is_identity()) {
        return false;
    }
    signature.verify_element(&IssuerPublicKey(key), message).is_ok()
}

/// The integer of an element that is below `2^bits`, up to 64.
pub(crate) fn small(element: Fr, bits: u32) -> Option<u64> {
    let repr = element.to_repr();
    let (low, high) = repr.as_ref().split_at(8);
    let low = u64::from_le_bytes(low.try_into().ok()?);
    let fits = high.iter().all(|b| *b == 0) && (bits == 64 || low >> bits == 0);
    fits.then_some(low)
}

/// Collects the numbers of constraints that do not hold.
#[derive(Default)]
pub(crate) struct Broken(Vec<u8>);

impl Broken {
    pub(crate) fn unless(&mut self, holds: bool, number: u8) {
        if !holds {
            self.0.push(number);
        }
    }

    /// The number below `2^bits`; constraint `number` is that it is.
    pub(crate) fn small(&mut self, element: Fr, bits: u32, number: u8) -> Option<u64> {
        let value = small(element, bits);
        self.unless(value.is_some(), number);
        value
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// The place of a claim set that says who the holder is.
pub(crate) fn holder(secret: Fr, until: Fr) -> Fr {
    hash(&[tag(Domain::Holder, 0), secret, until])
}
