//! ML-DSA-65 signatures (FIPS 204), which stand beside Ed25519 and never in its place.

use std::fmt;

use ml_dsa::{EncodedSignature, EncodedVerifyingKey, KeyInit, Keypair, MlDsa65, Signature};
use symbolon_ambient::Rng;
use symbolon_secret::{Secret, wipe_stack};

use crate::sign::SignatureError;

/// Bytes of a public key.
pub const PQ_KEY_BYTES: usize = 1952;
/// Bytes of a signature.
pub const PQ_SIGNATURE_BYTES: usize = 3309;

/// A signing key, kept as its seed in a secret page and expanded for each signature: an expanded key
/// is 60 KiB, and signatures of manifests are rare.
pub struct PqSigningKey {
    seed: Secret<[u8; 32]>,
    verifying: PqVerifyingKey,
}

impl PqSigningKey {
    /// A new one. `rng` is the kernel's in production.
    pub fn make(rng: &dyn Rng) -> Self {
        Self::from_seed(Secret::<[u8; 32]>::make(|b| rng.fill(b)))
    }

    /// From the seed ξ (FIPS 204, algorithm 6).
    pub fn from_seed(seed: Secret<[u8; 32]>) -> Self {
        let verifying = with_key(&seed, |key| PqVerifyingKey(key.verifying_key().encode()));
        Self { seed, verifying }
    }

    /// The deterministic signature of a message, with `context` of at most 255 bytes (FIPS 204,
    /// algorithm 2).
    ///
    /// # Errors
    /// [`SignatureError::Context`].
    pub fn sign(&self, message: &[u8], context: &[u8]) -> Result<Vec<u8>, SignatureError> {
        with_key(&self.seed, |key| {
            let made = key.expanded_key().sign_deterministic(message, context);
            made.map(|it| it.encode().to_vec()).map_err(|_| SignatureError::Context)
        })
    }

    /// The public half.
    pub fn verifying_key(&self) -> &PqVerifyingKey {
        &self.verifying
    }
}

/// The expanded key lives on the ordinary stack and heap while `work` runs, as it is larger than the
/// secret stack; the crate wipes it when it is dropped, and the stack is wiped after.
fn with_key<T>(seed: &Secret<[u8; 32]>, work: impl FnOnce(&ml_dsa::SigningKey<MlDsa65>) -> T) -> T {
    // EXPOSE: the key is expanded of its seed.
    let key = ml_dsa::SigningKey::<MlDsa65>::new(seed.expose().into());
    let made = work(&key);
    drop(key);
    wipe_stack();
    made
}

impl fmt::Debug for PqSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PqSigningKey")
    }
}

/// A public key. Every 1,952 bytes are one (FIPS 204, section 7.2).
#[derive(Clone, PartialEq, Eq)]
pub struct PqVerifyingKey(EncodedVerifyingKey<MlDsa65>);

impl PqVerifyingKey {
    /// From its bytes.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where there are not 1,952.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        EncodedVerifyingKey::<MlDsa65>::try_from(bytes).map(Self).map_err(|_| SignatureError::Key)
    }

    /// The 1,952 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Checks a signature made with the same `context`.
    ///
    /// # Errors
    /// [`SignatureError::Signature`].
    pub fn verify(
        &self,
        message: &[u8],
        context: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let encoded = EncodedSignature::<MlDsa65>::try_from(signature)
            .map_err(|_| SignatureError::Signature)?;
        let signature = Signature::decode(&encoded).ok_or(SignatureError::Signature)?;
        let key = ml_dsa::VerifyingKey::<MlDsa65>::decode(&self.0);
        match key.verify_with_context(message, context, &signature) {
            true => Ok(()),
            false => Err(SignatureError::Signature),
        }
    }
}

impl fmt::Debug for PqVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PqVerifyingKey({})", crate::sha256(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    #[test]
    fn a_signature_holds_for_its_message_context_and_key_alone() {
        let key = PqSigningKey::make(&SeededRng::new(1));
        let signature = key.sign(b"message", b"context").unwrap();
        assert_eq!(signature.len(), PQ_SIGNATURE_BYTES);
        let public = PqVerifyingKey::from_bytes(key.verifying_key().as_bytes()).unwrap();
        assert_eq!(public.as_bytes().len(), PQ_KEY_BYTES);
        assert_eq!(public.verify(b"message", b"context", &signature), Ok(()));
        assert!(public.verify(b"messagf", b"context", &signature).is_err());
        assert!(public.verify(b"message", b"", &signature).is_err());
        let other = PqSigningKey::make(&SeededRng::new(2));
        assert!(other.verifying_key().verify(b"message", b"context", &signature).is_err());
        for at in [0, 100, 1000, 3308] {
            let mut wrong = signature.clone();
            wrong[at] ^= 1;
            assert!(public.verify(b"message", b"context", &wrong).is_err(), "byte {at}");
        }
        assert!(public.verify(b"message", b"context", &signature[1..]).is_err());
        assert!(key.sign(b"message", &[0; 256]).is_err());
    }
}
