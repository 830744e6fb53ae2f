//! Schnorr proofs over an Ed25519 key: that somebody holds the private half, bound to a statement, in
//! the prime-order group of edwards25519. The challenge is hashed over another input than a
//! signature's (RFC 8032), so that neither can be shown for the other.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha512};
use symbolon_ambient::Rng;
use symbolon_secret::{Secret, on_stack};
use zeroize::Zeroize;

use crate::labels::{IDENTITY_CHALLENGE, IDENTITY_COMMITMENT};
use crate::sign::{SigningKey, VerifyingKey};

/// Bytes of a proof: the commitment, then the response.
pub const IDENTITY_PROOF_BYTES: usize = 64;

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The key has a part outside the prime-order group: several proofs could stand for one.
    #[error("the operator's key is not in the prime-order group")]
    Key,
    /// The first half is no canonical point of the prime-order group, or the identity.
    #[error("the proof's commitment is no point of the prime-order group")]
    Commitment,
    /// The second half is not below the group's order.
    #[error("the proof's response is not below the group's order")]
    Scalar,
    /// It is a proof of another statement or by another key, or none.
    #[error("the proof of the operator's key does not hold")]
    Equation,
}

/// Proves over `statement` that the key's private half is here. The commitment is drawn from fresh
/// entropy, the scalar and the statement, so that a weak generator does not give the scalar away.
pub fn prove_identity(
    key: &SigningKey,
    statement: &[u8],
    rng: &dyn Rng,
) -> [u8; IDENTITY_PROOF_BYTES] {
    let drawn = Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes));
    let mut proof = [0; IDENTITY_PROOF_BYTES];
    key.with_scalar(|scalar| {
        // EXPOSE: the entropy is hashed, on the secret stack.
        let drawn: &[u8] = drawn.expose();
        let mut secret = scalar.to_bytes();
        let fields = [IDENTITY_COMMITMENT.as_str().as_bytes(), drawn, &secret, statement];
        let mut nonce = wide(&fields);
        secret.zeroize();
        let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
        let challenge = challenge(statement, key.verifying_key().as_bytes(), &commitment);
        proof[..32].copy_from_slice(&commitment);
        proof[32..].copy_from_slice((nonce + challenge * scalar).as_bytes());
        nonce.zeroize();
    });
    proof
}

/// Checks a proof by the holder of `key` over `statement`.
///
/// Key and commitment MUST be of the prime-order group: the equation has no cofactor in it, so there
/// is one answer for everybody.
///
/// # Errors
/// [`IdentityError`].
pub fn verify_identity(
    key: &VerifyingKey,
    statement: &[u8],
    proof: &[u8; IDENTITY_PROOF_BYTES],
) -> Result<(), IdentityError> {
    let public = point(key.as_bytes()).ok_or(IdentityError::Key)?;
    let (mut first, mut second) = ([0; 32], [0; 32]);
    first.copy_from_slice(&proof[..32]);
    second.copy_from_slice(&proof[32..]);
    let committed = point(&first).ok_or(IdentityError::Commitment)?;
    let response: Option<Scalar> = Scalar::from_canonical_bytes(second).into();
    let response = response.ok_or(IdentityError::Scalar)?;
    let challenge = challenge(statement, key.as_bytes(), &first);
    let found = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-challenge, &public, &response);
    if found == committed { Ok(()) } else { Err(IdentityError::Equation) }
}

/// A canonical point of the prime-order group, not the identity.
fn point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    let point = CompressedEdwardsY(*bytes).decompress()?;
    let canonical = point.compress().to_bytes() == *bytes;
    (canonical && !point.is_small_order() && point.is_torsion_free()).then_some(point)
}

/// SHA-512 of `F(label, statement, key, commitment)` as a little-endian number, modulo the order.
fn challenge(statement: &[u8], key: &[u8; 32], commitment: &[u8; 32]) -> Scalar {
    wide(&[IDENTITY_CHALLENGE.as_str().as_bytes(), statement, key, commitment])
}

fn wide(fields: &[&[u8]]) -> Scalar {
    let mut hash = Sha512::new();
    for field in fields {
        hash.update((field.len() as u32).to_be_bytes());
        hash.update(field);
    }
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

impl SigningKey {
    /// Hands the private scalar, below the group's order, to `work`, on the secret stack.
    fn with_scalar(&self, work: impl FnOnce(&Scalar)) {
        on_stack(|| {
            let mut scalar = self.private().to_scalar();
            work(&scalar);
            scalar.zeroize();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;
    use symbolon_codec::hex;

    fn key(seed: u64) -> SigningKey {
        SigningKey::make(&SeededRng::new(seed))
    }

    #[test]
    fn a_proof_holds_for_its_statement_and_key_alone() {
        let (key, other) = (key(1), key(2));
        let proof = prove_identity(&key, b"statement", &SeededRng::new(3));
        let public = key.verifying_key();
        assert_eq!(verify_identity(&public, b"statement", &proof), Ok(()));
        assert_eq!(verify_identity(&public, b"another", &proof), Err(IdentityError::Equation));
        let by_other = verify_identity(&other.verifying_key(), b"statement", &proof);
        assert_eq!(by_other, Err(IdentityError::Equation));
        for bit in 0..512 {
            let mut wrong = proof;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(verify_identity(&public, b"statement", &wrong).is_err(), "bit {bit}");
        }
        // Two proofs of one statement have nothing in common that a reader could link.
        assert_ne!(prove_identity(&key, b"statement", &SeededRng::new(4))[..32], proof[..32]);
    }

    #[test]
    fn a_signature_is_no_proof_and_a_proof_no_signature() {
        let key = key(5);
        let signature = key.sign(b"statement");
        let shown = verify_identity(&key.verifying_key(), b"statement", &signature);
        assert_eq!(shown, Err(IdentityError::Equation));
        let proof = prove_identity(&key, b"statement", &SeededRng::new(6));
        assert!(key.verifying_key().verify(b"statement", &proof).is_err());
    }

    #[test]
    fn points_outside_the_prime_order_group_are_refused() {
        let key = key(7);
        let mut proof = prove_identity(&key, b"s", &SeededRng::new(8));
        // A point of order 8 added to a commitment gives another encoding of what would be, with the
        // cofactor in the equation, the same proof.
        let order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
        let order_8: [u8; 32] = hex::decode(order_8).unwrap().try_into().unwrap();
        let torsion = CompressedEdwardsY(order_8).decompress().unwrap();
        let committed = CompressedEdwardsY(proof[..32].try_into().unwrap()).decompress().unwrap();
        proof[..32].copy_from_slice(&(committed + torsion).compress().to_bytes());
        let shown = verify_identity(&key.verifying_key(), b"s", &proof);
        assert_eq!(shown, Err(IdentityError::Commitment));

        let public = CompressedEdwardsY(*key.verifying_key().as_bytes()).decompress().unwrap();
        let mixed = VerifyingKey::from_bytes(&(public + torsion).compress().to_bytes()).unwrap();
        let proof = prove_identity(&key, b"s", &SeededRng::new(8));
        assert_eq!(verify_identity(&mixed, b"s", &proof), Err(IdentityError::Key));

        let mut above = prove_identity(&key, b"s", &SeededRng::new(9));
        above[32..].fill(0xff);
        let shown = verify_identity(&key.verifying_key(), b"s", &above);
        assert_eq!(shown, Err(IdentityError::Scalar));
    }
}
