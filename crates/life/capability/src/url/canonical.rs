//! Paths that no server can read as another path.

use std::{borrow::Cow, fmt};

/// The longest path that is sent or matched, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;

/// The path of a request in its only spelling.
///
/// It begins with `/`, is ASCII, and holds no dot segment, empty segment, backslash, control character,
/// path parameter or needless percent escape, in any encoding. What normalises to another path cannot
/// be a `CanonicalPath`: the gates and the server see the same one. Rules: `specs/catalog.md`, "Paths".
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalPath(String);

impl CanonicalPath {
    /// The path as text, percent-encoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives up the wrapper.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Takes a path as it arrived at an HTTP door.
    ///
    /// The one thing it evens out is the case of hex digits in escapes (RFC 3986, 6.2.2.1: they are the
    /// same path), because npm's own client writes `%2f`.
    ///
    /// # Errors
    /// As [`CanonicalPath::try_from`], except for [`PathError::LowercaseEscape`].
    pub fn from_wire(raw: &str) -> Result<Self, PathError> {
        match Self::try_from(raw) {
            Err(PathError::LowercaseEscape) => Self::try_from(uppercase_escapes(raw).as_str()),
            other => other,
        }
    }

    /// For the template, which builds only canonical paths; debug builds check it.
    pub(crate) fn from_expansion(path: String) -> Result<Self, PathError> {
        if path.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong { max: PATH_BYTES_MAX });
        }
        debug_assert_eq!(check(&path), Ok(()), "{path}");
        Ok(Self(path))
    }
}

impl TryFrom<&str> for CanonicalPath {
    type Error = PathError;

    fn try_from(raw: &str) -> Result<Self, PathError> {
        check(raw)?;
        Ok(Self(raw.to_owned()))
    }
}

impl fmt::Display for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a path, or a value meant for one, is refused. The caller is at fault in every case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("a path must begin with /")]
    NotAbsolute,
    /// Longer than the limit.
    #[error("it is longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// An empty value for a segment.
    #[error("it must not be empty")]
    Empty,
    /// `//` somewhere.
    #[error("an empty segment (//) can normalise to another path")]
    EmptySegment,
    /// A segment of dots (and blanks) only.
    #[error("a segment of dots can normalise to another path")]
    DotSegment,
    /// `%2e`, in any case.
    #[error("an encoded dot (%2e) can normalise to another path")]
    EncodedDot,
    /// `\` or `%5c`.
    #[error("a backslash can be read as a slash")]
    Backslash,
    /// `/` inside a value, or `%2F` where the segment type has none.
    #[error("a slash does not belong in this segment")]
    EncodedSlash,
    /// NUL, a C0 or C1 control character, or DEL; plain or encoded.
    #[error("control characters are refused")]
    Control,
    /// A byte over 127 that is not percent-encoded.
    #[error("a character outside ASCII must be percent-encoded")]
    NotAscii,
    /// A character that some servers fold into a dot, a slash, a backslash or a percent sign.
    #[error("the character U+{:04X} can be folded into a dot, a slash or a percent sign", *.0 as u32)]
    Lookalike(char),
    /// A character that shows nothing and that some servers drop.
    #[error("the invisible character U+{:04X} is refused", *.0 as u32)]
    Invisible(char),
    /// `%` without two hex digits.
    #[error("a percent sign must be followed by two hex digits")]
    BadEscape,
    /// Hex digits in lower case.
    #[error("percent escapes must be in upper case")]
    LowercaseEscape,
    /// An escape for a letter, a digit, `-`, `_` or `~`.
    #[error("an unreserved character must not be percent-encoded")]
    NeedlessEscape,
    /// Escapes that are not UTF-8: overlong, cut short, or out of range.
    #[error("the percent escapes are not UTF-8 (overlong or cut)")]
    NotUtf8,
    /// An escape that decodes to an escape.
    #[error("an escape inside an escape (%25…) can be decoded twice")]
    DoubleEscape,
    /// `;`, which some servers cut off with what follows.
    #[error("path parameters (;) are refused")]
    PathParameter,
    /// `#`.
    #[error("a fragment (#) does not belong in a path")]
    Fragment,
    /// `?`.
    #[error("a query (?) does not belong in a path")]
    Query,
    /// A character that RFC 3986 does not allow in a path.
    #[error("the character {0:?} is not allowed in a path")]
    Forbidden(char),
    /// The value does not have the segment's type.
    #[error("expected {expected}")]
    Type {
        /// The type in words.
        expected: &'static str,
    },
}

/// Checks a value that stands between two slashes, decoded.
pub(crate) fn check_value(value: &str) -> Result<(), PathError> {
    if value.is_empty() {
        return Err(PathError::Empty);
    }
    for c in value.chars() {
        match c {
            '/' => return Err(PathError::EncodedSlash),
            '\\' => return Err(PathError::Backslash),
            c if c.is_control() => return Err(PathError::Control),
            c if c.is_ascii() => {}
            c if is_lookalike(c) => return Err(PathError::Lookalike(c)),
            c if is_invisible(c) => return Err(PathError::Invisible(c)),
            _ => {}
        }
    }
    // `..;x` is `..` to a server that cuts path parameters off.
    let head = value.split(';').next().unwrap_or(value);
    if head.chars().all(|c| c == '.' || c.is_whitespace() || is_variation_selector(c)) {
        return Err(PathError::DotSegment);
    }
    let is_escape = |window: &[u8]| {
        window[0] == b'%' && window[1].is_ascii_hexdigit() && window[2].is_ascii_hexdigit()
    };
    if value.as_bytes().windows(3).any(is_escape) {
        return Err(PathError::DoubleEscape);
    }
    Ok(())
}

/// Decodes a segment that [`check`] has passed.
pub(crate) fn decode(segment: &str) -> Result<Cow<'_, str>, PathError> {
    percent_encoding::percent_decode_str(segment).decode_utf8().map_err(|_| PathError::NotUtf8)
}

fn check(raw: &str) -> Result<(), PathError> {
    if raw.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong { max: PATH_BYTES_MAX });
    }
    let bytes = raw.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    for (at, &byte) in bytes.iter().enumerate() {
        check_byte(byte, &bytes[at + 1..])?;
    }
    let mut segments = raw[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() {
            // Only the last may be empty: "/" itself, or a trailing slash.
            if segments.peek().is_some() {
                return Err(PathError::EmptySegment);
            }
            continue;
        }
        for part in decode(segment)?.split('/') {
            check_value(part).map_err(|error| match error {
                PathError::Empty => PathError::EmptySegment,
                other => other,
            })?;
        }
    }
    Ok(())
}

fn check_byte(byte: u8, rest: &[u8]) -> Result<(), PathError> {
    match byte {
        0..=0x1f | 0x7f => Err(PathError::Control),
        0x80.. => Err(PathError::NotAscii),
        b'\\' => Err(PathError::Backslash),
        b';' => Err(PathError::PathParameter),
        b'#' => Err(PathError::Fragment),
        b'?' => Err(PathError::Query),
        b'%' => check_escape(rest),
        b'/' => Ok(()),
        byte if is_path_char(byte) => Ok(()),
        byte => Err(PathError::Forbidden(char::from(byte))),
    }
}

fn check_escape(rest: &[u8]) -> Result<(), PathError> {
    let digit = |at: usize| {
        rest.get(at).and_then(|&b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok())
    };
    let (Some(high), Some(low)) = (digit(0), digit(1)) else {
        return Err(PathError::BadEscape);
    };
    match high * 16 + low {
        b'.' => Err(PathError::EncodedDot),
        0..=0x1f | 0x7f => Err(PathError::Control),
        b'\\' => Err(PathError::Backslash),
        byte if is_unreserved(byte) => Err(PathError::NeedlessEscape),
        _ if rest[..2].iter().any(u8::is_ascii_lowercase) => Err(PathError::LowercaseEscape),
        _ => Ok(()),
    }
}

fn uppercase_escapes(raw: &str) -> String {
    let mut after_percent = 0;
    raw.chars()
        .map(|c| {
            if c == '%' {
                after_percent = 2;
                c
            } else if after_percent > 0 {
                after_percent -= 1;
                c.to_ascii_uppercase()
            } else {
                c
            }
        })
        .collect()
}

/// An unreserved character (RFC 3986, section 2.3).
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986, 3.3 `pchar`, without `;` and without escapes.
pub(crate) const fn is_path_char(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
        )
}

/// Characters that NFKC or a code page's best fit turns into `.`, `/`, `\` or `%`.
const fn is_lookalike(c: char) -> bool {
    matches!(
        c,
        '\u{2024}'
            ..='\u{2026}' // one, two and three dot leaders
            | '\u{FE52}' | '\u{FF0E}' | '\u{3002}' | '\u{FF61}' | '\u{FE19}' | '\u{FE30}'
            | '\u{2044}' | '\u{2215}' | '\u{29F8}' | '\u{FF0F}' | '\u{2571}'
            | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}' // account of, care of: they hold a slash
            | '\u{2216}' | '\u{29F5}' | '\u{29F9}' | '\u{FE68}' | '\u{FF3C}'
            | '\u{FE6A}' | '\u{FF05}' | '\u{FF1B}' | '\u{FE54}' | '\u{037E}'
    )
}

/// Characters that are dropped by nameprep-like folding, or that turn the reading direction.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

const fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trick_has_its_own_error() {
        let cases = [
            ("a", PathError::NotAbsolute),
            ("", PathError::NotAbsolute),
            ("/a/../b", PathError::DotSegment),
            ("/a/.", PathError::DotSegment),
            ("/a/...", PathError::DotSegment),
            ("/a/.%20.", PathError::DotSegment),
            ("/a/%2e%2e/b", PathError::EncodedDot),
            ("/a/%2E", PathError::EncodedDot),
            ("/a/.%2e", PathError::EncodedDot),
            ("/a%2F..%2Fb", PathError::DotSegment),
            ("/a//b", PathError::EmptySegment),
            ("//evil.example/a", PathError::EmptySegment),
            ("/a%2F%2Fb", PathError::EmptySegment),
            ("/a\\b", PathError::Backslash),
            ("/a%5cb", PathError::Backslash),
            ("/a\0b", PathError::Control),
            ("/a%00", PathError::Control),
            ("/a%0d%0aHost:x", PathError::Control),
            ("/a\r\nb", PathError::Control),
            ("/a%C2%85", PathError::Control),
            ("/a/\u{2024}\u{2024}/b", PathError::NotAscii),
            ("/a/%E2%80%A4%E2%80%A4/b", PathError::Lookalike('\u{2024}')),
            ("/a/%EF%BC%8E", PathError::Lookalike('\u{FF0E}')),
            ("/a/%E3%80%82", PathError::Lookalike('\u{3002}')),
            ("/a/%EF%BC%8F", PathError::Lookalike('\u{FF0F}')),
            ("/a/.%E2%80%8B.", PathError::Invisible('\u{200B}')),
            ("/a%", PathError::BadEscape),
            ("/a%4", PathError::BadEscape),
            ("/a%zz", PathError::BadEscape),
            ("/a%u002e", PathError::BadEscape),
            ("/a%41", PathError::NeedlessEscape),
            ("/a%2fb", PathError::LowercaseEscape),
            ("/a/%C0%AE", PathError::NotUtf8),
            ("/a/%E0%80%AE", PathError::NotUtf8),
            ("/a/%FF", PathError::NotUtf8),
            ("/a/%252e", PathError::DoubleEscape),
            ("/a/%252F", PathError::DoubleEscape),
            ("/a;x=1", PathError::PathParameter),
            ("/a/..%3Bx", PathError::DotSegment),
            ("/a#b", PathError::Fragment),
            ("/a?b", PathError::Query),
            ("/a b", PathError::Forbidden(' ')),
            ("/a{b}", PathError::Forbidden('{')),
        ];
        for (raw, error) in cases {
            assert_eq!(CanonicalPath::try_from(raw), Err(error), "{raw:?}");
        }
    }

    #[test]
    fn plain_paths_pass() {
        for raw in ["/", "/a", "/a/", "/a/b.c/.d", "/@s%2Fn", "/a:b/c,d", "/caf%C3%A9", "/100%25"] {
            assert!(CanonicalPath::try_from(raw).is_ok(), "{raw}");
        }
    }

    #[test]
    fn only_the_case_of_escapes_is_evened() {
        let path = CanonicalPath::from_wire("/@scope%2fName").map(CanonicalPath::into_string);
        assert_eq!(path.as_deref(), Ok("/@scope%2FName"));
        assert_eq!(CanonicalPath::from_wire("/%2e%2e"), Err(PathError::EncodedDot));
        assert_eq!(CanonicalPath::from_wire("/a%2f%2E%2e"), Err(PathError::EncodedDot));
        assert_eq!(CanonicalPath::from_wire("/%c0%ae"), Err(PathError::NotUtf8));
    }
}
