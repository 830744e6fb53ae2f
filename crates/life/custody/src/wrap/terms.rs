//! The methods' parameters as a wrap has them, and the making of a new wrap's.

use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::ethereum::{Address, secret_signature};
use symbolon_crypto::{AeadKey, Params, VerifyingKey, argon2id};
use symbolon_secret::Secret;

use super::kek;
use crate::hexed;
use crate::id::VaultId;
use crate::method::{Chain, Enrol, Method, Opener, Way};
use crate::sealer::SealerError;
use crate::tap::SALT_BYTES;
use crate::vault::EnrolError;
use crate::wallet::{KeyDerivation, Origin};

/// A method with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Terms {
    Passphrase {
        #[serde(with = "hexed")]
        salt: [u8; 16],
        cost: Cost,
    },
    Device {
        #[serde(with = "hexed")]
        salt: [u8; 16],
        fingerprint_check: Digest32,
    },
    Tpm {
        #[serde(with = "hexed")]
        salt: [u8; 16],
        #[serde(with = "hexed::base64")]
        sealed: Vec<u8>,
    },
    Recovery {
        #[serde(with = "hexed")]
        salt: [u8; 16],
    },
    Passkey {
        #[serde(with = "hexed")]
        salt: [u8; 16],
        #[serde(with = "hexed::base64")]
        credential: Vec<u8>,
    },
    Password {
        #[serde(with = "hexed")]
        salt: [u8; 16],
    },
    Ethereum {
        #[serde(with = "hexed")]
        salt: [u8; 16],
        #[serde(with = "hexed::text")]
        address: Address,
        origin: Origin,
    },
    Solana {
        #[serde(with = "hexed")]
        salt: [u8; 16],
        key: VerifyingKey,
        origin: Origin,
    },
}

/// Argon2id's cost as stored. It is checked when it is used, so that a damaged number spoils one
/// wrap and not the reading of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) iterations: u32,
    pub(super) lanes: u32,
}

impl Terms {
    pub(super) const fn method(&self) -> Method {
        match self {
            Self::Passphrase { .. } => Method::Passphrase,
            Self::Device { .. } => Method::Device,
            Self::Tpm { .. } => Method::Tpm,
            Self::Recovery { .. } => Method::Recovery,
            Self::Passkey { .. } => Method::Passkey,
            Self::Password { .. } => Method::Password,
            Self::Ethereum { .. } => Method::Ethereum,
            Self::Solana { .. } => Method::Solana,
        }
    }

    pub(super) fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Ethereum { origin, .. } | Self::Solana { origin, .. } => Some(origin),
            _ => None,
        }
    }

    pub(super) fn passkey(&self) -> Option<&[u8]> {
        match self {
            Self::Passkey { credential, .. } => Some(credential),
            _ => None,
        }
    }

    pub(super) fn passkey_salt(&self) -> Option<&[u8; SALT_BYTES]> {
        match self {
            Self::Passkey { salt, .. } => Some(salt),
            _ => None,
        }
    }

    pub(super) fn account(&self) -> Option<String> {
        match self {
            Self::Ethereum { address, .. } => Some(address.to_string()),
            Self::Solana { key, .. } => Some(key.to_base58()),
            _ => None,
        }
    }

    /// The parameters, in the order of the spec's table.
    pub(super) fn fields(&self, head: Fields) -> Fields {
        match self {
            Self::Passphrase { salt, cost } => head
                .bytes(salt)
                .u64(cost.memory_kib.into())
                .u64(cost.iterations.into())
                .u64(cost.lanes.into()),
            Self::Device { salt, fingerprint_check } => {
                head.bytes(salt).bytes(fingerprint_check.as_bytes())
            }
            Self::Tpm { salt, sealed } => head.bytes(salt).bytes(sealed),
            Self::Recovery { salt } | Self::Password { salt } => head.bytes(salt),
            Self::Passkey { salt, credential } => head.bytes(salt).bytes(credential),
            Self::Ethereum { salt, address, origin } => {
                head.bytes(salt).bytes(address.as_bytes()).bytes(origin.as_str().as_bytes())
            }
            Self::Solana { salt, key, origin } => {
                head.bytes(salt).bytes(key.as_bytes()).bytes(origin.as_str().as_bytes())
            }
        }
    }

    /// The parameters for a new wrap, and its key.
    pub(super) fn make(
        vault: VaultId,
        enrol: &Enrol<'_>,
        salt: [u8; 16],
        rng: &dyn Rng,
    ) -> Result<(Self, AeadKey), EnrolError> {
        match enrol.way {
            Way::Opener(opener) => Self::of_opener(opener, enrol.cost, salt, rng),
            Way::Ethereum { origin, address, signed: [first, again] } => {
                let method = Method::Ethereum;
                let request = KeyDerivation { origin, vault };
                let found = kek::ethereum_signer(&request, first)
                    .map_err(|_| EnrolError::Signature { method })?;
                if found != address {
                    return Err(EnrolError::OtherWallet { method });
                }
                let one = secret_signature(first).map_err(|_| EnrolError::Signature { method })?;
                let two = secret_signature(again).map_err(|_| EnrolError::Signature { method })?;
                if !one.ct_eq(&two) {
                    return Err(EnrolError::UnstableSignature { method });
                }
                let terms = Self::Ethereum { salt, address, origin: origin.clone() };
                let key = kek::derive(method, &salt, &one);
                Ok((terms, key))
            }
            Way::Solana { origin, key, signed: [first, again] } => {
                let method = Method::Solana;
                if !kek::is_solana_signer(&KeyDerivation { origin, vault }, &key, first) {
                    return Err(EnrolError::OtherWallet { method });
                }
                if !first.ct_eq(again) {
                    return Err(EnrolError::UnstableSignature { method });
                }
                let terms = Self::Solana { salt, key, origin: origin.clone() };
                Ok((terms, kek::derive(method, &salt, first)))
            }
            Way::Seed { origin, seed, chain: Chain::Ethereum } => {
                let key = seed.ethereum_key();
                let signature = key.sign(&KeyDerivation { origin, vault }.ethereum_digest());
                let own = Enrol::ethereum(origin, key.address(), [&signature; 2]);
                Self::make(vault, &own, salt, rng)
            }
            Way::Seed { origin, seed, chain: Chain::Solana } => {
                let key = seed.solana_key();
                let message = KeyDerivation { origin, vault }.solana_message();
                let signature = key.sign_secret(message.as_bytes());
                let own = Enrol::solana(origin, key.verifying_key(), [&signature; 2]);
                Self::make(vault, &own, salt, rng)
            }
        }
    }

    fn of_opener(
        opener: Opener<'_>,
        cost: Params,
        salt: [u8; 16],
        rng: &dyn Rng,
    ) -> Result<(Self, AeadKey), EnrolError> {
        let method = opener.method();
        Ok(match opener {
            Opener::Passphrase(passphrase) => {
                if passphrase.len() < PASSPHRASE_BYTES_MIN {
                    return Err(EnrolError::ShortPassphrase { bytes_min: PASSPHRASE_BYTES_MIN });
                }
                let key = kek::derive(method, &salt, &argon2id(passphrase, &salt, cost)?);
                (Self::Passphrase { salt, cost: Cost::from(cost) }, key)
            }
            Opener::Device { secret, fingerprint } => {
                let fingerprint_check = kek::fingerprint_check(&salt, fingerprint);
                let key = kek::derive(method, &salt, &kek::device_ikm(secret, fingerprint));
                (Self::Device { salt, fingerprint_check }, key)
            }
            Opener::Tpm(sealer) => {
                let secret = Secret::<[u8; 32]>::make(|b| rng.fill(b));
                let sealed = sealer.seal(&secret)?;
                // A wrap that does not open again must not replace one that does.
                if !sealer.unseal(&sealed)?.ct_eq(&secret)
                    || sealed.len() > hexed::base64::BYTES_MAX
                {
                    return Err(SealerError::Damaged.into());
                }
                (Self::Tpm { salt, sealed }, kek::derive(method, &salt, &secret))
            }
            Opener::Recovery(code) => {
                (Self::Recovery { salt }, kek::derive(method, &salt, code.secret()))
            }
            Opener::Passkey { credential, prf } => {
                (Self::of_passkey(salt, credential)?, kek::derive(method, &salt, prf))
            }
            #[cfg(not(target_arch = "wasm32"))]
            Opener::WrapKey(key) => (Self::of_passkey(*key.salt(), key.credential())?, key.kek()),
            Opener::Password(export_key) => {
                (Self::Password { salt }, kek::derive(method, &salt, export_key.secret()))
            }
            Opener::Ethereum(_) | Opener::Solana(_) | Opener::Seed(_) => {
                return Err(EnrolError::SignTwice { method });
            }
        })
    }
}

impl Terms {
    fn of_passkey(salt: [u8; SALT_BYTES], credential: &[u8]) -> Result<Self, EnrolError> {
        if !(1..=CREDENTIAL_BYTES_MAX).contains(&credential.len()) {
            return Err(EnrolError::Credential);
        }
        Ok(Self::Passkey { salt, credential: credential.to_vec() })
    }
}

impl From<Params> for Cost {
    fn from(p: Params) -> Self {
        Self { memory_kib: p.memory_kib(), iterations: p.iterations(), lanes: p.lanes() }
    }
}

/// Argon2id cannot save a passphrase that is shorter.
const PASSPHRASE_BYTES_MIN: usize = 8;
/// Of WebAuthn, section 4.
const CREDENTIAL_BYTES_MAX: usize = 1023;
