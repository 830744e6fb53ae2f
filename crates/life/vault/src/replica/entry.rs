//! What the replica has of one item.

use symbolon_codec::Digest32;

use super::known::Known;
use crate::item::{About, Body, Details, Item, Marks, Title};
use crate::keys::Keys;
use crate::links;
use crate::seal::{self, OpenError};
use crate::wire::{ItemId, SealedRevision, State};

#[derive(Debug)]
pub(crate) struct Entry {
    /// What the server has.
    pub base: Option<Known>,
    /// What waits to be committed.
    pub local: Option<Known>,
    /// What of it was last put into a commit: if that came through unseen, it is told by this.
    pub sent: Option<Digest32>,
    pub view: View,
}

/// What is shown of an item.
#[derive(Debug, Clone)]
pub(crate) enum View {
    Shown(Box<Shown>),
    Erased,
    /// Signed by the holder, and not to be opened here: of a later version, or of an epoch whose key
    /// is not here.
    Unreadable(OpenError),
}

#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub title: Title,
    pub marks: Marks,
    pub details: Details,
    pub conflict_of: Option<ItemId>,
    /// Folded titles that its text leads to.
    pub links: Vec<Box<str>>,
}

impl Entry {
    /// The revision that counts: what waits, or else what the server has.
    pub fn current(&self) -> Option<&Known> {
        self.local.as_ref().or(self.base.as_ref())
    }

    pub fn shown(&self) -> Option<&Shown> {
        match &self.view {
            View::Shown(shown) => Some(shown),
            _ => None,
        }
    }

    pub fn state(&self) -> State {
        self.current().map_or(State::Erased, |known| known.header().state)
    }
}

impl Shown {
    pub fn of(item: &Item, conflict_of: Option<ItemId>) -> Self {
        Self {
            title: item.title.clone(),
            marks: item.marks.clone(),
            details: item.contents.details(),
            conflict_of,
            links: links::targets(item.body.as_str()),
        }
    }
}

/// Opens what is shown and searched of a revision.
pub(crate) fn view(keys: &Keys, revision: &SealedRevision) -> (View, Option<Body>) {
    if revision.header().state == State::Erased {
        return (View::Erased, None);
    }
    let opened = seal::open_about(keys, revision)
        .and_then(|opened| Ok((opened, seal::open_body(keys, revision)?)));
    match opened {
        Ok(((about, title), body)) => {
            let About { lineage, marks, details, .. } = about;
            let links = links::targets(body.as_str());
            let conflict_of = lineage.conflict_of;
            (View::Shown(Box::new(Shown { title, marks, details, conflict_of, links })), Some(body))
        }
        Err(error) => (View::Unreadable(error), None),
    }
}
