//! Headers of Bitcoin blocks: 80 bytes that took work to make, with the Merkle root that a proof leads to.

use std::collections::BTreeMap;

use symbolon_codec::{Digest32, hex};
use symbolon_crypto::sha256;

/// A header whose work was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    merkle_root: Digest32,
    hash: Digest32,
    time_unix_seconds: u32,
    bits: u32,
}

/// Which chain headers are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    /// Bitcoin's main chain.
    #[default]
    Main,
    /// A chain of somebody's own, for tests: its blocks take no work, and prove nothing to others.
    Regtest,
}

/// Why a header is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not 80 bytes.
    #[error("a block's header has 80 bytes, this one {0}")]
    Length(usize),
    /// Not hexadecimal.
    #[error("line {0} is no height and header: a number, a space, 160 hexadecimal digits")]
    Line(usize),
    /// A target that none has.
    #[error("the header's target is none that a block has")]
    Target,
    /// It took less work than it says.
    #[error("the header's hash is above its target: nobody did its work")]
    Work,
    /// Less work than any block of the main chain took since 2015.
    #[error("the header took less work than any block has for years: it is none of the main chain")]
    Easy,
    /// Two headers for one height.
    #[error("height {0} has two headers")]
    Twice(u64),
    /// More than are read.
    #[error("more than {0} headers")]
    TooMany(usize),
}

impl BlockHeader {
    /// Reads one and checks its work.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn read(bytes: &[u8], network: Network) -> Result<Self, HeaderError> {
        let header: &[u8; 80] = bytes.try_into().map_err(|_| HeaderError::Length(bytes.len()))?;
        let word = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let mut root = [0; 32];
        root.copy_from_slice(&header[36..68]);
        let hash = sha256(&sha256(header).0);
        let (time_unix_seconds, bits) = (word(68), word(72));
        let target = target(bits).ok_or(HeaderError::Target)?;
        let mut big_endian = hash.0;
        big_endian.reverse();
        if big_endian > target {
            return Err(HeaderError::Work);
        }
        if network == Network::Main && target > EASIEST {
            return Err(HeaderError::Easy);
        }
        Ok(Self { merkle_root: Digest32(root), hash, time_unix_seconds, bits })
    }

    /// The Merkle root of its transactions, as the header has it.
    pub fn merkle_root(&self) -> Digest32 {
        self.merkle_root
    }

    /// Its hash as people write it: the bytes turned round.
    pub fn hash_text(&self) -> String {
        let mut turned = self.hash.0;
        turned.reverse();
        hex::encode(turned)
    }

    /// When its miner says that it was made, in Unix seconds. Wrong by up to about two hours.
    pub fn time_unix_seconds(&self) -> u32 {
        self.time_unix_seconds
    }

    /// About how many hashes it took, as a power of two.
    pub fn work_bits(&self) -> u32 {
        let (exponent, mantissa) = (self.bits >> 24, self.bits & 0x007f_ffff);
        256 - (8 * (exponent.saturating_sub(3)) + (32 - mantissa.leading_zeros()))
    }
}

/// Headers by height: lines of a height, a space and 160 hexadecimal digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderList(BTreeMap<u64, BlockHeader>);

impl HeaderList {
    /// Reads lines; empty ones, and those that begin with `#`, are passed over.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn parse(text: &str, network: Network) -> Result<Self, HeaderError> {
        let mut list = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || HeaderError::Line(number + 1);
            let (height, header) = line.split_once(' ').ok_or_else(bad)?;
            let height: u64 = height.parse().map_err(|_| bad())?;
            let bytes = hex::decode(header.trim()).map_err(|_| bad())?;
            list.add(height, BlockHeader::read(&bytes, network)?)?;
        }
        Ok(list)
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`HeaderError::Twice`], [`HeaderError::TooMany`].
    pub fn add(&mut self, height: u64, header: BlockHeader) -> Result<(), HeaderError> {
        if self.0.len() >= HEADERS_MAX {
            return Err(HeaderError::TooMany(HEADERS_MAX));
        }
        match self.0.insert(height, header) {
            Some(before) if before != header => Err(HeaderError::Twice(height)),
            _ => Ok(()),
        }
    }

    /// The header of a height.
    pub fn at(&self, height: u64) -> Option<&BlockHeader> {
        self.0.get(&height)
    }
}

/// The number that a hash must not be above, big-endian; none for what is negative, zero or too great.
fn target(bits: u32) -> Option<[u8; 32]> {
    let (exponent, mantissa) = ((bits >> 24) as usize, bits & 0x00ff_ffff);
    if mantissa == 0 || mantissa & 0x0080_0000 != 0 || !(4..=32).contains(&exponent) {
        return None;
    }
    let mut target = [0; 32];
    target[32 - exponent..][..3].copy_from_slice(&mantissa.to_be_bytes()[1..]);
    Some(target)
}

/// Since 2014, before there were proofs of this kind, every block of the main chain took 2^64 hashes or more.
const EASIEST: [u8; 32] = {
    let mut easiest = [0xff; 32];
    let mut at = 0;
    while at < 8 {
        easiest[at] = 0;
        at += 1;
    }
    easiest
};
const HEADERS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The first block: 4 January 2009.
    const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

    #[test]
    fn the_first_block_took_its_work_and_would_not_do_today() {
        let genesis = hex::decode(GENESIS).unwrap();
        assert_eq!(BlockHeader::read(&genesis, Network::Main), Err(HeaderError::Easy));
        assert!(BlockHeader::read(&genesis, Network::Regtest).is_ok());
        let mut changed = genesis.clone();
        changed[40] ^= 1;
        assert_eq!(BlockHeader::read(&changed, Network::Main), Err(HeaderError::Work));
        assert_eq!(BlockHeader::read(&genesis[1..], Network::Main), Err(HeaderError::Length(79)));
    }

    /// Block 839,900, of 19 April 2024.
    const RECENT: &str = "0060962aa39b4310863947efd282b30ff755d3ab247c76ee7e5d010000000000000000004c4577aff36cdfdb0613ee3dc73c46e349da802849ec4f4995f9de8df5838008df1b226619420317178560d2";
    /// Block 491,133, of 22 October 2017.
    const OLDER: &str = "00000020790dfd29a6eab5667c8bb42511b3c370d19b03fe9070c1000000000000000000ed32efbfafeb50a29fa29f7838cb3019af23d5623d6e310bce43d50b8b9623776e86ec5930eb001884adf6b3";

    #[test]
    fn a_block_of_the_chain_is_read() {
        let block = BlockHeader::read(&hex::decode(RECENT).unwrap(), Network::Main).unwrap();
        assert_eq!(
            block.hash_text(),
            "000000000000000000023dfafae2b6e6b5ecf9d1365fafa075dec49625721f37"
        );
        assert_eq!((block.time_unix_seconds(), block.work_bits()), (1_713_511_391, 78));
        assert_eq!(block.merkle_root().0[..4], [0x4c, 0x45, 0x77, 0xaf]);
        let mut changed = hex::decode(RECENT).unwrap();
        for at in 0..80 {
            changed[at] ^= 1;
            assert!(BlockHeader::read(&changed, Network::Main).is_err(), "byte {at}");
            changed[at] ^= 1;
        }
    }

    #[test]
    fn headers_are_found_by_height() {
        let text = format!("# two blocks\n\n839900 {RECENT}\n491133 {OLDER}\n");
        let list = HeaderList::parse(&text, Network::Main).unwrap();
        assert_eq!(list.at(491_133).unwrap().time_unix_seconds(), 1_508_673_134);
        assert!(list.at(1).is_none());
        let twice = format!("839900 {RECENT}\n839900 {OLDER}\n");
        assert_eq!(HeaderList::parse(&twice, Network::Main), Err(HeaderError::Twice(839_900)));
        let again = format!("839900 {RECENT}\n839900 {RECENT}\n");
        assert!(HeaderList::parse(&again, Network::Main).is_ok());
        for (text, line) in [("839900", 1), ("\nx 00", 2), ("1 zz", 1)] {
            assert_eq!(
                HeaderList::parse(text, Network::Main),
                Err(HeaderError::Line(line)),
                "{text}"
            );
        }
        let mut many = HeaderList::default();
        let block = BlockHeader::read(&hex::decode(RECENT).unwrap(), Network::Main).unwrap();
        for height in 0..HEADERS_MAX as u64 {
            many.add(height, block).unwrap();
        }
        assert_eq!(many.add(1 << 40, block), Err(HeaderError::TooMany(HEADERS_MAX)));
    }

    #[test]
    fn a_target_is_read_as_the_chain_writes_it() {
        let genesis = target(0x1d00_ffff).unwrap();
        assert_eq!(genesis[..6], [0, 0, 0, 0, 0xff, 0xff]);
        assert_eq!(genesis[6..], [0; 26]);
        for bits in [0, 0x0100_0001, 0x1d80_0000, 0x2100_ffff, 0x1d00_0000] {
            assert_eq!(target(bits), None, "{bits:08x}");
        }
    }
}
