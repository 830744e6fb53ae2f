//! Texts that a vault's account registers at its server (`specs/authorship.md`).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::VerifyingKey;

use super::client::{By, Client};
use super::error::ClientError;
use super::sync::SyncFailure;
use crate::OpenVault;

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Registered {
    /// What was registered.
    pub commitment: Digest32,
    /// The index of its commit in the server's log.
    pub index: u64,
    /// The index of its newest entry.
    pub newest: u64,
    /// When, in Unix milliseconds.
    pub registered_unix_ms: u64,
    /// Whether its digest was revealed.
    pub revealed: bool,
}

/// The first registration of a digest, as its server tells it. The certificate is to be verified.
#[derive(Debug, Clone, Deserialize)]
pub struct RegistrationFound {
    /// What was registered.
    pub commitment: Digest32,
    /// The owner's handle, where they chose to be named.
    #[serde(default)]
    pub handle: Option<String>,
    /// What verifies it.
    pub certificate: Value,
}

#[derive(Deserialize)]
struct LogView {
    log: String,
}

impl Client {
    /// The operator's key, which begins with the log's origin, as the server says it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn authorship_log(&mut self) -> Result<String, ClientError> {
        let view: LogView = self.get(By::Nobody, "/api/authorship").await?;
        Ok(view.log)
    }

    /// Who registered a digest first, or what became of a commitment.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn authorship_of(
        &mut self,
        hash: &Digest32,
    ) -> Result<RegistrationFound, ClientError> {
        self.get(By::Nobody, &format!("/api/authorship/{hash}")).await
    }
}

impl OpenVault {
    /// The id of the account that the vault is kept by, where it is.
    pub fn account_id(&self) -> Option<[u8; 16]> {
        let account = self.card().account.as_ref()?;
        let mut id = [0; 16];
        hex::decode_to_slice(&account.id, &mut id).ok()?;
        Some(id)
    }

    /// Registers a commitment; the signature is of the commit, by the author's key.
    ///
    /// # Errors
    /// [`SyncFailure`].
    pub async fn register(
        &self,
        client: &mut Client,
        author: &VerifyingKey,
        commitment: &Digest32,
        signature: &[u8; 64],
    ) -> Result<Registered, SyncFailure> {
        let body = json!({ "author": hex::encode(author.as_bytes()), "commitment": commitment,
            "signature": hex::encode(signature) });
        self.act(client, "/api/authorship/commits", &body).await
    }

    /// Shows a digest; the signature is of the reveal, by the owner's key.
    ///
    /// # Errors
    /// [`SyncFailure`].
    pub async fn reveal(
        &self,
        client: &mut Client,
        (commitment, digest): (&Digest32, &Digest32),
        signature: &[u8; 64],
        show_handle: bool,
    ) -> Result<Registered, SyncFailure> {
        let body = json!({ "commitment": commitment, "digest": digest,
            "signature": hex::encode(signature), "show_handle": show_handle });
        self.act(client, "/api/authorship/reveals", &body).await
    }

    /// Takes a registration over: signed by its owner, accepted by the next one's key.
    ///
    /// # Errors
    /// [`SyncFailure`].
    pub async fn take_over(
        &self,
        client: &mut Client,
        (commitment, next): (&Digest32, &VerifyingKey),
        (signature, acceptance): (&[u8; 64], &[u8; 64]),
        show_handle: bool,
    ) -> Result<Registered, SyncFailure> {
        let body = json!({ "commitment": commitment, "next": hex::encode(next.as_bytes()),
            "signature": hex::encode(signature), "acceptance": hex::encode(acceptance),
            "show_handle": show_handle });
        self.act(client, "/api/authorship/transfers", &body).await
    }

    async fn act(
        &self,
        client: &mut Client,
        target: &str,
        body: &Value,
    ) -> Result<Registered, SyncFailure> {
        let (key_id, key) = self.device()?;
        let by = By::Device(&key_id, &key);
        let answer = client.send(by, Method::POST, target, body).await?;
        Ok(client.json(&answer)?)
    }
}
