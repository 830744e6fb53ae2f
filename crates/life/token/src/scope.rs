//! Scopes (RFC 6749, section 3.3): a set of words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Words in a set, at most.
pub const SCOPES_MAX: usize = 32;
/// Characters of a word, at most.
pub const SCOPE_CHARS_MAX: usize = 64;

/// A set of words in its one spelling: sorted by their bytes, each once, one space between.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scopes(String);

impl Scopes {
    /// Words in any order, with any number of spaces between them; a word twice counts once.
    ///
    /// # Errors
    /// [`ScopeError`].
    pub fn of(text: &str) -> Result<Self, ScopeError> {
        let mut words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
        words.sort_unstable();
        words.dedup();
        if words.len() > SCOPES_MAX {
            return Err(ScopeError::TooMany);
        }
        if words.iter().any(|word| word.len() > SCOPE_CHARS_MAX) {
            return Err(ScopeError::TooLong);
        }
        if !words.iter().all(|word| word.bytes().all(is_char)) {
            return Err(ScopeError::Character);
        }
        Ok(Self(words.join(" ")))
    }

    /// Reads the one spelling alone.
    ///
    /// # Errors
    /// [`ScopeError`].
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let scopes = Self::of(text)?;
        if scopes.0 == text { Ok(scopes) } else { Err(ScopeError::Spelling) }
    }

    /// As it stands in tokens.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    /// Whether a word is in it.
    pub fn has(&self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }

    /// Whether all of these are among the others.
    pub fn is_within(&self, others: &Self) -> bool {
        self.iter().all(|word| others.has(word))
    }
}

/// RFC 6749, appendix A.4: printable ASCII without space, quotation mark and backslash.
const fn is_char(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.0
    }
}

impl TryFrom<String> for Scopes {
    type Error = ScopeError;
    fn try_from(text: String) -> Result<Self, ScopeError> {
        Self::parse(&text)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({})", self.0)
    }
}

/// What is wrong with scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// More than [`SCOPES_MAX`].
    #[error("there are more than {SCOPES_MAX} scopes")]
    TooMany,
    /// A word of more than [`SCOPE_CHARS_MAX`] characters.
    #[error("a scope is longer than {SCOPE_CHARS_MAX} characters")]
    TooLong,
    /// A character that RFC 6749 does not have.
    #[error("a scope has a character that RFC 6749 does not allow")]
    Character,
    /// Not sorted, a word twice, or other spaces.
    #[error("scopes are sorted, each once, with one space between")]
    Spelling,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_one_spelling() {
        let scopes = Scopes::of("  write read  read").unwrap();
        assert_eq!(scopes.as_str(), "read write");
        assert_eq!(Scopes::parse("read write").unwrap(), scopes);
        for other in ["write read", "read  write", " read", "read ", "read read"] {
            assert_eq!(Scopes::parse(other), Err(ScopeError::Spelling), "{other:?}");
        }
        assert_eq!(Scopes::parse("").unwrap(), Scopes::default());
        assert!(scopes.has("read") && !scopes.has("rea") && !scopes.has(""));
        assert!(Scopes::of("read").unwrap().is_within(&scopes));
        assert!(!Scopes::of("read admin").unwrap().is_within(&scopes));
        assert!(Scopes::default().is_within(&scopes));
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        for bad in ["a\"b", "a\\b", "a\tb", "ä", "a\nb"] {
            assert_eq!(Scopes::of(bad), Err(ScopeError::Character), "{bad:?}");
        }
        assert_eq!(Scopes::of(&"x".repeat(SCOPE_CHARS_MAX + 1)), Err(ScopeError::TooLong));
        let many: Vec<_> = (0..=SCOPES_MAX).map(|n| n.to_string()).collect();
        assert_eq!(Scopes::of(&many.join(" ")), Err(ScopeError::TooMany));
    }
}
