//! How an upstream may spell the credential back.

mod encode;
#[cfg(test)]
mod tests;

use std::fmt;

use symbolon_capability::url::is_unreserved;

use encode::{
    LOWER, Out, STANDARD, UPPER, URL, base64, folded, hex, html, is_component, json_ascii,
    json_html, json_slash, mapped, percent, text, undone, utf16,
};

use super::fold::Kind;
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
