//! What an item was before.

use super::{HistoryError, Replica};
use crate::item::Item;
use crate::seal;
use crate::wire::{ItemId, SealedRevision, State};

/// An older revision of an item.
#[derive(Debug)]
pub struct Past {
    /// Which.
    pub number: u64,
    /// When it was made, in milliseconds since 1970.
    pub updated_unix_ms: u64,
    /// Whether it was in the trash.
    pub state: State,
    /// What it was.
    pub item: Item,
}

impl Replica {
    /// Opens older revisions of an item, the latest first, and checks that each is the one that the
    /// next names, up to the one that the signed head names: so none was changed, exchanged or left
    /// out in between. A server may have dropped the oldest.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn history(
        &self,
        id: ItemId,
        mut revisions: Vec<SealedRevision>,
    ) -> Result<Vec<Past>, HistoryError> {
        let base = self.entries.get(&id).and_then(|entry| entry.base.as_ref());
        let base = base.ok_or(HistoryError::NoItem(id))?;
        let open = |revision: &SealedRevision| {
            let number = revision.number();
            seal::open(&self.keys, revision).map_err(|cause| HistoryError::Open { number, cause })
        };
        let mut number = base.header().number;
        let current = base.revision().map_err(|cause| HistoryError::Open { number, cause })?;
        let mut named = open(&current)?.1.lineage.previous;
        revisions.retain(|revision| revision.number() < number);
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number()));
        let mut past = Vec::with_capacity(revisions.len());
        for revision in revisions {
            number -= 1;
            if revision.number() != number {
                return Err(HistoryError::Missing(number));
            }
            if Some(revision.digest()) != named {
                return Err(HistoryError::Other(number));
            }
            let (item, about) = open(&revision)?;
            named = about.lineage.previous;
            let header = revision.header();
            let (updated_unix_ms, state) = (header.updated_unix_ms, header.state);
            past.push(Past { number, updated_unix_ms, state, item });
        }
        Ok(past)
    }
}
