//! The three hashes of RFC 6962, section 2.1.

use symbolon_codec::Digest32;
use symbolon_crypto::{sha256, sha256_parts};

/// Hash of an entry.
pub fn leaf_hash(entry: &[u8]) -> Digest32 {
    sha256_parts(&[&[0], entry])
}

/// Hash of an inner node.
pub fn node_hash(left: &Digest32, right: &Digest32) -> Digest32 {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    sha256(&bytes)
}

/// Root of the tree without leaves.
pub fn empty_root() -> Digest32 {
    sha256(&[])
}

/// Root of a complete tree: as many leaves as a power of two. Folds in place.
pub(crate) fn complete_root(mut level: Vec<Digest32>) -> Digest32 {
    debug_assert!(level.len().is_power_of_two());
    while level.len() > 1 {
        let half = level.len() / 2;
        for i in 0..half {
            level[i] = node_hash(&level[2 * i], &level[2 * i + 1]);
        }
        level.truncate(half);
    }
    level.first().copied().unwrap_or_else(empty_root)
}
