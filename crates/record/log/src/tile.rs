//! Names and contents of tiles (C2SP `tlog-tiles`).

use std::fmt;
use std::str::FromStr;

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

/// Text that is no tile's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the name of a tile")]
pub struct TileNameError;

impl FromStr for Tile {
    type Err = TileNameError;

    /// Reads the one allowed spelling of a name, as [`Tile`] is displayed.
    fn from_str(text: &str) -> Result<Self, TileNameError> {
        let read = || {
            let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
            let kind = match kind {
                "entries" => TileKind::Entries,
                level => TileKind::Hashes { level: level.parse().ok().filter(|l| *l < LEVELS)? },
            };
            let (path, width) = match rest.split_once(".p/") {
                Some((path, width)) => (path, width.parse().ok()?),
                None => (rest, TILE_WIDTH as u16),
            };
            let mut number = 0u64;
            for group in path.split('/') {
                let digits = group.strip_prefix('x').unwrap_or(group);
                let is_plain = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
                let digits: u64 = digits.parse().ok().filter(|_| is_plain)?;
                number = number.checked_mul(1000)?.checked_add(digits)?;
            }
            Some(Self { kind, number, width })
        };
        let is_whole = |tile: &Self| (1..=TILE_WIDTH as u16).contains(&tile.width);
        // Other spellings of the same tile (`x000/001`, `256` of 256) are none.
        let tile = read().filter(is_whole).filter(|tile| tile.to_string() == text);
        tile.ok_or(TileNameError)
    }
}

/// Levels that a tree of 2^64 entries has.
pub(crate) const LEVELS: u8 = 8;

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

/// So many hashes, or nothing where the length is another.
pub(crate) fn decode_hashes(bytes: &[u8], count: u64) -> Option<Vec<Digest32>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let whole = rest.is_empty() && hashes.len() as u64 == count;
    whole.then(|| hashes.iter().map(|h| Digest32(*h)).collect())
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
    fn only_the_one_spelling_of_a_name_is_read() {
        let names =
            ["tile/0/000", "tile/0/x001/x234/067.p/8", "tile/7/001", "tile/entries/x001/000.p/255"];
        for name in names {
            assert_eq!(name.parse::<Tile>().unwrap().to_string(), name);
        }
        let others = [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/00/001",
            "tile/8/000",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/08",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/-1/000",
            "tile/0/+01",
            "tile/entries/../checkpoint",
            "tile/0/001.p/",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "/tile/0/000",
            "tile/0/000?",
        ];
        for name in others {
            assert_eq!(name.parse::<Tile>(), Err(TileNameError), "{name}");
        }
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
