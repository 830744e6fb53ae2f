//! The Merkle tree: its right edge in memory, its full tiles wherever the log keeps them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use symbolon_codec::Digest32;

use crate::LogError;
use crate::hash::{complete_root, empty_root, node_hash};
use crate::tile::TILE_WIDTH;

/// Gives the 256 hashes of a full tile that the tree does not hold itself.
pub(crate) type Load<'a> = &'a mut dyn FnMut(u8, u64) -> Result<Vec<Digest32>, LogError>;

/// The tree of the entries so far.
#[derive(Default)]
pub(crate) struct Tree {
    size: u64,
    /// For each tile level the hashes of its unfinished tile.
    edges: Vec<Vec<Digest32>>,
    /// Full tiles made since the last checkpoint, the oldest dropped when there are too many.
    fresh: BTreeMap<(u64, u8), Arc<Vec<Digest32>>>,
    /// Full tiles of the leaves read lately, and those above them, which many more proofs go through.
    leaves: Seen<LEAF_TILES_MAX>,
    above: Seen<TILES_ABOVE_MAX>,
    /// Hashes lately made of unfinished tiles, by the entries that they cover: a hash of entries never becomes another.
    edge_hashes: VecDeque<(Range<u64>, Digest32)>,
}

/// Full tiles with all their inner nodes, at most `MAX`, the one used last at the end.
#[derive(Default)]
struct Seen<const MAX: usize>(Vec<Expanded>);

struct Expanded {
    level: u8,
    number: u64,
    /// Heights 0 to 8 above the tile's own hashes.
    heights: Vec<Vec<Digest32>>,
}

/// 8 KiB each.
const FRESH_MAX: usize = 2048;
/// 16 KiB each.
const LEAF_TILES_MAX: usize = 16;
/// 16 KiB each: those above sixteen million entries.
const TILES_ABOVE_MAX: usize = 256;
/// A path meets a few for each of the levels.
const EDGE_HASHES_MAX: usize = 64;

impl<const MAX: usize> Seen<MAX> {
    /// The tile, which `hashes` gives where it was not seen.
    fn tile(
        &mut self,
        level: u8,
        number: u64,
        hashes: impl FnOnce() -> Result<Vec<Digest32>, LogError>,
    ) -> Result<&Expanded, LogError> {
        let seen = &mut self.0;
        if let Some(at) = seen.iter().rposition(|s| s.number == number && s.level == level) {
            seen[at..].rotate_left(1);
        } else {
            let heights = all_heights(hashes()?);
            if seen.len() == MAX {
                seen.remove(0);
            }
            seen.push(Expanded { level, number, heights });
        }
        // INFALLIBLE: it was found, or pushed.
        Ok(seen.last().expect("a tile"))
    }
}

impl Expanded {
    fn hash(&self, height: usize, place: usize) -> Digest32 {
        let hash = self.heights.get(height).and_then(|hashes| hashes.get(place));
        hash.copied().unwrap_or_else(empty_root)
    }
}

impl Tree {
    /// The tree of the first `size` entries, a multiple of 256, from its full tiles.
    pub(crate) fn resume(size: u64, load: Load<'_>) -> Result<Self, LogError> {
        debug_assert!(size.is_multiple_of(TILE_WIDTH));
        let mut tree = Self { size, ..Self::default() };
        let mut level = 0u8;
        while size >> (8 * u32::from(level)) > 0 {
            let hashes = size >> (8 * u32::from(level));
            let first = hashes / TILE_WIDTH * TILE_WIDTH;
            let below = level.checked_sub(1);
            let edge = (first..hashes).map(|i| match below {
                Some(below) => Ok(complete_root(load(below, i)?)),
                // Size is a multiple of the width: the lowest level has no edge.
                None => Ok(empty_root()),
            });
            tree.edges.push(edge.collect::<Result<_, LogError>>()?);
            level += 1;
        }
        Ok(tree)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf.
    pub(crate) fn push(&mut self, leaf: Digest32) {
        let mut hash = leaf;
        for level in 0u8.. {
            let at = usize::from(level);
            if at == self.edges.len() {
                self.edges.push(Vec::with_capacity(TILE_WIDTH as usize));
            }
            self.edges[at].push(hash);
            if self.edges[at].len() < TILE_WIDTH as usize {
                break;
            }
            let full = std::mem::replace(&mut self.edges[at], Vec::with_capacity(256));
            hash = complete_root(full.clone());
            self.fresh.insert((self.size >> (8 * (u32::from(level) + 1)), level), Arc::new(full));
        }
        self.size += 1;
        while self.fresh.len() > FRESH_MAX {
            self.fresh.pop_first();
        }
    }

    /// The 256 hashes of a full tile.
    pub(crate) fn full_tile(
        &self,
        level: u8,
        number: u64,
        load: Load<'_>,
    ) -> Result<Arc<Vec<Digest32>>, LogError> {
        match self.fresh.get(&(number, level)) {
            Some(tile) => Ok(tile.clone()),
            None => load(level, number).map(Arc::new),
        }
    }

    /// The first `width` hashes of a tile, full by now or not.
    pub(crate) fn partial_tile(
        &self,
        level: u8,
        number: u64,
        width: usize,
        load: Load<'_>,
    ) -> Result<Vec<Digest32>, LogError> {
        if number == self.full_tiles(level) {
            let edge = self.edges.get(usize::from(level)).map(Vec::as_slice).unwrap_or_default();
            return Ok(edge[..width.min(edge.len())].to_vec());
        }
        let tile = self.full_tile(level, number, load)?;
        Ok(tile[..width.min(tile.len())].to_vec())
    }

    /// Full tiles made since they were last taken, by number and level.
    pub(crate) fn take_fresh(&mut self) -> BTreeMap<(u64, u8), Arc<Vec<Digest32>>> {
        std::mem::take(&mut self.fresh)
    }

    /// The hashes of the unfinished tile of each level that has some.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (u8, &[Digest32])> {
        (0u8..).zip(self.edges.iter().map(Vec::as_slice)).filter(|(_, edge)| !edge.is_empty())
    }

    /// Forgets tiles that are stored now: those under the first `size` entries.
    pub(crate) fn stored(&mut self, size: u64) {
        self.fresh.retain(|(number, level), _| {
            *number >= size.checked_shr(8 * (u32::from(*level) + 1)).unwrap_or(0)
        });
    }

    /// Forgets tiles that were read, and what was made of them, so that they are read again.
    pub(crate) fn forget_seen(&mut self) {
        self.leaves.0.clear();
        self.above.0.clear();
        self.edge_hashes.clear();
    }

    /// Hash of the leaf at a place before the tree's end.
    pub(crate) fn leaf(&mut self, index: u64, load: Load<'_>) -> Result<Digest32, LogError> {
        if index >= self.size {
            return Err(LogError::NoEntry { index, size: self.size });
        }
        self.node(0, index, load)
    }

    /// Root of the first `size` entries; `size` at most the tree's.
    pub(crate) fn root(&mut self, size: u64, load: Load<'_>) -> Result<Digest32, LogError> {
        if size == 0 { Ok(empty_root()) } else { self.range(0, size, load) }
    }

    /// The path from entry `index` to the root of `size` entries (RFC 9162 section 2.1.3.1).
    pub(crate) fn inclusion(
        &mut self,
        index: u64,
        size: u64,
        load: Load<'_>,
    ) -> Result<Vec<Digest32>, LogError> {
        if index >= size || size > self.size {
            return Err(LogError::NoEntry { index, size: size.min(self.size) });
        }
        let (mut low, mut high, mut path) = (0, size, Vec::new());
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                path.push(self.range(middle, high, load)?);
                high = middle;
            } else {
                path.push(self.range(low, middle, load)?);
                low = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// The path that shows the tree of `new` entries to begin with that of `old` (section 2.1.4.1).
    pub(crate) fn consistency(
        &mut self,
        old: u64,
        new: u64,
        load: Load<'_>,
    ) -> Result<Vec<Digest32>, LogError> {
        if old == 0 || old > new || new > self.size {
            return Err(LogError::NoEntry { index: old, size: new.min(self.size) });
        }
        let (mut low, mut high, mut path) = (0, new, Vec::new());
        while old != high {
            let middle = low + split(high - low);
            if old <= middle {
                path.push(self.range(middle, high, load)?);
                high = middle;
            } else {
                path.push(self.range(low, middle, load)?);
                low = middle;
            }
        }
        // The verifier knows the older root; only a part of it must be given.
        if low > 0 {
            path.push(self.range(low, high, load)?);
        }
        path.reverse();
        Ok(path)
    }

    /// Root of the entries from `low` to `high`; `low` is a multiple of the power of two that
    /// covers the width.
    fn range(&mut self, low: u64, high: u64, load: Load<'_>) -> Result<Digest32, LogError> {
        let width = high - low;
        if width.is_power_of_two() {
            let height = width.trailing_zeros();
            return self.node(height, low >> height, load);
        }
        if let Some(hash) = self.edge_hash(low, high) {
            return Ok(hash);
        }
        let middle = low + split(width);
        let left = self.range(low, middle, load)?;
        let hash = node_hash(&left, &self.range(middle, high, load)?);
        self.keep_edge_hash(low, high, hash);
        Ok(hash)
    }

    /// Hash of the complete subtree of this height over entries from `number << height` on.
    fn node(&mut self, height: u32, number: u64, load: Load<'_>) -> Result<Digest32, LogError> {
        let (level, inner) = ((height / 8) as u8, (height % 8) as usize);
        let first = number << inner;
        let (tile, place) = (first / TILE_WIDTH, (first % TILE_WIDTH) as usize);
        if tile == self.full_tiles(level) {
            let (low, high) = (number << height, (number + 1) << height);
            if let Some(hash) = self.edge_hash(low, high) {
                return Ok(hash);
            }
            let edge = self.edges.get(usize::from(level)).map(Vec::as_slice).unwrap_or_default();
            let part = edge.get(place..place + (1 << inner));
            let hash = complete_root(part.unwrap_or_default().to_vec());
            if inner > 0 {
                self.keep_edge_hash(low, high, hash);
            }
            return Ok(hash);
        }
        let fresh = &self.fresh;
        let hashes = || match fresh.get(&(tile, level)) {
            Some(hashes) => Ok(hashes.to_vec()),
            None => load(level, tile),
        };
        let tile = match level {
            0 => self.leaves.tile(level, tile, hashes)?,
            _ => self.above.tile(level, tile, hashes)?,
        };
        Ok(tile.hash(inner, place >> inner))
    }

    fn edge_hash(&self, low: u64, high: u64) -> Option<Digest32> {
        let known = self.edge_hashes.iter().find(|(range, _)| *range == (low..high));
        known.map(|(_, hash)| *hash)
    }

    fn keep_edge_hash(&mut self, low: u64, high: u64, hash: Digest32) {
        if self.edge_hashes.len() == EDGE_HASHES_MAX {
            self.edge_hashes.pop_front();
        }
        self.edge_hashes.push_back((low..high, hash));
    }

    /// Full tiles of a level: the number of its unfinished one.
    fn full_tiles(&self, level: u8) -> u64 {
        self.size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0)
    }
}

/// The largest power of two below `width`, which is at least two.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

fn all_heights(hashes: Vec<Digest32>) -> Vec<Vec<Digest32>> {
    let mut heights = vec![hashes];
    while let Some(level) = heights.last().filter(|l| l.len() > 1) {
        let up = level.as_chunks::<2>().0.iter().map(|[l, r]| node_hash(l, r)).collect();
        heights.push(up);
    }
    heights
}
