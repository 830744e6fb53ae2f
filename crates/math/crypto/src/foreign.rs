//! What other programs sealed, opened: derivations and ciphers that nothing of ours seals with.
//! Each takes what the other program's format fixes (`specs/legacy-0n.md`).

use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aes::Aes256;
use aes_gcm::{AeadInOut, AesGcm, KeyInit};
use sha3::Digest;
use symbolon_codec::Digest32;
use symbolon_secret::{MemoryError, Secret, on_stack};

/// Why it did not open: another passphrase, or changed bytes. Nobody can tell the two apart here, as
/// nothing commits to the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// The authenticator does not hold.
    #[error("the passphrase is another, or the bytes were changed")]
    NotOpened,
    /// A nonce of neither 12 nor 16 bytes.
    #[error("a nonce of {0} bytes")]
    Nonce(usize),
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for ForeignError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// PBKDF2-HMAC-SHA512 (RFC 8018), 32 bytes.
///
/// # Errors
/// [`ForeignError::NoPage`].
pub fn pbkdf2_sha512(
    passphrase: &Secret<[u8]>,
    salt: &[u8],
    iterations: u32,
) -> Result<Secret<[u8; 32]>, ForeignError> {
    stretched(|out| {
        // EXPOSE: PBKDF2 reads the passphrase, on the secret stack.
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(passphrase.expose(), salt, iterations, out);
    })
}

/// A key that `stretch` writes, on the secret stack.
pub(crate) fn stretched(
    stretch: impl FnOnce(&mut [u8; 32]),
) -> Result<Secret<[u8; 32]>, ForeignError> {
    Secret::<[u8; 32]>::try_make(|out| {
        on_stack(|| stretch(out));
        Ok(())
    })
}

/// AES-256-GCM (NIST SP 800-38D) with a nonce of 12 or 16 bytes and no authenticated data, into a
/// secret page.
///
/// # Errors
/// [`ForeignError`].
pub fn foreign_gcm_open(
    key: &Secret<[u8; 32]>,
    nonce: &[u8],
    tag: &[u8; 16],
    sealed: &[u8],
) -> Result<Secret<[u8]>, ForeignError> {
    match nonce.len() {
        12 => open::<U12>(key, nonce, tag, sealed),
        16 => open::<U16>(key, nonce, tag, sealed),
        other => Err(ForeignError::Nonce(other)),
    }
}

fn open<N: ArraySize>(
    key: &Secret<[u8; 32]>,
    nonce: &[u8],
    tag: &[u8; 16],
    sealed: &[u8],
) -> Result<Secret<[u8]>, ForeignError> {
    let found = nonce.len();
    let nonce = nonce.try_into().map_err(|_| ForeignError::Nonce(found))?;
    Secret::<[u8]>::try_make_slice(sealed.len(), |out| {
        on_stack(|| {
            // EXPOSE: the schedule is made from the key, on the secret stack.
            let cipher = AesGcm::<Aes256, N>::new(key.expose().into());
            let buffer = InOutBuf::new(sealed, out).map_err(|_| ForeignError::NotOpened)?;
            cipher
                .decrypt_inout_detached(nonce, &[], buffer, tag.into())
                .map_err(|_| ForeignError::NotOpened)
        })?;
        Ok(sealed.len())
    })
}

/// SHA3-256 (FIPS 202) of pieces joined without separators.
pub fn sha3_256(parts: &[&[u8]]) -> Digest32 {
    let mut hash = sha3::Sha3_256::new();
    for part in parts {
        hash.update(part);
    }
    Digest32(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_codec::hex;

    fn secret(bytes: &[u8]) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
    }

    /// Made with Python's hashlib: `pbkdf2_hmac("sha512", b"password", b"salt", 1000, 32)`.
    #[test]
    fn pbkdf2_agrees_with_openssl() {
        let key = pbkdf2_sha512(&secret(b"password"), b"salt", 1000).unwrap();
        assert!(key.ct_eq_bytes(&hex::decode(PBKDF2).unwrap()));
    }

    const PBKDF2: &str = "afe6c5530785b6cc6b1c6453384731bd5ee432ee549fd42fb6695779ad8a1c5b";

    #[test]
    fn sha3_of_nothing_is_the_standards() {
        assert_eq!(
            sha3_256(&[]).to_string(),
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"
        );
    }

    /// Made with Node's crypto: key 32 × 07, nonce 16 × 09, plaintext `hello`.
    #[test]
    fn gcm_takes_the_long_nonce_and_refuses_a_change() {
        let key = Secret::<[u8; 32]>::make(|b| b.fill(7));
        let sealed = hex::decode(GCM_SEALED).unwrap();
        let tag: [u8; 16] = hex::decode(GCM_TAG).unwrap().try_into().unwrap();
        let plain = foreign_gcm_open(&key, &[9; 16], &tag, &sealed).unwrap();
        assert!(plain.ct_eq_bytes(b"hello"));
        let mut changed = sealed.clone();
        changed[0] ^= 1;
        let refused = |tag, sealed: &[u8]| foreign_gcm_open(&key, &[9; 16], tag, sealed).err();
        assert_eq!(refused(&tag, &changed), Some(ForeignError::NotOpened));
        assert_eq!(refused(&[0; 16], &sealed), Some(ForeignError::NotOpened));
        let odd = foreign_gcm_open(&key, &[9; 13], &tag, &sealed).err();
        assert_eq!(odd, Some(ForeignError::Nonce(13)));
    }

    const GCM_SEALED: &str = "aaefe15900";
    const GCM_TAG: &str = "fbe7f30c78c1267c29431290714e932b";
}
