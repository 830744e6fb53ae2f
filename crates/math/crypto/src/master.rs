//! Keys from which other keys come.

use symbolon_ambient::Rng;
use symbolon_secret::Secret;

use crate::aead::AeadKey;
use crate::envelope::OpenError;
use crate::kdf::hkdf_sha256;
use crate::labels::{Label, Tag};
use crate::recipient::{HPKE_SEALED_BYTES, HpkeError, RecipientKey, RecipientSecret};

/// 256 random bits in a secret page. It encrypts nothing itself: every use has its own subkey.
pub struct MasterKey(Secret<[u8; 32]>);

impl MasterKey {
    /// A new one. `rng` is the kernel's in production.
    pub fn make(rng: &dyn Rng) -> Self {
        Self(Secret::<[u8; 32]>::make(|b| rng.fill(b)))
    }

    /// From 32 uniformly random bytes.
    pub fn from_secret(secret: Secret<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// The envelope key for one purpose and one place.
    pub fn derive_aead(&self, label: &Label, context: &[u8]) -> AeadKey {
        AeadKey::derive(&self.0, &[], label, context)
    }

    /// 32 secret bytes for one purpose and one place.
    pub fn derive_secret(&self, label: &Label, context: &[u8]) -> Secret<[u8; 32]> {
        hkdf_sha256(&self.0, &[], label, context)
    }

    /// This key sealed under another.
    pub fn wrap_under(
        &self,
        kek: &AeadKey,
        tag: &Tag,
        context: &[&[u8]],
        rng: &dyn Rng,
    ) -> Vec<u8> {
        // EXPOSE: sealing reads the key where it is.
        kek.seal(tag, context, self.0.expose(), rng)
    }

    /// Opens what [`MasterKey::wrap_under`] sealed.
    ///
    /// # Errors
    /// [`OpenError`]; a plaintext of other than 32 bytes is [`OpenError::Kind`].
    pub fn unwrap_under(
        kek: &AeadKey,
        tag: &Tag,
        context: &[&[u8]],
        envelope: &[u8],
    ) -> Result<Self, OpenError> {
        let plain = kek.open(tag, context, envelope)?;
        Secret::<[u8; 32]>::try_make(|b| {
            // EXPOSE: the key moves from one secret page to another.
            let plain: &[u8; 32] = plain.expose().try_into().map_err(|_| OpenError::Kind)?;
            b.copy_from_slice(plain);
            Ok(())
        })
        .map(Self)
    }

    /// This key sealed to somebody's public key (RFC 9180).
    ///
    /// # Errors
    /// [`HpkeError::Key`], [`HpkeError::NoPage`].
    pub fn seal_to(
        &self,
        to: &RecipientKey,
        label: &Label,
        aad: &[u8],
        rng: &dyn Rng,
    ) -> Result<[u8; HPKE_SEALED_BYTES], HpkeError> {
        to.seal(label, aad, &self.0, rng)
    }

    /// Opens what [`MasterKey::seal_to`] sealed.
    ///
    /// # Errors
    /// [`HpkeError::NotOpened`], [`HpkeError::NoPage`].
    pub fn opened_by(
        own: &RecipientSecret,
        label: &Label,
        aad: &[u8],
        sealed: &[u8; HPKE_SEALED_BYTES],
    ) -> Result<Self, HpkeError> {
        own.open(label, aad, sealed).map(Self)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::{CONNECTION_CREDENTIAL, KEY_CONNECTIONS, KEY_STATE, VAULT_WRAP};
    use symbolon_ambient::SeededRng;

    #[test]
    fn a_wrapped_key_derives_the_same_subkeys() {
        let rng = SeededRng::new(1);
        let (key, kek) = (MasterKey::make(&rng), MasterKey::make(&rng));
        let kek = kek.derive_aead(&KEY_STATE, b"");
        let wrap = key.wrap_under(&kek, &VAULT_WRAP, &[b"v"], &rng);
        let back = MasterKey::unwrap_under(&kek, &VAULT_WRAP, &[b"v"], &wrap).unwrap();
        let (a, b) =
            (key.derive_aead(&KEY_CONNECTIONS, b"v"), back.derive_aead(&KEY_CONNECTIONS, b"v"));
        assert_eq!(a.commitment(), b.commitment());
        assert_ne!(a.commitment(), key.derive_aead(&KEY_CONNECTIONS, b"w").commitment());
        assert_ne!(a.commitment(), key.derive_aead(&KEY_STATE, b"v").commitment());
    }

    #[test]
    fn a_plaintext_of_another_size_is_no_key() {
        let rng = SeededRng::new(2);
        let kek = MasterKey::make(&rng).derive_aead(&KEY_STATE, b"");
        for n in [0, 31, 33] {
            let e = kek.seal(&CONNECTION_CREDENTIAL, &[], &vec![7; n], &rng);
            let got = MasterKey::unwrap_under(&kek, &CONNECTION_CREDENTIAL, &[], &e);
            assert_eq!(got.err(), Some(OpenError::Kind), "{n}");
        }
    }
}
