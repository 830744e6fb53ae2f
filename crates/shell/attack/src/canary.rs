//! The credential that the target was given, and every spelling in which it could come back.
//!
//! Written apart from the redactor on purpose: what one forgets, the other should not.

use std::fmt;

use symbolon_codec::b64;

/// A credential made to be looked for. It opens nothing.
#[derive(Clone)]
pub struct Canary {
    bytes: Vec<u8>,
    needles: Vec<(String, Vec<u8>)>,
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canary")
    }
}

impl Canary {
    /// Of these bytes: at least [`Canary::BYTES_MIN`] visible ASCII characters, for a search that means something.
    pub fn new(bytes: Vec<u8>) -> Self {
        let mut canary = Self { bytes, needles: Vec::new() };
        let forms = FORMS.iter().filter_map(|form| Some(((*form).to_owned(), canary.core(form)?)));
        canary.needles = forms.collect();
        canary
    }

    /// The shortest that is taken.
    pub const BYTES_MIN: usize = 24;

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The credential in a spelling, as an upstream would write it.
    pub(crate) fn spelled(&self, form: &str) -> Option<Vec<u8>> {
        let c = &self.bytes;
        let text = || String::from_utf8_lossy(c).into_owned();
        let each = |f: &dyn Fn(&mut String, u8)| {
            let mut out = String::new();
            c.iter().for_each(|b| f(&mut out, *b));
            out.into_bytes()
        };
        Some(match form {
            "raw" => c.clone(),
            "base64" => b64::encode(c).into_bytes(),
            "base64+1" => b64::encode(&[b"x", &c[..]].concat()).into_bytes(),
            "base64+2" => b64::encode(&[b"xy", &c[..]].concat()).into_bytes(),
            "base64url" => b64::encode_url(c).into_bytes(),
            "base64url+1" => b64::encode_url(&[b"x", &c[..]].concat()).into_bytes(),
            "base64url+2" => b64::encode_url(&[b"xy", &c[..]].concat()).into_bytes(),
            "hex" => each(&|out, b| out.push_str(&format!("{b:02x}"))),
            "HEX" => each(&|out, b| out.push_str(&format!("{b:02X}"))),
            "percent" => each(&|out, b| match b {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(b));
                }
                _ => out.push_str(&format!("%{b:02X}")),
            }),
            "percent-lower" => each(&|out, b| match b {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(b));
                }
                _ => out.push_str(&format!("%{b:02x}")),
            }),
            "json" => serde_json::Value::from(text()).to_string().trim_matches('"').into(),
            "json-slash" => text().replace('/', "\\/").into_bytes(),
            "json-u" => each(&|out, b| out.push_str(&format!("\\u{b:04x}"))),
            "json-some" => each(&|out, b| match b % 3 {
                0 => out.push_str(&format!("\\u{b:04X}")),
                _ => out.push(char::from(b)),
            }),
            "html" => text().replace('&', "&amp;").replace('<', "&lt;").into_bytes(),
            "utf16le" => c.iter().flat_map(|b| [*b, 0]).collect(),
            "utf16be" => c.iter().flat_map(|b| [0, *b]).collect(),
            "bearer-base64" => b64::encode(&[b"Bearer ", &c[..]].concat()).into_bytes(),
            "half" => c[..c.len() * 2 / 3].to_vec(),
            "tail" => c[c.len() / 3..].to_vec(),
            _ => return None,
        })
    }

    /// What of a spelling depends on the credential alone.
    fn core(&self, form: &str) -> Option<Vec<u8>> {
        let bytes = self.spelled(form)?;
        let (from, cut) = match form {
            "base64" | "base64url" => (0, 3),
            "base64+1" | "base64url+1" => (2, 3),
            "base64+2" | "base64url+2" => (3, 3),
            _ => (0, 0),
        };
        Some(bytes.get(from..bytes.len() - cut)?.to_vec())
    }

    /// The first spelling found in `bytes`, as they are or as a reader would unescape them.
    pub fn find(&self, bytes: &[u8]) -> Option<String> {
        for (form, needle) in &self.needles {
            if contains(bytes, needle) {
                return Some(form.clone());
            }
        }
        if self.bytes.windows(RUN).any(|run| contains(bytes, run)) {
            return Some(format!("a run of {RUN} bytes"));
        }
        let readings = [("JSON escapes", unescaped(bytes)), ("percent", percent_decoded(bytes))];
        for (name, read) in readings {
            if self.bytes.windows(RUN).any(|run| contains(&read, run)) {
                return Some(name.to_owned());
            }
        }
        None
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    let mut rest = haystack;
    while let Some(at) = rest.iter().position(|b| b == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            let hex = bytes.get(at + 2..at + 6).filter(|_| bytes.get(at + 1) == Some(&b'u'));
            let hex = hex.and_then(|h| u32::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
            match (hex.and_then(char::from_u32), bytes.get(at + 1)) {
                (Some(c), _) => {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    at += 6;
                }
                (None, Some(next)) => {
                    out.push(*next);
                    at += 2;
                }
                (None, None) => at += 1,
            }
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// What counts as a leak where no whole spelling is there: the run that `specs/redaction.md` promises.
const RUN: usize = 16;

const FORMS: &[&str] = &[
    "raw",
    "base64",
    "base64+1",
    "base64+2",
    "base64url",
    "base64url+1",
    "base64url+2",
    "hex",
    "HEX",
    "percent",
    "percent-lower",
    "json",
    "json-slash",
    "json-u",
    "html",
    "utf16le",
    "utf16be",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found_and_other_text_is_not() {
        let canary = Canary::new(b"cnry_Zx/81+Qf&mB27~kTpW93uLs<vY0aRdEe".to_vec());
        for form in FORMS.iter().chain(&["json-some", "bearer-base64", "half", "tail"]) {
            let spelled = canary.spelled(form).unwrap();
            let text = [b"before ", &spelled[..], b" after"].concat();
            assert!(canary.find(&text).is_some(), "{form}");
        }
        assert_eq!(canary.find(b"cnry_Zx/81+Qf&m, and no more of it"), None);
        assert_eq!(canary.find(&b"nothing ".repeat(1000)), None);
        assert_eq!(canary.spelled("rot13"), None);
    }
}
