//! The data key, sealed for one custody method: `specs/custody.md`.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{MasterKey, OpenError, labels, sha256};

use crate::hexed;
use crate::id::{VaultId, WrapId};
use crate::method::{Enrol, Method, Opener};
use crate::tap::SALT_BYTES;
use crate::vault::{EnrolError, UnlockError};

mod kek;
mod terms;
#[cfg(test)]
mod tests;

use terms::Terms;

/// A vault's data key under the key of one custody method. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    id: WrapId,
    created_unix_ms: u64,
    /// Not written for the first, which vaults had before there were epochs.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    epoch: NonZeroU32,
    method: Terms,
    #[serde(with = "hexed::base64")]
    envelope: Vec<u8>,
    check: Digest32,
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

    /// Which of the vault's data keys it holds; they count from 1.
    pub fn epoch(&self) -> u32 {
        self.epoch.get()
    }

    /// What opens it.
    pub fn method(&self) -> Method {
        self.method.method()
    }

    /// Where a wallet is asked for it; `None` for other methods.
    pub fn origin(&self) -> Option<&crate::wallet::Origin> {
        self.method.origin()
    }

    /// The id of the passkey that opens it; `None` for other methods.
    pub fn passkey(&self) -> Option<&[u8]> {
        self.method.passkey()
    }

    /// What a passkey's key is derived with, for whoever makes it elsewhere; `None` for other methods.
    pub fn passkey_salt(&self) -> Option<&[u8; SALT_BYTES]> {
        self.method.passkey_salt()
    }

    /// The account of the wallet that opens it, as people write it; `None` for other methods.
    pub fn account(&self) -> Option<String> {
        self.method.account()
    }

    pub(crate) fn make(
        vault: VaultId,
        epoch: NonZeroU32,
        data_key: &MasterKey,
        enrol: &Enrol<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Self, EnrolError> {
        let id = WrapId::make(rng);
        let mut salt = [0; 16];
        rng.fill(&mut salt);
        let (method, kek) = Terms::make(vault, enrol, salt, rng)?;
        let mut wrap = Self {
            id,
            created_unix_ms: clock.unix_ms(),
            epoch,
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

    /// As [`Wrap::open`], for the vault's present data key alone.
    pub(crate) fn open_at(
        &self,
        epoch: u32,
        vault: VaultId,
        opener: &Opener<'_>,
    ) -> Result<(NonZeroU32, MasterKey), UnlockError> {
        if self.epoch() != epoch {
            return Err(UnlockError::Stale { wrap: self.id });
        }
        Ok((self.epoch, self.open(vault, opener)?))
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
        let kek = self.method.kek(vault, opener, damaged)?;
        let details = self.details();
        let context = self.context(&vault, &details);
        MasterKey::unwrap_under(&kek, &labels::VAULT_WRAP, &context, &self.envelope).map_err(|e| {
            match (e, self.method()) {
                // The account was compared before: it is the right wallet, and signs otherwise.
                (OpenError::WrongKey, method @ (Method::Ethereum | Method::Solana)) => {
                    UnlockError::ChangedSignature { method }
                }
                (OpenError::WrongKey, method) => UnlockError::WrongSecret { method },
                (OpenError::NoPage, _) => UnlockError::NoPage,
                _ => damaged(),
            }
        })
    }

    /// With the checksum that somebody who changed it would give it.
    #[cfg(test)]
    pub(crate) fn fitted(mut self, vault: VaultId) -> Self {
        self.check = self.checksum(&vault);
        self
    }

    fn context<'a>(&'a self, vault: &'a VaultId, details: &'a [u8]) -> [&'a [u8]; 4] {
        [vault.as_bytes(), self.method().as_str().as_bytes(), self.id.as_bytes(), details]
    }

    fn details(&self) -> Vec<u8> {
        let head = Fields::new(labels::WRAP.as_str()).u64(self.created_unix_ms);
        let fields = self.method.fields(head);
        if is_first(&self.epoch) {
            fields.finish()
        } else {
            fields.u64(self.epoch.get().into()).finish()
        }
    }

    fn checksum(&self, vault: &VaultId) -> Digest32 {
        let details = self.details();
        let [vault, method, id, details] = self.context(vault, &details);
        let fields = Fields::new(labels::WRAP_CHECK.as_str()).bytes(vault).bytes(method);
        sha256(&fields.bytes(id).bytes(details).bytes(&self.envelope).finish())
    }
}

/// The epoch of a new vault.
pub(crate) const fn first() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn is_first(epoch: &NonZeroU32) -> bool {
    *epoch == first()
}
