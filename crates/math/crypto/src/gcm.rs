//! AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce, over separate input and output.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aes::Aes256Enc;
use aes_gcm::{AeadInOut, AesGcm, KeyInit};

/// The key schedule. 256-bit key; GCM never needs the decrypting schedule, so it is not made.
pub(crate) struct Gcm(AesGcm<Aes256Enc, U12>);

/// The authenticator did not fit, or the lengths are beyond GCM's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GcmError;

impl Gcm {
    /// Call inside `Secret::place`: the schedule passes over the stack.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(AesGcm::new(key.into()))
    }

    /// Encrypts `plain` into `out`, which is as long, and gives the authenticator.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<[u8; 16], GcmError> {
        let buffer = InOutBuf::new(plain, out).map_err(|_| GcmError)?;
        let tag = self.0.encrypt_inout_detached(nonce.into(), aad, buffer).map_err(|_| GcmError)?;
        Ok(tag.into())
    }

    /// Checks the authenticator, then decrypts `sealed` into `out`, which is as long. On error
    /// `out` is untouched.
    #[inline]
    pub(crate) fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        sealed: &[u8],
        tag: &[u8; 16],
        out: &mut [u8],
    ) -> Result<(), GcmError> {
        let buffer = InOutBuf::new(sealed, out).map_err(|_| GcmError)?;
        self.0.decrypt_inout_detached(nonce.into(), aad, buffer, tag.into()).map_err(|_| GcmError)
    }
}
