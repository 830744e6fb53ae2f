//! Keys that seal envelopes.

use symbolon_ambient::Rng;
use symbolon_secret::{Secret, on_stack};

use crate::envelope::{Aad, Envelope, HEADER, OpenError, header, plain_len, sealed_len};
use crate::gcm::Gcm;
use crate::hash::hmac_sha256;
use crate::kdf::hkdf_sha256;
use crate::labels::{self, Label, Tag};

#[cfg(test)]
mod tests;

/// An AES-256-GCM key with its commitment; the schedule is in secret pages.
///
/// At most 2^32 envelopes under one key (`specs/envelope.md`, rule 7).
pub struct AeadKey {
    gcm: Secret<Gcm>,
    commitment: [u8; 32],
}

impl AeadKey {
    /// From 32 bytes that are uniformly random or derived.
    pub fn from_secret(key: &Secret<[u8; 32]>) -> Self {
        let commitment = hmac_sha256(key, &[labels::KEY_COMMITMENT.as_str().as_bytes()]).0;
        // EXPOSE: the schedule is made from the key, on the secret stack.
        Self { gcm: Secret::place(|| Gcm::new(key.expose())), commitment }
    }

    /// By HKDF-SHA256 from `ikm`, for one purpose and one place.
    pub fn derive<K: AsRef<[u8]> + ?Sized>(
        ikm: &Secret<K>,
        salt: &[u8],
        label: &Label,
        context: &[u8],
    ) -> Self {
        Self::from_secret(&hkdf_sha256(ikm, salt, label, context))
    }

    /// The public value that tells this key from any other.
    pub fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// Seals `plaintext`, bound to `tag` and `context`. The plaintext is read where it is and
    /// nothing of it is copied to ordinary memory.
    ///
    /// # Panics
    /// Where the plaintext has 2^32 bytes or more: every caller bounds its input far below.
    pub fn seal(&self, tag: &Tag, context: &[&[u8]], plaintext: &[u8], rng: &dyn Rng) -> Vec<u8> {
        self.seal_with(&Aad::new(tag, context), plaintext, rng)
    }

    /// As [`AeadKey::seal`], with the binding at hand.
    ///
    /// # Panics
    /// As [`AeadKey::seal`].
    pub fn seal_with(&self, aad: &Aad, plaintext: &[u8], rng: &dyn Rng) -> Vec<u8> {
        let mut nonce = [0; 12];
        rng.fill(&mut nonce);
        self.seal_with_nonce(aad, &nonce, plaintext)
    }

    /// Opens into a secret page of its own.
    ///
    /// # Errors
    /// [`OpenError`], in the order of the spec.
    pub fn open(
        &self,
        tag: &Tag,
        context: &[&[u8]],
        envelope: &[u8],
    ) -> Result<Secret<[u8]>, OpenError> {
        self.open_with(&Aad::new(tag, context), envelope)
    }

    /// As [`AeadKey::open`] with the binding made before.
    ///
    /// # Errors
    /// [`OpenError`], in the order of the spec.
    pub fn open_with(&self, aad: &Aad, envelope: &[u8]) -> Result<Secret<[u8]>, OpenError> {
        let plain = plain_len(envelope).ok_or(OpenError::Truncated)?;
        Secret::<[u8]>::try_make_slice(plain, |out| {
            on_stack(|| self.open_into_with(aad, envelope, out))
        })
    }

    /// Opens into `out`, and gives the plaintext's length. The caller is on the secret stack and
    /// `out` is in a secret page.
    ///
    /// # Errors
    /// [`OpenError`], in the order of the spec; `out` is then untouched.
    pub fn open_into(
        &self,
        tag: &Tag,
        context: &[&[u8]],
        envelope: &[u8],
        out: &mut [u8],
    ) -> Result<usize, OpenError> {
        self.open_into_with(&Aad::new(tag, context), envelope, out)
    }

    /// As [`AeadKey::open_into`] with the binding made before: no allocation, no formatting.
    ///
    /// # Errors
    /// [`OpenError`], in the order of the spec; `out` is then untouched.
    #[inline]
    pub fn open_into_with(
        &self,
        aad: &Aad,
        envelope: &[u8],
        out: &mut [u8],
    ) -> Result<usize, OpenError> {
        let e = Envelope::parse(envelope, aad.tag_id())?;
        // Both values are public: the comparison may take the time that it takes.
        if *e.commitment != self.commitment {
            return Err(OpenError::WrongKey);
        }
        let (needed, given) = (e.ciphertext.len(), out.len());
        let out = out.get_mut(..needed).ok_or(OpenError::NoRoom { needed, given })?;
        // EXPOSE: GCM reads the schedule in its page.
        let gcm = self.gcm.expose();
        gcm.open(e.nonce, aad.digest(), e.ciphertext, e.authenticator, out)
            .map_err(|_| OpenError::Damaged)?;
        Ok(needed)
    }

    fn seal_with_nonce(&self, aad: &Aad, nonce: &[u8; 12], plaintext: &[u8]) -> Vec<u8> {
        let header = header(aad.tag_id(), plaintext.len(), &self.commitment, nonce);
        // INFALLIBLE: documented under Panics; every caller bounds its input far below.
        let header = header.expect("a plaintext is shorter than 2^32 bytes");
        let mut out = vec![0; sealed_len(plaintext.len())];
        let (head, rest) = out.split_at_mut(HEADER);
        let (body, authenticator) = rest.split_at_mut(plaintext.len());
        head.copy_from_slice(&header);
        let sealed = on_stack(|| {
            // EXPOSE: GCM reads the schedule, on the secret stack.
            self.gcm.expose().seal(nonce, aad.digest(), plaintext, body)
        });
        // INFALLIBLE: GCM's own bound is 2^36 - 32 bytes and the header's was checked above.
        authenticator.copy_from_slice(&sealed.expect("below 2^32 bytes GCM seals"));
        out
    }
}

impl std::fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AeadKey")
    }
}
