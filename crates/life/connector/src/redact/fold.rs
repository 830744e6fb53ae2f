//! Escapes undone: what a reader of JSON, of a form, of HTML or of wrapped base64 would read.
//!
//! An upstream can escape any characters of what it echoes and leave the others, so these
//! spellings cannot be listed. They are undone instead, and what comes out is searched like the
//! response itself.

/// An escape, and what it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// How many bytes it has in the response.
    pub(super) len: usize,
    pub(super) kind: Kind,
    pub(super) bytes: [u8; 4],
    pub(super) bytes_len: usize,
}

impl Token {
    /// What it stands for: nothing for a line break, else a byte or a character in UTF-8.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.bytes_len]
    }

    fn new(kind: Kind, len: usize, bytes: &[u8]) -> Self {
        let mut token = Self { len, kind, bytes: [0; 4], bytes_len: bytes.len().min(4) };
        token.bytes[..token.bytes_len].copy_from_slice(&bytes[..token.bytes_len]);
        token
    }

    fn character(kind: Kind, len: usize, code: u32) -> Option<Self> {
        let character = char::from_u32(code)?;
        Some(Self::new(kind, len, character.encode_utf8(&mut [0; 4]).as_bytes()))
    }
}

/// What kind of escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Percent,
    Backslash,
    Entity,
    Break,
}

impl Kind {
    /// A line break in a secret is one behind a backslash: its own would end the header.
    pub(super) fn undone_as(self) -> Self {
        if self == Kind::Break { Kind::Backslash } else { self }
    }
}

/// What stands at a place.
pub(super) enum Next {
    /// No escape: the byte is itself.
    Plain,
    Token(Token),
    /// That depends on bytes that have not come.
    More,
}

/// Whether an escape may begin with this byte.
pub(super) const fn is_special(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'\n' | b'\r')
}

/// Reads what stands at `at`, one of those that [`is_special`] names or any other. `before` is the
/// byte in front of the text; `is_last` says that no more will come.
pub(super) fn token(text: &[u8], at: usize, before: Option<u8>, is_last: bool) -> Next {
    let before = if at == 0 { before } else { Some(text[at - 1]) };
    let reader = Reader { text: &text[at..], before, is_last };
    let read = match text[at] {
        b'%' => reader.percent(),
        b'\\' => reader.backslash(),
        b'&' => reader.entity(),
        b'\n' | b'\r' => reader.line_break(),
        _ => Ok(None),
    };
    match read {
        Ok(Some(token)) if token.len <= text.len() - at => Next::Token(token),
        Ok(_) => Next::Plain,
        Err(Ended) => Next::More,
    }
}

/// A whole text with its escapes undone, whatever they stand for.
pub(super) fn undone(text: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        match token(text, at, None, true) {
            Next::Token(token) => {
                out.extend_from_slice(token.bytes());
                at += token.len;
            }
            Next::Plain | Next::More => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

/// The text is over before the escape is.
struct Ended;

struct Reader<'a> {
    text: &'a [u8],
    before: Option<u8>,
    is_last: bool,
}

type Read = Result<Option<Token>, Ended>;

impl Reader<'_> {
    fn at(&self, place: usize) -> Result<u8, Ended> {
        match self.text.get(place) {
            Some(byte) => Ok(*byte),
            // No escape holds it, so whatever asks finds that it is none.
            None if self.is_last => Ok(0),
            None => Err(Ended),
        }
    }

    /// `%67`, and `%2567` for what was encoded twice.
    fn percent(&self) -> Read {
        let mut at = 1;
        while at < 1 + 2 * NESTED_MAX && (self.at(at)?, self.at(at + 1)?) == (b'2', b'5') {
            let (Some(_), Some(_)) = (hex(self.at(at + 2)?), hex(self.at(at + 3)?)) else { break };
            at += 2;
        }
        let Some(value) = self.hex(at, 2)? else { return Ok(None) };
        Ok(Some(Token::new(Kind::Percent, at + 2, &[value as u8])))
    }

    /// `\u0067`, `\u{67}`, `\x67`, `\147`, `\/`, `\n` between characters of base64; with any number
    /// of backslashes, for what was escaped several times.
    fn backslash(&self) -> Read {
        let mut slashes = 1;
        while self.at(slashes)? == b'\\' {
            slashes += 1;
            if slashes == SLASHES_MAX {
                return Ok(None);
            }
        }
        let at = slashes + 1;
        let one = |byte| Ok(Some(Token::new(Kind::Backslash, at, &[byte])));
        match self.at(slashes)? {
            // What follows is an escape of its own.
            b'%' | b'&' => Ok(Some(Token::new(Kind::Backslash, slashes, b"\\"))),
            b'u' if self.at(at)? == b'{' => {
                let mut end = at + 1;
                while end < at + 8 && hex(self.at(end)?).is_some() {
                    end += 1;
                }
                if self.at(end)? != b'}' {
                    return one(b'u');
                }
                let code = self.hex(at + 1, end - at - 1)?.filter(|_| end > at + 1);
                let read = code.and_then(|c| Token::character(Kind::Backslash, end + 1, c));
                read.map_or_else(|| one(b'u'), |token| Ok(Some(token)))
            }
            b'u' => match self.hex(at, 4)? {
                None => one(b'u'),
                Some(high @ 0xd800..0xdc00) => self.pair(at, high),
                Some(0xdc00..0xe000) => one(b'?'),
                Some(code) => Ok(Token::character(Kind::Backslash, at + 4, code)),
            },
            b'x' => match self.hex(at, 2)? {
                None => one(b'x'),
                Some(value) => Ok(Some(Token::new(Kind::Backslash, at + 2, &[value as u8]))),
            },
            digit @ b'0'..=b'3' => match (octal(self.at(at)?), octal(self.at(at + 1)?)) {
                (Some(b), Some(c)) => {
                    let value = (digit - b'0') << 6 | b << 3 | c;
                    Ok(Some(Token::new(Kind::Backslash, at + 2, &[value])))
                }
                _ => one(digit),
            },
            b'r' if self.at(at)? == b'\\' => {
                let mut end = at;
                while end < at + SLASHES_MAX && self.at(end)? == b'\\' {
                    end += 1;
                }
                if self.at(end)? == b'n' { self.broken(end + 1) } else { one(b'\r') }
            }
            b'n' | b'r' => self.broken(at),
            // No escape of anything; in UTF-16 every second byte is such a one.
            0..0x20 | 0x7f.. => Ok(None),
            b't' => one(b'\t'),
            b'b' => one(8),
            b'f' => one(12),
            other => one(other),
        }
    }

    /// An escaped line break of `len` bytes.
    fn broken(&self, len: usize) -> Read {
        let is_inside = self.before.is_some_and(is_base64) && is_base64(self.at(len)?);
        let bytes: &[u8] = if is_inside { b"" } else { b"\n" };
        let kind = if is_inside { Kind::Break } else { Kind::Backslash };
        Ok(Some(Token::new(kind, len, bytes)))
    }

    fn pair(&self, at: usize, high: u32) -> Read {
        let lone = Ok(Some(Token::new(Kind::Backslash, at + 4, b"?")));
        let mut low = at + 4;
        while low < at + 4 + SLASHES_MAX && self.at(low)? == b'\\' {
            low += 1;
        }
        if low == at + 4 || self.at(low)? != b'u' {
            return lone;
        }
        match self.hex(low + 1, 4)? {
            Some(unit @ 0xdc00..0xe000) => {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
                Ok(Token::character(Kind::Backslash, low + 5, code))
            }
            _ => lone,
        }
    }

    /// `&amp;`, `&#103;`, `&#x67;`, and `&amp;amp;` for what was escaped twice.
    fn entity(&self) -> Read {
        let mut at = 1;
        let mut nested = 0;
        while nested < NESTED_MAX && self.begins(at, b"amp;")? {
            (at, nested) = (at + 4, nested + 1);
        }
        for (name, byte) in ENTITIES {
            if self.begins(at, name)? {
                return Ok(Some(Token::new(Kind::Entity, at + name.len(), &[*byte])));
            }
        }
        let amp = (nested > 0).then(|| Token::new(Kind::Entity, at, b"&"));
        if self.at(at)? != b'#' {
            return Ok(amp);
        }
        let is_hex = self.at(at + 1)? | 0x20 == b'x';
        let (first, radix) = if is_hex { (at + 2, 16) } else { (at + 1, 10) };
        let (mut end, mut code) = (first, 0);
        while end < first + DIGITS_MAX {
            let Some(digit) = char::from(self.at(end)?).to_digit(radix) else { break };
            (end, code) = (end + 1, code * radix + digit);
        }
        if end == first || self.at(end)? != b';' {
            return Ok(amp);
        }
        Ok(Token::character(Kind::Entity, end + 1, code).or(amp))
    }

    /// Whether `name` stands at `at`; unknown only where what has come fits it.
    fn begins(&self, at: usize, name: &[u8]) -> Result<bool, Ended> {
        let rest = self.text.get(at..).unwrap_or_default();
        if !self.is_last && rest.len() < name.len() && name.starts_with(rest) {
            return Err(Ended);
        }
        Ok(rest.starts_with(name))
    }

    /// A line break, with the next line's indentation, between two characters of base64 or hex.
    fn line_break(&self) -> Read {
        if !self.before.is_some_and(is_base64) {
            return Ok(None);
        }
        let mut at = 1;
        if self.text[0] == b'\r' {
            if self.at(1)? != b'\n' {
                return Ok(None);
            }
            at = 2;
        }
        let indented = at + INDENT_MAX;
        while at < indented && matches!(self.at(at)?, b' ' | b'\t') {
            at += 1;
        }
        Ok(is_base64(self.at(at)?).then(|| Token::new(Kind::Break, at, b"")))
    }

    fn hex(&self, at: usize, digits: usize) -> Result<Option<u32>, Ended> {
        let mut value = 0;
        for place in at..at + digits {
            let Some(digit) = hex(self.at(place)?) else { return Ok(None) };
            value = value << 4 | digit;
        }
        Ok(Some(value))
    }
}

fn hex(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

fn octal(byte: u8) -> Option<u8> {
    matches!(byte, b'0'..=b'7').then(|| byte - b'0')
}

pub(super) fn is_base64(byte: u8) -> bool {
    BASE64[usize::from(byte)]
}

/// A table, for it is asked at each line break.
static BASE64: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

const ENTITIES: &[(&[u8], u8)] =
    &[(b"lt;", b'<'), (b"gt;", b'>'), (b"quot;", b'"'), (b"apos;", b'\'')];
/// How often over something was escaped.
const NESTED_MAX: usize = 4;
/// Backslashes in a row: escaped four times over.
const SLASHES_MAX: usize = 16;
const DIGITS_MAX: usize = 7;
const INDENT_MAX: usize = 16;
