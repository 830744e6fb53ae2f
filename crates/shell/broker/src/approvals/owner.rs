//! The owner's tokens for HTTP. No agent's key is one, and no token is an agent's.

use std::sync::PoisonError;

use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::{OwnerToken, Store};
use symbolon_codec::{Digest32, b64url, time::rfc3339};
use symbolon_crypto::{labels, sha256_parts};
use symbolon_secret::Secret;

use super::api::OwnerTokenView;
use crate::Broker;
use crate::api::CallError;

impl Broker {
    /// Makes a token with which the owner answers over HTTP. Shown once; only its hash is kept.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn add_owner_token(&self) -> Result<(OwnerTokenView, Secret<[u8]>), CallError> {
        let _one = self.changes.lock().await;
        let token = Secret::<[u8]>::make_slice(TOKEN_BYTES, |out| {
            let mut bits = [0; 32];
            SystemRng.fill(&mut bits);
            out[..4].copy_from_slice(b"syo_");
            out[4..].copy_from_slice(b64url::encode(&bits).as_bytes());
        });
        // EXPOSE: hashed.
        let key_hash = hash(token.expose());
        let mut kept = OwnerToken { id: 0, key_hash, created_unix_ms: self.clock.unix_ms() };
        kept.id = self.store.add_owner_token(&kept).await?;
        self.reload_owners().await?;
        Ok((view(&kept), token))
    }

    /// The owner's tokens.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn owner_tokens(&self) -> Result<Vec<OwnerTokenView>, CallError> {
        Ok(self.store.owner_tokens().await?.iter().map(view).collect())
    }

    /// Ends one of the owner's tokens.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that number.
    pub async fn remove_owner_token(&self, id: u64) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        self.store
            .delete_owner_token(id)
            .await
            .map_err(|e| CallError::from(e).next("symbolon owner"))?;
        self.reload_owners().await
    }

    /// Whether this is one of the owner's tokens. They are 256 random bits and are looked up by
    /// their hash, so the time it takes tells nothing about them.
    pub fn is_owner(&self, token: &[u8]) -> bool {
        let owners = self.approvals.owners.read().unwrap_or_else(PoisonError::into_inner);
        owners.contains(&hash(token))
    }

    pub(crate) async fn reload_owners(&self) -> Result<(), CallError> {
        let all = self.store.owner_tokens().await?;
        *self.approvals.owners.write().unwrap_or_else(PoisonError::into_inner) =
            all.into_iter().map(|t| t.key_hash).collect();
        Ok(())
    }
}

/// `syo_` and 43 characters.
const TOKEN_BYTES: usize = 47;

fn hash(token: &[u8]) -> Digest32 {
    sha256_parts(&[labels::OWNER_TOKEN.as_str().as_bytes(), token])
}

fn view(token: &OwnerToken) -> OwnerTokenView {
    OwnerTokenView {
        id: token.id,
        created: rfc3339(token.created_unix_ms),
        key_id: token.key_hash.to_string()[..12].to_owned(),
    }
}
