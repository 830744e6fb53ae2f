//! Values of a file that lies in a secret page. What is text stays there: a value holds where it is,
//! and gives a secret of it, or a public text where the format says that it is none.

use symbolon_secret::{MemoryError, Secret};

/// A value, in the order of the file.
#[derive(Debug)]
pub(super) enum Value<'p> {
    Null,
    Bool(bool),
    /// A number: nobody here calculates with one.
    Number,
    Text(Text<'p>),
    List(Vec<Value<'p>>),
    Map(Vec<(String, Value<'p>)>),
}

/// A text where it lies, with the escapes of its file.
#[derive(Clone, Copy)]
pub(super) struct Text<'p> {
    raw: &'p [u8],
    form: Form,
}

/// How a text was written. Whoever makes a [`Text`] has checked its escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// JSON's escapes (RFC 8259, section 7).
    Json,
    /// YAML in single quotes, and CSV in double ones: the quote doubled.
    Doubled(u8),
    /// A `.env` file's double quotes: `\n`, `\r`, `\t`, `\"`, `\\`, `\$`.
    Dotenv,
}

impl<'p> Text<'p> {
    pub const fn new(raw: &'p [u8], form: Form) -> Self {
        Self { raw, form }
    }

    pub const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The text in a page of its own.
    pub fn secret(&self) -> Result<Secret<[u8]>, MemoryError> {
        Secret::<[u8]>::try_make_slice(self.raw.len(), |out| Ok(decode(self.raw, self.form, out)))
    }

    /// The text where its format says that it is no secret: a name, a version, a URL. `None` where it
    /// is longer than any of those, or no UTF-8.
    pub fn public(&self) -> Option<String> {
        if self.raw.len() > PUBLIC_BYTES_MAX {
            return None;
        }
        let mut out = vec![0; self.raw.len()];
        let len = decode(self.raw, self.form, &mut out);
        out.truncate(len);
        String::from_utf8(out).ok()
    }
}

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({:?})", self.form)
    }
}

impl<'p> Value<'p> {
    /// A member of a map; `None` too where this is no map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// What a path of members leads to.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    pub fn text(&self) -> Option<Text<'p>> {
        match self {
            Self::Text(text) => Some(*text),
            _ => None,
        }
    }

    /// A member's text where it is no secret.
    pub fn public(&self, name: &str) -> Option<String> {
        self.get(name)?.text()?.public()
    }

    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Self::Bool(true)))
    }

    pub fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// Members of a map that are texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = (&str, Text<'p>)> {
        self.members().iter().filter_map(|(name, value)| Some((name.as_str(), value.text()?)))
    }

    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

/// Writes the text without its escapes, which make it no longer, and gives its length.
fn decode(raw: &[u8], form: Form, out: &mut [u8]) -> usize {
    let mut at = Cursor { out, len: 0 };
    let mut rest = raw;
    while let [first, tail @ ..] = rest {
        rest = match (form, *first, tail) {
            (Form::Json, b'\\', [b'u', ..]) => at.unicode(rest),
            (Form::Json | Form::Dotenv, b'\\', [escape, after @ ..]) => {
                at.byte(unescaped(*escape));
                after
            }
            (Form::Doubled(quote), byte, [next, after @ ..]) if byte == quote && *next == quote => {
                at.byte(quote);
                after
            }
            (_, byte, _) => {
                at.byte(byte);
                tail
            }
        };
    }
    at.len
}

struct Cursor<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl Cursor<'_> {
    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.out.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// `\uXXXX`, or two of them for what lies beyond the first plane; gives what is behind.
    fn unicode<'r>(&mut self, rest: &'r [u8]) -> &'r [u8] {
        let unit = |at: usize| hex4(rest.get(at..at + 4)?);
        let high = unit(2).unwrap_or(0);
        let (code, used) = match (high, unit(8)) {
            (0xd800..0xdc00, Some(low)) => {
                (0x1_0000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00) % 0x400, 12)
            }
            _ => (high, 6),
        };
        let mut bytes = [0; 4];
        for byte in char::from_u32(code).unwrap_or('\u{fffd}').encode_utf8(&mut bytes).bytes() {
            self.byte(byte);
        }
        bytes.fill(0);
        rest.get(used..).unwrap_or_default()
    }
}

/// Four hex digits.
pub(super) fn hex4(digits: &[u8]) -> Option<u32> {
    let mut code = 0;
    for digit in digits {
        code = code * 16 + char::from(*digit).to_digit(16)?;
    }
    (digits.len() == 4).then_some(code)
}

const fn unescaped(escape: u8) -> u8 {
    match escape {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}

/// Names, URLs and user names are shorter, also where each character of one is escaped.
const PUBLIC_BYTES_MAX: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[u8], form: Form) -> String {
        let text = Text::new(raw, form);
        let public = text.public().expect("short");
        assert!(text.secret().expect("a page").ct_eq_bytes(public.as_bytes()));
        public
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(read(br#"a\n\"\\\/\u00e4\ud83d\ude00\u0041z"#, Form::Json), "a\n\"\\/ä😀Az");
        assert_eq!(read(b"it''s", Form::Doubled(b'\'')), "it's");
        assert_eq!(read(br#"a\nb\$c"#, Form::Dotenv), "a\nb$c");
        assert_eq!(read(br"a\nb", Form::Plain), r"a\nb");
    }
}
