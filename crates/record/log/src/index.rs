//! Where in the file of entries each 256th record begins.

use symbolon_codec::Digest32;

use crate::LogError;
use crate::storage::Storage;
use crate::tile::{TILE_WIDTH, Tile, TileKind, decode_full, number_path};

/// Offsets, counted in bundles of 256 entries. The newest are in memory, older ones in files of
/// 256 offsets.
#[derive(Default)]
pub(crate) struct Index {
    /// First bundle in `offsets`: a multiple of 256.
    first: u64,
    offsets: Vec<u64>,
    /// The file read last.
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

    /// Where a bundle begins; nothing where the file that should say so is gone.
    pub(crate) fn offset<S: Storage>(
        &mut self,
        storage: &S,
        bundle: u64,
    ) -> Result<Option<u64>, LogError> {
        if let Some(at) = bundle.checked_sub(self.first) {
            return Ok(self.offsets.get(at as usize).copied());
        }
        let (file, place) = (bundle / TILE_WIDTH, (bundle % TILE_WIDTH) as usize);
        if self.seen.as_ref().is_none_or(|(number, _)| *number != file) {
            self.seen = read_file(storage, file)?.map(|offsets| (file, offsets));
        }
        Ok(self.seen.as_ref().and_then(|(_, offsets)| offsets.get(place).copied()))
    }

    /// The files that bundles `from..to` are in, as names and bytes.
    pub(crate) fn files(&self, from: u64, to: u64) -> Vec<(String, Vec<u8>)> {
        let from = from.max(self.first) / TILE_WIDTH;
        let files = from..to.div_ceil(TILE_WIDTH).max(from);
        let encode = |file: u64| {
            let start = (file * TILE_WIDTH - self.first) as usize;
            let until = ((to - self.first) as usize).min(start + TILE_WIDTH as usize);
            let part = self.offsets.get(start..until).unwrap_or_default();
            (file_name(file), part.iter().flat_map(|o| o.to_be_bytes()).collect())
        };
        files.map(encode).collect()
    }
}

/// The offsets in one file, if they rise from the first record on.
pub(crate) fn read_file<S: Storage>(storage: &S, file: u64) -> Result<Option<Vec<u64>>, LogError> {
    let bytes = storage.get(&file_name(file), TILE_WIDTH * 8);
    let Some(bytes) = bytes.map_err(LogError::storage("read the index"))? else { return Ok(None) };
    let (numbers, rest) = bytes.as_chunks::<8>();
    let offsets: Vec<u64> = numbers.iter().map(|b| u64::from_be_bytes(*b)).collect();
    let rise = offsets.is_sorted_by(|a, b| a < b) && offsets.first().is_some_and(|o| *o >= 16);
    Ok((rest.is_empty() && rise).then_some(offsets))
}

/// A full tile as stored, if it is there and whole.
pub(crate) fn read_tile<S: Storage>(
    storage: &S,
    level: u8,
    number: u64,
) -> Result<Option<Vec<Digest32>>, LogError> {
    let name = Tile::full(TileKind::Hashes { level }, number).to_string();
    let bytes = storage.get(&name, TILE_WIDTH * 32).map_err(LogError::storage("read a tile"))?;
    Ok(bytes.and_then(|b| decode_full(&b)))
}

fn file_name(file: u64) -> String {
    format!("index/{}", number_path(file))
}
