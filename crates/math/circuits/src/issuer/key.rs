//! An issuer's key pair.

use ff::{Field, PrimeField};
use group::{Group, GroupEncoding};
use midnight_curves::{Fr as Scalar, JubjubAffine, JubjubExtended, JubjubSubgroup};
use symbolon_ambient::Rng;
use symbolon_crypto::{hmac_sha256, labels};
use symbolon_secret::Secret;

use super::signature::{Signature, challenge};
use crate::Fr;
use crate::claim::ClaimRoot;
use crate::value::Element;

/// The key that an issuer signs claim sets with, and a publisher its capsules: a scalar of Jubjub's subgroup, not zero.
pub struct IssuerKey {
    scalar: Secret<[u8; 32]>,
    public: IssuerPublicKey,
}

/// The point of an [`IssuerKey`]: of Jubjub's subgroup of prime order, not the identity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IssuerPublicKey(pub(crate) JubjubSubgroup);

/// Bytes that are no key: not canonical, off the curve, of small order, or nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an issuer's key")]
pub struct NotAKey;

impl IssuerKey {
    /// A fresh one.
    pub fn make(rng: &impl Rng) -> Self {
        loop {
            let wide = Secret::<[u8; 64]>::make(|bytes| rng.fill(bytes));
            // EXPOSE: reduced into secret memory.
            let scalar = Scalar::from_bytes_wide(wide.expose());
            if let Ok(key) = Self::of(&scalar) {
                return key;
            }
        }
    }

    /// From its canonical bytes, little-endian.
    pub fn from_secret(bytes: &Secret<[u8; 32]>) -> Result<Self, NotAKey> {
        // EXPOSE: compared with the order, and kept in secret memory.
        let scalar: Option<Scalar> = Scalar::from_bytes(bytes.expose()).into();
        Self::of(&scalar.ok_or(NotAKey)?)
    }

    /// Its bytes, to seal them.
    pub fn secret(&self) -> &Secret<[u8; 32]> {
        &self.scalar
    }

    /// The public half.
    pub fn public(&self) -> IssuerPublicKey {
        self.public
    }

    /// Signs the root over a claim set. The nonce is of the key, the root and fresh bytes, so that
    /// a generator that repeats does not give the key away.
    pub fn sign(&self, root: &ClaimRoot, rng: &impl Rng) -> Signature {
        self.sign_element(root.0, rng)
    }

    /// Signs an element, as [`sign`](Self::sign) does a root.
    pub(crate) fn sign_element(&self, signed: Element, rng: &impl Rng) -> Signature {
        let nonce = self.nonce(signed, &rng.bytes());
        let point = JubjubSubgroup::generator() * nonce;
        let e = challenge(&self.public, &point, signed.0);
        let s = nonce - reduce(e) * self.scalar();
        Signature { s, e }
    }

    fn of(scalar: &Scalar) -> Result<Self, NotAKey> {
        if bool::from(scalar.is_zero()) {
            return Err(NotAKey);
        }
        let public = IssuerPublicKey(JubjubSubgroup::generator() * scalar);
        Ok(Self { scalar: Secret::make(|bytes| *bytes = scalar.to_bytes()), public })
    }

    fn scalar(&self) -> Scalar {
        // EXPOSE: signs; INFALLIBLE: canonical since it was made.
        Option::from(Scalar::from_bytes(self.scalar.expose())).unwrap_or(Scalar::ZERO)
    }

    fn nonce(&self, signed: Element, fresh: &[u8; 32]) -> Scalar {
        let label = labels::ISSUER_NONCE.as_str().as_bytes();
        let half =
            |which: u8| hmac_sha256(&self.scalar, &[label, &[which], fresh, &signed.to_bytes()]).0;
        let mut wide = [0; 64];
        wide[..32].copy_from_slice(&half(0));
        wide[32..].copy_from_slice(&half(1));
        Scalar::from_bytes_wide(&wide)
    }
}

impl IssuerPublicKey {
    /// Reads a compressed point, 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, NotAKey> {
        let point: Option<JubjubSubgroup> = JubjubSubgroup::from_bytes(bytes).into();
        let point = point.ok_or(NotAKey)?;
        // The library takes one encoding of two for points without a sign; ours is the one it writes.
        if bool::from(point.is_identity()) || point.to_bytes() != *bytes {
            return Err(NotAKey);
        }
        Ok(Self(point))
    }

    /// The compressed point.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

impl std::fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuerKey")
    }
}

impl std::fmt::Debug for IssuerPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// A point's affine coordinates.
pub(crate) fn coordinates(point: &JubjubSubgroup) -> (Fr, Fr) {
    let point: &JubjubExtended = point.into();
    let point = JubjubAffine::from(point);
    (point.get_u(), point.get_v())
}

/// An element of the field, modulo the order of Jubjub's subgroup.
pub(crate) fn reduce(element: Fr) -> Scalar {
    let mut wide = [0; 64];
    wide[..32].copy_from_slice(element.to_repr().as_ref());
    Scalar::from_bytes_wide(&wide)
}
