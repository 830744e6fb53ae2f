//! Texts within bounds.

use std::fmt;

/// A text of one line, `MAX` bytes at most, without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Line<const MAX: usize>(Box<str>);

/// A text of any lines, `MAX` bytes at most.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Text<const MAX: usize>(Box<str>);

/// A title or the name of a folder.
pub type Title = Line<1024>;
/// A tag.
pub type TagName = Line<64>;
/// A user name, an address, a service.
pub type Name = Line<1024>;
/// The name of a field, a media type, a scope.
pub type Label = Line<256>;
/// A URI, or how a connection carries its credential.
pub type Long = Line<4096>;
/// Markdown.
pub type Body = Text<{ 1 << 20 }>;

/// Why a text is none of an item's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// It is too long.
    #[error("the text has {found} bytes, and {max} at most are taken")]
    TooLong {
        /// Its bytes.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// A line break or another control character in what is one line.
    #[error("the text is of one line, without control characters")]
    Control,
}

fn bounded(text: &str, max: usize) -> Result<(), TextError> {
    let found = text.len();
    if found > max { Err(TextError::TooLong { found, max }) } else { Ok(()) }
}

impl<const MAX: usize> Line<MAX> {
    /// From a text.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        bounded(text, MAX)?;
        if text.chars().any(char::is_control) {
            return Err(TextError::Control);
        }
        Ok(Self(text.into()))
    }

    /// As much of a text as fits, with spaces for control characters.
    pub fn lossy(text: &str) -> Self {
        let mut out = String::with_capacity(text.len().min(MAX));
        for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
            if out.len() + c.len_utf8() > MAX {
                break;
            }
            out.push(c);
        }
        Self(out.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Text<MAX> {
    /// From a text.
    ///
    /// # Errors
    /// [`TextError::TooLong`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        bounded(text, MAX)?;
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! a_text {
    ($type:ident) => {
        impl<const MAX: usize> TryFrom<&str> for $type<MAX> {
            type Error = TextError;
            fn try_from(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl<const MAX: usize> std::str::FromStr for $type<MAX> {
            type Err = TextError;
            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl<const MAX: usize> fmt::Display for $type<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        /// The type alone: what a person wrote is in no log.
        impl<const MAX: usize> fmt::Debug for $type<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({} bytes)"), self.0.len())
            }
        }
    };
}

a_text!(Line);
a_text!(Text);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_of_bytes_and_lines_are_one() {
        assert!(TagName::new(&"ä".repeat(32)).is_ok());
        let long = TagName::new(&"ä".repeat(33));
        assert_eq!(long, Err(TextError::TooLong { found: 66, max: 64 }));
        for bad in ["a\nb", "a\tb", "\0", "\u{85}"] {
            assert_eq!(Title::new(bad), Err(TextError::Control));
            assert!(Body::new(bad).is_ok());
        }
        assert_eq!(TagName::lossy(&format!("a\n{}", "ä".repeat(40))).as_str().len(), 64);
        assert_eq!(TagName::lossy("a\nb").as_str(), "a b");
        assert_eq!(format!("{:?}", Title::new("hidden").unwrap()), "Line(6 bytes)");
    }
}
