//! One item that was changed here and elsewhere. Nothing that somebody wrote is lost: where two wrote
//! the same part, both are kept, the later as a copy.

use super::edit::Put;
use super::entry::{Entry, Shown, View, view};
use super::known::Known;
use super::{Replica, SyncError};
use crate::item::{About, Item, Lineage, Marks, Plain, SALT_BYTES, TagName, Title};
use crate::seal::{self, OpenError};
use crate::wire::{ItemId, SealedRevision, State};

/// What becomes of the two.
pub(super) enum Merged {
    /// What came, alone.
    Theirs,
    /// A state on top of what came.
    Ours(Box<Kept>),
    /// It stays erased.
    Erase,
    /// What came, and what was here as an item of its own.
    Copy(Box<Kept>),
}

pub(super) struct Kept {
    pub item: Item,
    pub parent: Option<ItemId>,
    pub state: State,
    pub conflict_of: Option<ItemId>,
    pub created_unix_ms: u64,
    pub updated_unix_ms: u64,
}

/// An opened side.
struct Side {
    item: Item,
    about: About,
    parent: Option<ItemId>,
    state: State,
}

impl Replica {
    /// `base` is what the local change was made on, where it is known.
    pub(super) fn merge(
        &self,
        base: Option<&SealedRevision>,
        local: &Known,
        theirs: &SealedRevision,
    ) -> Result<Merged, SyncError> {
        if local.digest() == theirs.digest() {
            return Ok(Merged::Theirs);
        }
        let (our_header, their_header) = (*local.header(), *theirs.header());
        let base = base.map(|revision| self.side(revision)).transpose();
        // A base that does not open tells nothing: then both sides count as changed.
        let base = base.unwrap_or(None);
        if our_header.state == State::Erased {
            let is_untouched = match (&base, self.side(theirs)) {
                _ if their_header.state == State::Erased => return Ok(Merged::Theirs),
                (Some(base), Ok(theirs)) => base.wrote_same(&theirs),
                _ => false,
            };
            return Ok(if is_untouched { Merged::Erase } else { Merged::Theirs });
        }
        let ours =
            self.side(&local.revision().map_err(SyncError::Local)?).map_err(SyncError::Local)?;
        let kept = |item, parent, state, conflict_of| {
            Box::new(Kept {
                item,
                parent,
                state,
                conflict_of,
                created_unix_ms: our_header.created_unix_ms,
                updated_unix_ms: our_header.updated_unix_ms,
            })
        };
        let copy = |ours: Side| {
            let mut item = ours.item;
            item.title = copied(&item.title);
            Merged::Copy(kept(item, ours.parent, State::Live, Some(our_header.item)))
        };
        let theirs = match self.side(theirs) {
            Ok(theirs) => theirs,
            // Erased elsewhere, or not to be opened here: what was written here is kept beside it.
            Err(_) => {
                let is_untouched = base.as_ref().is_some_and(|base| base.wrote_same(&ours));
                return Ok(if is_untouched { Merged::Theirs } else { copy(ours) });
            }
        };
        let Some(base) = base else {
            return Ok(if ours.wrote_same(&theirs) { Merged::Theirs } else { copy(ours) });
        };
        let title = pick(&base.item.title, &ours.item.title, &theirs.item.title);
        let (here, there) = (base.same_text(&ours), base.same_text(&theirs));
        let is_one_text = here || there || ours.same_text(&theirs);
        let (Some(title), true) = (title, is_one_text) else { return Ok(copy(ours)) };
        let marks = merge_marks(&base.item.marks, &ours.item.marks, &theirs.item.marks);
        // The holder's own move or trashing stands where both sides did something.
        let parent = if ours.parent != base.parent { ours.parent } else { theirs.parent };
        let state = if ours.state != base.state { ours.state } else { theirs.state };
        let is_theirs = title == theirs.item.title
            && (here || ours.same_text(&theirs))
            && marks == theirs.item.marks
            && (parent, state) == (theirs.parent, theirs.state);
        if is_theirs {
            return Ok(Merged::Theirs);
        }
        let conflict_of = theirs.about.lineage.conflict_of;
        let text = if here { theirs.item } else { ours.item };
        let item = Item { title, marks, ..text };
        Ok(Merged::Ours(kept(item, parent, state, conflict_of)))
    }

    fn side(&self, revision: &SealedRevision) -> Result<Side, OpenError> {
        let (item, about) = seal::open(&self.keys, revision)?;
        let header = revision.header();
        Ok(Side { item, about, parent: header.parent, state: header.state })
    }

    /// The entry that a merge leads to.
    pub(super) fn settle(
        &self,
        base: Known,
        put: &Put<'_>,
        updated_unix_ms: u64,
        rng: &dyn symbolon_ambient::Rng,
    ) -> Result<Entry, SyncError> {
        let local = self.seal_on(Some(&base), put, updated_unix_ms, rng)?;
        let view = View::Shown(Box::new(Shown::of(put.item, put.conflict_of)));
        Ok(Entry { base: Some(base), local: Some(local), sent: None, view })
    }

    /// The entry of what came alone.
    pub(super) fn taken(&self, revision: &SealedRevision) -> (Entry, Option<crate::item::Body>) {
        let (view, body) = view(&self.keys, revision);
        (Entry { base: Some(Known::new(revision)), local: None, sent: None, view }, body)
    }
}

impl Side {
    /// Whether title and text are the same.
    fn wrote_same(&self, other: &Self) -> bool {
        self.item.title == other.item.title && self.same_text(other)
    }

    /// Whether text, details and secrets are the same.
    fn same_text(&self, other: &Self) -> bool {
        let plain = |side: &Self| Plain::write(&side.item, Lineage::default(), [0; SALT_BYTES]);
        let (Ok(own), Ok(others)) = (plain(self), plain(other)) else { return false };
        self.about.details == other.about.details
            && own.content == others.content
            && own.secrets.ct_eq(&others.secrets)
    }
}

/// The side that changed; `None` where both did, differently.
fn pick<T: PartialEq + Clone>(base: &T, ours: &T, theirs: &T) -> Option<T> {
    if ours == base || ours == theirs {
        Some(theirs.clone())
    } else if theirs == base {
        Some(ours.clone())
    } else {
        None
    }
}

fn merge_marks(base: &Marks, ours: &Marks, theirs: &Marks) -> Marks {
    let flag = |base: bool, ours: bool, theirs: bool| if ours != base { ours } else { theirs };
    let is_taken_off = |tag: &TagName| base.tags.contains(tag) && !ours.tags.contains(tag);
    let mut tags: Vec<TagName> =
        theirs.tags.iter().filter(|tag| !is_taken_off(tag)).cloned().collect();
    for tag in ours.tags.iter().filter(|tag| !base.tags.contains(tag)) {
        if !tags.contains(tag) && tags.len() < crate::item::TAGS_MAX {
            tags.push(tag.clone());
        }
    }
    Marks {
        tags,
        pinned: flag(base.pinned, ours.pinned, theirs.pinned),
        template: flag(base.template, ours.template, theirs.template),
    }
}

/// The title of the copy.
fn copied(title: &Title) -> Title {
    let mark = " (other version)";
    if title.as_str().ends_with(mark) {
        return title.clone();
    }
    Title::new(&format!("{title}{mark}")).unwrap_or_else(|_| title.clone())
}
