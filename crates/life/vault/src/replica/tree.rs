//! Folders: which item is in which.

use std::collections::{HashMap, HashSet};

use super::Replica;
use super::entry::Entry;
use crate::item::Kind;
use crate::wire::{ItemId, State};

/// The folders of a replica, without cycles: two devices can move two folders into one another, and
/// then the one with the smallest id stands at the root, on every device.
#[derive(Debug)]
pub(super) struct Tree {
    /// Of each folder the one that it is in.
    parents: HashMap<ItemId, Option<ItemId>>,
    trashed: HashSet<ItemId>,
}

impl Tree {
    pub fn of(replica: &Replica) -> Self {
        let is_folder =
            |entry: &Entry| entry.shown().is_some_and(|shown| shown.details.kind() == Kind::Folder);
        let mut parents = HashMap::new();
        let mut trashed = HashSet::new();
        for (id, entry) in replica.entries.iter().filter(|(_, entry)| is_folder(entry)) {
            parents.insert(*id, entry.current().and_then(|known| known.header().parent));
            if entry.state() == State::Trashed {
                trashed.insert(*id);
            }
        }
        let known: HashSet<ItemId> = parents.keys().copied().collect();
        for parent in parents.values_mut() {
            *parent = parent.filter(|p| known.contains(p));
        }
        let mut own = Self { parents, trashed };
        own.break_cycles();
        own
    }

    fn break_cycles(&mut self) {
        let mut ids: Vec<ItemId> = self.parents.keys().copied().collect();
        ids.sort_unstable();
        let mut sound: HashSet<ItemId> = HashSet::new();
        for id in ids {
            let mut path = Vec::new();
            let mut at = Some(id);
            while let Some(folder) = at.filter(|f| !sound.contains(f)) {
                if let Some(begin) = path.iter().position(|own| *own == folder) {
                    // INFALLIBLE: the cycle has `folder` itself at least.
                    let first = path[begin..].iter().min().copied().expect("a cycle has a folder");
                    self.parents.insert(first, None);
                    break;
                }
                path.push(folder);
                at = self.parents.get(&folder).copied().flatten();
            }
            sound.extend(path);
        }
    }

    /// The folder that an item says it is in, where there is such a folder.
    pub fn folder(&self, id: ItemId, said: Option<ItemId>) -> Option<ItemId> {
        match self.parents.get(&id) {
            Some(parent) => *parent,
            None => said.filter(|p| self.parents.contains_key(p)),
        }
    }

    /// Whether a folder above, or the one given, is in the trash.
    pub fn is_hidden(&self, folder: Option<ItemId>) -> bool {
        self.up(folder).any(|folder| self.trashed.contains(&folder))
    }

    /// Whether `folder` is `inner` or one above it.
    pub fn is_above(&self, folder: ItemId, inner: ItemId) -> bool {
        self.up(Some(inner)).any(|own| own == folder)
    }

    /// A folder and those above it.
    pub fn up(&self, folder: Option<ItemId>) -> impl Iterator<Item = ItemId> {
        std::iter::successors(folder, |at| self.parents.get(at).copied().flatten())
    }
}
