//! What stands for a minted credential in a caller's hand.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use symbolon_ambient::Rng;

/// What all begin with.
const PREFIX: &str = "symmint_";
/// Random letters and digits behind it: 190 bits.
const RANDOM: usize = 32;
/// Bytes of one.
pub const PLACEHOLDER_BYTES: usize = PREFIX.len() + RANDOM;

/// A new one.
pub(super) fn make(rng: &dyn Rng) -> String {
    let mut text = String::with_capacity(PLACEHOLDER_BYTES);
    text.push_str(PREFIX);
    while text.len() < PLACEHOLDER_BYTES {
        let mut bits = [0; 64];
        rng.fill(&mut bits);
        // 248 is the largest multiple of 62 in a byte: what is above would make some likelier.
        let fair = bits.iter().filter(|bits| **bits < 248);
        let letters = fair.map(|bits| char::from(ALPHABET[usize::from(*bits) % ALPHABET.len()]));
        text.extend(letters.take(PLACEHOLDER_BYTES - text.len()));
    }
    text
}

/// Whether `text` has the form of one, and nothing around it.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    let random = text.strip_prefix(PREFIX).map(str::as_bytes);
    random.is_some_and(|r| r.len() == RANDOM && r.iter().all(u8::is_ascii_alphanumeric))
}

/// Whether something of that form stands anywhere in `bytes`.
#[must_use]
pub fn has_placeholder(bytes: &[u8]) -> bool {
    FINDER.find_iter(bytes).any(|at| {
        let random = bytes.get(at + PREFIX.len()..at + PLACEHOLDER_BYTES);
        random.is_some_and(|r| r.iter().all(u8::is_ascii_alphanumeric))
    })
}

/// Made once: each request is searched several times.
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(PREFIX));

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use symbolon_ambient::{SeededRng, SystemRng};

    use super::*;

    #[test]
    fn each_is_new_and_has_the_form() {
        let (one, two) = (make(&SystemRng), make(&SystemRng));
        assert_ne!(one, two);
        for text in [one, two, make(&SeededRng::new(1))] {
            assert!(is_placeholder(&text) && has_placeholder(text.as_bytes()), "{text}");
            assert_eq!(text.len(), PLACEHOLDER_BYTES);
        }
    }

    #[test]
    fn it_is_found_wherever_it_stands_and_nothing_else_is() {
        let one = make(&SeededRng::new(2));
        for around in ["a{}b", "symmint_{}", "symmint_symmint_{}", "\"{}\"", "{}{}", "{}"] {
            assert!(has_placeholder(around.replace("{}", &one).as_bytes()), "{around}");
        }
        let short = &one[..one.len() - 1];
        for bad in ["", "symmint_", short, &one[1..], &format!("{short}-"), &one.to_uppercase()] {
            assert!(!has_placeholder(bad.as_bytes()) && !is_placeholder(bad), "{bad}");
        }
        assert!(!is_placeholder(&format!("{one}a")) && !is_placeholder(&format!(" {one}")));
    }
}
