//! Sets of scopes as bits.

use super::scope::ScopeId;

/// A set of scopes. Up to 256 scopes live inline; contains, union and subset are a few machine words.
///
/// A set is only meaningful beside the [`super::Scopes`] that numbered its members.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet {
    inline: [u64; INLINE],
    /// Words after the inline ones; the last is never zero, so that equal sets compare equal.
    more: Vec<u64>,
}

impl ScopeSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { inline: [0; INLINE], more: Vec::new() }
    }

    /// Whether the scope is in the set.
    #[must_use]
    #[inline]
    pub fn contains(&self, scope: ScopeId) -> bool {
        let (word, bit) = place(scope);
        self.word(word) & bit != 0
    }

    /// Adds a scope; says whether it was new.
    pub fn insert(&mut self, scope: ScopeId) -> bool {
        let (at, bit) = place(scope);
        let word = self.word_mut(at);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Takes a scope out; says whether it was there.
    pub fn remove(&mut self, scope: ScopeId) -> bool {
        let was = self.contains(scope);
        if was {
            let (at, bit) = place(scope);
            *self.word_mut(at) &= !bit;
            self.trim();
        }
        was
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    /// Whether all of this set is in the other.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        (0..self.words()).all(|at| self.word(at) & !other.word(at) == 0)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.more.is_empty() && self.inline.iter().all(|word| *word == 0)
    }

    /// How many scopes are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..self.words()).map(|at| self.word(at).count_ones() as usize).sum()
    }

    /// The members in rising order.
    pub fn iter(&self) -> impl Iterator<Item = ScopeId> {
        (0..self.words()).flat_map(move |at| {
            let word = self.word(at);
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .filter_map(move |bit| u16::try_from(at * 64 + bit).ok().map(ScopeId::from_index))
        })
    }

    fn words(&self) -> usize {
        INLINE + self.more.len()
    }

    #[inline]
    fn word(&self, at: usize) -> u64 {
        match self.inline.get(at) {
            Some(word) => *word,
            None => self.more.get(at - INLINE).copied().unwrap_or(0),
        }
    }

    fn word_mut(&mut self, at: usize) -> &mut u64 {
        if at < INLINE {
            return &mut self.inline[at];
        }
        if self.more.len() <= at - INLINE {
            self.more.resize(at - INLINE + 1, 0);
        }
        &mut self.more[at - INLINE]
    }

    fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = Self::new();
        for at in 0..self.words().max(other.words()) {
            match f(self.word(at), other.word(at)) {
                0 => {}
                word => *out.word_mut(at) = word,
            }
        }
        out
    }

    fn trim(&mut self) {
        while self.more.last() == Some(&0) {
            self.more.pop();
        }
    }
}

impl FromIterator<ScopeId> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeId>>(scopes: I) -> Self {
        let mut set = Self::new();
        for scope in scopes {
            set.insert(scope);
        }
        set
    }
}

impl std::fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

const INLINE: usize = 4;

#[inline]
fn place(scope: ScopeId) -> (usize, u64) {
    let index = scope.index();
    (index / 64, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(ids: &BTreeSet<u16>) -> ScopeSet {
        ids.iter().copied().map(ScopeId::from_index).collect()
    }

    fn ids(set: &ScopeSet) -> BTreeSet<u16> {
        set.iter().map(|id| u16::try_from(id.index()).unwrap_or(u16::MAX)).collect()
    }

    fn arb_ids() -> impl Strategy<Value = BTreeSet<u16>> {
        prop::collection::btree_set(prop_oneof![0..300u16, any::<u16>()], 0..40)
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(a in arb_ids(), b in arb_ids(), probe in any::<u16>()) {
            let (sa, sb) = (set(&a), set(&b));
            prop_assert_eq!(ids(&sa), a.clone());
            prop_assert_eq!(ids(&sa.union(&sb)), &a | &b);
            prop_assert_eq!(ids(&sa.intersection(&sb)), &a & &b);
            prop_assert_eq!(ids(&sa.difference(&sb)), &a - &b);
            prop_assert_eq!(sa.is_subset(&sb), a.is_subset(&b));
            prop_assert_eq!(sa.contains(ScopeId::from_index(probe)), a.contains(&probe));
            prop_assert_eq!(sa.len(), a.len());
            prop_assert_eq!(sa.is_empty(), a.is_empty());
            // Equality does not depend on how a set came about.
            let mut grown = sa.clone();
            let had = !grown.insert(ScopeId::from_index(probe));
            prop_assert_eq!(had, a.contains(&probe));
            if !had {
                prop_assert!(grown.remove(ScopeId::from_index(probe)));
            }
            prop_assert_eq!(&grown, &sa);
            prop_assert_eq!(sa.union(&sb).intersection(&sa), sa);
        }
    }
}
