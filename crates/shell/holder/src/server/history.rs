//! What an item was before, as its server keeps it.

use serde::Deserialize;
use symbolon_vault::replica::{HistoryError, Past};
use symbolon_vault::wire::{ItemId, SealedRevision};

use super::client::{By, Client};
use super::sync::SyncFailure;
use crate::open::OpenVault;

/// Why there is no history to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PastFailure {
    /// The server, or the way to it.
    #[error(transparent)]
    Sync(#[from] SyncFailure),
    /// What it sent is not the item's history.
    #[error("the server's history of this item is not its own: {0}")]
    History(#[from] HistoryError),
}

#[derive(Deserialize)]
struct Rows {
    revisions: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    number: u64,
}

#[derive(Deserialize)]
struct One {
    revision: SealedRevision,
}

impl OpenVault {
    /// The latest `max` of an item's older revisions, the latest first, each checked to be the one that the
    /// next names, up to the signed head.
    ///
    /// # Errors
    /// [`PastFailure`].
    pub async fn past(
        &self,
        client: &mut Client,
        id: ItemId,
        max: usize,
    ) -> Result<Vec<Past>, PastFailure> {
        let account = self.card.account.as_ref().ok_or(SyncFailure::NoServer)?;
        let key = account.device.open(&self.unlocked).map_err(SyncFailure::from)?;
        let by = By::Device(&account.device.key_id, &key);
        let target = format!("/api/vault/items/{id}/revisions");
        let mut rows: Rows = client.get(by, &target).await.map_err(SyncFailure::from)?;
        rows.revisions.sort_unstable_by_key(|row| std::cmp::Reverse(row.number));
        let mut revisions = Vec::new();
        // The first is the current one, or one that was not fetched yet: `history` leaves those out.
        for row in rows.revisions.iter().take(max + 1) {
            let target = format!("/api/vault/items/{id}/revisions/{}", row.number);
            let one: One = client.get(by, &target).await.map_err(SyncFailure::from)?;
            revisions.push(one.revision);
        }
        Ok(self.replica.history(id, revisions)?)
    }
}
