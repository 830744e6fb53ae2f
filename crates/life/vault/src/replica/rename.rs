//! Links between items, kept when a title changes.

use symbolon_ambient::{Clock, Rng};

use super::{EditError, Replica};
use crate::item::{Body, Kind, Title};
use crate::links::{is_linkable, relink, retitled};
use crate::search::fold_text;
use crate::wire::{ItemId, State};

impl Replica {
    /// The item that a link leads to: the one with this title, case and diacritics aside. Of several
    /// the one that is not in the trash, then a note, then the oldest.
    pub fn resolve(&self, title: &str) -> Option<ItemId> {
        let ids = self.titles.get(fold_text(title).as_str())?;
        ids.iter().copied().min_by_key(|id| {
            let entry = self.entries.get(id)?;
            let (shown, header) = (entry.shown()?, entry.current()?.header());
            let is_note = shown.details.kind() == Kind::Note;
            Some((header.state != State::Live, !is_note, header.created_unix_ms, *id))
        })
    }

    /// Items whose text leads to this one.
    pub fn backlinks(&self, id: ItemId) -> Vec<ItemId> {
        let Some(shown) = self.shown(id) else { return Vec::new() };
        if self.resolve(shown.title.as_str()) != Some(id) {
            return Vec::new();
        }
        let title = fold_text(shown.title.as_str());
        let leads = |links: &[Box<str>]| links.binary_search_by(|l| (**l).cmp(&title)).is_ok();
        self.entries
            .iter()
            .filter(|(_, entry)| entry.shown().is_some_and(|own| leads(&own.links)))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Writes links to `old` anew in the given items, so that they lead to `new`. A title that no link
    /// can spell leaves them as they are.
    pub(super) fn follow(
        &mut self,
        renamed: ItemId,
        items: &[ItemId],
        old: &Title,
        new: &Title,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<Vec<ItemId>, EditError> {
        let old = fold_text(old.as_str());
        // Where another item has the new title already, links would lead to that one.
        if !is_linkable(new.as_str()) || self.resolve(new.as_str()) != Some(renamed) {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        for id in items {
            let mut item = self.open(*id)?;
            let follow = |link: &crate::links::WikiLink<'_>| {
                (fold_text(link.title) == old).then(|| retitled(link, new.as_str()))
            };
            // A body that would be too long by a longer title keeps its links.
            let Some(Ok(body)) = relink(item.body.as_str(), follow).map(|b| Body::new(&b)) else {
                continue;
            };
            item.body = body;
            self.put(&self.as_it_is(*id, &item)?, clock, rng)?;
            changed.push(*id);
        }
        Ok(changed)
    }
}
