//! Reading entries back, each checked against the chain.

use std::ops::Range;

use symbolon_codec::Digest32;

use crate::LogError;
use crate::log::{Log, lock};
use crate::record::{Chain, Scan, Step};
use crate::storage::Storage;
use crate::tile::TILE_WIDTH;
use crate::tree::Tree;

/// Bytes that one call of [`Log::entries`] or [`Log::tail`] gives at most, beside the first entry.
const READ_BYTES_MAX: usize = 4 << 20;

impl<S: Storage> Log<S> {
    /// One entry that has been written.
    ///
    /// # Errors
    /// [`LogError::NoEntry`] or [`LogError::Damaged`].
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, LogError> {
        if index >= self.written_size() {
            return Err(LogError::NoEntry { index, size: self.written_size() });
        }
        let mut found = Vec::new();
        self.each_entry(index..index.saturating_add(1), |_, entry, _| {
            found.extend_from_slice(entry);
            Ok(true)
        })?;
        Ok(found)
    }

    /// Entries of a range, oldest first, with their places. Stops early after 4 MiB: go on from
    /// the last place given. What lies beyond the end of the log is left out.
    ///
    /// # Errors
    /// [`LogError::Damaged`] or [`LogError::Storage`].
    pub fn entries(&self, range: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, LogError> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        let range = range.start..range.end.min(self.written_size());
        self.each_entry(range, |index, entry, _| {
            bytes += entry.len();
            let room = found.is_empty() || bytes <= READ_BYTES_MAX;
            if room {
                found.push((index, entry.to_vec()));
            }
            Ok(room)
        })?;
        Ok(found)
    }

    /// At most `count` entries before the place `before` (before the end, where it is nothing),
    /// newest first. Stops early after 4 MiB.
    ///
    /// # Errors
    /// As [`Log::entries`].
    pub fn tail(&self, before: Option<u64>, count: u64) -> Result<Vec<(u64, Vec<u8>)>, LogError> {
        let end = before.unwrap_or(u64::MAX).min(self.written_size());
        let (mut found, mut bytes): (Vec<(u64, Vec<u8>)>, _) = (Vec::new(), 0);
        let there = self.shards().kept().map_or(0, |kept| kept.first);
        let (mut high, low) = (end, end.saturating_sub(count).max(there));
        // A bundle at a time, from the newest, because records can only be read forwards.
        while high > low {
            let start = low.max((high - 1) / TILE_WIDTH * TILE_WIDTH);
            let mut part = Vec::new();
            self.each_entry(start..high, |index, entry, _| {
                part.push((index, entry.to_vec()));
                Ok(true)
            })?;
            for (index, entry) in part.into_iter().rev() {
                bytes += entry.len();
                if !found.is_empty() && bytes > READ_BYTES_MAX {
                    return Ok(found);
                }
                found.push((index, entry));
            }
            high = start;
        }
        Ok(found)
    }

    /// Reads every record that opening passed over, and checks that they are those under the
    /// checkpoint. Slow for a large log: run it beside the service. Damage stops the log.
    ///
    /// # Errors
    /// [`LogError::Damaged`] or [`LogError::Root`], both poisoning; [`LogError::Storage`].
    pub fn audit(&self) -> Result<u64, LogError> {
        let until = self.recovery.unread_before;
        let (first, offset, chain) = self.shards().beginning(&self.storage, &self.origin)?;
        if first >= until {
            return Ok(until);
        }
        let mut scan = Scan::new(&self.storage, offset, chain);
        let mut tree = Tree::resume(first, &mut |l, n| self.load_tile(l, n))?;
        while tree.size() < until {
            self.check_poison()?;
            let (index, offset) = (tree.size(), scan.offset());
            match scan.step() {
                Ok(Step::Record { leaf, .. }) => tree.push(leaf),
                // It was taken away meanwhile.
                _ if self.shards().check_kept(index).is_err() => return self.audit(),
                Ok(_) => {
                    return Err(self.stop(LogError::Damaged { index, offset, covered: until }));
                }
                Err(error) => return Err(LogError::storage("read a record")(error)),
            }
        }
        let found = tree.root(until, &mut |l, n| self.load_tile(l, n))?;
        if found != self.root(until)? {
            return Err(self.stop(LogError::Root { size: until }));
        }
        Ok(until)
    }

    /// Calls `each` with place, entry and leaf hash, in order, until it says false.
    pub(crate) fn each_entry(
        &self,
        range: Range<u64>,
        mut each: impl FnMut(u64, &[u8], Digest32) -> Result<bool, LogError>,
    ) -> Result<(), LogError> {
        if range.is_empty() {
            return Ok(());
        }
        let shards = self.shards();
        shards.check_kept(range.start)?;
        let read = LogError::storage;
        let bundle = range.start / TILE_WIDTH;
        let offset = lock(&self.index).offset(&self.storage, bundle)?;
        let (mut index, mut scan) = match offset {
            Some(offset) if bundle > 0 => {
                let chain = Chain::read(&self.storage, offset).map_err(read("read a record"))?;
                let chain = chain.unwrap_or_else(|| Chain::start(&self.origin));
                (bundle * TILE_WIDTH, Scan::new(&self.storage, offset, chain))
            }
            // A lost index is made again when the log is opened; until then, from the beginning.
            _ => {
                let (first, offset, chain) = shards.beginning(&self.storage, &self.origin)?;
                (first, Scan::new(&self.storage, offset, chain))
            }
        };
        while index < range.end {
            let offset = scan.offset();
            let (entry, leaf) = match scan.step() {
                Ok(Step::Record { entry, leaf }) => (entry, leaf),
                failed => {
                    // It was taken away meanwhile.
                    self.shards().check_kept(index)?;
                    failed.map_err(read("read a record"))?;
                    return Err(LogError::Damaged { index, offset, covered: self.written_size() });
                }
            };
            if index >= range.start && !each(index, entry, leaf)? {
                return Ok(());
            }
            index += 1;
        }
        Ok(())
    }
}
