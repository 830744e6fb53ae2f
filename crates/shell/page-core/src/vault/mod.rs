//! A person's vault in the page: the replica, what is asked of it in JSON, and nothing of a network.

mod ask;
#[cfg(target_arch = "wasm32")]
mod bindings;
mod draft;
mod file;
mod past;
mod problem;
mod rotate;
mod secrets;
mod share;
mod sync;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use symbolon_ambient::{Clock, Rng};
use symbolon_secret::Secret;
use symbolon_vault::wire::Commit;
use symbolon_vault::{Keys, Replica};

pub use problem::Problem;
pub use share::{Linked, MadeLink};

/// An open vault. Dropping it wipes its keys.
pub struct Vault {
    replica: Replica,
    clock: Box<dyn Clock>,
    rng: Box<dyn Rng>,
    /// Pages of changes that came and are not taken in yet.
    pages: Vec<sync::Change>,
    /// What is on its way to the server.
    sent: Option<Commit>,
    /// Secrets that the page handed in, for a draft that comes next.
    slots: BTreeMap<u32, Secret<[u8]>>,
    next_slot: u32,
    /// What an item was before, as long as somebody looks at it.
    past: Option<past::Looked>,
    /// A file that is read.
    read: file::Read,
    /// The attachment that is sent or fetched.
    moving: Option<file::Moving>,
}

/// What became of the copy that a browser kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There was none: everything is fetched.
    None,
    /// It is in use.
    Used,
    /// It is not this vault's, or not whole: everything is fetched anew.
    Refused,
}

impl Vault {
    /// Opens a vault, with the copy that this browser kept where there is one. What a copy cannot say is
    /// fetched; until then a rollback by the server is noticed only by the copy's head.
    ///
    /// # Errors
    /// Those of `keys`.
    pub fn open<E>(
        keys: impl Fn() -> Result<Keys, E>,
        snapshot: Option<&[u8]>,
        clock: Box<dyn Clock>,
        rng: Box<dyn Rng>,
    ) -> Result<(Self, Kept), E> {
        let opened = match snapshot {
            Some(bytes) => Some(Replica::open_snapshot(keys()?, bytes)),
            None => None,
        };
        let (replica, kept) = match opened {
            None => (Replica::join(keys()?), Kept::None),
            Some(Ok(replica)) => (replica, Kept::Used),
            Some(Err(_)) => (Replica::join(keys()?), Kept::Refused),
        };
        let own = Self {
            replica,
            clock,
            rng,
            pages: Vec::new(),
            sent: None,
            slots: BTreeMap::new(),
            next_slot: 0,
            past: None,
            read: file::Read::default(),
            moving: None,
        };
        Ok((own, kept))
    }

    /// All of it, sealed, for the browser's storage.
    pub fn snapshot(&mut self) -> Vec<u8> {
        self.replica.snapshot(&*self.rng)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("replica", &self.replica.vault()).finish_non_exhaustive()
    }
}
