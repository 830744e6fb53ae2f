//! One spelling each, written into secret scratch.

use symbolon_capability::url::is_unreserved;

use crate::redact::fold::{self, Kind, Next};

/// A spelling in the making; what does not fit is cut off.
pub(super) struct Out<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) len: usize,
}

impl Out<'_> {
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    pub(super) fn all(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().for_each(|b| self.push(*b));
        true
    }

    pub(super) fn has(&self, any: &[u8]) -> bool {
        self.bytes[..self.len].iter().any(|b| any.contains(b))
    }

    pub(super) fn is_other_than(&self, subject: &[u8]) -> bool {
        self.bytes[..self.len] != *subject
    }

    /// Undoes all escapes, in place: nothing that is undone gets longer.
    pub(super) fn fold(&mut self) -> bool {
        let (mut at, mut len, mut before) = (0, 0, None);
        while at < self.len {
            let (taken, bytes, bytes_len) =
                match fold::token(&self.bytes[at..self.len], 0, before, true) {
                    Next::Token(token) => (token.len, token.bytes, token.bytes_len),
                    _ => (1, [self.bytes[at], 0, 0, 0], 1),
                };
            at += taken;
            before = Some(self.bytes[at - 1]);
            self.bytes[len..len + bytes_len].copy_from_slice(&bytes[..bytes_len]);
            len += bytes_len;
        }
        self.len = len;
        true
    }
}

/// The characters that depend on the subject alone when `before` bytes (0 to 2) of something else
/// stand in front of it in its group of three.
pub(super) fn base64(
    subject: &[u8],
    before: usize,
    alphabet: &[u8; 64],
    out: &mut Out<'_>,
) -> bool {
    let skipped = [0, 4, 2][before];
    let characters = (subject.len() * 8).saturating_sub(skipped) / 6;
    for i in 0..characters {
        let bit = skipped + 6 * i;
        let high = u16::from(subject[bit / 8]) << 8;
        let low = u16::from(subject.get(bit / 8 + 1).copied().unwrap_or(0));
        out.push(alphabet[usize::from((high | low) >> (10 - bit % 8) & 63)]);
    }
    true
}

pub(super) fn hex(subject: &[u8], digits: &[u8; 16], out: &mut Out<'_>) -> bool {
    for b in subject {
        out.push(digits[usize::from(b >> 4)]);
        out.push(digits[usize::from(b & 15)]);
    }
    true
}

pub(super) fn percent(
    subject: &[u8],
    keeps: fn(u8) -> bool,
    digits: &[u8; 16],
    out: &mut Out<'_>,
) -> bool {
    let mut is_escaped = false;
    for b in subject {
        if keeps(*b) {
            out.push(*b);
        } else {
            is_escaped = true;
            out.all(&[b'%', digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]);
        }
    }
    is_escaped
}

pub(super) fn is_component(b: u8) -> bool {
    is_unreserved(b) || b"!'()*".contains(&b)
}

pub(super) enum Escape {
    Text(&'static [u8]),
    /// `\uXXXX`, two of them above U+FFFF.
    Unicode,
}

/// A JSON string with the escapes that all have and those that `more` asks for. Bytes that are not
/// UTF-8 stay as they are.
pub(super) fn text(subject: &[u8], out: &mut Out<'_>, more: fn(char) -> Option<Escape>) -> bool {
    let mut is_escaped = false;
    for chunk in subject.utf8_chunks() {
        for c in chunk.valid().chars() {
            let escape = match c {
                '"' => Some(Escape::Text(b"\\\"")),
                '\\' => Some(Escape::Text(b"\\\\")),
                _ => more(c),
            };
            is_escaped |= escape.is_some();
            match escape {
                Some(Escape::Text(text)) => out.all(text),
                Some(Escape::Unicode) => unicode(c, out),
                None => out.all(c.encode_utf8(&mut [0; 4]).as_bytes()),
            };
        }
        out.all(chunk.invalid());
    }
    is_escaped
}

pub(super) fn json_slash(c: char) -> Option<Escape> {
    (c == '/').then_some(Escape::Text(b"\\/"))
}

pub(super) fn json_html(c: char) -> Option<Escape> {
    matches!(c, '<' | '>' | '&').then_some(Escape::Unicode)
}

pub(super) fn json_ascii(c: char) -> Option<Escape> {
    (!c.is_ascii()).then_some(Escape::Unicode)
}

/// [`text`] as it comes out of the fold; `false` where that is the subject again.
pub(super) fn undone(subject: &[u8], out: &mut Out<'_>, more: fn(char) -> Option<Escape>) -> bool {
    text(subject, out, more) && out.fold() && out.is_other_than(subject)
}

fn unicode(c: char, out: &mut Out<'_>) -> bool {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.all(b"\\u");
        hex(&unit.to_be_bytes(), LOWER, out);
    }
    true
}

pub(super) fn html(subject: &[u8], out: &mut Out<'_>) -> bool {
    let mut is_escaped = false;
    for b in subject {
        let escape: Option<&[u8]> = match b {
            b'&' => Some(b"&amp;"),
            b'<' => Some(b"&lt;"),
            b'>' => Some(b"&gt;"),
            b'"' => Some(b"&quot;"),
            b'\'' => Some(b"&#39;"),
            _ => None,
        };
        is_escaped |= escape.is_some();
        out.all(escape.unwrap_or(std::slice::from_ref(b)));
    }
    is_escaped
}

pub(super) fn mapped(subject: &[u8], out: &mut Out<'_>, map: fn(u8) -> u8) -> bool {
    let mut is_changed = false;
    for b in subject {
        is_changed |= map(*b) != *b;
        out.push(map(*b));
    }
    is_changed
}

/// The escapes of these kinds undone; `false` where one of the kinds does not occur.
pub(super) fn folded(subject: &[u8], out: &mut Out<'_>, kinds: &[Kind]) -> bool {
    let mut seen = 0;
    let mut at = 0;
    while at < subject.len() {
        match fold::token(subject, at, None, true) {
            Next::Token(token) if kinds.contains(&token.kind.undone_as()) => {
                seen |= 1 << token.kind.undone_as() as u8;
                out.all(token.bytes());
                at += token.len;
            }
            _ => {
                out.push(subject[at]);
                at += 1;
            }
        }
    }
    seen != 0 && kinds.iter().all(|kind| seen & 1 << *kind as u8 != 0)
}

pub(super) fn utf16(subject: &[u8], out: &mut Out<'_>, bytes: fn(u16) -> [u8; 2]) -> bool {
    let Ok(text) = std::str::from_utf8(subject) else { return false };
    for unit in text.encode_utf16() {
        out.all(&bytes(unit));
    }
    true
}

pub(super) const LOWER: &[u8; 16] = b"0123456789abcdef";
pub(super) const UPPER: &[u8; 16] = b"0123456789ABCDEF";
pub(super) const STANDARD: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(super) const URL: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
