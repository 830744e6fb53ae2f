//! A vault while its key is lent.

use std::fmt;
use std::sync::Arc;

use symbolon_account::AccountStore;
use symbolon_ambient::{Clock, Rng};
use symbolon_custody::Purpose;
use symbolon_vault::item::{Details, Kind, Marks, Title};
use symbolon_vault::replica::{EditError, Filter, Overview};
use symbolon_vault::wire::{ItemId, State};
use symbolon_vault::{Item, Replica, Snippet};

use crate::error::LeaseError;
use crate::lease::{Lease, LeaseId, LeaseView};
use crate::room::Room;

/// An account's vault for one purpose: notes and folders for [`Purpose::Notes`], connections for
/// [`Purpose::Connections`]. Other items are not there for it. When the lease is over each call is
/// [`LeaseError::Ended`].
///
/// Each call begins with what the server has now. Callers of one lease wait for each other.
pub struct Leased<S> {
    pub(crate) lease: Arc<Lease>,
    pub(crate) purpose: Purpose,
    pub(crate) store: Arc<S>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) room: Arc<Room>,
}

/// An item as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: ItemId,
    /// Its title.
    pub title: Title,
    /// How it is marked.
    pub marks: Marks,
    /// What it is.
    pub details: Details,
    /// The folder that it is in.
    pub folder: Option<ItemId>,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it was last changed.
    pub updated_unix_ms: u64,
    /// Whether it is in the trash itself.
    pub is_trashed: bool,
    /// The item whose other version this one is.
    pub conflict_of: Option<ItemId>,
}

/// An item that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The item.
    pub listed: Listed,
    /// What is shown of its text.
    pub snippet: Snippet,
}

/// An item with all that is in it.
#[derive(Debug)]
pub struct Opened {
    /// As a list shows it.
    pub listed: Listed,
    /// The item; what of it is a secret is in pages of its own.
    pub item: Item,
}

/// An item that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// As it is now.
    pub listed: Listed,
    /// Where somebody else changed it at the same moment in the same part: the item that has what was
    /// written here. The item itself is theirs then.
    pub copy: Option<ItemId>,
}

/// A folder.
#[derive(Debug, Clone)]
pub struct FolderView {
    /// Its id.
    pub id: ItemId,
    /// The names of the folders that it is in, the outermost first, and its own.
    pub path: Vec<Title>,
}

impl<S: AccountStore> Leased<S> {
    /// The lease.
    pub fn id(&self) -> LeaseId {
        self.lease.id
    }

    /// The lease, as its owner sees it.
    pub fn view(&self) -> LeaseView {
        self.lease.view(&*self.clock)
    }

    /// How many commits led to what the server has now.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn counter(&self) -> Result<u64, LeaseError> {
        let work = self.work().await?;
        let counter = work.replica().head().map_or(0, |head| head.head().counter);
        work.keep();
        Ok(counter)
    }

    /// Items, pinned ones first, then the latest first.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn items(&self, filter: &Filter) -> Result<Vec<Listed>, LeaseError> {
        let work = self.work().await?;
        let all = work.replica().list(filter).into_iter();
        let found = all.filter(|o| self.reaches(o.details)).map(Listed::from).collect();
        work.keep();
        Ok(found)
    }

    /// One item, also from the trash.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn read(&self, id: ItemId) -> Result<Opened, LeaseError> {
        let work = self.work().await?;
        let found = self.opened(work.replica(), id);
        work.keep();
        found
    }

    /// Items in which every word of `query` stands, or one that begins with it, the best first, `max` at
    /// most. Of notes, or of connections.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn search(
        &self,
        query: &str,
        filter: &Filter,
        max: usize,
    ) -> Result<Vec<Found>, LeaseError> {
        let filter = Filter { kind: Some(self.searched()), ..filter.clone() };
        let work = self.work().await?;
        let hits = work.replica().search(query, &filter, max).into_iter();
        let found = hits.map(|hit| Found { listed: hit.overview.into(), snippet: hit.snippet });
        let found = found.collect();
        work.keep();
        Ok(found)
    }

    /// The folders, by path.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn folders(&self) -> Result<Vec<FolderView>, LeaseError> {
        let work = self.work().await?;
        let replica = work.replica();
        let all = replica.list(&Filter { kind: Some(Kind::Folder), ..Filter::default() });
        let title = |id| replica.overview(id).map(|o| o.title.clone());
        let mut folders: Vec<FolderView> = all
            .iter()
            .map(|own| {
                let above = replica.path(own.id).into_iter().filter_map(title);
                FolderView { id: own.id, path: above.chain([own.title.clone()]).collect() }
            })
            .collect();
        folders.sort_unstable_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id)));
        work.keep();
        Ok(folders)
    }

    /// Writes a new item, into a folder or into none.
    ///
    /// # Errors
    /// [`LeaseError`]; [`LeaseError::Reach`] for an item of another purpose.
    pub async fn save(&self, item: &Item, folder: Option<ItemId>) -> Result<Listed, LeaseError> {
        if !self.reaches(&item.contents.details()) {
            return Err(LeaseError::Reach);
        }
        let written = self.edit(None, |replica| {
            Ok(replica.create_item(item, folder, &*self.clock, &*self.rng)?)
        });
        Ok(written.await?.listed)
    }

    /// Changes an item, as it is now. Where its title changes, links to it follow.
    ///
    /// # Errors
    /// [`LeaseError`], those of `change` too.
    pub async fn update(
        &self,
        id: ItemId,
        change: impl FnOnce(&mut Item) -> Result<(), LeaseError> + Send,
    ) -> Result<Written, LeaseError> {
        self.edit(Some(id), |replica| {
            let mut item = replica.open(id)?;
            change(&mut item)?;
            replica.update_item(id, &item, &*self.clock, &*self.rng)?;
            Ok(id)
        })
        .await
    }

    /// Puts an item into a folder, or into none.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn move_to(&self, id: ItemId, folder: Option<ItemId>) -> Result<Written, LeaseError> {
        self.edit(Some(id), |replica| {
            replica.move_item(id, folder, &*self.clock, &*self.rng)?;
            Ok(id)
        })
        .await
    }

    /// Puts an item into the trash, from which its owner takes it back. Nothing is erased under a lease.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn trash(&self, id: ItemId) -> Result<Written, LeaseError> {
        self.edit(Some(id), |replica| {
            replica.trash(id, &*self.clock, &*self.rng)?;
            Ok(id)
        })
        .await
    }

    /// Takes an item out of the trash.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub async fn restore(&self, id: ItemId) -> Result<Written, LeaseError> {
        self.edit(Some(id), |replica| {
            replica.restore(id, &*self.clock, &*self.rng)?;
            Ok(id)
        })
        .await
    }

    async fn edit(
        &self,
        of: Option<ItemId>,
        edit: impl FnOnce(&mut Replica) -> Result<ItemId, LeaseError> + Send,
    ) -> Result<Written, LeaseError> {
        let mut work = self.work().await?;
        if let Some(id) = of
            && let Err(error) = self.reached(work.replica(), id)
        {
            work.keep();
            return Err(error);
        }
        let id = match work.change(edit).await {
            Ok(id) => id,
            Err(error) => {
                // What is half done is not kept: the next loads the vault anew.
                if work.replica().pending() == 0 {
                    work.keep();
                }
                return Err(error);
            }
        };
        let copy = work.conflicts.iter().find(|one| one.item == id).map(|one| one.copy);
        let listed = self.reached(work.replica(), id);
        work.keep();
        Ok(Written { listed: listed?, copy })
    }

    fn opened(&self, replica: &Replica, id: ItemId) -> Result<Opened, LeaseError> {
        let listed = self.reached(replica, id)?;
        Ok(Opened { listed, item: replica.open(id)? })
    }

    /// An item of the purpose; another is not there, and nothing is told of it.
    fn reached(&self, replica: &Replica, id: ItemId) -> Result<Listed, LeaseError> {
        let overview = replica.overview(id).filter(|o| self.reaches(o.details));
        Ok(overview.ok_or(EditError::NoItem(id))?.into())
    }

    fn reaches(&self, details: &Details) -> bool {
        match self.purpose {
            Purpose::Notes => matches!(details, Details::Note | Details::Folder),
            Purpose::Connections => matches!(details, Details::Connection { .. }),
        }
    }

    const fn searched(&self) -> Kind {
        match self.purpose {
            Purpose::Notes => Kind::Note,
            Purpose::Connections => Kind::Connection,
        }
    }
}

impl From<Overview<'_>> for Listed {
    fn from(o: Overview<'_>) -> Self {
        Self {
            id: o.id,
            title: o.title.clone(),
            marks: o.marks.clone(),
            details: o.details.clone(),
            folder: o.folder,
            created_unix_ms: o.created_unix_ms,
            updated_unix_ms: o.updated_unix_ms,
            is_trashed: o.state == State::Trashed,
            conflict_of: o.conflict_of,
        }
    }
}

impl<S> fmt::Debug for Leased<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leased").field("lease", &self.lease.id).finish_non_exhaustive()
    }
}
