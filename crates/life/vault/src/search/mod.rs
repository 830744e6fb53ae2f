//! Full text on the holder's side: no server sees a word of it.

mod code;
mod snippet;
#[cfg(test)]
mod tests;
mod word;

use std::collections::{BTreeMap, HashMap};

pub use code::IndexError;
pub use snippet::Snippet;
pub(crate) use snippet::snippet;
pub(crate) use word::{fold_text, words};

use crate::wire::ItemId;

/// Which words stand in which items.
///
/// An item that changes gets a new number; postings of the number before are dead, are passed over,
/// and go when they are many. So a change costs its own words alone.
#[derive(Debug, Default)]
pub(crate) struct Index {
    terms: BTreeMap<Box<str>, Vec<Posting>>,
    docs: Vec<Option<Doc>>,
    by_item: HashMap<ItemId, u32>,
    /// Words of all living items.
    len_total: u64,
}

/// That a word stands in an item, and how much it says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Posting {
    doc: u32,
    weight: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doc {
    item: ItemId,
    /// Weight of all its words.
    len: u32,
}

/// What of an item is searched.
pub(crate) struct Searched<'a> {
    pub title: &'a str,
    pub tags: &'a [&'a str],
    pub details: &'a str,
    pub body: &'a str,
}

impl Index {
    /// Takes an item in, in place of what it was.
    pub fn put(&mut self, item: ItemId, text: &Searched<'_>) {
        self.remove(item);
        let mut weights: HashMap<Box<str>, u32> = HashMap::new();
        let mut add = |text: &str, weight: u32| {
            words(text, |_, word| match weights.get_mut(word) {
                Some(sum) => *sum = sum.saturating_add(weight),
                None => drop(weights.insert(word.into(), weight)),
            });
        };
        add(text.title, TITLE_WEIGHT);
        for tag in text.tags {
            add(tag, TAG_WEIGHT);
        }
        add(text.details, DETAILS_WEIGHT);
        add(text.body, 1);
        let Ok(doc) = u32::try_from(self.docs.len()) else { return };
        let mut len = 0u32;
        for (word, weight) in weights {
            len = len.saturating_add(weight);
            let weight = u16::try_from(weight).unwrap_or(u16::MAX);
            self.terms.entry(word).or_default().push(Posting { doc, weight });
        }
        self.docs.push(Some(Doc { item, len }));
        self.by_item.insert(item, doc);
        self.len_total += u64::from(len);
        if self.docs.len() > 2 * self.by_item.len() + DEAD_MIN {
            self.compact();
        }
    }

    /// Forgets an item.
    pub fn remove(&mut self, item: ItemId) {
        let Some(doc) = self.by_item.remove(&item) else { return };
        if let Some(dead) = self.docs.get_mut(doc as usize).and_then(Option::take) {
            self.len_total -= u64::from(dead.len);
        }
    }

    /// Items in which every word of `query` stands, or a word that begins with it; the best first.
    pub fn search(&self, query: &str) -> Vec<(ItemId, f32)> {
        let mut asked: Vec<String> = Vec::new();
        words(query, |_, word| {
            if asked.len() < QUERY_WORDS_MAX && !asked.iter().any(|own| own == word) {
                asked.push(word.to_owned());
            }
        });
        if asked.is_empty() || self.by_item.is_empty() {
            return Vec::new();
        }
        let mut scores = vec![0f32; self.docs.len()];
        let mut found = vec![0u8; self.docs.len()];
        for (n, word) in asked.iter().enumerate() {
            self.score(word, n as u8, &mut scores, &mut found);
        }
        let whole = asked.len() as u8;
        let hits = self.docs.iter().zip(scores).zip(found);
        let mut hits: Vec<(ItemId, f32)> = hits
            .filter_map(|((doc, score), found)| {
                Some((doc.as_ref()?.item, score)).filter(|_| found == whole)
            })
            .collect();
        hits.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        hits
    }

    /// Adds what the `n`th word says of each item that has all words before it. BM25 (Robertson and
    /// Zaragoza, 2009), with weights of where the word stands for counts.
    fn score(&self, word: &str, n: u8, scores: &mut [f32], found: &mut [u8]) {
        let living = self.by_item.len() as f32;
        let len_mean = (self.len_total as f32 / living).max(1.0);
        let begins = self
            .terms
            .range::<str, _>((std::ops::Bound::Included(word), std::ops::Bound::Unbounded));
        for (term, postings) in begins.take_while(|(term, _)| term.starts_with(word)) {
            let seen = postings.len() as f32;
            let rare = (1.0 + (living - seen + 0.5).max(0.0) / (seen + 0.5)).ln() + 0.1;
            let rare = if term.len() == word.len() { rare * EXACT } else { rare };
            for posting in postings {
                let at = posting.doc as usize;
                let Some(Some(doc)) = self.docs.get(at) else { continue };
                if found[at] == n {
                    found[at] = n + 1;
                }
                if found[at] == n + 1 {
                    let weight = f32::from(posting.weight);
                    let norm = K1 * (1.0 - B + B * doc.len as f32 / len_mean);
                    scores[at] += rare * weight * (K1 + 1.0) / (weight + norm);
                }
            }
        }
    }

    /// Drops what is dead.
    fn compact(&mut self) {
        let mut next = 0u32;
        let renumbered: Vec<Option<u32>> = self
            .docs
            .iter()
            .map(|doc| {
                let own = next;
                next += u32::from(doc.is_some());
                doc.as_ref().map(|_| own)
            })
            .collect();
        self.terms.retain(|_, postings| {
            postings.retain_mut(|p| match renumbered.get(p.doc as usize).copied().flatten() {
                Some(doc) => {
                    p.doc = doc;
                    true
                }
                None => false,
            });
            !postings.is_empty()
        });
        self.docs.retain(Option::is_some);
        self.by_item = self
            .docs
            .iter()
            .zip(0u32..)
            .filter_map(|(doc, n)| Some((doc.as_ref()?.item, n)))
            .collect();
    }
}

const TITLE_WEIGHT: u32 = 8;
const TAG_WEIGHT: u32 = 6;
const DETAILS_WEIGHT: u32 = 4;
/// A word that was written out says more than the beginning of another.
const EXACT: f32 = 2.0;
const K1: f32 = 1.2;
const B: f32 = 0.6;
const QUERY_WORDS_MAX: usize = 16;
const DEAD_MIN: usize = 1024;
