//! Search over operations: an inverted index with prefixes, and trigrams for words with a slip.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
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

/// Words of all operations, in their order, so that what begins with a word stands together.
#[derive(Debug, Default)]
pub(super) struct Index {
    words: Vec<Word>,
    /// Positions in `words`.
    trigrams: HashMap<[char; 3], Vec<usize>>,
    /// How many words each operation's name has.
    lengths: Vec<usize>,
}

#[derive(Debug)]
struct Word {
    text: Box<str>,
    trigrams: usize,
    /// Operations and how much the word counts there.
    places: Vec<(usize, f32)>,
}

impl Index {
    pub fn new(operations: &[Arc<Operation>]) -> Self {
        let mut all: BTreeMap<Box<str>, Vec<(usize, f32)>> = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate() {
            add(&mut all, at, operation.name().as_str(), 4.0);
            add(&mut all, at, operation.title(), 3.0);
            add(&mut all, at, operation.description(), 1.0);
            operation.parameters().iter().for_each(|p| add(&mut all, at, p.name(), 0.5));
        }
        let lengths = operations.iter().map(|o| words(o.name().as_str()).count()).collect();
        let mut index = Self { lengths, ..Self::default() };
        for (text, places) in all {
            let own = trigrams(&text);
            for trigram in &own {
                index.trigrams.entry(*trigram).or_default().push(index.words.len());
            }
            index.words.push(Word { text, trigrams: own.len(), places });
        }
        index
    }

    /// Positions and scores, best first; equal scores stay in the order of the catalogue.
    pub fn search(&self, query: &str, limit: usize) -> Vec<(usize, f32)> {
        let asked: Vec<String> = words(query).take(QUERY_WORDS_MAX).collect();
        let mut total = vec![(0.0_f32, 0_u32); self.lengths.len()];
        let mut best = vec![0.0_f32; self.lengths.len()];
        for word in &asked {
            best.fill(0.0);
            self.look_up(word, &mut best);
            for (sum, score) in total.iter_mut().zip(&best) {
                *sum = (sum.0 + score, sum.1 + u32::from(*score > 0.0));
            }
        }
        let mut ranked: Vec<(usize, f32)> = total
            .into_iter()
            .enumerate()
            .filter(|(_, (_, hits))| *hits > 0)
            // An operation that fits every word stands above one that fits one word well; of equals,
            // the one whose name says little else.
            .map(|(at, (score, hits))| {
                let hits = f32_of(hits as usize);
                let said = (hits / f32_of(self.lengths[at])).min(1.0);
                (at, score * (hits / f32_of(asked.len())).powi(2) * (1.0 + SAID_WEIGHT * said))
            })
            .collect();
        let better = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if limit < ranked.len() && limit > 0 {
            ranked.select_nth_unstable_by(limit - 1, better);
        }
        ranked.truncate(limit);
        ranked.sort_unstable_by(better);
        ranked
    }

    /// Raises the scores of the operations that one asked word fits.
    fn look_up(&self, asked: &str, best: &mut [f32]) {
        let mut is_known = self.raise_beginning(asked, 1.0, best);
        let others = SYNONYMS.iter().filter(|group| group.contains(&asked)).copied().flatten();
        for other in others.filter(|other| **other != asked) {
            is_known |= self.raise_beginning(other, SYNONYM_LIKENESS, best);
        }
        if !is_known && asked.chars().count() >= 3 {
            for (word, likeness) in self.similar(asked) {
                self.raise(word, 0.6 * likeness, best);
            }
        }
    }

    /// Raises what a word and those that begin with it fit; whether the word itself is known.
    fn raise_beginning(&self, asked: &str, weight: f32, best: &mut [f32]) -> bool {
        let from = self.words.partition_point(|word| &*word.text < asked);
        let beginning = self.words[from..].iter().take_while(|word| word.text.starts_with(asked));
        let mut is_known = false;
        for word in beginning {
            let is_whole = word.text.len() == asked.len();
            is_known |= is_whole;
            let part = 0.8 * f32_of(asked.len()) / f32_of(word.text.len());
            self.raise(word, weight * if is_whole { 1.0 } else { part }, best);
        }
        is_known
    }

    fn raise(&self, word: &Word, likeness: f32, best: &mut [f32]) {
        let rarity = (1.0 + f32_of(self.lengths.len()) / f32_of(word.places.len())).ln();
        for (at, weight) in &word.places {
            best[*at] = best[*at].max(weight * likeness * rarity);
        }
    }

    /// Words that share enough trigrams (Dice's coefficient).
    fn similar(&self, asked: &str) -> Vec<(&Word, f32)> {
        let own = trigrams(asked);
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for trigram in &own {
            for at in self.trigrams.get(trigram).into_iter().flatten() {
                *shared.entry(*at).or_default() += 1;
            }
        }
        shared
            .into_iter()
            .map(|(at, n)| {
                let word = &self.words[at];
                (word, 2.0 * f32_of(n) / f32_of(own.len() + word.trigrams))
            })
            .filter(|(_, likeness)| *likeness >= LIKENESS_MIN)
            .collect()
    }
}

fn add(all: &mut BTreeMap<Box<str>, Vec<(usize, f32)>>, at: usize, text: &str, weight: f32) {
    for word in words(text) {
        let places = all.entry(word.into()).or_default();
        match places.last_mut() {
            // The heaviest place counts; a word is not worth more for being repeated.
            Some(last) if last.0 == at => last.1 = last.1.max(weight),
            _ => places.push((at, weight)),
        }
    }
}

/// Words that people say for one another, as `words` writes them.
const SYNONYMS: &[&[&str]] = &[
    &["create", "add", "new", "make", "post"],
    &["delete", "remove", "destroy", "erase"],
    &["update", "edit", "change", "modify", "set", "patch"],
    &["get", "show", "read", "fetch", "retrieve", "view"],
    &["list", "all", "index"],
    &["repo", "repository"],
    &["org", "organization", "organisation"],
];

/// What a synonym counts beside the word itself.
const SYNONYM_LIKENESS: f32 = 0.6;

/// What it counts at most that a name says nothing else.
const SAID_WEIGHT: f32 = 0.2;

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
