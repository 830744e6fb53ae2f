//! Copies of items for others: to another vault, or to whoever has a link (`specs/vault.md`, "Shares").

use http::Method;
use serde::Deserialize;
use serde_json::json;
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::b64url;
use symbolon_crypto::RecipientKey;
use symbolon_vault::Item;
use symbolon_vault::replica::EditError;
use symbolon_vault::share::{
    LinkSecret, Received, SHARE_BYTES_MAX, ShareError, open_link, seal_link, seal_share,
};
use symbolon_vault::wire::{ItemId, ShareId};

use super::client::{By, Client};
use super::sync::SyncFailure;
use crate::open::OpenVault;

/// Why nothing was shared, or a share not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShareFailure {
    /// The server, or the way to it, or that there is none.
    #[error(transparent)]
    Sync(#[from] SyncFailure),
    /// The item.
    #[error(transparent)]
    Item(#[from] EditError),
    /// It was not sealed or not opened.
    #[error(transparent)]
    Share(#[from] ShareError),
}

/// How long and how often a share is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// From when on nobody sees it, in Unix milliseconds.
    pub expires_unix_ms: Option<u64>,
    /// How often it may be seen.
    pub views_max: Option<u32>,
}

/// Shares of an account, as its server lists them.
#[derive(Debug, Deserialize)]
pub struct Shares {
    /// Those that it made, newest first.
    pub made: Vec<ShareRow>,
    /// Those that are open to it, newest first.
    pub received: Vec<ShareRow>,
}

/// A share, without its bytes.
#[derive(Debug, Deserialize)]
pub struct ShareRow {
    /// Its id.
    pub id: ShareId,
    /// Which item it is a copy of, for its owner.
    pub item: Option<ItemId>,
    /// Whether it is for who has the link.
    pub link: bool,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// From when on nobody sees it.
    pub expires_unix_ms: Option<u64>,
    /// How often it may be seen.
    pub views_max: Option<u32>,
    /// How often it was.
    pub views: u32,
    /// When it was taken back.
    pub revoked_unix_ms: Option<u64>,
}

#[derive(Deserialize)]
struct KeyView {
    share_key: String,
}

#[derive(Deserialize)]
struct Shown {
    sealed: String,
}

impl Client {
    /// What a link shows, once.
    ///
    /// # Errors
    /// [`ShareFailure`].
    pub async fn open_link(
        &mut self,
        id: ShareId,
        secret: &LinkSecret,
    ) -> Result<Item, ShareFailure> {
        let sealed = self.shown(By::Nobody, id).await?;
        Ok(open_link(id, secret, &sealed)?)
    }

    async fn shown(&mut self, by: By<'_>, id: ShareId) -> Result<Vec<u8>, SyncFailure> {
        let shown: Shown = self.get(by, &format!("/api/shares/{id}")).await?;
        let sealed = b64url::decode(&shown.sealed, SHARE_BYTES_MAX);
        sealed.map_err(|_| self.other("a share of no known form".into()).into())
    }
}

impl OpenVault {
    /// The key that shares for another account are sealed to, as the server says it: people compare its
    /// fingerprint before they use it.
    ///
    /// # Errors
    /// [`ShareFailure`].
    pub async fn share_key_of(
        &self,
        client: &mut Client,
        handle: &str,
    ) -> Result<RecipientKey, ShareFailure> {
        let (key_id, key) = self.signer()?;
        // What is no handle is no path either.
        let handle: String = handle.chars().filter(|c| !"/?#%".contains(*c)).collect();
        let target = format!("/api/shares/keys/{handle}");
        let view: KeyView =
            client.get(By::Device(&key_id, &key), &target).await.map_err(SyncFailure::from)?;
        let bytes = b64url::decode(&view.share_key, 32).ok().and_then(|key| key.try_into().ok());
        let key = bytes.and_then(|bytes: [u8; 32]| RecipientKey::from_bytes(&bytes).ok());
        Ok(key.ok_or_else(|| SyncFailure::from(client.other("a share key that is none".into())))?)
    }

    /// Shares a copy of an item with the account of a handle.
    ///
    /// # Errors
    /// [`ShareFailure`].
    pub async fn share_with(
        &self,
        client: &mut Client,
        item: ItemId,
        (handle, to): (&str, &RecipientKey),
        terms: Terms,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<ShareId, ShareFailure> {
        let opened = self.replica.open(item)?;
        let (id, sealed) = seal_share(self.replica.keys(), &opened, to, clock, rng)?;
        self.put_share(client, (id, item), Some(handle), &sealed, terms).await?;
        Ok(id)
    }

    /// Shares a copy of an item with whoever has the link; gives what stands in that.
    ///
    /// # Errors
    /// [`ShareFailure`].
    pub async fn share_by_link(
        &self,
        client: &mut Client,
        item: ItemId,
        terms: Terms,
        rng: &dyn Rng,
    ) -> Result<(ShareId, LinkSecret), ShareFailure> {
        let opened = self.replica.open(item)?;
        let (id, secret) = (ShareId::make(rng), LinkSecret::make(rng));
        let sealed = seal_link(id, &secret, &opened, rng)?;
        self.put_share(client, (id, item), None, &sealed, terms).await?;
        Ok((id, secret))
    }

    /// What this account shares, and what is shared with it.
    ///
    /// # Errors
    /// [`ShareFailure`].
    pub async fn shares(&self, client: &mut Client) -> Result<Shares, ShareFailure> {
        let (key_id, key) = self.signer()?;
        let listed = client.get(By::Device(&key_id, &key), "/api/shares").await;
        Ok(listed.map_err(SyncFailure::from)?)
    }

    /// Opens what somebody shared with this account.
    ///
    /// # Errors
    /// [`ShareFailure`].
    pub async fn open_share(
        &self,
        client: &mut Client,
        id: ShareId,
    ) -> Result<Received, ShareFailure> {
        let (key_id, key) = self.signer()?;
        let sealed = client.shown(By::Device(&key_id, &key), id).await?;
        let received = self.replica.keys().open_share(&sealed)?;
        // A server that gives one share for another.
        if received.id == id { Ok(received) } else { Err(ShareError::Moved.into()) }
    }

    /// Takes a share back.
    ///
    /// # Errors
    /// [`ShareFailure`].
    pub async fn revoke_share(&self, client: &mut Client, id: ShareId) -> Result<(), ShareFailure> {
        let (key_id, key) = self.signer()?;
        let (by, target) = (By::Device(&key_id, &key), format!("/api/shares/{id}"));
        client.ask(by, Method::DELETE, &target, None).await.map_err(SyncFailure::from)?;
        Ok(())
    }

    async fn put_share(
        &self,
        client: &mut Client,
        (id, item): (ShareId, ItemId),
        to: Option<&str>,
        sealed: &[u8],
        terms: Terms,
    ) -> Result<(), SyncFailure> {
        let (key_id, key) = self.signer()?;
        let body = json!({
            "id": id, "to": to, "item": item, "sealed": b64url::encode(sealed),
            "expires_unix_ms": terms.expires_unix_ms, "views_max": terms.views_max,
        });
        client.send(By::Device(&key_id, &key), Method::POST, "/api/shares", &body).await?;
        Ok(())
    }
}
