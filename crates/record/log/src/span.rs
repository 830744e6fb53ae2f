//! A part of the tree: what any range of entries adds to the root.

use symbolon_codec::Digest32;

use crate::LogError;
use crate::hash::{complete_root, empty_root, node_hash};
use crate::index::hashes_name;
use crate::storage::Storage;
use crate::tile::{HASH_BYTES, decode_hashes};

/// The hashes of the largest complete subtrees that cover a range of entries, from left to right: some
/// tens at most, whatever the range. Spans that follow each other join, and one that begins at the first
/// entry has the tree's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    first: u64,
    next: u64,
    hashes: Vec<Digest32>,
}

impl Span {
    /// Of no entry, before the one at `first`.
    pub fn empty(first: u64) -> Self {
        Self { first, next: first, hashes: Vec::new() }
    }

    /// A span that was written down: entries from `first` up to `next`. `None` where so many entries are
    /// not covered by so many hashes.
    pub fn from_parts(first: u64, next: u64, hashes: Vec<Digest32>) -> Option<Self> {
        let fits = first <= next && heights(first, next).count() == hashes.len();
        fits.then_some(Self { first, next, hashes })
    }

    /// Of these entries of a log, by the hashes that its storage has: those that a checkpoint covers.
    ///
    /// # Errors
    /// [`LogError::Hashes`] where some are missing; [`LogError::Storage`].
    pub fn stored<S: Storage>(storage: &S, first: u64, next: u64) -> Result<Self, LogError> {
        let mut span = Self::empty(first);
        for height in heights(first, next) {
            let (level, inner) = ((height / 8) as u8, height % 8);
            let number = span.next >> height << inner;
            let mut bytes = vec![0; (HASH_BYTES << inner) as usize];
            let read = storage.read_at(&hashes_name(level), number * HASH_BYTES, &mut bytes);
            let count = read.map_err(LogError::storage("read a tile"))?;
            let below = decode_hashes(&bytes[..count], 1 << inner);
            let below = below.ok_or(LogError::Hashes { before: next })?;
            span.push_node(height, complete_root(below));
        }
        Ok(span)
    }

    /// Place of its first entry.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Place after its last entry.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// From left to right.
    pub fn hashes(&self) -> &[Digest32] {
        &self.hashes
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Digest32) {
        self.push_node(0, leaf);
    }

    /// Adds the span that follows. Changes nothing, and says no, where another one does.
    #[must_use]
    pub fn join(&mut self, other: &Self) -> bool {
        if other.first != self.next {
            return false;
        }
        for (height, hash) in heights(other.first, other.next).zip(&other.hashes) {
            self.push_node(height, *hash);
        }
        true
    }

    /// Root of the tree of its entries, where it begins at the first one (RFC 6962, section 2.1).
    pub fn root(&self) -> Option<Digest32> {
        let mut from_right = self.hashes.iter().rev();
        let last = from_right.next().copied().unwrap_or_else(empty_root);
        (self.first == 0).then(|| from_right.fold(last, |right, left| node_hash(left, &right)))
    }

    /// Two complete neighbours of one height, the left one at an even place, are one of the next.
    fn push_node(&mut self, mut height: u32, mut hash: Digest32) {
        let mut start = self.next;
        self.next += 1 << height;
        while start >> height & 1 == 1 && start - (1 << height) >= self.first {
            // INFALLIBLE: the entries before `start`, back to `first`, hold a complete left neighbour.
            let left = self.hashes.pop().expect("a left neighbour");
            hash = node_hash(&left, &hash);
            start -= 1 << height;
            height += 1;
        }
        self.hashes.push(hash);
    }
}

/// Heights of the largest complete subtrees that cover a range.
pub(crate) fn heights(first: u64, next: u64) -> impl Iterator<Item = u32> {
    let mut at = first;
    std::iter::from_fn(move || {
        let left = next.checked_sub(at).filter(|left| *left > 0)?;
        let height = left.ilog2().min(at.trailing_zeros());
        at += 1 << height;
        Some(height)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::Tree;

    fn leaf(at: u64) -> Digest32 {
        crate::leaf_hash(&at.to_be_bytes())
    }

    fn span(first: u64, next: u64) -> Span {
        let mut span = Span::empty(first);
        (first..next).for_each(|at| span.push(leaf(at)));
        span
    }

    fn root(size: u64) -> Digest32 {
        let mut tree = Tree::default();
        (0..size).for_each(|at| tree.push(leaf(at)));
        tree.root(size, &mut |_, _| unreachable!("a small tree is in memory")).unwrap()
    }

    proptest! {
        #[test]
        fn spans_join_to_the_root_wherever_they_are_cut(
            size in 0u64..700,
            cuts in prop::collection::vec(0u64..700, 0..6),
        ) {
            let mut cuts: Vec<u64> = cuts.into_iter().filter(|c| *c < size).chain([0, size]).collect();
            cuts.sort_unstable();
            let mut whole = Span::empty(0);
            for pair in cuts.windows(2) {
                let part = span(pair[0], pair[1]);
                let again = Span::from_parts(part.first(), part.next(), part.hashes().to_vec());
                prop_assert_eq!(again.as_ref(), Some(&part));
                prop_assert!(whole.join(&part));
            }
            prop_assert_eq!(whole.root(), Some(root(size)));
        }

        #[test]
        fn another_leaf_is_another_root(size in 1u64..300, at in 0u64..300) {
            let at = at % size;
            let mut changed = span(0, at);
            changed.push(leaf(u64::MAX));
            prop_assert!(changed.join(&span(at + 1, size)));
            prop_assert_ne!(changed.root(), Some(root(size)));
        }
    }

    #[test]
    fn what_does_not_follow_does_not_join() {
        let mut one = span(0, 5);
        let before = one.clone();
        for other in [span(4, 9), span(6, 9), span(0, 5)] {
            assert!(!one.join(&other));
            assert_eq!(one, before);
        }
        assert_eq!(span(3, 9).root(), None, "a part has no root");
    }

    #[test]
    fn parts_with_too_few_or_too_many_hashes_are_refused() {
        let hashes = span(3, 300).hashes().to_vec();
        assert!(Span::from_parts(3, 300, hashes.clone()).is_some());
        assert_eq!(Span::from_parts(3, 300, hashes[1..].to_vec()), None);
        assert_eq!(Span::from_parts(3, 304, hashes.clone()), None);
        assert_eq!(Span::from_parts(300, 3, hashes), None);
        assert!(Span::from_parts(u64::MAX, u64::MAX, Vec::new()).is_some());
    }
}
