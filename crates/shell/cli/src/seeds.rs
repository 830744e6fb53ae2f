//! Seed phrases: typed hidden, read from standard input, or made and shown once. Never an argument, and in
//! no variable of the environment.

use std::io::{self, IsTerminal};

use symbolon_ambient::{Rng, SystemRng};
use symbolon_crypto::{RecoveryCode, Seed, SeedError};
use symbolon_secret::Secret;

use crate::failure::Failure;
use crate::{out, prompt, secrets};

/// A phrase that somebody has, from a hidden prompt. `flag` is the command for where nobody can be asked.
pub fn ask(flag: &str) -> Result<Seed, Failure> {
    let words = secrets::ask("seed phrase", "Seed phrase (not shown): ", flag)?;
    let passphrase = prompt::hidden("Passphrase beside it, empty for none (not shown): ")?;
    parse(&words, &passphrase)
}

/// A phrase on standard input: the words in a line, and in another the passphrase beside them, where there
/// is one.
pub fn from_stdin() -> Result<Seed, Failure> {
    of_lines(&secrets::lines_from_stdin("seed phrase")?)
}

/// The same of lines that were read.
pub fn of_lines(lines: &[Secret<[u8]>]) -> Result<Seed, Failure> {
    match lines {
        [words] => parse(words, &nothing()),
        [words, passphrase] => parse(words, passphrase),
        _ => Err(Failure::usage("a seed phrase is one line, and its passphrase another")
            .next("the same command with < FILE")),
    }
}

/// A phrase that nobody had before: 24 words, shown once, of which two are asked back.
pub fn generate(command: &str) -> Result<Seed, Failure> {
    if !prompt::is_possible() || !io::stdout().is_terminal() {
        let what = "a new seed phrase is shown once and asked back, and this is no terminal";
        return Err(Failure::usage(what).next(format!("{command} --seed --from-stdin < FILE")));
    }
    // The recovery code's 256 bits, as words of the same list.
    let phrase = RecoveryCode::make(&SystemRng).phrase();
    out::say("Seed phrase: whoever has these words opens the vault, and signs in as you.");
    out::say("Write them on paper; they are not shown again.\n");
    out::secret("", &phrase, "\n")?;
    out::say("");
    for position in two(&SystemRng) {
        let typed = prompt::hidden(&format!("Word {position} (not shown): "))?;
        if !is_word(&phrase, position, &typed) {
            let what = format!("this is not word {position}; nothing was made, the words are void");
            return Err(Failure::usage(what).next(format!("{command} --seed --generate")));
        }
    }
    parse(&phrase, &nothing())
}

fn parse(words: &Secret<[u8]>, passphrase: &Secret<[u8]>) -> Result<Seed, Failure> {
    Seed::parse(words, passphrase).map_err(|error| match error {
        SeedError::NoPage => Failure::environment("memory", error.to_string()),
        error => Failure::usage(format!("this is no seed phrase: {error}"))
            .next("compare the words with the paper"),
    })
}

/// Two different positions, from 1, in their order.
fn two(rng: &dyn Rng) -> [usize; 2] {
    let mut bytes = [0; 2];
    rng.fill(&mut bytes);
    let first = usize::from(bytes[0]) % WORDS;
    let second = (first + 1 + usize::from(bytes[1]) % (WORDS - 1)) % WORDS;
    [first.min(second) + 1, first.max(second) + 1]
}

fn is_word(phrase: &Secret<[u8]>, position: usize, typed: &Secret<[u8]>) -> bool {
    // EXPOSE: a word is compared with what was typed; a yes or no comes out.
    let word = phrase.expose().split(|b| *b == b' ').nth(position - 1);
    word.is_some_and(|word| typed.ct_eq_bytes(word))
}

/// No passphrase.
pub fn nothing() -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(0, |_| ())
}

const WORDS: usize = 24;

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;

    use super::*;

    #[test]
    fn two_words_of_all_are_asked_for() {
        let rng = SeededRng::new(1);
        let mut seen = [false; WORDS + 1];
        for _ in 0..2000 {
            let [first, second] = two(&rng);
            assert!((1..=WORDS).contains(&first) && first < second && second <= WORDS);
            (seen[first], seen[second]) = (true, true);
        }
        assert_eq!(seen.iter().filter(|it| **it).count(), WORDS);
    }

    #[test]
    fn a_word_is_the_one_of_its_place() {
        let page = |text: &str| {
            Secret::<[u8]>::make_slice(text.len(), |page| page.copy_from_slice(text.as_bytes()))
        };
        let phrase = page("alpha beta gamma");
        assert!(is_word(&phrase, 1, &page("alpha")) && is_word(&phrase, 3, &page("gamma")));
        assert!(!is_word(&phrase, 2, &page("alpha")) && !is_word(&phrase, 4, &page("")));
    }
}
