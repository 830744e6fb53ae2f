//! Verifying inclusion and consistency (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

use symbolon_codec::Digest32;

use crate::hash::node_hash;

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The index is not in a tree of this size.
    #[error("entry {index} is not in a tree of {size} entries")]
    Index {
        /// The entry's place.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The older tree is empty or larger than the newer one.
    #[error("a tree of {new} entries cannot be shown to continue one of {old}")]
    Sizes {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// The path has fewer or more hashes than the sizes require.
    #[error("the path has {found} hashes where {expected} are needed")]
    Length {
        /// Hashes given.
        found: usize,
        /// Hashes that the sizes require.
        expected: usize,
    },
    /// The hashes do not lead to the root.
    #[error("the path leads to another root")]
    Root,
    /// The hashes do not lead to the older tree's root.
    #[error("the path leads to another root of the older tree")]
    OldRoot,
}

/// Checks that the entry with this leaf hash stands at `index` in the tree of `size` entries
/// with this root.
///
/// # Errors
/// [`ProofError::Index`], [`ProofError::Length`] or [`ProofError::Root`].
pub fn verify_inclusion(
    leaf: &Digest32,
    index: u64,
    size: u64,
    path: &[Digest32],
    root: &Digest32,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let expected = inclusion_length(index, size);
    if path.len() != expected {
        return Err(ProofError::Length { found: path.len(), expected });
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A right edge without a sibling is carried up unchanged.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `new` entries begins with the tree of `old` entries.
///
/// # Errors
/// [`ProofError::Sizes`], [`ProofError::Length`], [`ProofError::OldRoot`] or [`ProofError::Root`].
/// From an empty tree nothing can be shown, so `old` of zero is an error.
pub fn verify_consistency(
    old: u64,
    new: u64,
    path: &[Digest32],
    old_root: &Digest32,
    new_root: &Digest32,
) -> Result<(), ProofError> {
    if old == 0 || old > new {
        return Err(ProofError::Sizes { old, new });
    }
    let expected = consistency_length(old, new);
    if path.len() != expected {
        return Err(ProofError::Length { found: path.len(), expected });
    }
    if old == new {
        return if old_root == new_root { Ok(()) } else { Err(ProofError::Root) };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // A complete older tree is itself the first hash; otherwise the path begins with it.
    let (first, rest) = match path.split_first() {
        Some((first, rest)) if !old.is_power_of_two() => (*first, rest),
        _ => (*old_root, path),
    };
    let (mut older, mut newer) = (first, first);
    for sibling in rest {
        if node & 1 == 1 || node == last {
            older = node_hash(sibling, &older);
            newer = node_hash(sibling, &newer);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            newer = node_hash(&newer, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if older != *old_root {
        Err(ProofError::OldRoot)
    } else if newer != *new_root {
        Err(ProofError::Root)
    } else {
        Ok(())
    }
}

/// Hashes in the inclusion path: the levels where the leaf's ancestor has a sibling.
fn inclusion_length(index: u64, size: u64) -> usize {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = (index.checked_shr(inner).unwrap_or(0)).count_ones();
    (inner + border) as usize
}

/// Hashes in the consistency path.
fn consistency_length(old: u64, new: u64) -> usize {
    if old == new {
        return 0;
    }
    let shift = old.trailing_zeros();
    let start = usize::from(!old.is_power_of_two());
    // Above the older tree's last complete subtree the path is that node's inclusion path.
    inclusion_length((old - 1) >> shift, ((new - 1) >> shift) + 1) + start
}
