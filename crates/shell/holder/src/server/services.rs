//! Services whose keys a server checks, by the account of a vault (`specs/pzk-auth.md`).

use http::Method;
use serde::{Deserialize, Serialize};

use super::client::{By, Client};
use super::sync::SyncFailure;
use crate::OpenVault;

/// A service to be set up.
#[derive(Debug, Clone, Serialize)]
pub struct NewService {
    /// Its address.
    pub audience: String,
    /// What its operator calls it.
    pub name: String,
    /// Everything that a token may be good for.
    pub scopes: String,
    /// How long a token lives.
    pub token_seconds: u64,
}

/// A service that was set up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceRow {
    /// Its id.
    pub id: String,
    /// Its address.
    pub audience: String,
    /// What its operator calls it.
    pub name: String,
    /// Everything that a token may be good for.
    pub scopes: String,
    /// How long a token lives, in seconds.
    pub token_seconds: u64,
}

/// A service's id with its secret, which is shown once.
#[derive(Deserialize)]
pub struct ServiceSecretShown {
    /// The id.
    pub id: String,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for ServiceSecretShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServiceSecretShown({})", self.id)
    }
}

#[derive(Deserialize)]
struct Services {
    services: Vec<ServiceRow>,
}

impl OpenVault {
    /// Sets a service up, by the vault's account.
    ///
    /// # Errors
    /// [`SyncFailure`].
    pub async fn add_service(
        &self,
        client: &mut Client,
        new: &NewService,
    ) -> Result<ServiceSecretShown, SyncFailure> {
        let (key_id, key) = self.device()?;
        let by = By::Device(&key_id, &key);
        let answer = client.send(by, Method::POST, "/api/keys/services", new).await?;
        Ok(client.json(&answer)?)
    }

    /// The account's services.
    ///
    /// # Errors
    /// [`SyncFailure`].
    pub async fn services(&self, client: &mut Client) -> Result<Vec<ServiceRow>, SyncFailure> {
        let (key_id, key) = self.device()?;
        let all: Services = client.get(By::Device(&key_id, &key), "/api/keys/services").await?;
        Ok(all.services)
    }

    /// Removes a service with all of its keys.
    ///
    /// # Errors
    /// [`SyncFailure`].
    pub async fn remove_service(&self, client: &mut Client, id: &str) -> Result<(), SyncFailure> {
        let (key_id, key) = self.device()?;
        let target = format!("/api/keys/services/{id}");
        client.ask(By::Device(&key_id, &key), Method::DELETE, &target, None).await?;
        Ok(())
    }
}
