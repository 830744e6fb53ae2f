//! The holder's side: an API key becomes a scalar, and a device proves it.

use symbolon_ambient::Rng;
use symbolon_codec::Fields;
use symbolon_crypto::oprf::{Blinded, OprfError};
use symbolon_crypto::schnorr::{Point, ProvingKey};
use symbolon_crypto::{SigningKey, VerifyingKey, labels};
use symbolon_secret::Secret;

use crate::{Domain, Proof, Purpose, RotationProof, Statement, StrongKey};

/// A key that waits for the server's step.
#[derive(Debug)]
pub struct Enrolling {
    blinded: Blinded,
}

impl Enrolling {
    /// Blinds a key.
    ///
    /// # Errors
    /// [`OprfError::NoPage`].
    pub fn start(key: &StrongKey, rng: &dyn Rng) -> Result<Self, OprfError> {
        Blinded::make(key.secret(), rng).map(|blinded| Self { blinded })
    }

    /// What the server is sent.
    pub const fn element(&self) -> &[u8; 32] {
        self.blinded.element()
    }

    /// The scalar: HKDF-SHA512 of the key, with the function's value as salt, for the domain.
    ///
    /// # Errors
    /// [`OprfError::Malformed`] where the server's answer is no element.
    pub fn finish(
        self,
        key: &StrongKey,
        evaluated: &[u8; 32],
        domain: &Domain,
    ) -> Result<PossessedKey, OprfError> {
        let value = self.blinded.finish(key.secret(), evaluated)?;
        PossessedKey::derive(key.secret(), &value, domain)
            .map(|scalar| PossessedKey { scalar, value })
    }
}

/// A key as it proves itself: its scalar, and the function's value that it was derived with.
#[derive(Debug)]
pub struct PossessedKey {
    scalar: ProvingKey,
    value: Secret<[u8; 64]>,
}

impl PossessedKey {
    /// From a key and the value that the server's function has for it, as a device keeps them.
    ///
    /// # Errors
    /// [`OprfError::Malformed`] where the scalar is zero, which nobody will see.
    pub fn from_parts(
        key: &StrongKey,
        value: Secret<[u8; 64]>,
        domain: &Domain,
    ) -> Result<Self, OprfError> {
        let scalar = Self::derive(key.secret(), &value, domain)?;
        Ok(Self { scalar, value })
    }

    fn derive(
        key: &Secret<[u8]>,
        value: &Secret<[u8; 64]>,
        domain: &Domain,
    ) -> Result<ProvingKey, OprfError> {
        let derived = ProvingKey::derive(key, value, &labels::POSSESSION_SCALAR, &domain.context());
        derived.map_err(|_| OprfError::Malformed)
    }

    /// What the server's function gave, to be sealed beside the key.
    pub fn value(&self) -> &Secret<[u8; 64]> {
        &self.value
    }

    /// The public point.
    pub fn point(&self) -> Point {
        self.scalar.point()
    }

    /// Proves a statement, and has the device sign that.
    pub fn prove(&self, statement: &Statement, device: &SigningKey, rng: &dyn Rng) -> Proof {
        let statement = statement.to_bytes();
        let schnorr = self.scalar.prove(&statement, rng);
        let signature = device.sign(&device_message(&statement, &[&schnorr]));
        Proof { schnorr, signature }
    }

    /// Proves that this key's holder puts `new` in its place: `rotate` says so, and `replace` is the same of the
    /// new key, which names the old.
    pub fn prove_rotation(
        &self,
        new: &Self,
        rotate: &Statement,
        replace: &Statement,
        device: &SigningKey,
        rng: &dyn Rng,
    ) -> RotationProof {
        debug_assert!(rotate.purpose == Purpose::Rotate && replace.purpose == Purpose::Replace);
        let rotate = rotate.to_bytes();
        let old = self.scalar.prove(&rotate, rng);
        let new = new.scalar.prove(&replace.to_bytes(), rng);
        let signature = device.sign(&device_message(&rotate, &[&old, &new]));
        RotationProof { old, new, signature }
    }
}

/// What a device signs: `F(label, statement, proof…)`.
pub(crate) fn device_message(statement: &[u8], proofs: &[&[u8; 64]]) -> Vec<u8> {
    let fields = Fields::new(labels::POSSESSION_DEVICE.as_str()).bytes(statement);
    proofs.iter().fold(fields, |fields, proof| fields.bytes(&proof[..])).finish()
}

/// The thumbprint of a device's key, which its tokens are bound to.
pub(crate) fn thumbprint(device: &VerifyingKey) -> String {
    symbolon_token::Jwk::thumbprint_of(device.as_bytes())
}
