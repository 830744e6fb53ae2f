//! Changes by the holder.

use symbolon_ambient::{Clock, Rng};

use super::entry::{Entry, Shown, View};
use super::known::Known;
use super::tree::Tree;
use super::{EditError, Replica};
use crate::item::{Item, Kind, Lineage, Marks};
use crate::seal::{self, Revise, SealError};
use crate::wire::{ItemId, State};

/// A new state of an item, of which the rest is as it was.
pub(crate) struct Put<'a> {
    pub id: ItemId,
    pub item: &'a Item,
    pub parent: Option<ItemId>,
    pub state: State,
    pub conflict_of: Option<ItemId>,
    pub created_unix_ms: u64,
}

impl Replica {
    /// A new item, in a folder or in none.
    ///
    /// # Errors
    /// [`EditError::NotFolder`], [`EditError::Seal`].
    pub fn create_item(
        &mut self,
        item: &Item,
        folder: Option<ItemId>,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<ItemId, EditError> {
        let id = ItemId::make(rng);
        self.check_folder(folder)?;
        let created_unix_ms = clock.unix_ms();
        let (parent, state) = (folder, State::Live);
        let put = Put { id, item, parent, state, conflict_of: None, created_unix_ms };
        self.put(&put, clock, rng)?;
        Ok(id)
    }

    /// Another version of an item, beside it: what somebody wrote on a text that is another one by now.
    ///
    /// # Errors
    /// [`EditError`]; an item keeps its kind.
    pub fn create_copy(
        &mut self,
        of: ItemId,
        item: &Item,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<ItemId, EditError> {
        let before = self.entry(of)?.shown().ok_or(EditError::NoItem(of))?;
        if before.details.kind() != item.kind() {
            return Err(EditError::Kind(of));
        }
        let parent = self.as_it_is(of, item)?.parent;
        let (id, created_unix_ms) = (ItemId::make(rng), clock.unix_ms());
        let (state, conflict_of) = (State::Live, Some(of));
        self.put(&Put { id, item, parent, state, conflict_of, created_unix_ms }, clock, rng)?;
        Ok(id)
    }

    /// An item under the id that it has elsewhere, such as in a folder of files: a new one, or another state of the
    /// one that is here, which comes out of the trash. `times`: when it was made, and changed.
    ///
    /// # Errors
    /// [`EditError`]; an item keeps its kind, and an id that was erased is nobody's.
    pub fn put_item(
        &mut self,
        id: ItemId,
        item: &Item,
        folder: Option<ItemId>,
        times: [u64; 2],
        rng: &dyn Rng,
    ) -> Result<(), EditError> {
        self.check_folder(folder)?;
        let [mut created_unix_ms, updated_unix_ms] = times;
        let mut conflict_of = None;
        if self.entries.contains_key(&id) {
            let before = self.entry(id)?.shown().ok_or(EditError::NoItem(id))?;
            if before.details.kind() != item.kind() {
                return Err(EditError::Kind(id));
            }
            if folder.is_some_and(|folder| Tree::of(self).is_above(id, folder)) {
                return Err(EditError::Cycle(id));
            }
            Put { created_unix_ms, conflict_of, .. } = self.as_it_is(id, item)?;
        }
        let (parent, state) = (folder, State::Live);
        let put = Put { id, item, parent, state, conflict_of, created_unix_ms };
        self.put_at(&put, updated_unix_ms, rng)
    }

    /// Another state of an item, which keeps its place. Where its title changes, links to it follow;
    /// gives the items whose text was changed for that.
    ///
    /// # Errors
    /// [`EditError`]; an item keeps its kind.
    pub fn update_item(
        &mut self,
        id: ItemId,
        item: &Item,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<Vec<ItemId>, EditError> {
        let before = self.entry(id)?.shown().ok_or(EditError::NoItem(id))?;
        if before.details.kind() != item.kind() {
            return Err(EditError::Kind(id));
        }
        let is_renamed = before.title != item.title;
        let leading_here = if is_renamed { self.backlinks(id) } else { Vec::new() };
        let old = before.title.clone();
        self.put(&self.as_it_is(id, item)?, clock, rng)?;
        self.follow(id, &leading_here, &old, &item.title, clock, rng)
    }

    /// Changes how an item is marked.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn mark(
        &mut self,
        id: ItemId,
        change: impl FnOnce(&mut Marks),
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<(), EditError> {
        let mut item = self.open(id)?;
        change(&mut item.marks);
        self.put(&self.as_it_is(id, &item)?, clock, rng)
    }

    /// Puts an item into a folder, or into none.
    ///
    /// # Errors
    /// [`EditError::NotFolder`], [`EditError::Cycle`] and those of opening.
    pub fn move_item(
        &mut self,
        id: ItemId,
        folder: Option<ItemId>,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<(), EditError> {
        let item = self.open(id)?;
        self.check_folder(folder)?;
        if folder.is_some_and(|folder| Tree::of(self).is_above(id, folder)) {
            return Err(EditError::Cycle(id));
        }
        let put = Put { parent: folder, ..self.as_it_is(id, &item)? };
        self.put(&put, clock, rng)
    }

    /// Puts an item into the trash. What is in a folder goes out of sight with it.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn trash(&mut self, id: ItemId, clock: &dyn Clock, rng: &dyn Rng) -> Result<(), EditError> {
        self.set_state(id, State::Trashed, clock, rng)
    }

    /// Takes an item out of the trash.
    ///
    /// # Errors
    /// [`EditError`].
    pub fn restore(
        &mut self,
        id: ItemId,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<(), EditError> {
        self.set_state(id, State::Live, clock, rng)
    }

    /// Erases what is in the trash: for good, here and, with the next commit, on the server. What is in
    /// a folder stands at the root then.
    ///
    /// # Errors
    /// [`EditError::NotTrashed`], [`EditError::Seal`].
    pub fn erase(&mut self, id: ItemId, clock: &dyn Clock) -> Result<(), EditError> {
        let entry = self.entries.get(&id).ok_or(EditError::NoItem(id))?;
        match entry.state() {
            State::Trashed => {}
            State::Live => return Err(EditError::NotTrashed(id)),
            State::Erased => return Err(EditError::Erased(id)),
        }
        let Some(base) = entry.base.clone() else {
            // No server has heard of it.
            let gone = Entry { base: None, local: None, sent: None, view: View::Erased };
            self.put_entry(id, gone, None);
            self.entries.remove(&id);
            return Ok(());
        };
        let header = base.header();
        let to = Revise {
            item: id,
            number: header.number + 1,
            parent: None,
            created_unix_ms: header.created_unix_ms,
            updated_unix_ms: clock.unix_ms(),
            state: State::Erased,
        };
        let local = Known::new(&seal::erase(&self.keys, &to)?);
        let sent = entry.sent;
        let entry = Entry { base: Some(base), local: Some(local), sent, view: View::Erased };
        self.put_entry(id, entry, None);
        Ok(())
    }

    fn set_state(
        &mut self,
        id: ItemId,
        state: State,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<(), EditError> {
        if self.entry(id)?.state() == state {
            return Ok(());
        }
        let item = self.open(id)?;
        let put = Put { state, ..self.as_it_is(id, &item)? };
        self.put(&put, clock, rng)
    }

    pub(super) fn check_folder(&self, folder: Option<ItemId>) -> Result<(), EditError> {
        let Some(folder) = folder else { return Ok(()) };
        match self.shown(folder).map(|shown| shown.details.kind()) {
            Some(Kind::Folder) => Ok(()),
            Some(_) => Err(EditError::NotFolder(folder)),
            None => Err(EditError::NoItem(folder)),
        }
    }

    /// The place of an item as it is now.
    pub(super) fn as_it_is<'a>(&self, id: ItemId, item: &'a Item) -> Result<Put<'a>, EditError> {
        let entry = self.entry(id)?;
        let header = entry.current().ok_or(EditError::NoItem(id))?.header();
        let conflict_of = entry.shown().and_then(|shown| shown.conflict_of);
        Ok(Put {
            id,
            item,
            parent: header.parent,
            state: header.state,
            conflict_of,
            created_unix_ms: header.created_unix_ms,
        })
    }

    pub(super) fn put(
        &mut self,
        put: &Put<'_>,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<(), EditError> {
        self.put_at(put, clock.unix_ms(), rng)
    }

    /// As [`Replica::put`], with the moment that is written to it.
    pub(crate) fn put_at(
        &mut self,
        put: &Put<'_>,
        updated_unix_ms: u64,
        rng: &dyn Rng,
    ) -> Result<(), EditError> {
        let before = self.entries.get(&put.id);
        let (base, sent) = before.map_or((None, None), |e| (e.base.clone(), e.sent));
        let local = self.seal_on(base.as_ref(), put, updated_unix_ms, rng)?;
        let view = View::Shown(Box::new(Shown::of(put.item, put.conflict_of)));
        let entry = Entry { base, local: Some(local), sent, view };
        self.put_entry(put.id, entry, Some(&put.item.body));
        Ok(())
    }

    /// Seals a state as the revision after `base`.
    pub(super) fn seal_on(
        &self,
        base: Option<&Known>,
        put: &Put<'_>,
        updated_unix_ms: u64,
        rng: &dyn Rng,
    ) -> Result<Known, SealError> {
        let to = Revise {
            item: put.id,
            number: base.map_or(1, |known| known.header().number + 1),
            parent: put.parent,
            created_unix_ms: put.created_unix_ms,
            updated_unix_ms,
            state: put.state,
        };
        let lineage = Lineage { previous: base.map(Known::digest), conflict_of: put.conflict_of };
        Ok(Known::new(&seal::seal(&self.keys, &to, put.item, lineage, rng)?))
    }
}
