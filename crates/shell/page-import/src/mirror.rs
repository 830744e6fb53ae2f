//! As much of a vault as an import or an export needs, under keys that nobody has afterwards.

use std::fmt;

use serde::Deserialize;
use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Enrol, Opener, Vault};
use symbolon_secret::Secret;
use symbolon_vault::item::{Body, Contents, Item, Label, Marks, Name, Title};
use symbolon_vault::markdown::Files;
use symbolon_vault::share::{LinkSecret, open_link};
use symbolon_vault::wire::{BlobId, ItemId, ShareId};
use symbolon_vault::{Keys, Replica};

use crate::Refused;

/// A replica that no server has. Dropping it wipes its keys.
pub struct Mirror {
    pub(crate) replica: Replica,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) rng: Box<dyn Rng>,
    /// What was read, or written.
    pub(crate) files: Files,
}

/// A row of the page's lists, as far as it says where an item is.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub id: ItemId,
    pub title: String,
    pub folder: Option<ItemId>,
    pub pinned: bool,
    pub template: bool,
    pub created: u64,
    pub updated: u64,
}

impl Mirror {
    /// An empty one.
    ///
    /// # Errors
    /// `memory`.
    pub fn new(clock: Box<dyn Clock>, rng: Box<dyn Rng>) -> Result<Self, Refused> {
        let code = RecoveryCode::make(&*rng);
        let first = Enrol::new(Opener::Recovery(&code));
        let (_, unlocked) = Vault::create(&first, &*rng, &*clock)?;
        let replica = Replica::create(Keys::new(&unlocked, unlocked.epoch()), &*clock);
        Ok(Self { replica, clock, rng, files: Files::new() })
    }

    /// Folders, as a list of rows in any order.
    ///
    /// # Errors
    /// `shape`, `item`.
    pub fn put_folders(&mut self, rows: &str) -> Result<(), Refused> {
        let mut left: Vec<Row> = serde_json::from_str(rows)?;
        loop {
            let all = left.len();
            let waits = |row: &Row, own: &Self| {
                row.folder.is_some_and(|above| own.replica.overview(above).is_none())
            };
            let (later, now): (Vec<_>, Vec<_>) = left.into_iter().partition(|row| waits(row, self));
            for row in now {
                self.put(&row, &Item::folder(title(&row)))?;
            }
            // Folders of a folder in the trash stand at the root.
            left = if later.len() == all {
                later.into_iter().map(|row| Row { folder: None, ..row }).collect()
            } else {
                later
            };
            if left.is_empty() {
                return Ok(());
            }
        }
    }

    /// An item, as a copy that was sealed as behind a link.
    ///
    /// # Errors
    /// `shape`, `copy`, `item`.
    pub fn put_copy(
        &mut self,
        share: &str,
        fragment: &Secret<[u8]>,
        sealed: &[u8],
        row: &str,
    ) -> Result<(), Refused> {
        let row: Row = serde_json::from_str(row)?;
        let share: ShareId = share.parse().map_err(|_| Refused::shape())?;
        let mut item = open_link(share, &LinkSecret::parse(fragment)?, sealed)?;
        (item.marks.pinned, item.marks.template) = (row.pinned, row.template);
        self.put(&row, &item)
    }

    /// A file, by its name alone.
    ///
    /// # Errors
    /// `shape`, `item`.
    pub fn put_file(&mut self, row: &str) -> Result<(), Refused> {
        let row: Row = serde_json::from_str(row)?;
        let contents = Contents::Attachment {
            media_type: Label::default(),
            length_bytes: 0,
            blob: BlobId::make(&*self.rng),
            digest: symbolon_crypto::sha256(&[]),
            key: Secret::<[u8; 32]>::make(|page| self.rng.fill(page)),
        };
        self.put(&row, &nothing(title(&row), contents))
    }

    /// An id that is taken, by something that is no note.
    ///
    /// # Errors
    /// `shape`, `item`.
    pub fn put_taken(&mut self, row: &str) -> Result<(), Refused> {
        let row: Row = serde_json::from_str(row)?;
        let (username, email) = (Name::default(), Name::default());
        let contents = Contents::Profile { username, email, picture: None };
        self.put(&row, &nothing(title(&row), contents))
    }

    fn put(&mut self, row: &Row, item: &Item) -> Result<(), Refused> {
        let folder = row.folder.filter(|id| self.replica.overview(*id).is_some());
        let times = [row.created, row.updated];
        Ok(self.replica.put_item(row.id, item, folder, times, &*self.rng)?)
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").finish_non_exhaustive()
    }
}

fn title(row: &Row) -> Title {
    Title::lossy(&row.title)
}

fn nothing(title: Title, contents: Contents) -> Item {
    Item { title, marks: Marks::default(), body: Body::default(), contents }
}
