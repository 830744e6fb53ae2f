//! What is stored beside the entries, held against them before they are given up: nothing can make it
//! again from then on (`specs/log.md`, "Taking away").

use crate::LogError;
use crate::checkpoint::Checkpoint;
use crate::index::{hashes_name, read_tile};
use crate::log::{Log, lock};
use crate::record::{Scan, Step};
use crate::shard::Kept;
use crate::span::Span;
use crate::storage::Storage;
use crate::tile::{HASH_BYTES, TILE_WIDTH, encode_hashes};
use crate::tree::Tree;

impl<S: Storage> Log<S> {
    /// Reads the entries before `first`, a multiple of 256, and writes again whatever hashes of theirs are stored otherwise.
    /// With the hashes before and behind they then give the root in the checkpoint. Says where `first` begins.
    ///
    /// # Errors
    /// [`LogError::Damaged`], [`LogError::Root`] or [`LogError::Hashes`], none of which stops the log; [`LogError::Storage`].
    pub(crate) fn settle(&self, first: u64, signed: &Checkpoint) -> Result<Kept, LogError> {
        let shards = self.shards();
        let (from, offset, chain) = shards.beginning(&self.storage, &self.origin)?;
        let stored = |level, number| {
            read_tile(&self.storage, level, number)?.ok_or(LogError::Hashes { before: from })
        };
        let mut tree = Tree::resume(from, &mut |level, number| stored(level, number))?;
        let (mut scan, mut own) = (Scan::new(&self.storage, offset, chain), Span::empty(from));
        let mut differed = false;
        while tree.size() < first {
            let (index, offset) = (tree.size(), scan.offset());
            match scan.step().map_err(LogError::storage("read a record"))? {
                Step::Record { leaf, .. } => {
                    tree.push(leaf);
                    own.push(leaf);
                }
                _ => return Err(LogError::Damaged { index, offset, covered: signed.size }),
            }
            for ((number, level), hashes) in tree.take_fresh() {
                differed |= self.settle_hashes(level, number, &encode_hashes(&hashes))?;
            }
        }
        // Of the tiles above, which are not full, what is on their left.
        for (level, hashes) in tree.edges() {
            let number = first >> (8 * (u32::from(level) + 1));
            differed |= self.settle_hashes(level, number, &encode_hashes(hashes))?;
        }
        if differed {
            lock(&self.tree).forget_seen();
        }
        let mut whole = Span::stored(&self.storage, 0, from)?;
        let behind = Span::stored(&self.storage, first, signed.size)?;
        let is_whole = whole.join(&own) && whole.join(&behind);
        match is_whole && whole.root() == Some(signed.root) {
            true => Ok(Kept { first, offset: scan.offset() }),
            false => Err(LogError::Root { size: signed.size }),
        }
    }

    /// Says whether the first hashes of a tile were stored otherwise.
    fn settle_hashes(&self, level: u8, number: u64, hashes: &[u8]) -> Result<bool, LogError> {
        let (name, at) = (hashes_name(level), number * TILE_WIDTH * HASH_BYTES);
        let mut found = vec![0; hashes.len()];
        let count = self.storage.read_at(&name, at, &mut found);
        let count = count.map_err(LogError::storage("read a tile"))?;
        if found[..count] == *hashes {
            return Ok(false);
        }
        // A checkpoint may be writing behind them, into the same tile.
        let _one = lock(&self.published);
        let written = self.storage.write_at(&name, at, hashes);
        written.map(|()| true).map_err(LogError::storage("write the hashes"))
    }
}
