//! Search over operations: an inverted index with prefixes, and trigrams for words with a slip.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound::{Included, Unbounded},
    sync::Arc,
};

use super::operation::Operation;

/// One answer of a search.
#[derive(Clone, Debug)]
pub struct Hit {
    operation: Arc<Operation>,
    score: f32,
}

impl Hit {
    pub(super) const fn new(operation: Arc<Operation>, score: f32) -> Self {
        Self { operation, score }
    }

    /// The operation: name, scope, effect.
    #[must_use]
    pub const fn operation(&self) -> &Arc<Operation> {
        &self.operation
    }

    /// What it does, in one line.
    #[must_use]
    pub fn line(&self) -> &str {
        self.operation.title()
    }

    /// How well it fits; only comparable within one search.
    #[must_use]
    pub const fn score(&self) -> f32 {
        self.score
    }
}

/// Words of all operations.
#[derive(Debug, Default)]
pub(super) struct Index {
    words: BTreeMap<Box<str>, Vec<(usize, f32)>>,
    trigrams: HashMap<[char; 3], Vec<Box<str>>>,
    operations: usize,
}

impl Index {
    pub fn new(operations: &[Arc<Operation>]) -> Self {
        let mut index = Self { operations: operations.len(), ..Self::default() };
        for (at, operation) in operations.iter().enumerate() {
            index.add(at, operation.name().as_str(), 4.0);
            index.add(at, operation.title(), 3.0);
            index.add(at, operation.description(), 1.0);
            operation.parameters().iter().for_each(|p| index.add(at, p.name(), 0.5));
        }
        for word in index.words.keys() {
            for trigram in trigrams(word) {
                index.trigrams.entry(trigram).or_default().push(word.clone());
            }
        }
        index
    }

    /// Positions and scores, best first; equal scores stay in the order of the catalogue.
    pub fn search(&self, query: &str, limit: usize) -> Vec<(usize, f32)> {
        let asked: Vec<String> = words(query).take(QUERY_WORDS_MAX).collect();
        let mut total: HashMap<usize, (f32, u32)> = HashMap::new();
        for word in &asked {
            for (at, score) in self.look_up(word) {
                let entry = total.entry(at).or_default();
                *entry = (entry.0 + score, entry.1 + 1);
            }
        }
        let mut ranked: Vec<(usize, f32)> = total
            .into_iter()
            // An operation that fits every word stands above one that fits one word well.
            .map(|(at, (score, hits))| {
                (at, score * (f32_of(hits as usize) / f32_of(asked.len())).powi(2))
            })
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(limit);
        ranked
    }

    fn add(&mut self, at: usize, text: &str, weight: f32) {
        for word in words(text) {
            let places = self.words.entry(word.into()).or_default();
            match places.last_mut() {
                // The heaviest place counts; a word is not worth more for being repeated.
                Some(last) if last.0 == at => last.1 = last.1.max(weight),
                _ => places.push((at, weight)),
            }
        }
    }

    /// The best score of one asked word for each operation.
    fn look_up(&self, asked: &str) -> HashMap<usize, f32> {
        let mut best: HashMap<usize, f32> = HashMap::new();
        let mut note = |places: &[(usize, f32)], likeness: f32| {
            let rarity = (1.0 + f32_of(self.operations) / f32_of(places.len())).ln();
            for (at, weight) in places {
                let entry = best.entry(*at).or_default();
                *entry = entry.max(weight * likeness * rarity);
            }
        };
        let from = self.words.range::<str, _>((Included(asked), Unbounded));
        for (word, places) in from.take_while(|(word, _)| word.starts_with(asked)) {
            let likeness = if word.len() == asked.len() {
                1.0
            } else {
                0.8 * f32_of(asked.len()) / f32_of(word.len())
            };
            note(places, likeness);
        }
        let is_known = self.words.contains_key(asked);
        if !is_known && asked.chars().count() >= 3 {
            for (word, likeness) in self.similar(asked) {
                if let Some(places) = self.words.get(word) {
                    note(places, 0.6 * likeness);
                }
            }
        }
        best
    }

    /// Words that share enough trigrams (Dice's coefficient).
    fn similar(&self, asked: &str) -> Vec<(&str, f32)> {
        let own = trigrams(asked);
        let mut shared: HashMap<&str, usize> = HashMap::new();
        for trigram in &own {
            for word in self.trigrams.get(trigram).into_iter().flatten() {
                *shared.entry(word).or_default() += 1;
            }
        }
        shared
            .into_iter()
            .map(|(word, n)| (word, 2.0 * f32_of(n) / f32_of(own.len() + trigrams(word).len())))
            .filter(|(_, likeness)| *likeness >= LIKENESS_MIN)
            .collect()
    }
}

const QUERY_WORDS_MAX: usize = 16;
const LIKENESS_MIN: f32 = 0.4;

/// Words in lower case, without the `s` of a plural, of at most 32 characters.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| {
        let mut word: String = word.chars().take(32).flat_map(char::to_lowercase).collect();
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") {
            word.pop();
        }
        word
    })
}

/// The trigrams of a word with a blank at each end, so that its ends count.
fn trigrams(word: &str) -> HashSet<[char; 3]> {
    let chars: Vec<char> =
        std::iter::once(' ').chain(word.chars()).chain(std::iter::once(' ')).collect();
    chars.windows(3).map(|w| [w[0], w[1], w[2]]).collect()
}

#[allow(clippy::cast_precision_loss)] // Counts of words, far below 2^24.
const fn f32_of(count: usize) -> f32 {
    count as f32
}
