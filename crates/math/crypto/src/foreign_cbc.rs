//! AES-256-CBC with HMAC-SHA256 over it, as exports of Bitwarden are sealed (EncString, type 2). Nothing
//! of ours seals so.

use aes_gcm::KeyInit;
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{Block, BlockCipherDecrypt};
use hkdf::Hkdf;
use symbolon_secret::{Secret, on_stack};

use crate::foreign::{ForeignError, stretched};
use crate::hash::hmac_sha256;

/// PBKDF2-HMAC-SHA256 (RFC 8018), 32 bytes.
///
/// # Errors
/// [`ForeignError::NoPage`].
pub fn pbkdf2_sha256(
    passphrase: &Secret<[u8]>,
    salt: &[u8],
    iterations: u32,
) -> Result<Secret<[u8; 32]>, ForeignError> {
    stretched(|out| {
        // EXPOSE: PBKDF2 reads the passphrase, on the secret stack.
        pbkdf2::pbkdf2_hmac::<sha2::Sha256>(passphrase.expose(), salt, iterations, out);
    })
}

/// Opens what is sealed under two keys that HKDF-Expand (RFC 5869) makes of this one, `enc` for the
/// cipher and `mac` for the authenticator over `iv | sealed`, into a secret page. Nothing is deciphered
/// before the authenticator holds, so the filling (PKCS #7) tells nobody anything.
///
/// # Errors
/// [`ForeignError`].
pub fn foreign_cbc_open(
    key: &Secret<[u8; 32]>,
    iv: &[u8; 16],
    sealed: &[u8],
    mac: &[u8; 32],
) -> Result<Secret<[u8]>, ForeignError> {
    let own = hmac_sha256(&expand(key, b"mac")?, &[iv, sealed]);
    let own = Secret::<[u8; 32]>::make(|out| out.copy_from_slice(&own.0));
    if !own.ct_eq_bytes(mac) || sealed.is_empty() || !sealed.len().is_multiple_of(16) {
        return Err(ForeignError::NotOpened);
    }
    let key = expand(key, b"enc")?;
    Secret::<[u8]>::try_make_slice(sealed.len(), |out| {
        out.copy_from_slice(sealed);
        on_stack(|| {
            // EXPOSE: the schedule is made from the key, on the secret stack.
            let cipher = Aes256::new(key.expose().into());
            let mut before = *iv;
            for (block, own) in out.chunks_exact_mut(16).zip(sealed.chunks_exact(16)) {
                let Ok(block) = <&mut Block<Aes256>>::try_from(block) else { continue };
                cipher.decrypt_block(block);
                block.iter_mut().zip(before).for_each(|(byte, before)| *byte ^= before);
                before.copy_from_slice(own);
            }
        });
        let filling = usize::from(*out.last().unwrap_or(&0));
        let is_right = (1..=16).contains(&filling)
            && out[out.len() - filling..].iter().all(|byte| usize::from(*byte) == filling);
        if is_right { Ok(out.len() - filling) } else { Err(ForeignError::NotOpened) }
    })
}

fn expand(key: &Secret<[u8; 32]>, info: &[u8]) -> Result<Secret<[u8; 32]>, ForeignError> {
    Secret::<[u8; 32]>::try_make(|out| {
        on_stack(|| {
            // EXPOSE: HKDF reads the key, on the secret stack.
            let hkdf = Hkdf::<sha2::Sha256>::from_prk(key.expose());
            hkdf.ok().and_then(|hkdf| hkdf.expand(info, out).ok()).ok_or(ForeignError::NotOpened)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_codec::hex;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// Made with Python's `cryptography`: key 32 × 07, iv 16 × 09, plaintext `hello`.
    #[test]
    fn what_another_program_sealed_opens_and_no_change_of_it() {
        let key = Secret::<[u8; 32]>::make(|b| b.fill(7));
        let (sealed, mac) = (bytes::<16>(SEALED), bytes::<32>(MAC));
        let open =
            |iv: &[u8; 16], sealed: &[u8], mac: &[u8; 32]| foreign_cbc_open(&key, iv, sealed, mac);
        assert!(open(&[9; 16], &sealed, &mac).unwrap().ct_eq_bytes(b"hello"));
        for bit in 0..128 {
            let mut changed = sealed;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&[9; 16], &changed, &mac).err(), Some(ForeignError::NotOpened));
        }
        for bit in 0..256 {
            let mut changed = mac;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&[9; 16], &sealed, &changed).err(), Some(ForeignError::NotOpened));
        }
        assert_eq!(open(&[8; 16], &sealed, &mac).err(), Some(ForeignError::NotOpened));
        assert_eq!(open(&[9; 16], &sealed[..15], &mac).err(), Some(ForeignError::NotOpened));
        assert_eq!(open(&[9; 16], &[], &mac).err(), Some(ForeignError::NotOpened));
    }

    /// Made with Python's hashlib: `pbkdf2_hmac("sha256", b"password", b"salt", 1000, 32)`.
    #[test]
    fn pbkdf2_agrees_with_openssl() {
        let passphrase = Secret::<[u8]>::make_slice(8, |page| page.copy_from_slice(b"password"));
        let key = pbkdf2_sha256(&passphrase, b"salt", 1000).unwrap();
        assert!(key.ct_eq_bytes(&hex::decode(PBKDF2).unwrap()));
    }

    const SEALED: &str = "1e7e79f4bcd153fb833606c3db077b92";
    const MAC: &str = "16b6e26c89e47ad1d5ef7a39d2226990f85253cae37b248633fd111790d69473";
    const PBKDF2: &str = "632c2812e46d4604102ba7618e9d6d7d2f8128f6266b4a03264d2a0460b7dcb3";
}
