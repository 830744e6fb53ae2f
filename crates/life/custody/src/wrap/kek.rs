//! The key that a wrap is sealed under, from what a person or a machine brings.

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::ethereum::{Address, EthereumError, recover, secret_signature};
use symbolon_crypto::{
    AeadKey, Label, Params, SignatureError, VerifyingKey, argon2id, labels, sha256,
};
use symbolon_secret::{Secret, on_stack};

use super::terms::Terms;
use crate::id::VaultId;
use crate::method::{Method, Opener};
use crate::vault::UnlockError;
use crate::wallet::KeyDerivation;

impl Terms {
    /// The key that this wrap would be sealed under, if `opener` is the right one.
    pub(super) fn kek(
        &self,
        vault: VaultId,
        opener: &Opener<'_>,
        damaged: impl Fn() -> UnlockError,
    ) -> Result<AeadKey, UnlockError> {
        let method = self.method();
        Ok(match (self, opener) {
            (Self::Passphrase { salt, cost }, Opener::Passphrase(passphrase)) => {
                let cost = Params::new(cost.memory_kib, cost.iterations, cost.lanes)
                    .map_err(|_| damaged())?;
                derive(method, salt, &argon2id(passphrase, salt, cost)?)
            }
            (
                Self::Device { salt, fingerprint_check: expected },
                Opener::Device { secret, fingerprint },
            ) => {
                if fingerprint_check(salt, fingerprint) != *expected {
                    return Err(UnlockError::OtherMachine);
                }
                derive(method, salt, &device_ikm(secret, fingerprint))
            }
            (Self::Tpm { salt, sealed }, Opener::Tpm(sealer)) => {
                derive(method, salt, &sealer.unseal(sealed)?)
            }
            (Self::Recovery { salt }, Opener::Recovery(code)) => {
                derive(method, salt, code.secret())
            }
            (Self::Passkey { salt, credential: expected }, Opener::Passkey { credential, prf }) => {
                if expected != credential {
                    return Err(UnlockError::OtherPasskey);
                }
                derive(method, salt, prf)
            }
            #[cfg(not(target_arch = "wasm32"))]
            (Self::Passkey { salt, credential }, Opener::WrapKey(key)) => {
                if credential != key.credential() || salt != key.salt() {
                    return Err(UnlockError::OtherPasskey);
                }
                key.kek()
            }
            (Self::Password { salt }, Opener::Password(export_key)) => {
                derive(method, salt, export_key.secret())
            }
            (Self::Ethereum { salt, address, origin }, Opener::Ethereum(signature)) => {
                let request = KeyDerivation { origin, vault };
                let bad = |e| match e {
                    EthereumError::NoPage => UnlockError::NoPage,
                    _ => UnlockError::Signature { method },
                };
                if ethereum_signer(&request, signature).map_err(bad)? != *address {
                    return Err(UnlockError::OtherWallet { method });
                }
                derive(method, salt, &secret_signature(signature).map_err(bad)?)
            }
            (Self::Solana { salt, key, origin }, Opener::Solana(signature)) => {
                if !is_solana_signer(&KeyDerivation { origin, vault }, key, signature) {
                    return Err(UnlockError::OtherWallet { method });
                }
                derive(method, salt, signature)
            }
            (Self::Ethereum { salt, address, origin }, Opener::Seed(seed)) => {
                let key = seed.ethereum_key();
                if key.address() != *address {
                    return Err(UnlockError::WrongSecret { method: Method::Seed });
                }
                let signature = key.sign(&KeyDerivation { origin, vault }.ethereum_digest());
                derive(
                    method,
                    salt,
                    &secret_signature(&signature).map_err(|_| UnlockError::NoPage)?,
                )
            }
            (Self::Solana { salt, key, origin }, Opener::Seed(seed)) => {
                let own = seed.solana_key();
                if own.verifying_key() != *key {
                    return Err(UnlockError::WrongSecret { method: Method::Seed });
                }
                let message = KeyDerivation { origin, vault }.solana_message();
                derive(method, salt, &own.sign_secret(message.as_bytes()))
            }
            // The vault offers a wrap to openers of its own method; any other is no key for it.
            _ => return Err(UnlockError::WrongSecret { method: opener.method() }),
        })
    }
}

/// HKDF-SHA256 under the method's own label.
pub(super) fn derive<K: AsRef<[u8]> + ?Sized>(
    method: Method,
    salt: &[u8; 16],
    ikm: &Secret<K>,
) -> AeadKey {
    AeadKey::derive(ikm, salt, &label(method), b"")
}

const fn label(method: Method) -> Label {
    match method {
        Method::Passphrase => labels::KEK_PASSPHRASE,
        Method::Device => labels::KEK_DEVICE,
        Method::Tpm => labels::KEK_TPM,
        Method::Recovery => labels::KEK_RECOVERY,
        Method::Passkey => labels::KEK_PASSKEY,
        Method::Password => labels::KEK_PASSWORD,
        // A seed signs as its Ethereum wallet or its Solana wallet would: no wrap has the method.
        Method::Ethereum | Method::Seed => labels::KEK_ETHEREUM,
        Method::Solana => labels::KEK_SOLANA,
    }
}

/// Whose signature it is.
pub(super) fn ethereum_signer(
    request: &KeyDerivation<'_>,
    signature: &Secret<[u8; 65]>,
) -> Result<Address, EthereumError> {
    let digest = request.ethereum_digest();
    // EXPOSE: the signer's key is recovered, on the secret stack; an address comes out.
    on_stack(|| recover(&digest, signature.expose()))
}

/// Whether it is a signature of this key.
pub(super) fn is_solana_signer(
    request: &KeyDerivation<'_>,
    key: &VerifyingKey,
    signature: &Secret<[u8; 64]>,
) -> bool {
    let message = request.solana_message();
    // EXPOSE: verified, on the secret stack; a yes or no comes out.
    let verified: Result<(), SignatureError> =
        on_stack(|| key.verify(message.as_bytes(), signature.expose()));
    verified.is_ok()
}

/// Says "another machine" without saying which: salted, and not the fingerprint itself.
pub(super) fn fingerprint_check(salt: &[u8; 16], fingerprint: &Digest32) -> Digest32 {
    let fields = Fields::new(labels::FINGERPRINT_CHECK.as_str()).bytes(salt);
    sha256(&fields.bytes(fingerprint.as_bytes()).finish())
}

pub(super) fn device_ikm(secret: &Secret<[u8; 32]>, fingerprint: &Digest32) -> Secret<[u8; 64]> {
    Secret::<[u8; 64]>::make(|ikm| {
        // EXPOSE: the device secret moves from one secret page to another.
        ikm[..32].copy_from_slice(secret.expose());
        ikm[32..].copy_from_slice(fingerprint.as_bytes());
    })
}
