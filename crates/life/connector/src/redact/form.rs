//! How an upstream may spell the credential back.

use std::fmt;

use symbolon_capability::url::is_unreserved;

use super::fold::{self, Kind, Next};
use crate::inject::Slot;

/// A spelling of the credential that is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Form {
    /// As it is.
    Raw,
    /// RFC 4648, section 4, alone or inside of longer data, padded or not.
    Base64,
    /// RFC 4648, section 5.
    Base64Url,
    /// Hexadecimal, lower case.
    HexLower,
    /// Hexadecimal, upper case.
    HexUpper,
    /// RFC 3986, all but unreserved characters, upper-case escapes.
    PercentUpper,
    /// The same with lower-case escapes.
    PercentLower,
    /// As JavaScript's `encodeURIComponent`, which keeps `!'()*`.
    PercentComponent,
    /// JSON string: `\"` and `\\`.
    Json,
    /// JSON string that also has `\/`.
    JsonSlash,
    /// JSON string that also has `\u003c`, `\u003e` and `\u0026`.
    JsonHtml,
    /// JSON string in ASCII: `\u00e9`.
    JsonAscii,
    /// HTML text: `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&#39;`.
    Html,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
    /// All in lower case, as a header's name is.
    Lower,
    /// All in upper case.
    Upper,
    /// Some or all characters percent-encoded, also more than once.
    PercentMixed,
    /// Some or all characters behind backslashes (`\u0067`, `\x67`, `\147`, `\/`), also more than
    /// once.
    Escaped,
    /// Some or all characters as HTML entities.
    HtmlMixed,
    /// Broken into lines.
    Wrapped,
}

impl Form {
    /// How many there are.
    pub const COUNT: usize = 21;

    /// All, in the order of their numbers.
    pub const ALL: [Form; Form::COUNT] = [
        Form::Raw,
        Form::Base64,
        Form::Base64Url,
        Form::HexLower,
        Form::HexUpper,
        Form::PercentUpper,
        Form::PercentLower,
        Form::PercentComponent,
        Form::Json,
        Form::JsonSlash,
        Form::JsonHtml,
        Form::JsonAscii,
        Form::Html,
        Form::Utf16Le,
        Form::Utf16Be,
        Form::Lower,
        Form::Upper,
        Form::PercentMixed,
        Form::Escaped,
        Form::HtmlMixed,
        Form::Wrapped,
    ];

    /// The name in receipts.
    pub const fn name(self) -> &'static str {
        match self {
            Form::Raw => "raw",
            Form::Base64 => "base64",
            Form::Base64Url => "base64url",
            Form::HexLower => "hex-lower",
            Form::HexUpper => "hex-upper",
            Form::PercentUpper => "percent-upper",
            Form::PercentLower => "percent-lower",
            Form::PercentComponent => "percent-component",
            Form::Json => "json",
            Form::JsonSlash => "json-slash",
            Form::JsonHtml => "json-html",
            Form::JsonAscii => "json-ascii",
            Form::Html => "html",
            Form::Utf16Le => "utf-16le",
            Form::Utf16Be => "utf-16be",
            Form::Lower => "lower",
            Form::Upper => "upper",
            Form::PercentMixed => "percent-mixed",
            Form::Escaped => "escaped",
            Form::HtmlMixed => "html-mixed",
            Form::Wrapped => "wrapped",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Writes one spelling; `false` where it is the same as an earlier row's.
type Encode = fn(subject: &[u8], out: &mut Out<'_>) -> bool;

/// Every spelling that is looked for as it is, a row each. Those with escapes are found behind
/// [`fold`](super::fold), which undoes them: there the rows match as well.
static ENCODERS: [(Form, Encode); 34] = [
    (Form::Raw, |subject, out| out.all(subject)),
    (Form::Base64, |subject, out| base64(subject, 0, STANDARD, out)),
    (Form::Base64, |subject, out| base64(subject, 1, STANDARD, out)),
    (Form::Base64, |subject, out| base64(subject, 2, STANDARD, out)),
    (Form::Base64Url, |subject, out| base64(subject, 0, URL, out) && out.has(b"-_")),
    (Form::Base64Url, |subject, out| base64(subject, 1, URL, out) && out.has(b"-_")),
    (Form::Base64Url, |subject, out| base64(subject, 2, URL, out) && out.has(b"-_")),
    (Form::HexLower, |subject, out| hex(subject, LOWER, out)),
    (Form::HexUpper, |subject, out| hex(subject, UPPER, out) && out.has(b"ABCDEF")),
    (Form::PercentUpper, |subject, out| percent(subject, is_unreserved, UPPER, out)),
    (Form::PercentLower, |subject, out| percent(subject, is_unreserved, LOWER, out)),
    (Form::PercentComponent, |subject, out| percent(subject, is_component, UPPER, out)),
    (Form::Json, |subject, out| text(subject, out, |_| None)),
    (Form::JsonSlash, |subject, out| text(subject, out, json_slash)),
    (Form::JsonHtml, |subject, out| text(subject, out, json_html)),
    (Form::JsonAscii, |subject, out| text(subject, out, json_ascii)),
    (Form::Html, html),
    (Form::Utf16Le, |subject, out| utf16(subject, out, u16::to_le_bytes)),
    (Form::Utf16Be, |subject, out| utf16(subject, out, u16::to_be_bytes)),
    (Form::Lower, |subject, out| mapped(subject, out, |b| b.to_ascii_lowercase())),
    (Form::Upper, |subject, out| mapped(subject, out, |b| b.to_ascii_uppercase())),
    // `application/x-www-form-urlencoded`, the rest of its escapes undone.
    (Form::PercentMixed, |subject, out| mapped(subject, out, |b| if b == b' ' { b'+' } else { b })),
    // A secret that looks escaped itself, as it comes out of the fold: an upstream may have escaped
    // it in one way and left alone what looks like an escape of another.
    (Form::Raw, |subject, out| folded(subject, out, &[Kind::Percent])),
    (Form::Raw, |subject, out| folded(subject, out, &[Kind::Backslash])),
    (Form::Raw, |subject, out| folded(subject, out, &[Kind::Entity])),
    (Form::Raw, |subject, out| folded(subject, out, &[Kind::Percent, Kind::Backslash])),
    (Form::Raw, |subject, out| folded(subject, out, &[Kind::Percent, Kind::Entity])),
    (Form::Raw, |subject, out| folded(subject, out, &[Kind::Backslash, Kind::Entity])),
    (Form::Raw, |subject, out| {
        folded(subject, out, &[Kind::Percent, Kind::Backslash, Kind::Entity])
    }),
    // And each spelling with escapes of its own, as it comes out of the fold: a backslash of the
    // secret meets other neighbours there than in the secret. Percent-encoding hides them all.
    (Form::Json, |subject, out| undone(subject, out, |_| None)),
    (Form::JsonSlash, |subject, out| undone(subject, out, json_slash)),
    (Form::JsonHtml, |subject, out| undone(subject, out, json_html)),
    (Form::JsonAscii, |subject, out| undone(subject, out, json_ascii)),
    (Form::Html, |subject, out| html(subject, out) && out.fold() && out.is_other_than(subject)),
];

/// Calls `each` with every spelling of every subject, written into `scratch`.
///
/// Spellings shorter than a window (8 bytes) are left out; one that is longer than `scratch` has
/// room for is cut. Both ends see the same, so a cut spelling is still found by its first part.
/// On the secret stack, without allocation.
pub(super) fn for_each(
    slot: &Slot,
    wire: &[u8],
    scratch: &mut [u8],
    mut each: impl FnMut(Form, &[u8]),
) -> Option<()> {
    let room = wire.len().min(scratch.len());
    let (decoded, scratch) = scratch.split_at_mut(room);
    for subject in subjects(slot, wire, decoded)?.into_iter().flatten() {
        for (form, encode) in &ENCODERS {
            let mut out = Out { bytes: scratch, len: 0 };
            if encode(subject, &mut out) && out.len >= 8 {
                each(*form, &out.bytes[..out.len]);
            }
        }
    }
    Some(())
}

/// What must not come back: the secret itself, and for Basic also the header's text. `None` where
/// `wire` is not a wire form of `slot`.
fn subjects<'a>(
    slot: &Slot,
    wire: &'a [u8],
    decoded: &'a mut [u8],
) -> Option<[Option<&'a [u8]>; 2]> {
    match slot {
        Slot::Header { .. } | Slot::Cookie { .. } | Slot::Nowhere => Some([Some(wire), None]),
        Slot::Signed { token } => {
            let after = |text: &'a [u8]| {
                let colon = text.iter().position(|b| *b == b':')?;
                Some((&text[..colon], &text[colon + 1..]))
            };
            let (_, key) = after(wire)?;
            match token {
                None => Some([Some(key), None]),
                Some(_) => after(key).map(|(key, token)| [Some(key), Some(token)]),
            }
        }
        Slot::Query { .. } | Slot::Form { .. } => {
            let len = percent_decode(wire, decoded)?;
            Some([Some(&decoded[..len]), None])
        }
        Slot::Basic => {
            // Padding is not part of the secret, and an echo may leave it off.
            let unpadded = wire.iter().rposition(|b| *b != b'=').map_or(0, |last| last + 1);
            let wire = &wire[..unpadded];
            let len = base64_decode(wire, decoded)?;
            let colon = decoded[..len].iter().position(|b| *b == b':')?;
            Some([Some(&decoded[colon + 1..len]), Some(wire)])
        }
    }
}

/// A spelling in the making; what does not fit is cut off.
struct Out<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Out<'_> {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn all(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().for_each(|b| self.push(*b));
        true
    }

    fn has(&self, any: &[u8]) -> bool {
        self.bytes[..self.len].iter().any(|b| any.contains(b))
    }

    fn is_other_than(&self, subject: &[u8]) -> bool {
        self.bytes[..self.len] != *subject
    }

    /// Undoes all escapes, in place: nothing that is undone gets longer.
    fn fold(&mut self) -> bool {
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
fn base64(subject: &[u8], before: usize, alphabet: &[u8; 64], out: &mut Out<'_>) -> bool {
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

fn hex(subject: &[u8], digits: &[u8; 16], out: &mut Out<'_>) -> bool {
    for b in subject {
        out.push(digits[usize::from(b >> 4)]);
        out.push(digits[usize::from(b & 15)]);
    }
    true
}

fn percent(subject: &[u8], keeps: fn(u8) -> bool, digits: &[u8; 16], out: &mut Out<'_>) -> bool {
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

fn is_component(b: u8) -> bool {
    is_unreserved(b) || b"!'()*".contains(&b)
}

enum Escape {
    Text(&'static [u8]),
    /// `\uXXXX`, two of them above U+FFFF.
    Unicode,
}

/// A JSON string with the escapes that all have and those that `more` asks for. Bytes that are not
/// UTF-8 stay as they are.
fn text(subject: &[u8], out: &mut Out<'_>, more: fn(char) -> Option<Escape>) -> bool {
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

fn json_slash(c: char) -> Option<Escape> {
    (c == '/').then_some(Escape::Text(b"\\/"))
}

fn json_html(c: char) -> Option<Escape> {
    matches!(c, '<' | '>' | '&').then_some(Escape::Unicode)
}

fn json_ascii(c: char) -> Option<Escape> {
    (!c.is_ascii()).then_some(Escape::Unicode)
}

/// [`text`] as it comes out of the fold; `false` where that is the subject again.
fn undone(subject: &[u8], out: &mut Out<'_>, more: fn(char) -> Option<Escape>) -> bool {
    text(subject, out, more) && out.fold() && out.is_other_than(subject)
}

fn unicode(c: char, out: &mut Out<'_>) -> bool {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.all(b"\\u");
        hex(&unit.to_be_bytes(), LOWER, out);
    }
    true
}

fn html(subject: &[u8], out: &mut Out<'_>) -> bool {
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

fn mapped(subject: &[u8], out: &mut Out<'_>, map: fn(u8) -> u8) -> bool {
    let mut is_changed = false;
    for b in subject {
        is_changed |= map(*b) != *b;
        out.push(map(*b));
    }
    is_changed
}

/// The escapes of these kinds undone; `false` where one of the kinds does not occur.
fn folded(subject: &[u8], out: &mut Out<'_>, kinds: &[Kind]) -> bool {
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

fn utf16(subject: &[u8], out: &mut Out<'_>, bytes: fn(u16) -> [u8; 2]) -> bool {
    let Ok(text) = std::str::from_utf8(subject) else { return false };
    for unit in text.encode_utf16() {
        out.all(&bytes(unit));
    }
    true
}

fn percent_decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let (mut at, mut len) = (0, 0);
    while at < text.len() {
        let byte = match text[at] {
            b'%' => value(*text.get(at + 1)?)? << 4 | value(*text.get(at + 2)?)?,
            byte => byte,
        };
        at += if text[at] == b'%' { 3 } else { 1 };
        *out.get_mut(len)? = byte;
        len += 1;
    }
    Some(len)
}

/// Unpadded standard base64.
fn base64_decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let (mut bits, mut held, mut len) = (0u32, 0, 0);
    for c in text {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            *out.get_mut(len)? = (bits >> held) as u8;
            len += 1;
        }
    }
    Some(len)
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(slot: &Slot, wire: &str) -> Vec<(Form, String)> {
        let mut found = Vec::new();
        let mut scratch = vec![0; 8 * wire.len()];
        for_each(slot, wire.as_bytes(), &mut scratch, |form, bytes| {
            found.push((form, bytes.escape_ascii().to_string()));
        })
        .unwrap();
        found
    }

    #[test]
    fn a_plain_token_has_few_spellings() {
        let expected = [
            (Form::Raw, "tok-en_~1"),
            (Form::Base64, "dG9rLWVuX34x"),
            // From "?dG9rLWVuX34x" shifted: printf '.tok-en_~1' | base64 is "LnRvay1lbl9+MQ==".
            (Form::Base64, "Rvay1lbl9+M"),
            // printf '..tok-en_~1' | base64 is "Li50b2stZW5ffjE=".
            (Form::Base64, "0b2stZW5ffj"),
            (Form::Base64Url, "Rvay1lbl9-M"),
            (Form::HexLower, "746f6b2d656e5f7e31"),
            (Form::HexUpper, "746F6B2D656E5F7E31"),
            (Form::Utf16Le, r"t\x00o\x00k\x00-\x00e\x00n\x00_\x00~\x001\x00"),
            (Form::Utf16Be, r"\x00t\x00o\x00k\x00-\x00e\x00n\x00_\x00~\x001"),
            (Form::Upper, "TOK-EN_~1"),
        ];
        let expected = expected.map(|(form, text)| (form, text.to_owned()));
        assert_eq!(forms(&Slot::bearer(), "tok-en_~1"), expected);
    }

    #[test]
    fn escapes_appear_where_they_differ() {
        let found = forms(&Slot::bearer(), r#"a/"\<&>'!b1"#);
        let of = |form| {
            found.iter().filter(|(f, _)| *f == form).map(|(_, text)| text.as_str()).next().unwrap()
        };
        assert_eq!(of(Form::PercentUpper), "a%2F%22%5C%3C%26%3E%27%21b1");
        assert_eq!(of(Form::PercentLower), "a%2f%22%5c%3c%26%3e%27%21b1");
        assert_eq!(of(Form::PercentComponent), r"a%2F%22%5C%3C%26%3E\'!b1");
        assert_eq!(of(Form::Json), r#"a/\\\"\\\\<&>\'!b1"#);
        assert_eq!(of(Form::JsonSlash), r#"a\\/\\\"\\\\<&>\'!b1"#);
        assert_eq!(of(Form::JsonHtml), r#"a/\\\"\\\\\\u003c\\u0026\\u003e\'!b1"#);
        assert_eq!(of(Form::Html), r"a/&quot;\\&lt;&amp;&gt;&#39;!b1");
    }

    #[test]
    fn the_secret_is_taken_out_of_its_wire_form() {
        let raw = |slot: &Slot, wire: &str| -> Vec<String> {
            let raw = forms(slot, wire).into_iter().filter(|(form, _)| *form == Form::Raw);
            raw.map(|(_, text)| text).collect()
        };
        let query = Slot::query("key").unwrap();
        assert_eq!(raw(&query, "a%20b%26c%3Dd"), ["a b&c=d"][..0]); // shorter than a window
        assert_eq!(raw(&query, "a%20b%26c%3Dd%25e~-._"), ["a b&c=d%e~-._"]);
        let basic = raw(&Slot::Basic, "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic, ["open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ"]);
    }

    #[test]
    fn what_is_no_wire_form_is_told() {
        let mut scratch = [0; 256];
        for (slot, wire) in [
            (Slot::Basic, "open sesame"),
            (Slot::Basic, "bm9jb2xvbmF0YWxs"),
            (Slot::query("k").unwrap(), "abc%2"),
            (Slot::query("k").unwrap(), "abc%zz"),
        ] {
            let told = for_each(&slot, wire.as_bytes(), &mut scratch, |_, _| {});
            assert_eq!(told, None, "{wire}");
        }
    }

    #[test]
    fn text_outside_ascii_is_escaped_as_units() {
        let wire = "dTp6w6nwn5iAcGFzcw=="; // "u:z\u{e9}\u{1f600}pass"
        let found = forms(&Slot::Basic, wire);
        let ascii = found.iter().find(|(form, _)| *form == Form::JsonAscii).unwrap();
        assert_eq!(ascii.1, r"z\\u00e9\\ud83d\\ude00pass");
    }

    #[test]
    fn every_form_has_its_number_and_name() {
        for (number, form) in Form::ALL.into_iter().enumerate() {
            assert_eq!(form as usize, number);
            assert!(Form::ALL.iter().filter(|other| other.name() == form.name()).count() == 1);
        }
    }
}
