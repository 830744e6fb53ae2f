//! The right edge of a tree: enough to add leaves and to know the root, without touching what is stored.

use symbolon_codec::Digest32;
use symbolon_log::{Log, LogError, Storage, empty_root, leaf_hash, node_hash};

/// Roots of the complete trees that a tree is made of, largest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<Digest32>,
}

impl Frontier {
    /// Of everything in a log.
    pub fn of<S: Storage>(log: &Log<S>) -> Result<Self, LogError> {
        let size = log.written_size();
        let Some(last) = size.checked_sub(1) else { return Ok(Self::default()) };
        // The last leaf's path has the left halves of the smallest complete tree, and then the other trees' roots.
        let path = log.inclusion(last, size)?;
        let (inside, others) = path.split_at((size.trailing_zeros() as usize).min(path.len()));
        let leaf = leaf_hash(&log.entry(last)?);
        let smallest = inside.iter().fold(leaf, |hash, left| node_hash(left, &hash));
        let peaks = others.iter().rev().copied().chain([smallest]).collect();
        Ok(Self { size, peaks })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn push(&mut self, leaf: Digest32) {
        let (mut hash, mut rest) = (leaf, self.size);
        while rest & 1 == 1 {
            hash = self.peaks.pop().map_or(hash, |left| node_hash(&left, &hash));
            rest >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    pub fn root(&self) -> Digest32 {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(last, |right, left| node_hash(&left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_log::MemoryStorage;

    #[test]
    fn it_has_the_root_of_the_log_at_every_size_however_it_was_made() {
        let log = Log::open(MemoryStorage::new(), "example.test/log", None).unwrap();
        let mut grown = Frontier::default();
        assert_eq!(grown.root(), empty_root());
        for at in 0..300_u64 {
            let entry = at.to_be_bytes();
            log.append(&entry).unwrap();
            log.commit().unwrap();
            grown.push(leaf_hash(&entry));
            let read = Frontier::of(&log).unwrap();
            let root = log.root(at + 1).unwrap();
            assert_eq!((grown.root(), read.root(), &read.peaks), (root, root, &grown.peaks));
        }
    }
}
