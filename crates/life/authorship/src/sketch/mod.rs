//! Near-copies, found without the texts side by side: `specs/authorship.md`, "Near-copies".

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, Fields, b64url, hex, json};
use symbolon_crypto::{labels, sha256};

use crate::CanonicalText;

/// How many minima a sketch has.
pub const SLOTS: usize = 256;
/// How many words a shingle has.
pub const SHINGLE_WORDS: usize = 3;
/// From here on two texts are alike.
pub const ALIKE: f64 = 0.70;
/// From here on two texts are the same but for little.
pub const SAME: f64 = 0.90;
/// The longest file of a sketch, in bytes.
pub const SKETCH_BYTES_MAX: usize = 8 * 1024;

/// What a sketch's shingles are hashed under: sketches of two keys cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SketchKey([u8; 32]);

impl SketchKey {
    /// For comparisons where the texts are.
    pub const WITHIN: Self = Self([0; 32]);

    /// Random, for a sketch that is handed over.
    pub fn make(rng: &dyn symbolon_ambient::Rng) -> Self {
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        Self(bytes)
    }
}

/// Why there is no sketch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SketchError {
    /// A text of punctuation alone.
    #[error("the text has no words")]
    NoWords,
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the sketch cannot be read: {0}")]
    Json(#[from] CodecError),
    /// A field is missing, unknown or of another kind.
    #[error("this is not a sketch of version 1: {0}")]
    Form(String),
    /// Two sketches under two keys.
    #[error("the two sketches were made under two keys")]
    Keys,
}

/// 256 minima over the hashed runs of three words of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    key: SketchKey,
    shingles: u64,
    slots: Box<[u64; SLOTS]>,
}

/// How alike two texts are, by their sketches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The Jaccard index as estimated, 0 to 1.
    pub jaccard: f64,
    /// Its standard error, `sqrt(j (1 - j) / 256)`.
    pub standard_error: f64,
}

/// What an estimate comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The same but for little: 0.90 and above.
    Same,
    /// Alike: 0.70 and above.
    Alike,
    /// Neither.
    Other,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SketchJson {
    #[serde(rename = "type")]
    kind: String,
    key: String,
    shingles: u64,
    slots: String,
}

impl Sketch {
    /// Of a text.
    ///
    /// # Errors
    /// [`SketchError::NoWords`].
    pub fn of(text: &CanonicalText, key: SketchKey) -> Result<Self, SketchError> {
        let hashed = shingles(text, key);
        if hashed.is_empty() {
            return Err(SketchError::NoWords);
        }
        let mut slots = Box::new([0; SLOTS]);
        for (i, slot) in slots.iter_mut().enumerate() {
            let (a, b) = permutation(i as u64);
            // INFALLIBLE: there is at least one shingle.
            *slot = hashed.iter().map(|x| permuted(a, b, *x)).min().expect("a shingle");
        }
        Ok(Self { key, shingles: hashed.len() as u64, slots })
    }

    /// What it was made under.
    pub const fn key(&self) -> SketchKey {
        self.key
    }

    /// How many runs of words the text has that differ.
    pub const fn shingles(&self) -> u64 {
        self.shingles
    }

    /// How alike the two texts are.
    ///
    /// # Errors
    /// [`SketchError::Keys`].
    pub fn compare(&self, other: &Self) -> Result<Estimate, SketchError> {
        if self.key != other.key {
            return Err(SketchError::Keys);
        }
        let equal = self.slots.iter().zip(other.slots.iter()).filter(|(a, b)| a == b).count();
        Ok(Estimate::new(equal as f64 / SLOTS as f64))
    }

    /// As JSON, to be handed over.
    pub fn to_json(&self) -> Vec<u8> {
        let slots: Vec<u8> = self.slots.iter().flat_map(|slot| slot.to_be_bytes()).collect();
        let whole = SketchJson {
            kind: KIND.to_owned(),
            key: hex::encode(self.key.0),
            shingles: self.shingles,
            slots: b64url::encode(&slots),
        };
        // Strings and numbers always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`SketchError`] of form.
    pub fn parse(bytes: &[u8]) -> Result<Self, SketchError> {
        let form = |says: &str| SketchError::Form(says.to_owned());
        let value = json::parse_bounded(bytes, SKETCH_BYTES_MAX, 2)?;
        let read: SketchJson =
            serde_json::from_value(value).map_err(|error| SketchError::Form(error.to_string()))?;
        if read.kind != KIND {
            return Err(form("another type"));
        }
        let mut key = SketchKey([0; 32]);
        hex::decode_to_slice(&read.key, &mut key.0).map_err(|_| form("a key is 64 hex digits"))?;
        let bytes = b64url::decode(&read.slots, SLOTS * 8)?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        if numbers.len() != SLOTS || !rest.is_empty() || read.shingles == 0 {
            return Err(form("256 slots, of one shingle or more"));
        }
        let mut slots = Box::new([0; SLOTS]);
        for (slot, number) in slots.iter_mut().zip(numbers) {
            *slot = u64::from_be_bytes(*number);
            if *slot >= PRIME {
                return Err(form("a slot is below 2^61 - 1"));
            }
        }
        Ok(Self { key, shingles: read.shingles, slots })
    }
}

impl Estimate {
    fn new(jaccard: f64) -> Self {
        Self { jaccard, standard_error: (jaccard * (1.0 - jaccard) / SLOTS as f64).sqrt() }
    }

    /// What it comes to.
    pub fn likeness(&self) -> Likeness {
        match self.jaccard {
            j if j >= SAME => Likeness::Same,
            j if j >= ALIKE => Likeness::Alike,
            _ => Likeness::Other,
        }
    }

    /// Whether a border is within two standard errors, so that it may come to something else.
    pub fn is_near_a_border(&self) -> bool {
        let near = |border: f64| (self.jaccard - border).abs() < 2.0 * self.standard_error;
        near(ALIKE) || near(SAME)
    }
}

/// The Jaccard index itself, where both texts are at hand; nothing where one has no words.
pub fn jaccard(one: &CanonicalText, two: &CanonicalText) -> Option<f64> {
    let (one, two) = (shingles(one, SketchKey::WITHIN), shingles(two, SketchKey::WITHIN));
    if one.is_empty() || two.is_empty() {
        return None;
    }
    let both = one.intersection(&two).count() as f64;
    Some(both / (one.len() as f64 + two.len() as f64 - both))
}

/// The hashes of all runs of words of a text.
fn shingles(text: &CanonicalText, key: SketchKey) -> HashSet<u64> {
    let lower = text.as_str().to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return HashSet::new();
    }
    let run = SHINGLE_WORDS.min(words.len());
    words.windows(run).map(|run| hashed(run, key)).collect()
}

fn hashed(words: &[&str], key: SketchKey) -> u64 {
    let fields = Fields::new(labels::SKETCH_SHINGLE.as_str()).bytes(&key.0);
    let fields = words.iter().fold(fields, |fields, word| fields.str(word));
    match first_61_bits(&sha256(&fields.finish()).0, 0) {
        PRIME => 0,
        x => x,
    }
}

fn permutation(i: u64) -> (u64, u64) {
    let digest = sha256(&Fields::new(labels::SKETCH_SLOT.as_str()).u64(i).finish()).0;
    (first_61_bits(&digest, 0).max(1), first_61_bits(&digest, 8))
}

/// `(a x + b) mod (2^61 - 1)`.
fn permuted(a: u64, b: u64, x: u64) -> u64 {
    let sum = u128::from(a) * u128::from(x) + u128::from(b);
    // What stands above 61 bits counts once more, as 2^61 is 1.
    let folded = (sum & u128::from(PRIME)) as u64 + (sum >> 61) as u64;
    let folded = (folded & PRIME) + (folded >> 61);
    if folded >= PRIME { folded - PRIME } else { folded }
}

fn first_61_bits(digest: &[u8; 32], from: usize) -> u64 {
    let number = digest[from..from + 8].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    number >> 3
}

const KIND: &str = "symbolon/sketch/v1";
const PRIME: u64 = (1 << 61) - 1;
