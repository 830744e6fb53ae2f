//! Lending the vault's data key to its server for minutes: `specs/lease.md`.

use http::Method;
use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_codec::b64url;
use symbolon_crypto::RecipientKey;
use symbolon_custody::{Asked, Purpose, Purposes, Terms};

use super::client::{By, Client};
use super::error::ClientError;
use super::sync::SyncFailure;
use crate::open::OpenVault;

/// Why nothing was lent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LendFailure {
    /// The server, or the way to it.
    #[error(transparent)]
    Sync(#[from] SyncFailure),
    /// It asks in another's name, or for another vault: nothing was sealed.
    #[error("the server asks for a key of {0} that is not the one of this vault; nothing was lent")]
    Asks(&'static str),
    /// The data key was rotated elsewhere: the one at hand is an old one.
    #[error("the vault's data key was rotated elsewhere; nothing was lent")]
    OldKey,
    /// It could not be sealed.
    #[error("the data key was not sealed: {0}")]
    Seal(#[from] symbolon_crypto::HpkeError),
}

impl From<ClientError> for LendFailure {
    fn from(error: ClientError) -> Self {
        Self::Sync(error.into())
    }
}

/// A lease that is live, as the server says.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct LiveLease {
    /// Its id.
    pub id: String,
    /// What for.
    pub purposes: Vec<String>,
    /// When it was granted, in Unix milliseconds.
    pub granted_unix_ms: u64,
    /// How long it lives yet, in milliseconds.
    pub left_ms: u64,
}

#[derive(Deserialize)]
struct LeaseKey {
    key: String,
    nonce: String,
    origin: String,
    vault: String,
    epoch: u32,
}

#[derive(Serialize)]
struct NewLease {
    nonce: String,
    purposes: Vec<&'static str>,
    minutes: u32,
    sealed: String,
}

#[derive(Deserialize)]
struct Leases {
    leases: Vec<LiveLease>,
}

impl OpenVault {
    /// Lends the data key to the vault's server.
    ///
    /// # Errors
    /// [`LendFailure`]; what the server asks is compared with what is known here before anything is
    /// sealed.
    pub async fn lend(
        &self,
        client: &mut Client,
        purposes: Purposes,
        minutes: u32,
        rng: &dyn Rng,
    ) -> Result<LiveLease, LendFailure> {
        let (key_id, key) = self.device()?;
        let by = By::Device(&key_id, &key);
        let asked: LeaseKey = client.get(by, "/api/vault/lease-key").await?;
        if asked.origin != client.url().to_string() {
            return Err(LendFailure::Asks("another origin"));
        }
        let vault = self.unlocked.vault_id();
        if asked.vault != vault.to_string() {
            return Err(LendFailure::Asks("another vault"));
        }
        if asked.epoch != self.unlocked.epoch() {
            return Err(LendFailure::OldKey);
        }
        let bytes = |text: &str| -> Option<[u8; 32]> {
            b64url::decode(text, 32).ok().and_then(|bytes| bytes.try_into().ok())
        };
        let unreadable = || client.other("a lease key of no known form".into());
        let nonce = bytes(&asked.nonce).ok_or_else(unreadable)?;
        let to = bytes(&asked.key).ok_or_else(unreadable)?;
        let to = RecipientKey::from_bytes(&to)?;
        let on = Asked { origin: &asked.origin, key: &to, nonce: &nonce, minutes };
        let terms = Terms::lease(vault, asked.epoch, &on, purposes);
        let sealed = self.unlocked.hand_over(&to, &terms, rng)?;
        let new = NewLease {
            nonce: b64url::encode(&nonce),
            purposes: purposes.iter().map(Purpose::as_str).collect(),
            minutes,
            sealed: b64url::encode(&sealed),
        };
        let answer = client.send(by, Method::POST, "/api/vault/leases", &new).await?;
        Ok(client.json(&answer)?)
    }

    /// The leases of this vault that are live.
    ///
    /// # Errors
    /// [`LendFailure::Sync`].
    pub async fn leases(&self, client: &mut Client) -> Result<Vec<LiveLease>, LendFailure> {
        let (key_id, key) = self.device()?;
        let found: Leases = client.get(By::Device(&key_id, &key), "/api/vault/leases").await?;
        Ok(found.leases)
    }

    /// Ends a lease: the server wiped what it had of it when this returns.
    ///
    /// # Errors
    /// [`LendFailure::Sync`].
    pub async fn end_lease(&self, client: &mut Client, id: &str) -> Result<(), LendFailure> {
        let (key_id, key) = self.device()?;
        let target = format!("/api/vault/leases/{id}");
        client.ask(By::Device(&key_id, &key), Method::DELETE, &target, None).await?;
        Ok(())
    }

    pub(super) fn device(&self) -> Result<(String, symbolon_crypto::SigningKey), SyncFailure> {
        let account = self.card.account.as_ref().ok_or(SyncFailure::NoServer)?;
        Ok((account.device.key_id.clone(), account.device.open(&self.unlocked)?))
    }
}
