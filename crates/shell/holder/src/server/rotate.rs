//! A rotation at a server: wraps, ring and the handover to the new head key in one change.

use http::Method;
use serde_json::{Value, json};
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::b64url;
use symbolon_vault::replica::CommitMakeError;

use super::client::{By, Client};
use super::sign_in::{Session, VaultView};
use super::sync::SyncFailure;
use crate::error::HolderError;
use crate::open::{OpenVault, keys};
use crate::rotate::Rotation;

impl OpenVault {
    /// Hands the server the new keys in place of those that `base` has, and goes on under them. It is written
    /// down before it is sent, so that a run which hears no answer is finished by the next.
    ///
    /// # Errors
    /// [`SyncFailure`]; the vault here is not to be used further then.
    pub async fn send_rotation(
        &mut self,
        client: &mut Client,
        (session, base): (&Session, &VaultView),
        rotation: Rotation,
        ambient: (&dyn Rng, &dyn Clock),
    ) -> Result<(), SyncFailure> {
        let (rng, clock) = ambient;
        self.replica.set_keys(keys(&rotation.card, &rotation.unlocked)?);
        let commit = self.replica.commit(clock)?.ok_or(CommitMakeError::NotFetched)?;
        let ring = rotation.card.custody.ring();
        // INFALLIBLE: a list of numbers and strings has a JSON form.
        let ring = serde_json::to_vec(ring).expect("a ring has a JSON form");
        let body: Value = json!({
            "base_version": base.keys_version, "wraps": rotation.card.elsewhere(),
            "ring": b64url::encode(&ring), "commit": commit,
        });
        self.begin_rotation(&rotation)?;
        let by = By::Session(session);
        let put = client.send(by, Method::PUT, "/api/vault/wraps", &body).await;
        if let Err(error) = put {
            if !error.is_offline() {
                self.forget_rotation()?;
            }
            return Err(error.into());
        }
        self.take_rotation(rotation)?;
        self.replica.accepted(&commit, rng)?;
        self.save(rng)?;
        Ok(())
    }

    fn forget_rotation(&self) -> Result<(), HolderError> {
        self.folder.remove(crate::rotate::NEXT)
    }
}
