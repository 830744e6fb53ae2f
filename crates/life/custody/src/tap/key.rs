//! What a process gets of a tap. A browser makes it, and its module does without what opens with it.

use std::fmt;

use symbolon_crypto::{AeadKey, HPKE_SEALED_BYTES, HpkeError, RecipientSecret, labels};
use symbolon_secret::Secret;

use super::{SALT_BYTES, Tap, kek};

/// The key of one passkey's one wrap. It opens that wrap, and nothing else that the passkey opens: what the
/// passkey itself gives is not in it.
pub struct WrapKey {
    credential: Vec<u8>,
    salt: [u8; SALT_BYTES],
    key: Secret<[u8; 32]>,
}

impl WrapKey {
    /// From what a passkey gave for [`crate::prf_input`].
    pub fn of_passkey(prf: &Secret<[u8; 32]>, credential: &[u8], salt: &[u8; SALT_BYTES]) -> Self {
        Self { credential: credential.to_vec(), salt: *salt, key: kek(prf, salt) }
    }

    /// Opens what [`Tap::answer`] sealed to this process on the same terms. Whether it is the key of
    /// a wrap is seen when the wrap is opened.
    ///
    /// # Errors
    /// [`HpkeError::NotOpened`], [`HpkeError::NoPage`].
    pub fn handed_over(
        own: &RecipientSecret,
        tap: &Tap<'_>,
        sealed: &[u8; HPKE_SEALED_BYTES],
    ) -> Result<Self, HpkeError> {
        let key = own.open(&labels::TAP, &tap.terms(), sealed)?;
        Ok(Self { credential: tap.credential.to_vec(), salt: *tap.salt, key })
    }

    pub(crate) fn credential(&self) -> &[u8] {
        &self.credential
    }

    pub(crate) const fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }

    pub(crate) fn kek(&self) -> AeadKey {
        AeadKey::from_secret(&self.key)
    }
}

impl fmt::Debug for WrapKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrapKey")
    }
}
