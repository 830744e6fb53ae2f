//! Words of a text, with case and diacritics folded.

use std::ops::Range;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Gives each word with where it stands: letters and digits of any script, and ideographs and kana one
/// by one, as these are written without spaces.
pub(crate) fn words(text: &str, mut each: impl FnMut(Range<usize>, &str)) {
    let mut word = String::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let is_alone = is_ideograph(c);
        let joins =
            !is_alone && (c.is_alphanumeric() || (!word.is_empty() && is_combining_mark(c)));
        if !joins && !word.is_empty() {
            each(start..at, &word);
            word.clear();
        }
        if is_alone {
            let mut own = [0; 4];
            each(at..at + c.len_utf8(), c.encode_utf8(&mut own));
        } else if joins {
            if word.is_empty() {
                start = at;
            }
            if word.len() < WORD_BYTES_MAX {
                fold(c, &mut word);
            }
        }
    }
    if !word.is_empty() {
        each(start..text.len(), &word);
    }
}

/// A text with case and diacritics folded, and spaces at its ends cut off: how titles are compared.
pub(crate) fn fold_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.trim().chars().for_each(|c| fold(c, &mut out));
    out
}

fn fold(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    decompose_canonical(c, |part| {
        if is_combining_mark(part) {
            return;
        }
        for lower in part.to_lowercase() {
            match lower {
                'ß' => out.push_str("ss"),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                'ø' => out.push('o'),
                'đ' | 'ð' => out.push('d'),
                'ł' => out.push('l'),
                'ı' => out.push('i'),
                'þ' => out.push_str("th"),
                'ς' => out.push('σ'),
                // Of `İ`, whose lower case is two.
                '\u{307}' => {}
                other => out.push(other),
            }
        }
    });
}

/// Han, hiragana and katakana.
const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

const WORD_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        words(text, |range, word| {
            assert!(text.get(range).is_some_and(|own| !own.is_empty()));
            out.push(word.to_owned());
        });
        out
    }

    #[test]
    fn words_of_many_scripts_are_folded() {
        assert_eq!(of("Übung, ÉTÉ—naïve; it's 42°"), ["ubung", "ete", "naive", "it", "s", "42"]);
        assert_eq!(of("u\u{308}bung e\u{301}te\u{301}"), ["ubung", "ete"]);
        assert_eq!(
            of("STRASSE straße Łódź İstanbul Øre"),
            ["strasse", "strasse", "lodz", "istanbul", "ore"]
        );
        assert_eq!(of("ΟΔΟΣ οδός привет Ёлка"), ["οδοσ", "οδοσ", "привет", "елка"]);
        assert_eq!(of("東京へ行く"), ["東", "京", "へ", "行", "く"]);
        assert_eq!(of("서울 שלום"), of("서울  שלום"));
        assert!(of(" \u{301} … — ").is_empty());
        assert_eq!(fold_text("  Große Pläne  "), "grosse plane");
    }

    #[test]
    fn a_word_without_end_is_cut_and_still_one() {
        let long = "x".repeat(100_000);
        assert_eq!(of(&long), ["x".repeat(WORD_BYTES_MAX)]);
    }
}
