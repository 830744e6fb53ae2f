//! The native twin; numbers are those of `specs/statements/identity.md`.

use super::Identity;
use super::witness::Opened;
use crate::Fr;
use crate::claim::ClaimType;
use crate::issuer::Signature;
use crate::statements::combined;
use crate::statements::common::{Broken, OpenedClaim, holder, signed};
use crate::statements::relation::id;
use crate::value::{Domain, hash, node, tag};

pub(super) fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
    let Some((first, &[u, v, unique, epoch, shown])) = publics.split_first_chunk::<8>() else {
        return vec![0];
    };
    let mut broken = Broken::default();
    broken.unless(first[0] == id::<Identity>(), 1);
    combined::broken(&mut broken, first, &opened.combined);
    let signature = Signature { s: opened.s, e: opened.e };
    broken.unless(signed([u, v], &signature, opened.combined.bound.root), 13);
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

pub(super) fn nullifier(secret: Fr, audience: Fr, epoch: Fr) -> Fr {
    hash(&[tag(Domain::Nullifier, 0), secret, audience, epoch])
}
