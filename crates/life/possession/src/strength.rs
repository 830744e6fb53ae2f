//! How many guesses an API key is worth: an upper bound in bits, by the cheapest description that is found.
//!
//! Length times alphabet says 128 bits of `aaaa…`. So a key is described piece by piece, each way that a person or
//! a careless program makes one, and the cheapest description counts (a shortest path, as zxcvbn has it):
//!
//! | piece | costs, in bits |
//! |---|---|
//! | a character | log2 of the smallest usual alphabet that has the key's characters; one from outside of it log2(95) and its place |
//! | a character, where few are used often | its share of those before it (an adaptive code of order 0) |
//! | what stood before, again or overlapping | its distance and its length |
//! | a run up or down the alphabet, the digits or a row of the keyboard | its first character and its length |
//! | a word of a list of 2,048 English words and some that stand in bad keys; also in capitals, or with digits for letters | 11, and 1 for capitals or for each digit; its place, where neither the beginning, a separator nor a word is before it |
//! | a prefix that services give their keys; separators between parts of one length; else the first separator | 0 |
//! | another separator | 5 |
//! | a UUID of version 4, whole | 122 |
//!
//! Of random keys one in some hundreds has a piece of these by chance, and saves a bit or two by it. Therefore a
//! description with pieces counts only where it saves [`CHANCE_BITS`] or more. What is not known here, a language, a
//! name, a weak generator, is not found: the bound is no promise, and the function of the server
//! (`specs/pzk-auth.md`) stands behind it.

use symbolon_crypto::common_words;
use symbolon_secret::Secret;

/// The fewest bits that are taken.
pub const BITS_MIN: u32 = 128;
/// The longest key that is taken, in bytes.
pub const KEY_BYTES_MAX: usize = 512;

/// A key that may be enrolled: printable ASCII, not too long, and worth [`BITS_MIN`] bits as far as can be seen.
pub struct StrongKey(Secret<[u8]>);

impl StrongKey {
    /// Judges a key.
    ///
    /// # Errors
    /// [`WeakKey`].
    pub fn of(key: Secret<[u8]>) -> Result<Self, WeakKey> {
        if key.len() > KEY_BYTES_MAX {
            return Err(WeakKey::TooLong);
        }
        // EXPOSE: the key is looked at where it is; what leaves is a number.
        let bytes = key.expose();
        if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(WeakKey::Characters);
        }
        match bits(bytes) {
            found if found < BITS_MIN => Err(WeakKey::Guessable { bits: found }),
            _ => Ok(Self(key)),
        }
    }

    /// The characters, to be sealed where the key stays.
    pub fn with_bytes<R>(&self, then: impl FnOnce(&[u8]) -> R) -> R {
        // EXPOSE: its holder seals it.
        then(self.0.expose())
    }

    pub(crate) fn secret(&self) -> &Secret<[u8]> {
        &self.0
    }
}

impl std::fmt::Debug for StrongKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StrongKey")
    }
}

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// Longer than any API key.
    #[error("the key is longer than {KEY_BYTES_MAX} characters")]
    TooLong,
    /// None, or others than printable ASCII.
    #[error("the key is empty, or has a space or another character that API keys do not have")]
    Characters,
    /// Guessed sooner than [`BITS_MIN`] bits are.
    #[error("the key is worth {bits} bits at most, and {BITS_MIN} are needed: it can be guessed")]
    Guessable {
        /// What it is worth at most.
        bits: u32,
    },
}

/// The bits of the cheapest description, rounded down.
pub fn bits(key: &[u8]) -> u32 {
    let rest = without_prefix(key);
    if is_uuid4(rest) {
        return UUID4_BITS;
    }
    let plain = Letters::plain(rest).iter().sum::<f64>();
    let adaptive = Letters::adaptive(rest).iter().sum::<f64>();
    let pieced =
        [Letters::plain(rest), Letters::adaptive(rest)].map(|costs| cheapest(rest, &costs));
    let described = pieced.into_iter().fold(adaptive, f64::min);
    let bits = if described <= plain - CHANCE_BITS { described } else { plain };
    // Not negative, and at most some 7,000; 128 characters of hex are 512 bits and not 511.999.
    (bits + 1e-6) as u32
}

/// What each character costs by itself.
struct Letters;

impl Letters {
    fn plain(key: &[u8]) -> Vec<f64> {
        let separator = if is_regular(key) { 0.0 } else { SEPARATOR_BITS };
        let first = key.iter().position(|byte| is_separator(*byte));
        let sized = |alphabet: &dyn Fn(u8) -> bool| {
            let size = (b'!'..=b'~').filter(|byte| alphabet(*byte)).count();
            let foreign = log2(PRINTABLE) + log2(key.len().max(1));
            let cost = |(at, byte): (usize, &u8)| match *byte {
                byte if alphabet(byte) => log2(size),
                byte if is_separator(byte) && first == Some(at) => 0.0,
                byte if is_separator(byte) => separator,
                _ => foreign,
            };
            key.iter().enumerate().map(cost).collect::<Vec<_>>()
        };
        let all = ALPHABETS.iter().map(|alphabet| sized(alphabet));
        let sum = |costs: &Vec<f64>| costs.iter().sum::<f64>();
        all.min_by(|a, b| sum(a).total_cmp(&sum(b))).unwrap_or_default()
    }

    /// Krichevsky and Trofimov's estimate over the printable characters.
    fn adaptive(key: &[u8]) -> Vec<f64> {
        let mut seen = [0_u32; 256];
        let mut cost = |(before, byte): (usize, &u8)| {
            let own = f64::from(seen[usize::from(*byte)]);
            seen[usize::from(*byte)] += 1;
            -((own + 0.5) / (before as f64 + PRINTABLE as f64 / 2.0)).log2()
        };
        key.iter().enumerate().map(&mut cost).collect()
    }
}

/// The cheapest way through the key, by pieces and characters of these costs.
fn cheapest(key: &[u8], costs: &[f64]) -> f64 {
    let mut best = vec![f64::INFINITY; key.len() + 1];
    // Where the cheapest way comes by a word.
    let mut by_word = vec![false; key.len() + 1];
    best[0] = 0.0;
    for at in 0..key.len() {
        let base = best[at];
        let is_begun = at == 0 || by_word[at] || is_separator(key[at - 1]);
        // Who writes words begins with one, or after another: elsewhere it is a word by chance.
        let place = if is_begun { 0.0 } else { log2(key.len()) };
        let mut to = |end: usize, cost: f64, is_word: bool| {
            if base + cost < best[end] {
                (best[end], by_word[end]) = (base + cost, is_word);
            }
        };
        to(at + 1, costs[at], false);
        let copied = copied(key, at);
        if copied >= PIECE_MIN {
            to(at + copied, log2(at + 1) + log2(key.len()), false);
        }
        let run = run(&key[at..]);
        if run >= PIECE_MIN {
            to(at + run, costs[at] + log2(key.len()) + 1.0, false);
        }
        for (length, spelling) in words(&key[at..]) {
            to(at + length, WORD_BITS + spelling + place, true);
        }
    }
    best[key.len()]
}

/// How much of what follows stood before, from the best place.
fn copied(key: &[u8], at: usize) -> usize {
    let from =
        |start: usize| (0..key.len() - at).take_while(|n| key[start + n] == key[at + n]).count();
    (0..at).map(from).max().unwrap_or(0)
}

/// How far a row is followed, up or down.
fn run(key: &[u8]) -> usize {
    let along = |row: &&[u8], back: bool| {
        let place = |byte: u8| row.iter().position(|own| *own == byte.to_ascii_lowercase());
        let next = |pair: &[u8]| match (place(pair[0]), place(pair[1])) {
            (Some(a), Some(b)) => {
                if back {
                    b + 1 == a
                } else {
                    a + 1 == b
                }
            }
            _ => false,
        };
        key.windows(2).take_while(|pair| next(pair)).count() + 1
    };
    ROWS.iter().flat_map(|row| [along(row, false), along(row, true)]).max().unwrap_or(0)
}

/// The words that the key begins with here, with what their spelling costs.
fn words(key: &[u8]) -> impl Iterator<Item = (usize, f64)> {
    let head = &key[..key.len().min(WORD_CHARS_MAX)];
    let plain: Vec<u8> = head.iter().map(|byte| letter(*byte)).collect();
    let spelt = |length: usize| spelling(&head[..length]);
    let found: Vec<_> = (WORD_CHARS_MIN..=head.len())
        .filter(|length| is_word(&plain[..*length]))
        .map(|length| (length, spelt(length)))
        .collect();
    found.into_iter()
}

/// What a word's spelling adds: nothing in small letters, a bit in capitals or with one before, and a bit for each
/// other letter that is written otherwise.
fn spelling(word: &[u8]) -> f64 {
    let changed = word.iter().filter(|byte| !byte.is_ascii_lowercase()).count();
    let is_usual = word.iter().all(u8::is_ascii_uppercase)
        || changed == 1 && word.first().is_some_and(u8::is_ascii_uppercase);
    if is_usual { 1.0 } else { changed as f64 }
}

fn is_word(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    // The list of BIP-39 is sorted.
    common_words().binary_search(&text).is_ok() || BAD_WORDS.contains(&text)
}

/// The letter that a person means.
const fn letter(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        byte => byte.to_ascii_lowercase(),
    }
}

fn without_prefix(key: &[u8]) -> &[u8] {
    let stripped = PREFIXES.iter().filter_map(|prefix| key.strip_prefix(prefix.as_bytes()));
    stripped.min_by_key(|rest| rest.len()).unwrap_or(key)
}

fn is_uuid4(key: &[u8]) -> bool {
    let compact: Vec<u8> = key.iter().copied().filter(|byte| *byte != b'-').collect();
    let dashes = key.iter().enumerate().filter(|(_, byte)| **byte == b'-').map(|(at, _)| at);
    compact.len() == 32
        && compact.iter().all(u8::is_ascii_hexdigit)
        && compact[12] == b'4'
        && matches!(compact[16].to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b')
        && dashes.eq([8, 13, 18, 23])
}

/// Whether what stands between separators is all of one length.
fn is_regular(key: &[u8]) -> bool {
    let mut lengths = key.split(|byte| is_separator(*byte)).map(<[u8]>::len);
    let first = lengths.next();
    lengths.all(|length| Some(length) == first)
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b':')
}

fn log2(n: usize) -> f64 {
    (n as f64).log2()
}

/// What a description with pieces must save, in bits: chance does that to one random key in 256.
const CHANCE_BITS: f64 = 8.0;
const PRINTABLE: usize = 94;
const PIECE_MIN: usize = 4;
const WORD_BITS: f64 = 11.0;
const WORD_CHARS_MIN: usize = 4;
const WORD_CHARS_MAX: usize = 13;
/// Of a separator at a place of its own: the characters of base64url are two of them.
const SEPARATOR_BITS: f64 = 5.0;
const UUID4_BITS: u32 = 122;

/// The alphabets that keys are made of.
const ALPHABETS: &[fn(u8) -> bool] = &[
    |byte| byte.is_ascii_digit(),
    |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    |byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'),
    |byte| byte.is_ascii_lowercase(),
    |byte| byte.is_ascii_uppercase(),
    // Base32 (RFC 4648), and its spelling in small letters.
    |byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
    |byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'),
    |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z'),
    |byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z'),
    |byte| byte.is_ascii_alphanumeric(),
    // Base64 in both alphabets.
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
    |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
    |byte| byte.is_ascii_graphic(),
];

const ROWS: [&[u8]; 6] = [
    b"abcdefghijklmnopqrstuvwxyz",
    b"0123456789",
    b"1234567890",
    b"qwertyuiop",
    b"asdfghjkl",
    b"zxcvbnm",
];

/// Words of bad keys that the list of BIP-39 does not have.
const BAD_WORDS: [&str; 39] = [
    "access",
    "admin",
    "administrator",
    "apikey",
    "azerty",
    "bearer",
    "changeme",
    "client",
    "config",
    "credential",
    "default",
    "demo",
    "development",
    "dragon",
    "dummy",
    "example",
    "foobar",
    "hello",
    "iloveyou",
    "internal",
    "letmein",
    "live",
    "login",
    "master",
    "monkey",
    "passwd",
    "password",
    "placeholder",
    "prod",
    "production",
    "qwerty",
    "root",
    "sandbox",
    "server",
    "staging",
    "sunshine",
    "token",
    "user",
    "welcome",
];

/// What services put before their keys, longest first or not: it says nothing of the key.
const PREFIXES: [&str; 28] = [
    "sk_live_",
    "sk_test_",
    "pk_live_",
    "pk_test_",
    "rk_live_",
    "rk_test_",
    "whsec_",
    "sk-proj-",
    "sk-ant-api03-",
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "AIza",
    "SG.",
    "npm_",
    "pypi-",
    "hf_",
    "dop_v1_",
    "shpat_",
    "key-",
    "api_",
];

#[cfg(test)]
mod tests;
