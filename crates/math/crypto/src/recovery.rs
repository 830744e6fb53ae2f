//! Recovery codes: 256 bits as 24 English words (BIP-39).

use symbolon_ambient::Rng;
use symbolon_secret::{MemoryError, Secret, on_stack};

use crate::hash::sha256;
use crate::kdf::hkdf_sha256;
use crate::labels;
use crate::sign::SigningKey;

/// 256 random bits that a person keeps on paper.
pub struct RecoveryCode(Secret<[u8; 32]>);

/// Why words are no recovery code. Positions count from 1; no word is repeated back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// Another number of words.
    #[error("a recovery code has 24 words, this has {found}")]
    WordCount {
        /// Words given.
        found: usize,
    },
    /// A word that is not in the list.
    #[error("word {position} is not in the list of recovery words")]
    UnknownWord {
        /// Counting from 1.
        position: usize,
    },
    /// All words are in the list, and they do not belong together.
    #[error("the words do not belong together: one is wrong, or two changed places")]
    Checksum,
    /// No secret page was left for the code.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for RecoveryError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

impl RecoveryCode {
    /// A new one. `rng` is the kernel's in production.
    pub fn make(rng: &dyn Rng) -> Self {
        Self(Secret::<[u8; 32]>::make(|b| rng.fill(b)))
    }

    /// From 32 uniformly random bytes.
    pub fn from_secret(secret: Secret<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// Reads 24 words; case and the kind and number of spaces do not matter.
    ///
    /// The words are looked up in a table, so a program on the same core could learn about them
    /// from the cache while this runs; it runs once, when a person recovers.
    ///
    /// # Errors
    /// [`RecoveryError`]; words are counted first, then looked up, then the checksum is compared.
    pub fn parse(text: &Secret<[u8]>) -> Result<Self, RecoveryError> {
        // EXPOSE: words become bits, on the secret stack, in secret pages.
        Secret::<[u8; 32]>::try_make(|out| on_stack(|| decode(text.expose(), out))).map(Self)
    }

    /// The 24 words in lower case with a space between, as ASCII.
    pub fn phrase(&self) -> Secret<[u8]> {
        let mut length = 0;
        // EXPOSE: bits become words, on the secret stack.
        on_stack(|| encode(self.0.expose(), |piece| length += piece.len()));
        Secret::<[u8]>::make_slice(length, |out| {
            let mut at = 0;
            on_stack(|| {
                // EXPOSE: bits become words, on the secret stack, into a secret page.
                encode(self.0.expose(), |piece| {
                    out[at..at + piece.len()].copy_from_slice(piece.as_bytes());
                    at += piece.len();
                });
            });
        })
    }

    /// The key by which the code signs in to a server: from the same bits as the key that opens a vault, and
    /// saying nothing about it.
    pub fn sign_in_key(&self) -> SigningKey {
        SigningKey::from_seed(hkdf_sha256(&self.0, &[], &labels::RECOVERY_SIGN_IN, &[]))
    }

    /// The 256 bits.
    pub fn secret(&self) -> &Secret<[u8; 32]> {
        &self.0
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode")
    }
}

/// Gives the words of `entropy` and the spaces between them to `put`. The entropy is a multiple
/// of 4 bytes, 32 at most; the checksum is its first bits' hash, one bit for each 4 bytes.
pub(crate) fn encode(entropy: &[u8], mut put: impl FnMut(&str)) {
    let checksum = sha256(entropy).0[0];
    for i in 0..entropy.len() * 3 / 4 {
        let index = (0..11).fold(0, |index, j| {
            let bit = i * 11 + j;
            let byte = entropy.get(bit / 8).copied().unwrap_or(checksum);
            index << 1 | usize::from(byte >> (7 - bit % 8) & 1)
        });
        if i > 0 {
            put(" ");
        }
        put(words()[index]);
    }
}

/// The reverse, into entropy of the size that is asked for.
pub(crate) fn decode(text: &[u8], entropy: &mut [u8]) -> Result<(), RecoveryError> {
    let expected = entropy.len() * 3 / 4;
    let each = || text.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    let found = each().count();
    if found != expected {
        return Err(RecoveryError::WordCount { found });
    }
    let mut checksum = 0u8;
    for (i, word) in each().enumerate() {
        let position = i + 1;
        let index = find(word).ok_or(RecoveryError::UnknownWord { position })?;
        for j in 0..11 {
            let bit = i * 11 + j;
            let value = (index >> (10 - j) & 1) as u8;
            let byte = entropy.get_mut(bit / 8).unwrap_or(&mut checksum);
            let mask = 0x80 >> (bit % 8);
            *byte = *byte & !mask | (value * mask);
        }
    }
    let kept = !(0xffu16 >> (entropy.len() / 4)) as u8;
    if (sha256(entropy).0[0] ^ checksum) & kept == 0 {
        Ok(())
    } else {
        Err(RecoveryError::Checksum)
    }
}

fn find(word: &[u8]) -> Option<usize> {
    let mut lower = [0; LONGEST];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    words().binary_search_by(|w| w.as_bytes().cmp(lower)).ok()
}

/// The 2,048 English words of BIP-39, sorted: what a person's words are looked up in.
pub fn common_words() -> &'static [&'static str; 2048] {
    words()
}

/// The English list; it is sorted.
fn words() -> &'static [&'static str; 2048] {
    bip39::Language::English.word_list()
}

/// Letters of the longest word in the list.
const LONGEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use symbolon_ambient::SeededRng;

    fn secret(text: &str) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
    }

    fn text(code: &RecoveryCode) -> String {
        // EXPOSE: a test compares.
        String::from_utf8(code.phrase().expose().to_vec()).unwrap()
    }

    #[test]
    fn official_vectors() {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("../../../../vectors/bip39/vectors.json")).unwrap();
        let english = all["english"].as_array().unwrap();
        assert_eq!(english.len(), 24);
        for v in english {
            let entropy = symbolon_codec::hex::decode(v[0].as_str().unwrap()).unwrap();
            let phrase = v[1].as_str().unwrap();
            let mut got = String::new();
            encode(&entropy, |s| got.push_str(s));
            assert_eq!(got, phrase);
            let mut back = vec![0; entropy.len()];
            assert_eq!(decode(phrase.as_bytes(), &mut back), Ok(()));
            assert_eq!(back, entropy);
        }
    }

    #[test]
    fn case_and_spaces_do_not_matter() {
        let code = RecoveryCode::make(&SeededRng::new(3));
        let loose = format!("  {}\r\n", text(&code).to_uppercase().replace(' ', " \n\t"));
        let back = RecoveryCode::parse(&secret(&loose)).unwrap();
        assert!(back.secret().ct_eq(code.secret()));
    }

    #[test]
    fn each_mistake_has_its_error() {
        let code = RecoveryCode::make(&SeededRng::new(4));
        let phrase = text(&code);
        let parse = |s: &str| RecoveryCode::parse(&secret(s)).err();
        let less = phrase.rsplit_once(' ').unwrap().0;
        assert_eq!(parse(less), Some(RecoveryError::WordCount { found: 23 }));
        assert_eq!(parse(""), Some(RecoveryError::WordCount { found: 0 }));
        assert_eq!(parse(&format!("{phrase} zoo")), Some(RecoveryError::WordCount { found: 25 }));
        for stranger in ["symbolon", "zoölogy", "aband", "abandonabandon"] {
            let wrong = format!("{less} {stranger}");
            assert_eq!(parse(&wrong), Some(RecoveryError::UnknownWord { position: 24 }));
        }
        let mut words: Vec<_> = phrase.split(' ').collect();
        words.swap(0, 1);
        assert_eq!(parse(&words.join(" ")), Some(RecoveryError::Checksum));
    }

    proptest! {
        #[test]
        fn bits_survive_words(entropy: [u8; 32]) {
            let code = RecoveryCode::from_secret(Secret::<[u8; 32]>::make(|b| *b = entropy));
            let back = RecoveryCode::parse(&secret(&text(&code))).unwrap();
            prop_assert!(back.secret().ct_eq(code.secret()));
        }

        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            let mut out = [0; 32];
            let _ = decode(&bytes, &mut out);
        }
    }
}
