//! Links of a text as they are in the vault, and as they are in a folder.

use std::fmt::Write;
use std::ops::Range;

use crate::links::brackets;

/// A Markdown link to somewhere, `[text](target)`, with or without the `!` of an image before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InlineLink<'t> {
    /// From its first bracket to its last.
    pub range: Range<usize>,
    pub is_image: bool,
    pub text: &'t str,
    pub target: &'t str,
}

/// The inline links of a text, in their order. What stands in code is none; links with a title or with
/// brackets in them are let be.
pub(super) fn inline_links(body: &str) -> Vec<InlineLink<'_>> {
    let mut found = Vec::new();
    brackets(body, |at, end| {
        let rest = body[at..end].strip_prefix('[')?;
        let close = rest.find([']', '[', '\n'])?;
        let (text, behind) = (&rest[..close], rest[close..].strip_prefix("](")?);
        let close = behind.find([')', '(', '\n', ' '])?;
        let target = &behind[..close];
        behind[close..].strip_prefix(')')?;
        let range = at..at + 1 + text.len() + 2 + target.len() + 1;
        let is_image = body[..at].ends_with('!');
        let behind = range.end;
        found.push(InlineLink { range, is_image, text, target });
        Some(behind)
    });
    found
}

/// The text with each inline link as `to` gives it.
pub(super) fn with_inline_links(
    body: &str,
    mut to: impl FnMut(&InlineLink<'_>) -> Option<String>,
) -> String {
    let mut out = String::with_capacity(body.len());
    let mut at = 0;
    for link in inline_links(body) {
        if let Some(new) = to(&link) {
            out.push_str(&body[at..link.range.start]);
            out.push_str(&new);
            at = link.range.end;
        }
    }
    out.push_str(&body[at..]);
    out
}

/// A path as a link's target: what would end it is percent-encoded.
pub(super) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_alphanumeric() || !c.is_ascii() || "-._~/!$&'*+,;=@".contains(c) {
            out.push(c);
        } else {
            // A String takes what it is given.
            let _ = write!(out, "%{:02X}", u32::from(c));
        }
    }
    out
}

/// The path of a link's target; `None` where it is no UTF-8.
pub(super) fn decoded(target: &str) -> Option<String> {
    let bytes = target.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|d| std::str::from_utf8(d).ok());
        let code = hex.and_then(|d| u8::from_str_radix(d, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_links_are_found() {
        let of = |body| {
            let all: Vec<(bool, &str, &str)> =
                inline_links(body).iter().map(|l| (l.is_image, l.text, l.target)).collect();
            all
        };
        assert_eq!(
            of("a [b](c.md) ![d](e%20f.png)"),
            [(false, "b", "c.md"), (true, "d", "e%20f.png")]
        );
        for none in ["[a] (b)", "[a](b \"t\")", "`[a](b)`", r"\[a](b)", "[a\nb](c)", "[a](b"] {
            assert!(of(none).is_empty(), "{none}");
        }
        let new = with_inline_links("x [a](b) y", |l| Some(format!("<{}>", l.target)));
        assert_eq!(new, "x <b> y");
    }

    #[test]
    fn targets_come_back() {
        for path in ["a b/(c).png", "ä ö.md", "100%.txt", "plain.md", "../up [1].md"] {
            let target = encoded(path);
            assert!(!target.contains([' ', '(', ')', '[']));
            assert_eq!(decoded(&target).as_deref(), Some(path));
        }
        assert_eq!(decoded("%ff"), None);
    }
}
