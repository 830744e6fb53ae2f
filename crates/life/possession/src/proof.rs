//! The server's side: what was proven, and the evidence of it.

use symbolon_codec::{Fields, b64url};
use symbolon_crypto::schnorr::{Point, ProofError};
use symbolon_crypto::{VerifyingKey, labels, sha256};
use symbolon_token::Scopes;

use crate::key::device_message;
use crate::{Purpose, Statement};

/// A proof of possession with the device's signature beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Commitment and response.
    pub schnorr: [u8; 64],
    /// By the device, over statement and proof.
    pub signature: [u8; 64],
}

/// Proofs of an old and a new key with the device's signature beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationProof {
    /// Of the old key.
    pub old: [u8; 64],
    /// Of the new one.
    pub new: [u8; 64],
    /// By the device, over the old key's statement and both proofs.
    pub signature: [u8; 64],
}

/// That a device proved a key, for a purpose. [`verify`] alone makes it, and it is used once.
#[derive(Debug)]
pub struct Possessed {
    purpose: Purpose,
    device: VerifyingKey,
    scopes: Scopes,
    proof_hash: String,
}

impl Possessed {
    /// What for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The device's public key.
    pub const fn device(&self) -> &VerifyingKey {
        &self.device
    }

    /// What was asked for.
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// SHA-256 of `F(label, statement, point, proof, signature)` in base64url.
    pub fn proof_hash(&self) -> &str {
        &self.proof_hash
    }
}

/// That a device proved an old key and the new one that takes its place. [`verify_rotation`] alone makes it.
#[derive(Debug)]
pub struct Rotated {
    old: Point,
    new: Point,
}

impl Rotated {
    /// The point that goes.
    pub const fn before(&self) -> &Point {
        &self.old
    }

    /// The point that comes.
    pub const fn after(&self) -> &Point {
        &self.new
    }
}

/// Checks a proof: the device's signature and the proof of the point's scalar, both, whatever the first says, so
/// that the work is the same for all that decodes.
///
/// # Errors
/// [`PossessionError`].
pub fn verify(
    statement: &Statement,
    point: &Point,
    proof: &Proof,
) -> Result<Possessed, PossessionError> {
    let bytes = statement.to_bytes();
    let message = device_message(&bytes, &[&proof.schnorr]);
    let signed = statement.device.verify(&message, &proof.signature);
    let proven = point.verify(&bytes, &proof.schnorr);
    signed.map_err(|_| PossessionError::Device)?;
    proven.map_err(PossessionError::Proof)?;
    let digest = Fields::new(labels::POSSESSION_PROOF.as_str())
        .bytes(&bytes)
        .bytes(point.as_bytes())
        .bytes(&proof.schnorr)
        .bytes(&proof.signature)
        .finish();
    Ok(Possessed {
        purpose: statement.purpose,
        device: statement.device,
        scopes: statement.scopes.clone(),
        proof_hash: b64url::encode(&sha256(&digest).0),
    })
}

/// Checks the proofs of a rotation: the old key names the new point, and the new key the old.
///
/// # Errors
/// [`PossessionError`].
pub fn verify_rotation(
    rotate: &Statement,
    replace: &Statement,
    old: &Point,
    new: &Point,
    proof: &RotationProof,
) -> Result<Rotated, PossessionError> {
    let bytes = rotate.to_bytes();
    let message = device_message(&bytes, &[&proof.old, &proof.new]);
    let signed = rotate.device.verify(&message, &proof.signature);
    let of_old = old.verify(&bytes, &proof.old);
    let of_new = new.verify(&replace.to_bytes(), &proof.new);
    signed.map_err(|_| PossessionError::Device)?;
    of_old.map_err(PossessionError::Proof)?;
    of_new.map_err(PossessionError::NewProof)?;
    if old == new {
        return Err(PossessionError::SameKey);
    }
    Ok(Rotated { old: *old, new: *new })
}

/// Why a proof is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PossessionError {
    /// The device did not sign this.
    #[error("the device's signature does not fit")]
    Device,
    /// The proof of the key does not hold.
    #[error("the key is not proven: {0}")]
    Proof(ProofError),
    /// At a rotation: the proof of the new key does not hold.
    #[error("the new key is not proven: {0}")]
    NewProof(ProofError),
    /// At a rotation: old and new are one.
    #[error("the new key is the old one")]
    SameKey,
}
