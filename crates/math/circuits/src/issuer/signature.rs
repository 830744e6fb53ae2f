//! The signature: `s = k - e * sk`, `e = Poseidon(domain, pk, R, signed)` with `R = k * G`. What is signed is a claim
//! set's root, or a capsule's description: hashes that are never one another.

use group::Group;
use midnight_curves::{Fr as Scalar, JubjubSubgroup};

use super::key::{IssuerPublicKey, coordinates, reduce};
use crate::Fr;
use crate::claim::ClaimRoot;
use crate::value::{Domain, Element, hash, tag};

/// Bytes of a signature: s, then e, each 32, little-endian.
pub const SIGNATURE_BYTES: usize = 64;

/// An issuer's signature over a claim set, or a publisher's over a capsule. Its holder keeps it: who sees it knows the holder again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub(crate) s: Scalar,
    pub(crate) e: Fr,
}

/// A signature that is not over this root by this key, or bytes that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signature of this issuer over these claims")]
pub struct BadSignature;

impl Signature {
    /// Reads canonical bytes, and no others.
    pub fn from_bytes(bytes: &[u8; SIGNATURE_BYTES]) -> Result<Self, BadSignature> {
        let (mut s, mut e) = ([0; 32], [0; 32]);
        s.copy_from_slice(&bytes[..32]);
        e.copy_from_slice(&bytes[32..]);
        let s: Option<Scalar> = Scalar::from_bytes(&s).into();
        let e = Element::from_bytes(&e).map_err(|_| BadSignature)?.0;
        Ok(Self { s: s.ok_or(BadSignature)?, e })
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[..32].copy_from_slice(&self.s.to_bytes());
        bytes[32..].copy_from_slice(&Element(self.e).to_bytes());
        bytes
    }

    /// Checks it.
    pub fn verify(&self, key: &IssuerPublicKey, root: &ClaimRoot) -> Result<(), BadSignature> {
        self.verify_element(key, root.0.0)
    }

    /// Checks that it is over an element.
    pub(crate) fn verify_element(
        &self,
        key: &IssuerPublicKey,
        signed: Fr,
    ) -> Result<(), BadSignature> {
        let point = JubjubSubgroup::generator() * self.s + key.0 * reduce(self.e);
        if challenge(key, &point, signed) == self.e { Ok(()) } else { Err(BadSignature) }
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature")
    }
}

/// The challenge of a signature.
pub(crate) fn challenge(key: &IssuerPublicKey, point: &JubjubSubgroup, signed: Fr) -> Fr {
    let ((key_u, key_v), (u, v)) = (coordinates(&key.0), coordinates(point));
    hash(&[tag(Domain::Signature, 0), key_u, key_v, u, v, signed])
}
