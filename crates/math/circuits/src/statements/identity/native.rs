//! The native twin; numbers are those of `specs/statements/identity.md`.

use group::Group;
use midnight_circuits::ecc::curves::CircuitCurve;
use midnight_curves::{JubjubExtended, JubjubSubgroup};

use super::Identity;
use super::witness::Opened;
use crate::Fr;
use crate::claim::{ClaimRoot, ClaimType};
use crate::issuer::{IssuerPublicKey, Signature, coordinates};
use crate::statements::combined;
use crate::statements::common::{Broken, OpenedClaim, holder};
use crate::statements::relation::id;
use crate::value::{Domain, Element, hash, node, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let Some((first, &[u, v, unique, epoch, shown])) = publics.split_first_chunk::<8>() else {
        return vec![0];
    };
    let mut broken = Broken::default();
    broken.unless(first[0] == id::<Identity>(), 1);
    combined::broken(&mut broken, first, &opened.combined);
    broken.unless(signed([u, v], opened), 13);
    broken.unless(unique * unique == unique, 14);
    let nullifier = nullifier(opened.combined.bound.secret, first[2], epoch);
    broken.unless(shown == unique * nullifier, 15);
    broken.unless(opened.combined.bound.root == claims(opened), 16);
    broken.done()
}

/// The root over the claim set.
pub(super) fn claims(opened: &Opened) -> Fr {
    let of = &opened.combined.bound;
    let claim = |kind: ClaimType, value, salt| {
        OpenedClaim { value, salt }.hash(tag(Domain::Claim, kind.number()), of.document)
    };
    let [birth, code, expiry] = opened.salts;
    let first = node(
        claim(ClaimType::BIRTH_DATE, of.birth, birth),
        claim(ClaimType::NATIONALITY, of.code, code),
    );
    let second =
        node(claim(ClaimType::DOCUMENT_EXPIRY, of.expiry, expiry), holder(of.secret, of.until));
    node(node(first, second), opened.others)
}

fn signed([u, v]: [Fr; 2], opened: &Opened) -> bool {
    let Some(point) = JubjubExtended::from_xy(u, v) else { return false };
    let Some(key): Option<JubjubSubgroup> = point.try_into_subgroup() else { return false };
    // The library reads a point by one coordinate and the other's sign.
    if coordinates(&key) != (u, v) || bool::from(key.is_identity()) {
        return false;
    }
    let signature = Signature { s: opened.s, e: opened.e };
    let root = ClaimRoot(Element(opened.combined.bound.root));
    signature.verify(&IssuerPublicKey(key), &root).is_ok()
}

pub(super) fn nullifier(secret: Fr, audience: Fr, epoch: Fr) -> Fr {
    hash(&[tag(Domain::Nullifier, 0), secret, audience, epoch])
}
