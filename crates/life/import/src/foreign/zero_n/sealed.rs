//! A sealed connection's credentials: base64 of `salt (32) | nonce (16) | tag (16) | ciphertext`, under
//! PBKDF2-SHA512 of `passphrase:fingerprint`.

use symbolon_codec::b64;
use symbolon_crypto::{foreign_gcm_open, pbkdf2_sha512};
use symbolon_secret::Secret;

use crate::foreign::error::ForeignError;

pub(super) fn open(
    data: &Secret<[u8]>,
    fingerprint: &str,
    passphrase: &Secret<[u8]>,
) -> Result<Secret<[u8]>, ForeignError> {
    // EXPOSE: ciphertext in base64, public to whoever has the file.
    let text = data.expose();
    let mut bytes = vec![0; text.len()];
    let len = b64::decode_into(text, &mut bytes)
        .ok_or(ForeignError::Format("its sealed data is no base64"))?;
    let (salt, rest) = bytes[..len].split_first_chunk::<32>().ok_or(SHORT)?;
    let (nonce, rest) = rest.split_first_chunk::<16>().ok_or(SHORT)?;
    let (tag, sealed) = rest.split_first_chunk::<16>().ok_or(SHORT)?;
    let material = joined(passphrase, fingerprint)?;
    let key = pbkdf2_sha512(&material, salt, ROUNDS)?;
    Ok(foreign_gcm_open(&key, nonce, tag, sealed)?)
}

fn joined(passphrase: &Secret<[u8]>, fingerprint: &str) -> Result<Secret<[u8]>, ForeignError> {
    let (len, behind) = (passphrase.len(), fingerprint.as_bytes());
    Secret::<[u8]>::try_make_slice(len + 1 + behind.len(), |out| {
        // EXPOSE: joined with the fingerprint, from one secret page into another.
        out[..len].copy_from_slice(passphrase.expose());
        out[len] = b':';
        out[len + 1..].copy_from_slice(behind);
        Ok(out.len())
    })
}

/// Rounds of every derivation of the legacy formats.
pub(super) const ROUNDS: u32 = 100_000;

const SHORT: ForeignError = ForeignError::Format("its sealed data is cut short");
