//! What of a text is shown for a hit.

use std::ops::Range;

use super::word::words;

/// A piece of a text around the first word that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The piece, on one line.
    pub text: String,
    /// Where found words stand in it, as byte ranges.
    pub marks: Vec<Range<usize>>,
}

/// The piece of `text` around the first word that begins with one of `query`'s; its beginning where
/// there is none. The first 256 KiB are looked at.
pub(crate) fn snippet(text: &str, query: &str) -> Snippet {
    let mut asked: Vec<String> = Vec::new();
    words(query, |_, word| asked.push(word.to_owned()));
    let text = &text[..floor(text, SEARCHED_BYTES_MAX)];
    let mut found: Vec<Range<usize>> = Vec::new();
    words(text, |range, word| {
        if asked.iter().any(|own| word.starts_with(own.as_str())) {
            found.push(range);
        }
    });
    let first = found.first().map_or(0, |range| range.start);
    let start = match floor(text, first.saturating_sub(BEFORE_BYTES)) {
        0 => 0,
        // Not in the middle of a word.
        cut => text[cut..first].find(char::is_whitespace).map_or(cut, |at| cut + at + 1),
    };
    let start = ceil(text, start);
    let end = floor(text, start + LENGTH_BYTES);
    let marks = found
        .into_iter()
        .filter(|range| range.start >= start && range.end <= end)
        .map(|range| range.start - start..range.end - start)
        .collect();
    // A line break becomes a space of the same length, so that marks stay.
    let line = |c: char| if c.is_ascii_control() { ' ' } else { c };
    Snippet { text: text[start..end].chars().map(line).collect(), marks }
}

/// The border of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The border of a character at or behind `at`.
fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

const SEARCHED_BYTES_MAX: usize = 256 << 10;
const BEFORE_BYTES: usize = 48;
const LENGTH_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hit_is_shown_with_its_marks() {
        let text = format!(
            "{}the Grüße\nof spring, grusse again {}",
            "word ".repeat(40),
            "tail ".repeat(90)
        );
        let shown = snippet(&text, "GRUSSE spr");
        let marked: Vec<&str> = shown.marks.iter().map(|m| &shown.text[m.clone()]).collect();
        assert_eq!(marked, ["Grüße", "spring", "grusse"]);
        assert!(shown.text.starts_with("word ") && !shown.text.contains('\n'));
        assert!(shown.text.len() <= LENGTH_BYTES);
        let none = snippet("ä\u{1F600}b", "zzz");
        assert_eq!((none.text.as_str(), none.marks.len()), ("ä\u{1F600}b", 0));
        assert_eq!(snippet("", "x").text, "");
    }
}
