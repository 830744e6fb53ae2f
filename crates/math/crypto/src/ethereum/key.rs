//! An account's own key, where its seed is at hand.

use std::fmt;

use symbolon_codec::Digest32;
use symbolon_secret::{Secret, on_stack};

use super::{Address, EthereumError};

/// A secp256k1 key in a secret page.
pub struct EthereumKey {
    key: Secret<k256::ecdsa::SigningKey>,
    address: Address,
}

impl EthereumKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`EthereumError::Signature`] for zero or a number not below the group's order;
    /// [`EthereumError::NoPage`].
    pub fn from_secret(secret: &Secret<[u8; 32]>) -> Result<Self, EthereumError> {
        let key = Secret::place_or(|| {
            // EXPOSE: the key is made of its bytes, on the secret stack.
            let key = k256::ecdsa::SigningKey::from_slice(secret.expose());
            key.map_err(|_| EthereumError::Signature)
        })?;
        // EXPOSE: the public half is read.
        let address = on_stack(|| Address::of(key.expose().verifying_key()));
        Ok(Self { key, address })
    }

    /// Whose key it is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// `r || s || v` with the lower `s` and `v` 27 or 28. The nonce is RFC 6979's: the same
    /// digest gets the same signature, as of every wallet that follows it.
    pub fn sign(&self, digest: &Digest32) -> Secret<[u8; 65]> {
        Secret::<[u8; 65]>::make(|out| {
            on_stack(|| {
                // EXPOSE: signing reads the key, on the secret stack.
                let (signature, id) = self.key.expose().sign_prehash_recoverable(&digest.0);
                out[..64].copy_from_slice(&signature.to_bytes());
                out[64] = 27 + id.to_byte();
            });
        })
    }
}

impl fmt::Debug for EthereumKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EthereumKey({})", self.address)
    }
}
