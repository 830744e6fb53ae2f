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
        let [secret, document] = [&holder.secret, &claims.document].map(|h| h.element());
        let (audience, account) = (session.audience(), session.account());
        Self(Element(binding([audience, account], [secret, document, claims.root().0.0])))
    }
}

pub(crate) fn binding([audience, account]: [Fr; 2], [secret, document, root]: [Fr; 3]) -> Fr {
    hash(&[tag(Domain::Binding, 0), secret, account, audience, document, root])
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
