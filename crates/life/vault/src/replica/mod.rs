//! The holder's side of a vault: all items, what waits to be sent, and the highest head that was seen.

mod commit;
mod daily;
mod edit;
mod entry;
mod error;
mod history;
mod known;
mod list;
mod merge;
mod rename;
mod snapshot;
mod sync;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use symbolon_ambient::Clock;
use symbolon_custody::VaultId;

pub use daily::LocalTime;
pub(crate) use edit::Put;
use error::commit_error;
pub use error::{CommitMakeError, EditError, HistoryError, SnapshotError, SyncError};
pub use history::Past;
pub use list::{Filter, Hit, Overview, Within};
pub use sync::{Applied, Conflict};

use crate::item::{Body, Item, TagName};
use crate::keys::Keys;
use crate::seal::{self, OpenError};
use crate::search::{Index, Searched, fold_text};
use crate::wire::{Head, ItemId, SignedHead};
use entry::{Entry, Shown, View};

/// A vault as its holder has it. Changes are made here, with or without a server, and wait until they
/// are committed; what a server sends is taken whole or not at all. Dropping it wipes its keys.
#[derive(Debug)]
pub struct Replica {
    keys: Keys,
    /// The highest that was seen.
    head: Option<SignedHead>,
    entries: BTreeMap<ItemId, Entry>,
    index: Index,
    /// Folded titles of what can be linked to.
    titles: BTreeMap<Box<str>, BTreeSet<ItemId>>,
}

impl Replica {
    /// Of a vault that is made now. Its head goes with the sign-up.
    pub fn create(keys: Keys, clock: &dyn Clock) -> Self {
        let head = Head { epoch: keys.epoch(), ..Head::first(keys.vault(), clock.unix_ms()) };
        let head = SignedHead::sign(head, &keys.current().head);
        Self { head: Some(head), ..Self::join(keys) }
    }

    /// Of a vault that is on a server: [`Replica::apply`] fills it. Until then there is nothing that
    /// a rollback could be told by.
    pub fn join(keys: Keys) -> Self {
        Self {
            keys,
            head: None,
            entries: BTreeMap::new(),
            index: Index::default(),
            titles: BTreeMap::new(),
        }
    }

    /// The vault.
    pub const fn vault(&self) -> VaultId {
        self.keys.vault()
    }

    /// Its keys.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The highest head that was seen; `None` where nothing was fetched yet.
    pub const fn head(&self) -> Option<&SignedHead> {
        self.head.as_ref()
    }

    /// Puts other keys in place: after a rotation of the data key.
    pub fn set_keys(&mut self, keys: Keys) {
        if keys.vault() == self.keys.vault() {
            self.keys = keys;
        }
    }

    /// All of an item, with its secrets in pages of their own.
    ///
    /// # Errors
    /// [`EditError::NoItem`], [`EditError::Erased`], [`EditError::Open`].
    pub fn open(&self, id: ItemId) -> Result<Item, EditError> {
        self.open_all(id).map(|(item, _)| item)
    }

    /// The text of an item.
    ///
    /// # Errors
    /// As [`Replica::open`].
    pub fn body(&self, id: ItemId) -> Result<Body, EditError> {
        let revision = self.current(id)?;
        Ok(seal::open_body(&self.keys, &revision)?)
    }

    /// How many items wait to be committed.
    pub fn pending(&self) -> usize {
        self.entries.values().filter(|e| e.local.is_some()).count()
    }

    /// Items that the holder signed and that do not open here, with the reason.
    pub fn unreadable(&self) -> impl Iterator<Item = (ItemId, &OpenError)> {
        self.entries.iter().filter_map(|(id, entry)| match &entry.view {
            View::Unreadable(error) => Some((*id, error)),
            _ => None,
        })
    }

    /// Whether an id is free for an item that comes from elsewhere: not used, not erased.
    pub(crate) fn is_free(&self, id: ItemId) -> bool {
        !self.entries.contains_key(&id)
    }

    fn entry(&self, id: ItemId) -> Result<&Entry, EditError> {
        let entry = self.entries.get(&id).ok_or(EditError::NoItem(id))?;
        match &entry.view {
            View::Shown(_) => Ok(entry),
            View::Erased => Err(EditError::Erased(id)),
            View::Unreadable(error) => Err(error.clone().into()),
        }
    }

    fn shown(&self, id: ItemId) -> Option<&Shown> {
        self.entries.get(&id).and_then(Entry::shown)
    }

    fn current(&self, id: ItemId) -> Result<crate::wire::SealedRevision, EditError> {
        let known = self.entry(id)?.current().ok_or(EditError::NoItem(id))?;
        Ok(known.revision()?)
    }

    fn open_all(&self, id: ItemId) -> Result<(Item, crate::item::About), EditError> {
        Ok(seal::open(&self.keys, &self.current(id)?)?)
    }

    /// Takes an item's new state in; `body` where there is one to be searched.
    fn put_entry(&mut self, id: ItemId, entry: Entry, body: Option<&Body>) {
        self.forget_title(id);
        match (entry.shown(), body) {
            (Some(shown), Some(body)) => {
                let tags: Vec<&str> = shown.marks.tags.iter().map(TagName::as_str).collect();
                let searched = Searched {
                    title: shown.title.as_str(),
                    tags: &tags,
                    details: &shown.details.words(),
                    body: body.as_str(),
                };
                self.index.put(id, &searched);
                let title = fold_text(shown.title.as_str()).into();
                self.titles.entry(title).or_default().insert(id);
            }
            _ => self.index.remove(id),
        }
        self.entries.insert(id, entry);
    }

    fn forget_title(&mut self, id: ItemId) {
        let Some(shown) = self.shown(id) else { return };
        let title = fold_text(shown.title.as_str());
        if let Some(ids) = self.titles.get_mut(title.as_str()) {
            ids.remove(&id);
            if ids.is_empty() {
                self.titles.remove(title.as_str());
            }
        }
    }

    /// Every tag in use with how many items have it.
    pub fn tags(&self) -> BTreeMap<TagName, usize> {
        let mut all = BTreeMap::new();
        for overview in self.list(&Filter::default()) {
            for tag in &overview.marks.tags {
                *all.entry(tag.clone()).or_default() += 1;
            }
        }
        all
    }
}
