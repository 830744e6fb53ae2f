//! The data key, sealed for one custody method: `specs/custody.md`.

use serde::{Deserialize, Serialize};
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{AeadKey, MasterKey, OpenError, Params, argon2id, labels, sha256};
use symbolon_secret::Secret;

use crate::hexed;
use crate::id::{VaultId, WrapId};
use crate::method::{Enrol, Method, Opener};
use crate::sealer::SealerError;
use crate::vault::{EnrolError, UnlockError};

#[cfg(test)]
mod tests;

/// A vault's data key under the key of one custody method. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    id: WrapId,
    created_unix_ms: u64,
    method: Terms,
    #[serde(with = "hexed::base64")]
    envelope: Vec<u8>,
    check: Digest32,
}

/// A method with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Terms {
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
}

/// Argon2id's cost as stored. It is checked when it is used, so that a damaged number spoils one
/// wrap and not the reading of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl Wrap {
    /// Its name.
    pub fn id(&self) -> WrapId {
        self.id
    }

    /// Milliseconds since 1970.
    pub fn created_unix_ms(&self) -> u64 {
        self.created_unix_ms
    }

    /// What opens it.
    pub fn method(&self) -> Method {
        match self.method {
            Terms::Passphrase { .. } => Method::Passphrase,
            Terms::Device { .. } => Method::Device,
            Terms::Tpm { .. } => Method::Tpm,
            Terms::Recovery { .. } => Method::Recovery,
        }
    }

    pub(crate) fn make(
        vault: VaultId,
        data_key: &MasterKey,
        enrol: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Self, EnrolError> {
        let id = WrapId::make(rng);
        let mut salt = [0; 16];
        rng.fill(&mut salt);
        let (method, kek) = Terms::make(enrol, salt, rng)?;
        let mut wrap = Self {
            id,
            created_unix_ms: clock.unix_ms(),
            method,
            envelope: Vec::new(),
            check: Digest32([0; 32]),
        };
        let details = wrap.details();
        let context = wrap.context(&vault, &details);
        wrap.envelope = data_key.wrap_under(&kek, &labels::VAULT_WRAP, &context, rng);
        wrap.check = wrap.checksum(&vault);
        Ok(wrap)
    }

    /// The caller chose this wrap by its method.
    pub(crate) fn open(
        &self,
        vault: VaultId,
        opener: &Opener<'_>,
    ) -> Result<MasterKey, UnlockError> {
        let damaged = || UnlockError::Damaged { wrap: self.id };
        if self.check != self.checksum(&vault) {
            return Err(damaged());
        }
        let kek = self.method.kek(opener, damaged)?;
        let details = self.details();
        let context = self.context(&vault, &details);
        MasterKey::unwrap_under(&kek, &labels::VAULT_WRAP, &context, &self.envelope).map_err(|e| {
            match e {
                OpenError::WrongKey => UnlockError::WrongSecret { method: self.method() },
                OpenError::NoPage => UnlockError::NoPage,
                _ => damaged(),
            }
        })
    }

    fn context<'a>(&'a self, vault: &'a VaultId, details: &'a [u8]) -> [&'a [u8]; 4] {
        [vault.as_bytes(), self.method().as_str().as_bytes(), self.id.as_bytes(), details]
    }

    fn details(&self) -> Vec<u8> {
        let head = Fields::new(labels::WRAP.as_str()).u64(self.created_unix_ms);
        match &self.method {
            Terms::Passphrase { salt, cost } => head
                .bytes(salt)
                .u64(cost.memory_kib.into())
                .u64(cost.iterations.into())
                .u64(cost.lanes.into()),
            Terms::Device { salt, fingerprint_check } => {
                head.bytes(salt).bytes(fingerprint_check.as_bytes())
            }
            Terms::Tpm { salt, sealed } => head.bytes(salt).bytes(sealed),
            Terms::Recovery { salt } => head.bytes(salt),
        }
        .finish()
    }

    fn checksum(&self, vault: &VaultId) -> Digest32 {
        let details = self.details();
        let [vault, method, id, details] = self.context(vault, &details);
        let fields = Fields::new(labels::WRAP_CHECK.as_str()).bytes(vault).bytes(method);
        sha256(&fields.bytes(id).bytes(details).bytes(&self.envelope).finish())
    }
}

impl Terms {
    /// The parameters for a new wrap, and its key.
    fn make(
        enrol: &Enrol<'_>,
        salt: [u8; 16],
        rng: &dyn Rng,
    ) -> Result<(Self, AeadKey), EnrolError> {
        let label = enrol.opener.method().kek_label();
        let derive = |ikm: &Secret<[u8; 32]>| AeadKey::derive(ikm, &salt, &label, b"");
        Ok(match enrol.opener {
            Opener::Passphrase(passphrase) => {
                if passphrase.len() < PASSPHRASE_BYTES_MIN {
                    return Err(EnrolError::ShortPassphrase { bytes_min: PASSPHRASE_BYTES_MIN });
                }
                let cost = Cost::from(enrol.cost);
                let kek = derive(&argon2id(passphrase, &salt, enrol.cost)?);
                (Self::Passphrase { salt, cost }, kek)
            }
            Opener::Device { secret, fingerprint } => {
                let fingerprint_check = fingerprint_check(&salt, fingerprint);
                let ikm = device_ikm(secret, fingerprint);
                let kek = AeadKey::derive(&ikm, &salt, &label, b"");
                (Self::Device { salt, fingerprint_check }, kek)
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
                (Self::Tpm { salt, sealed }, derive(&secret))
            }
            Opener::Recovery(code) => (Self::Recovery { salt }, derive(code.secret())),
        })
    }

    /// The key that this wrap would be sealed under, if `opener` is the right one.
    fn kek(
        &self,
        opener: &Opener<'_>,
        damaged: impl Fn() -> UnlockError,
    ) -> Result<AeadKey, UnlockError> {
        let label = opener.method().kek_label();
        Ok(match (self, opener) {
            (Self::Passphrase { salt, cost }, Opener::Passphrase(passphrase)) => {
                let cost = Params::new(cost.memory_kib, cost.iterations, cost.lanes)
                    .map_err(|_| damaged())?;
                AeadKey::derive(&argon2id(passphrase, salt, cost)?, salt, &label, b"")
            }
            (
                Self::Device { salt, fingerprint_check: expected },
                Opener::Device { secret, fingerprint },
            ) => {
                if fingerprint_check(salt, fingerprint) != *expected {
                    return Err(UnlockError::OtherMachine);
                }
                AeadKey::derive(&device_ikm(secret, fingerprint), salt, &label, b"")
            }
            (Self::Tpm { salt, sealed }, Opener::Tpm(sealer)) => {
                AeadKey::derive(&sealer.unseal(sealed)?, salt, &label, b"")
            }
            (Self::Recovery { salt }, Opener::Recovery(code)) => {
                AeadKey::derive(code.secret(), salt, &label, b"")
            }
            // The vault offers a wrap to openers of its own method; any other is no key for it.
            _ => return Err(UnlockError::WrongSecret { method: opener.method() }),
        })
    }
}

impl From<Params> for Cost {
    fn from(p: Params) -> Self {
        Self { memory_kib: p.memory_kib(), iterations: p.iterations(), lanes: p.lanes() }
    }
}

/// Says "another machine" without saying which: salted, and not the fingerprint itself.
fn fingerprint_check(salt: &[u8; 16], fingerprint: &Digest32) -> Digest32 {
    let fields = Fields::new(labels::FINGERPRINT_CHECK.as_str()).bytes(salt);
    sha256(&fields.bytes(fingerprint.as_bytes()).finish())
}

fn device_ikm(secret: &Secret<[u8; 32]>, fingerprint: &Digest32) -> Secret<[u8; 64]> {
    Secret::<[u8; 64]>::make(|ikm| {
        // EXPOSE: the device secret moves from one secret page to another.
        ikm[..32].copy_from_slice(secret.expose());
        ikm[32..].copy_from_slice(fingerprint.as_bytes());
    })
}

/// Argon2id cannot save a passphrase that is shorter.
const PASSPHRASE_BYTES_MIN: usize = 8;
