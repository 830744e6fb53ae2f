//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), over separate input and output.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

/// The key, which the library wipes when it is dropped.
pub(crate) struct XChaCha(XChaCha20Poly1305);

/// The authenticator did not fit, or the lengths are beyond the cipher's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct XChaChaError;

impl XChaCha {
    /// Call inside `Secret::place`: the key passes over the stack.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Encrypts `plain` into `out`, which is as long, and gives the authenticator.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<[u8; 16], XChaChaError> {
        let buffer = InOutBuf::new(plain, out).map_err(|_| XChaChaError)?;
        let tag = self.0.encrypt_inout_detached(nonce.into(), aad, buffer);
        Ok(tag.map_err(|_| XChaChaError)?.into())
    }

    /// Checks the authenticator, then decrypts `sealed` into `out`, which is as long. On error
    /// `out` is untouched.
    pub(crate) fn open(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        sealed: &[u8],
        tag: &[u8; 16],
        out: &mut [u8],
    ) -> Result<(), XChaChaError> {
        let buffer = InOutBuf::new(sealed, out).map_err(|_| XChaChaError)?;
        self.0
            .decrypt_inout_detached(nonce.into(), aad, buffer, tag.into())
            .map_err(|_| XChaChaError)
    }
}
