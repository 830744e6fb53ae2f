//! Where in the file of entries each 256th record begins.

use symbolon_codec::Digest32;

use crate::LogError;
use crate::storage::Storage;
use crate::tile::{HASH_BYTES, TILE_WIDTH, decode_hashes};

/// Offsets, counted in bundles of 256 entries. The newest are in memory, older ones in the file, which
/// is read in parts of 256 offsets.
#[derive(Default)]
pub(crate) struct Index {
    /// First bundle in `offsets`: a multiple of 256.
    first: u64,
    offsets: Vec<u64>,
    /// The part read last.
    seen: Option<(u64, Vec<u64>)>,
}

impl Index {
    /// Goes on after these offsets, the first of which is of bundle `first`.
    pub(crate) fn resume(first: u64, offsets: Vec<u64>) -> Self {
        debug_assert!(first.is_multiple_of(TILE_WIDTH));
        Self { first, offsets, seen: None }
    }

    pub(crate) fn extend(&mut self, offsets: &[u64]) {
        self.offsets.extend_from_slice(offsets);
    }

    /// Where a bundle begins; nothing where the part that should say so is gone.
    pub(crate) fn offset<S: Storage>(
        &mut self,
        storage: &S,
        bundle: u64,
    ) -> Result<Option<u64>, LogError> {
        if let Some(at) = bundle.checked_sub(self.first) {
            return Ok(self.offsets.get(at as usize).copied());
        }
        let (part, place) = (bundle / TILE_WIDTH, (bundle % TILE_WIDTH) as usize);
        if self.seen.as_ref().is_none_or(|(number, _)| *number != part) {
            self.seen = read_offsets(storage, part)?.map(|offsets| (part, offsets));
        }
        Ok(self.seen.as_ref().and_then(|(_, offsets)| offsets.get(place).copied()))
    }

    /// The first bundle from `from` on that is in memory, and what the file has of it and those
    /// before `to`.
    pub(crate) fn part(&self, from: u64, to: u64) -> (u64, Vec<u8>) {
        let from = from.max(self.first);
        let place = |bundle: u64| bundle.saturating_sub(self.first) as usize;
        let part = self.offsets.get(place(from)..place(to)).unwrap_or_default();
        (from, part.iter().flat_map(|o| o.to_be_bytes()).collect())
    }
}

/// Name of the file of offsets.
pub(crate) const OFFSETS: &str = "offsets";
/// Bytes of an offset in it.
pub(crate) const OFFSET_BYTES: u64 = 8;

/// The 256 offsets of one part, or those that there are, if they rise from the first record on.
pub(crate) fn read_offsets<S: Storage>(
    storage: &S,
    part: u64,
) -> Result<Option<Vec<u64>>, LogError> {
    let mut bytes = [0; (TILE_WIDTH * OFFSET_BYTES) as usize];
    let at = part.saturating_mul(TILE_WIDTH * OFFSET_BYTES);
    let count = storage.read_at(OFFSETS, at, &mut bytes);
    let count = count.map_err(LogError::storage("read the offsets"))?;
    let (numbers, rest) = bytes[..count].as_chunks::<8>();
    let offsets: Vec<u64> = numbers.iter().map(|b| u64::from_be_bytes(*b)).collect();
    let rise = offsets.is_sorted_by(|a, b| a < b) && offsets.first().is_some_and(|o| *o >= 16);
    Ok((rest.is_empty() && rise).then_some(offsets))
}

/// Name of the file that has the hashes of a tile level.
pub(crate) fn hashes_name(level: u8) -> String {
    format!("hashes/{level}")
}

/// Writes the hashes of every level between two sizes. `tile` gives the bytes of the first so many hashes of a tile, by
/// its level, its number and their count.
pub(crate) fn write_hashes<S: Storage>(
    storage: &S,
    from: u64,
    to: u64,
    mut tile: impl FnMut(u8, u64, u16) -> Result<Vec<u8>, LogError>,
) -> Result<(), LogError> {
    for level in 0u8..8 {
        let hashes = to >> (8 * u32::from(level));
        if hashes == 0 {
            break;
        }
        let first = (from >> (8 * u32::from(level))) / TILE_WIDTH;
        let mut bytes = Vec::new();
        for number in first..hashes.div_ceil(TILE_WIDTH) {
            let width = (hashes - number * TILE_WIDTH).min(TILE_WIDTH) as u16;
            bytes.extend(tile(level, number, width)?);
        }
        let at = first * TILE_WIDTH * HASH_BYTES;
        let written = storage.write_at(&hashes_name(level), at, &bytes);
        written.map_err(LogError::storage("write the hashes"))?;
    }
    Ok(())
}

/// A full tile as stored, if it is there and whole.
pub(crate) fn read_tile<S: Storage>(
    storage: &S,
    level: u8,
    number: u64,
) -> Result<Option<Vec<Digest32>>, LogError> {
    let mut bytes = vec![0; (TILE_WIDTH * HASH_BYTES) as usize];
    let at = number.saturating_mul(TILE_WIDTH * HASH_BYTES);
    let count = storage.read_at(&hashes_name(level), at, &mut bytes);
    let count = count.map_err(LogError::storage("read a tile"))?;
    Ok(decode_hashes(&bytes[..count], TILE_WIDTH))
}
