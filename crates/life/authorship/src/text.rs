//! What of a note's text counts.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// The longest text, in bytes, as it is given: the longest of a note.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Why a text has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Longer than a note is.
    #[error("the text has {found} bytes; {TEXT_BYTES_MAX} are the most")]
    TooLong {
        /// How long it is.
        found: usize,
    },
    /// Nothing is left of it.
    #[error("the text is empty")]
    Empty,
}

/// A text as its digest is taken of: `specs/authorship.md`, "Text".
#[derive(Clone, PartialEq, Eq)]
pub struct CanonicalText(String);

impl CanonicalText {
    /// Of a note's text, or of what somebody believes to be it.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn of(text: &str) -> Result<Self, TextError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(TextError::TooLong { found: text.len() });
        }
        let composed: String = text.trim_start_matches('\u{feff}').nfc().collect();
        let lines = composed.replace("\r\n", "\n").replace('\r', "\n");
        let mut out = String::with_capacity(lines.len());
        for line in lines.split('\n') {
            out.push_str(line.trim_end_matches([' ', '\t']));
            out.push('\n');
        }
        out.truncate(out.trim_end_matches('\n').len());
        if out.is_empty() { Err(TextError::Empty) } else { Ok(Self(out)) }
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CanonicalText {
    /// It is what nobody is to see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalText({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> String {
        CanonicalText::of(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn what_editors_change_does_not_count_and_what_people_change_does() {
        let one = of("Caf\u{e9}\n\n  two  words\nend");
        for same in [
            "\u{feff}Caf\u{e9}\n\n  two  words\nend\n",
            "Cafe\u{301}\r\n\r\n  two  words\r\nend\r\n\r\n",
            "Caf\u{e9} \t\r \r  two  words\rend   \r\r",
        ] {
            assert_eq!(of(same), one, "{same:?}");
        }
        for other in [
            "caf\u{e9}\n\n  two  words\nend",
            "Cafe\n\n  two  words\nend",
            "Caf\u{e9}\n\n  two words\nend",
            "Caf\u{e9}\n\ntwo  words\nend",
            "Caf\u{e9}\n  two  words\nend",
            "\nCaf\u{e9}\n\n  two  words\nend",
            "Caf\u{e9}\n\n  two  words\nend.",
        ] {
            assert_ne!(of(other), one, "{other:?}");
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for nothing in ["", "\n", " \t\r\n \n", "\u{feff}"] {
            assert_eq!(CanonicalText::of(nothing), Err(TextError::Empty), "{nothing:?}");
        }
        let longest = "a".repeat(TEXT_BYTES_MAX);
        assert_eq!(of(&longest).len(), TEXT_BYTES_MAX);
        let found = TEXT_BYTES_MAX + 1;
        assert_eq!(CanonicalText::of(&(longest + "a")), Err(TextError::TooLong { found }));
    }

    proptest! {
        #[test]
        fn what_is_canonical_stays(text in "[\\PC\r\n\t \u{feff}\u{301}]{0,60}") {
            if let Ok(once) = CanonicalText::of(&text) {
                prop_assert_eq!(CanonicalText::of(once.as_str()).unwrap(), once);
            }
        }
    }
}
