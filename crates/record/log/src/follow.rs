//! Reading a log that another thread, or another process, writes.

use symbolon_codec::Digest32;

use crate::LogError;
use crate::index::read_offsets;
use crate::record::{Chain, Scan, Step};
use crate::shard::Shards;
use crate::storage::Storage;
use crate::tile::TILE_WIDTH;

/// Reads records in their order, each checked against the chain, from the storage alone: it shares no lock
/// with the [`Log`](crate::Log) that writes them.
pub struct Follower<S> {
    storage: S,
    next: u64,
    offset: u64,
    chain: Chain,
}

impl<S: Storage> Follower<S> {
    /// Begins before the entry `next`, which need not be there yet.
    ///
    /// # Errors
    /// [`LogError::Storage`]; [`LogError::Truncated`] where the log ends before that entry;
    /// [`LogError::TakenAway`] where it begins behind it.
    pub fn open(storage: S, origin: &str, next: u64) -> Result<Self, LogError> {
        let shards = Shards::read(&storage)?;
        shards.check_kept(next)?;
        let (first, offset, chain) = shards.beginning(&storage, origin)?;
        let mut follower = Self { storage, next: first, offset, chain };
        let near = near(&follower.storage, next)?.filter(|(entry, _)| *entry > first);
        if let Some((entry, offset)) = near {
            let chain = Chain::read(&follower.storage, offset);
            if let Some(chain) = chain.map_err(LogError::storage("read a record"))? {
                let start = (follower.next, follower.offset, follower.chain);
                (follower.next, follower.offset, follower.chain) = (entry, offset, chain);
                if follower.read(next, |_, _, _| true)? == next {
                    return Ok(follower);
                }
                // The index is only a cache: from the beginning, then.
                (follower.next, follower.offset, follower.chain) = start;
            }
        }
        match follower.read(next, |_, _, _| true)? {
            found if found == next => Ok(follower),
            found => Err(LogError::Truncated { found, covered: next }),
        }
    }

    /// What the entry that comes next continues.
    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    /// Place of the entry that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Gives entries before `until` with place and leaf hash, until `each` says false. Gives the place that
    /// comes next: less than `until` where `each` stopped, or where no whole record follows.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub fn read(
        &mut self,
        until: u64,
        mut each: impl FnMut(u64, &[u8], Digest32) -> bool,
    ) -> Result<u64, LogError> {
        let mut scan = Scan::new(&self.storage, self.offset, self.chain);
        let mut next = self.next;
        while next < until {
            let step = scan.step().map_err(LogError::storage("read a record"))?;
            let Step::Record { entry, leaf } = step else { break };
            let more = each(next, entry, leaf);
            next += 1;
            if !more {
                break;
            }
        }
        (self.offset, self.chain, self.next) = (scan.offset(), scan.chain(), next);
        Ok(next)
    }
}

/// The last bundle that begins at or before an entry and whose place is stored: its first entry, its offset.
fn near<S: Storage>(storage: &S, entry: u64) -> Result<Option<(u64, u64)>, LogError> {
    let bundle = entry / TILE_WIDTH;
    for part in (0..=bundle / TILE_WIDTH).rev() {
        let Some(offsets) = read_offsets(storage, part)? else { continue };
        let wanted = usize::try_from(bundle - part * TILE_WIDTH).unwrap_or(usize::MAX);
        let place = wanted.min(offsets.len() - 1);
        let entry = (part * TILE_WIDTH + place as u64) * TILE_WIDTH;
        // What stands before the first record is the file's header, and no check.
        return Ok((entry > 0).then_some((entry, offsets[place])));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Log, MemoryStorage};
    use std::sync::Arc;

    const ORIGIN: &str = "example.test/log";

    fn entry(at: u64) -> Vec<u8> {
        format!("entry {at}").into_bytes()
    }

    fn log(size: u64) -> (Arc<MemoryStorage>, Log<Arc<MemoryStorage>>) {
        let storage = Arc::new(MemoryStorage::new());
        let log = Log::open(storage.clone(), ORIGIN, None).unwrap();
        for at in 0..size {
            log.append(&entry(at)).unwrap();
        }
        log.commit().unwrap();
        let _ = log.checkpoint();
        (storage, log)
    }

    fn all(follower: &mut Follower<Arc<MemoryStorage>>, until: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        follower
            .read(until, |at, bytes, leaf| {
                assert_eq!((bytes, leaf), (&*entry(at), crate::leaf_hash(&entry(at))));
                seen.push(at);
                true
            })
            .unwrap();
        seen
    }

    #[test]
    fn entries_are_read_from_any_place_and_as_they_come() {
        let (storage, log) = log(700);
        for from in [0, 1, 255, 256, 257, 512, 699, 700] {
            let mut follower = Follower::open(storage.clone(), ORIGIN, from).unwrap();
            assert_eq!(all(&mut follower, 700), (from..700).collect::<Vec<_>>(), "{from}");
            assert_eq!(follower.next(), 700);
        }
        let mut follower = Follower::open(storage, ORIGIN, 700).unwrap();
        assert_eq!(all(&mut follower, u64::MAX), [0u64; 0]);
        log.append(&entry(700)).unwrap();
        assert_eq!(all(&mut follower, u64::MAX), [0u64; 0], "it is not written yet");
        log.commit().unwrap();
        assert_eq!(all(&mut follower, u64::MAX), [700]);
    }

    #[test]
    fn an_index_that_is_wrong_or_gone_costs_time_alone() {
        let (storage, _log) = log(700);
        storage.edit_files(|files| {
            files.get_mut("offsets").unwrap()[15] ^= 1;
        });
        let mut follower = Follower::open(storage.clone(), ORIGIN, 300).unwrap();
        assert_eq!(all(&mut follower, 700).len(), 400);
        storage.edit_files(|files| drop(files.remove("offsets")));
        let mut follower = Follower::open(storage, ORIGIN, 300).unwrap();
        assert_eq!(all(&mut follower, 700).len(), 400);
    }

    #[test]
    fn reading_ends_before_a_changed_record() {
        let (storage, _log) = log(40);
        storage.edit_entries(|bytes| {
            let at = bytes.windows(8).position(|w| w == b"entry 17").unwrap();
            bytes[at] ^= 1;
        });
        let mut follower = Follower::open(storage.clone(), ORIGIN, 0).unwrap();
        assert_eq!(all(&mut follower, 40), (0..17).collect::<Vec<_>>());
        let beyond = Follower::open(storage, ORIGIN, 20);
        assert!(matches!(beyond, Err(LogError::Truncated { found: 17, covered: 20 })));
    }
}
