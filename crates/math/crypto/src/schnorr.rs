//! Schnorr proofs over ristretto255 (RFC 9496): that somebody knows the scalar of a point, made
//! non-interactive over SHA-512 with the whole statement in the challenge.

use std::fmt;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};
use hkdf::Hkdf;
use sha2::{Digest, Sha512};
use symbolon_ambient::Rng;
use symbolon_codec::{Fields, hex};
use symbolon_secret::{Secret, on_stack};
use zeroize::Zeroizing;

use crate::labels::{Label, SCHNORR_CHALLENGE, SCHNORR_COMMITMENT};

#[cfg(test)]
mod tests;

/// Bytes of a proof: the commitment, then the response.
pub const PROOF_BYTES: usize = 64;

/// A point that a scalar other than zero can have: canonical, not the identity. Its 32 bytes are
/// public.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Point {
    bytes: [u8; 32],
    point: RistrettoPoint,
}

impl Point {
    /// From its 32 bytes (RFC 9496, section 4.3.1).
    ///
    /// # Errors
    /// [`PointError`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, PointError> {
        let point = CompressedRistretto(*bytes).decompress().ok_or(PointError::Encoding)?;
        if point.is_identity() {
            Err(PointError::Identity)
        } else {
            Ok(Self { bytes: *bytes, point })
        }
    }

    /// Its canonical bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Checks a proof of this point's scalar over `statement`. The work is the same for every
    /// statement, point and proof that decodes, right or wrong; all of it is public.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, statement: &[u8], proof: &[u8; PROOF_BYTES]) -> Result<(), ProofError> {
        let (commitment, response) = halves(proof);
        let committed = Self::from_bytes(&commitment).map_err(ProofError::Commitment)?;
        let response: Option<Scalar> = Scalar::from_canonical_bytes(response).into();
        let response = response.ok_or(ProofError::Scalar)?;
        let challenge = challenge(statement, &self.bytes, &commitment);
        let found = RistrettoPoint::vartime_double_scalar_mul_basepoint(
            &-challenge,
            &self.point,
            &response,
        );
        if found == committed.point { Ok(()) } else { Err(ProofError::Equation) }
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Point({})", hex::encode(self.bytes))
    }
}

/// A scalar in secret pages, with its point.
pub struct ProvingKey {
    scalar: Secret<Scalar>,
    point: Point,
}

impl ProvingKey {
    /// The scalar of a secret: 64 bytes of HKDF-SHA512 (RFC 5869), read as a little-endian number, modulo the
    /// group's order. `info` is the field list of label and context.
    ///
    /// # Errors
    /// [`PointError::Identity`] where the scalar is zero, which nobody will see.
    pub fn derive(
        secret: &Secret<[u8]>,
        salt: &Secret<[u8; 64]>,
        label: &Label,
        context: &[u8],
    ) -> Result<Self, PointError> {
        let info = Fields::new(label.as_str()).bytes(context).finish();
        let scalar = Secret::place(|| {
            let mut wide = Zeroizing::new([0; 64]);
            // EXPOSE: HKDF reads the secret and its salt, on the secret stack.
            expand(secret.expose(), salt.expose(), &info, &mut wide);
            Scalar::from_bytes_mod_order_wide(&wide)
        });
        Self::of(scalar)
    }

    fn of(scalar: Secret<Scalar>) -> Result<Self, PointError> {
        // EXPOSE: the point is made of the scalar, in constant time, on the secret stack.
        let point = on_stack(|| RistrettoPoint::mul_base(scalar.expose()));
        if point == RistrettoPoint::identity() {
            return Err(PointError::Identity);
        }
        Ok(Self { scalar, point: Point { bytes: point.compress().to_bytes(), point } })
    }

    /// The point, which is public.
    pub fn point(&self) -> Point {
        self.point
    }

    /// A proof over `statement`. Its commitment is drawn from fresh entropy, the scalar and the statement, so
    /// that neither a weak generator nor a repeated one gives the scalar away.
    pub fn prove(&self, statement: &[u8], rng: &dyn Rng) -> [u8; PROOF_BYTES] {
        let drawn = Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes));
        // EXPOSE: the entropy is hashed, on the secret stack.
        self.prove_with(statement, drawn.expose())
    }

    fn prove_with(&self, statement: &[u8], drawn: &[u8; 32]) -> [u8; PROOF_BYTES] {
        let mut proof = [0; PROOF_BYTES];
        on_stack(|| {
            // EXPOSE: proving reads the scalar, on the secret stack.
            let scalar = self.scalar.expose();
            let mut hash = Sha512::new();
            for field in
                [SCHNORR_COMMITMENT.as_str().as_bytes(), drawn, &scalar.to_bytes(), statement]
            {
                add(&mut hash, field);
            }
            let mut nonce = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let commitment = RistrettoPoint::mul_base(&nonce).compress().to_bytes();
            let challenge = challenge(statement, &self.point.bytes, &commitment);
            let response = nonce + challenge * scalar;
            proof[..32].copy_from_slice(&commitment);
            proof[32..].copy_from_slice(response.as_bytes());
            zeroize::Zeroize::zeroize(&mut nonce);
        });
        proof
    }
}

impl fmt::Debug for ProvingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvingKey({:?})", self.point)
    }
}

/// What is wrong with the bytes of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// No element of the group, or not in its one spelling.
    #[error("it is not the canonical encoding of an element of ristretto255")]
    Encoding,
    /// The identity, whose scalar everybody knows.
    #[error("it is the identity, whose scalar everybody knows")]
    Identity,
}

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Its first half.
    #[error("the commitment of the proof is no point: {0}")]
    Commitment(PointError),
    /// Its second half.
    #[error("the response of the proof is not below the group's order")]
    Scalar,
    /// It is a proof of another statement or of another point, or none.
    #[error("the proof does not hold")]
    Equation,
}

/// SHA-512 of `F(label, statement, point, commitment)` as a little-endian number, modulo the order.
fn challenge(statement: &[u8], point: &[u8; 32], commitment: &[u8; 32]) -> Scalar {
    let mut hash = Sha512::new();
    for field in [SCHNORR_CHALLENGE.as_str().as_bytes(), statement, point, commitment] {
        add(&mut hash, field);
    }
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// One field of the canonical list.
fn add(hash: &mut Sha512, field: &[u8]) {
    hash.update((field.len() as u32).to_be_bytes());
    hash.update(field);
}

fn halves(proof: &[u8; PROOF_BYTES]) -> ([u8; 32], [u8; 32]) {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    first.copy_from_slice(&proof[..32]);
    second.copy_from_slice(&proof[32..]);
    (first, second)
}

fn expand(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8; 64]) {
    if Hkdf::<Sha512>::new(Some(salt), ikm).expand(info, out).is_err() {
        // INFALLIBLE: 64 bytes are within the bound of 16,320.
        unreachable!("HKDF-SHA512 gives 64 bytes (RFC 5869, section 2.3)");
    }
}
