//! Names and contents of tiles (C2SP `tlog-tiles`).

use std::fmt;

use symbolon_codec::Digest32;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Bytes of a hash.
pub(crate) const HASH_BYTES: u64 = 32;

/// Which tree level a tile is of, or the entries themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes `8 * level` above the leaves.
    Hashes {
        /// Tile level, from zero.
        level: u8,
    },
    /// The entries under the tile of level zero with the same number.
    Entries,
}

/// One tile: `tile/0/x001/x234/067`, or with a width of less than 256 `tile/0/x001/x234/067.p/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Hashes of a level, or entries.
    pub kind: TileKind,
    /// Number within the level, from the left.
    pub number: u64,
    /// Hashes or entries in it, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// A tile with all its 256 hashes or entries.
    pub fn full(kind: TileKind, number: u64) -> Self {
        Self { kind, number, width: TILE_WIDTH as u16 }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/{}", number_path(self.number))?,
            TileKind::Entries => write!(f, "tile/entries/{}", number_path(self.number))?,
        }
        if u64::from(self.width) < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// A number as `tlog-tiles` writes it: groups of three digits, each but the last with an `x`.
pub(crate) fn number_path(number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The bytes of a hash tile.
pub(crate) fn encode_hashes(hashes: &[Digest32]) -> Vec<u8> {
    let hashes: Vec<_> = hashes.iter().map(|h| *h.as_bytes()).collect();
    hashes.into_flattened()
}

/// The hashes of a full tile, or nothing where the length is another.
pub(crate) fn decode_full(bytes: &[u8]) -> Option<Vec<Digest32>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let full = rest.is_empty() && hashes.len() as u64 == TILE_WIDTH;
    full.then(|| hashes.iter().map(|h| Digest32(*h)).collect())
}

/// Adds an entry to a bundle: two bytes of length, and the entry, which is at most 65,535 bytes.
pub(crate) fn bundle_push(bundle: &mut Vec<u8>, entry: &[u8]) {
    bundle.extend_from_slice(&(entry.len() as u16).to_be_bytes());
    bundle.extend_from_slice(entry);
}

/// Reads an entry bundle.
///
/// # Errors
/// Nothing where a length points past the end.
pub fn parse_bundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        let t = Tile { kind: TileKind::Hashes { level: 0 }, number: 1_234_067, width: 8 };
        assert_eq!(t.to_string(), "tile/0/x001/x234/067.p/8");
        assert_eq!(Tile::full(TileKind::Entries, 0).to_string(), "tile/entries/000");
        assert_eq!(Tile::full(TileKind::Hashes { level: 2 }, 1000).to_string(), "tile/2/x001/000");
    }

    #[test]
    fn bundles_round_trip_and_cuts_are_refused() {
        let mut b = Vec::new();
        bundle_push(&mut b, b"one");
        bundle_push(&mut b, &[7; 65_535]);
        let entries = parse_bundle(&b).unwrap();
        assert_eq!((entries[0], entries[1].len()), (&b"one"[..], 65_535));
        assert!(parse_bundle(&b[..b.len() - 1]).is_none());
        assert!(parse_bundle(&b[..6]).is_none());
    }
}
