//! Looking at what is there.

use super::Replica;
use super::entry::Entry;
use super::tree::Tree;
use crate::item::{Details, Kind, Marks, TagName, Title};
use crate::seal;
use crate::search::{Snippet, snippet};
use crate::wire::{ItemId, State};

/// Which items are asked for. By default all that are not in the trash.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one kind alone.
    pub kind: Option<Kind>,
    /// In one place alone.
    pub within: Within,
    /// With this tag.
    pub tag: Option<TagName>,
    /// What is in the trash, itself or with its folder, in place of what is not.
    pub trashed: bool,
    /// Templates alone.
    pub templates: bool,
}

/// Where items are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// Everywhere.
    #[default]
    All,
    /// In no folder.
    Root,
    /// In this folder itself.
    Folder(ItemId),
}

/// An item as a list shows it.
#[derive(Clone, Copy, Debug)]
pub struct Overview<'r> {
    /// Its id.
    pub id: ItemId,
    /// Its title.
    pub title: &'r Title,
    /// How it is marked.
    pub marks: &'r Marks,
    /// What it is.
    pub details: &'r Details,
    /// The folder that it is in.
    pub folder: Option<ItemId>,
    /// When it was made, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// When it was last changed.
    pub updated_unix_ms: u64,
    /// Whether it is in the trash itself.
    pub state: State,
    /// Whether it waits to be committed.
    pub is_pending: bool,
    /// The item whose other version this one is.
    pub conflict_of: Option<ItemId>,
}

/// An item that was found.
#[derive(Clone, Debug)]
pub struct Hit<'r> {
    /// The item.
    pub overview: Overview<'r>,
    /// How well it fits; for comparing alone.
    pub score: f32,
    /// What is shown of its text.
    pub snippet: Snippet,
}

impl Replica {
    /// Items, pinned ones first, then by when they were changed, the latest first.
    pub fn list(&self, filter: &Filter) -> Vec<Overview<'_>> {
        let tree = Tree::of(self);
        let all = self.entries.iter();
        let mut found: Vec<_> =
            all.filter_map(|(id, entry)| self.listed(*id, entry, &tree, filter)).collect();
        found.sort_unstable_by_key(|o| {
            (!o.marks.pinned, std::cmp::Reverse(o.updated_unix_ms), o.id)
        });
        found
    }

    /// One item as a list shows it, also from the trash.
    pub fn overview(&self, id: ItemId) -> Option<Overview<'_>> {
        overview(id, self.entries.get(&id)?, &Tree::of(self))
    }

    /// Items in which every word of `query` stands, or one that begins with it; the best first, `max`
    /// at most. Case and diacritics do not count.
    pub fn search(&self, query: &str, filter: &Filter, max: usize) -> Vec<Hit<'_>> {
        let tree = Tree::of(self);
        let found = self.index.search(query).into_iter();
        let listed = found.filter_map(|(id, score)| {
            let overview = self.listed(id, self.entries.get(&id)?, &tree, filter)?;
            Some((overview, score))
        });
        listed
            .take(max)
            .map(|(overview, score)| {
                // What does not open has no text to show; its title was found all the same.
                let revision = self.current(overview.id).ok();
                let body = revision.and_then(|r| seal::open_body(&self.keys, &r).ok());
                let snippet = snippet(body.as_ref().map_or("", |b| b.as_str()), query);
                Hit { overview, score, snippet }
            })
            .collect()
    }

    /// The folders that an item is in, the outermost first.
    pub fn path(&self, id: ItemId) -> Vec<ItemId> {
        let tree = Tree::of(self);
        let said = self.entries.get(&id).and_then(Entry::current).and_then(|k| k.header().parent);
        let mut path: Vec<ItemId> = tree.up(tree.folder(id, said)).collect();
        path.reverse();
        path
    }

    fn listed<'r>(
        &'r self,
        id: ItemId,
        entry: &'r Entry,
        tree: &Tree,
        filter: &Filter,
    ) -> Option<Overview<'r>> {
        let found = overview(id, entry, tree)?;
        let is_trashed = found.state == State::Trashed || tree.is_hidden(found.folder);
        let is_there = match filter.within {
            Within::All => true,
            Within::Root => found.folder.is_none(),
            Within::Folder(folder) => found.folder == Some(folder),
        };
        let is_wanted = is_there
            && is_trashed == filter.trashed
            && filter.kind.is_none_or(|kind| found.details.kind() == kind)
            && filter.tag.as_ref().is_none_or(|tag| found.marks.tags.contains(tag))
            && (found.marks.template || !filter.templates);
        is_wanted.then_some(found)
    }
}

fn overview<'r>(id: ItemId, entry: &'r Entry, tree: &Tree) -> Option<Overview<'r>> {
    let (shown, header) = (entry.shown()?, entry.current()?.header());
    Some(Overview {
        id,
        title: &shown.title,
        marks: &shown.marks,
        details: &shown.details,
        folder: tree.folder(id, header.parent),
        created_unix_ms: header.created_unix_ms,
        updated_unix_ms: header.updated_unix_ms,
        state: header.state,
        is_pending: entry.local.is_some(),
        conflict_of: shown.conflict_of,
    })
}
