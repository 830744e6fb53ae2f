//! What a vault asks of Ethereum wallets: addresses (EIP-55), messages (EIP-191), typed data
//! (EIP-712), and who signed them.

use std::fmt;
use std::str::FromStr;

use k256::ecdsa::{RecoveryId, Signature};
use sha3::Digest;
use symbolon_codec::{Digest32, hex};
use symbolon_secret::{MemoryError, Secret, on_stack};

mod key;
#[cfg(test)]
mod tests;
mod typed;

pub use key::EthereumKey;
pub use typed::{TypedWord, hash_struct, typed_data_digest};

/// Why a wallet's bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EthereumError {
    /// No address, or one whose mixed case is not its checksum.
    #[error("this is not an Ethereum address")]
    Address,
    /// The bytes are no signature from which a key can be recovered.
    #[error("this is not a signature of an Ethereum wallet")]
    Signature,
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for EthereumError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// An account. Shown with the checksum of EIP-55.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address([u8; 20]);

impl Address {
    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The last 20 bytes of the hash of a public key (65 bytes, uncompressed).
    fn of(key: &k256::ecdsa::VerifyingKey) -> Self {
        let point = key.to_sec1_point(false);
        let hash = keccak256(&[&point.as_bytes()[1..]]);
        let mut out = [0; 20];
        out.copy_from_slice(&hash.0[12..]);
        Self(out)
    }
}

impl From<[u8; 20]> for Address {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = hex::encode(self.0).into_bytes();
        let hash = keccak256(&[&text]).0;
        for (i, c) in text.iter_mut().enumerate() {
            let nibble = hash[i / 2] >> (4 * (1 - i % 2)) & 15;
            if nibble >= 8 {
                c.make_ascii_uppercase();
            }
        }
        write!(f, "0x{}", String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `0x` and 40 hex digits: of one case, or of the case that the checksum says.
impl FromStr for Address {
    type Err = EthereumError;
    fn from_str(text: &str) -> Result<Self, EthereumError> {
        let digits = text.strip_prefix("0x").ok_or(EthereumError::Address)?;
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| EthereumError::Address)?;
        let address = Self(bytes);
        let has = |test: fn(&u8) -> bool| digits.as_bytes().iter().any(test);
        let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
        if is_mixed && address.to_string() != text {
            return Err(EthereumError::Address);
        }
        Ok(address)
    }
}

/// Keccak-256, as Ethereum had it before SHA-3 was standardised, of pieces joined.
pub fn keccak256(parts: &[&[u8]]) -> Digest32 {
    let mut hash = sha3::Keccak256::new();
    for part in parts {
        hash.update(part);
    }
    Digest32(hash.finalize().into())
}

/// What `personal_sign` signs (EIP-191, version `0x45`).
pub fn personal_message_digest(message: &[u8]) -> Digest32 {
    let length = message.len().to_string();
    keccak256(&[b"\x19Ethereum Signed Message:\n", length.as_bytes(), message])
}

/// Who signed a digest. `signature` is `r || s || v` with `v` 0, 1, 27 or 28.
///
/// # Errors
/// [`EthereumError::Signature`].
pub fn recover(digest: &Digest32, signature: &[u8; 65]) -> Result<Address, EthereumError> {
    let (signature, id) = read(signature)?;
    k256::ecdsa::VerifyingKey::recover_from_prehash(&digest.0, &signature, id)
        .map(|key| Address::of(&key))
        .map_err(|_| EthereumError::Signature)
}

/// A signature that is itself a secret, in one form: `r || s` with the lower `s`, so that wallets
/// which give the other one, or another `v`, come to the same bytes.
///
/// # Errors
/// [`EthereumError::Signature`], [`EthereumError::NoPage`].
pub fn secret_signature(signature: &Secret<[u8; 65]>) -> Result<Secret<[u8; 64]>, EthereumError> {
    Secret::<[u8; 64]>::try_make(|out| {
        on_stack(|| {
            // EXPOSE: brought into its one form, on the secret stack, in a secret page.
            let (signature, _) = read(signature.expose())?;
            out.copy_from_slice(&signature.to_bytes());
            Ok(())
        })
    })
}

/// The signature with the lower `s` (EIP-2), and which of two points its `r` names.
fn read(bytes: &[u8; 65]) -> Result<(Signature, RecoveryId), EthereumError> {
    let (rs, v) = bytes.split_at(64);
    let v = match v[0] {
        v @ 0..=1 => v,
        v @ 27..=28 => v - 27,
        _ => return Err(EthereumError::Signature),
    };
    let given = Signature::from_slice(rs).map_err(|_| EthereumError::Signature)?;
    let low = given.normalize_s();
    let v = if low == given { v } else { v ^ 1 };
    let id = RecoveryId::from_byte(v).ok_or(EthereumError::Signature)?;
    Ok((low, id))
}
