//! A log that goes on where another gave up its entries: from their hashes (`specs/log.md`, "Shards").

use symbolon_codec::Digest32;

use crate::LogError;
use crate::index::write_hashes;
use crate::shard::Shards;
use crate::storage::Storage;
use crate::tile::{TILE_WIDTH, encode_hashes};
use crate::tree::Tree;

/// Fills a storage that is empty with the hashes of entries that it will not have.
pub struct Begun<'a, S> {
    storage: &'a S,
    tree: Tree,
    stored: u64,
}

/// Hashes are written after so many.
const AT_ONCE: u64 = 256 * TILE_WIDTH;

impl<'a, S: Storage> Begun<'a, S> {
    /// Nothing yet.
    pub fn new(storage: &'a S) -> Self {
        Self { storage, tree: Tree::default(), stored: 0 }
    }

    /// The hash of the next entry.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn push(&mut self, leaf: Digest32) -> Result<(), LogError> {
        self.tree.push(leaf);
        if self.tree.size() - self.stored == AT_ONCE { self.store() } else { Ok(()) }
    }

    /// Ends before the first entry that the storage will have; `last` is what its record continues. The log can be opened
    /// then; what its checkpoint covers has to be there first.
    ///
    /// # Errors
    /// [`LogError::Shards`] where the list says otherwise; [`LogError::Storage`].
    pub fn finish(mut self, shards: &Shards, last: &[u8]) -> Result<(), LogError> {
        let kept = shards.kept().ok_or(LogError::Shards("nothing was given up"))?;
        if kept.first != self.tree.size() || last.len() as u64 != kept.offset - kept.stays_from() {
            return Err(LogError::Shards("it does not begin where the hashes end"));
        }
        self.store()?;
        self.storage.begin_at(shards, last).map_err(LogError::storage("begin the entries"))
    }

    fn store(&mut self) -> Result<(), LogError> {
        let (from, to) = (self.stored, self.tree.size());
        let tree = &self.tree;
        write_hashes(self.storage, from, to, |level, number, width| {
            // All since the last time are in memory, and the edges above them.
            let gone = &mut |_, _| Err(LogError::Hashes { before: to });
            Ok(encode_hashes(&tree.partial_tile(level, number, width.into(), gone)?))
        })?;
        self.tree.stored(to);
        self.stored = to;
        Ok(())
    }
}
