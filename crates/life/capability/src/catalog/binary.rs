//! Answers of bytes that a caller may have although nobody here can decode them.

use serde::Deserialize;

use super::error::Problem;

/// `binary` of an operation, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBinary {
    pub types: Vec<String>,
    pub max_bytes: u64,
}

/// Which media types pass in a content coding that is not known here, searched as they came, and
/// how long any body of the operation may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinaryAnswer {
    types: Box<[Box<str>]>,
    bytes_max: u64,
}

impl BinaryAnswer {
    pub(super) fn read(raw: &RawBinary) -> Result<Self, Problem> {
        let count = raw.types.len();
        if !(1..=TYPES_MAX).contains(&count) {
            return Err(Problem::Rule("binary has 1 to 16 types"));
        }
        if let Some(twice) = raw.types.iter().enumerate().find(|(i, t)| raw.types[..*i].contains(t))
        {
            return Err(Problem::Duplicate(twice.1.clone()));
        }
        if !raw.types.iter().all(|kind| is_binary(kind)) {
            return Err(Problem::Rule(
                "binary: a media type in lower case, without parameters, of what is no text",
            ));
        }
        if !(1..=BYTES_MAX).contains(&raw.max_bytes) {
            return Err(Problem::Rule("binary: max_bytes is 1 to 64 GiB"));
        }
        Ok(Self {
            types: raw.types.iter().map(|kind| kind.as_str().into()).collect(),
            bytes_max: raw.max_bytes,
        })
    }

    /// Whether `media_type` is one of them: `type/subtype` in lower case, without parameters.
    #[must_use]
    pub fn admits(&self, media_type: &str) -> bool {
        self.types.iter().any(|kind| **kind == *media_type)
    }

    /// The most bytes of any answer of the operation, decoded.
    #[must_use]
    pub const fn bytes_max(&self) -> u64 {
        self.bytes_max
    }
}

/// A name of RFC 6838 that stands for bytes. What is text can always be sent as it is, and most
/// echoes stand in text.
fn is_binary(kind: &str) -> bool {
    let is_name = |name: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b);
        name.bytes().all(inner) && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
    };
    let Some((top, sub)) = kind.split_once('/') else { return false };
    let suffix = sub.rsplit_once('+').map_or(sub, |(_, suffix)| suffix);
    kind.len() <= TYPE_BYTES_MAX
        && is_name(sub)
        && BINARY_TREES.contains(&top)
        && !TEXT_SUBTYPES.contains(&suffix)
}

/// The relay's own bound on an answer (`specs/relay.md`).
const BYTES_MAX: u64 = 64 << 30;
const TYPES_MAX: usize = 16;
/// A receipt names no longer one.
const TYPE_BYTES_MAX: usize = 80;
/// `binary` is no registered tree, but what S3 says where nobody said a type.
const BINARY_TREES: [&str; 7] =
    ["application", "audio", "binary", "font", "image", "model", "video"];
/// Subtypes, and structured suffixes (RFC 6839), that are text.
const TEXT_SUBTYPES: [&str; 13] = [
    "ecmascript",
    "graphql",
    "javascript",
    "json",
    "json-seq",
    "jsonl",
    "sql",
    "toml",
    "x-javascript",
    "x-ndjson",
    "x-www-form-urlencoded",
    "xml",
    "yaml",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(types: &[&str], max_bytes: u64) -> Result<BinaryAnswer, Problem> {
        let types = types.iter().map(|t| (*t).to_owned()).collect();
        BinaryAnswer::read(&RawBinary { types, max_bytes })
    }

    #[test]
    fn a_type_is_admitted_to_the_letter() {
        let answer = read(&["image/png", "application/vnd.debian.binary-package"], 7).unwrap();
        assert_eq!(answer.bytes_max(), 7);
        assert!(answer.admits("image/png"));
        for other in ["image/pn", "image/png2", "image/*", "IMAGE/PNG", "image", "", "other"] {
            assert!(!answer.admits(other), "{other}");
        }
    }

    #[test]
    fn text_patterns_and_bad_bounds_are_refused() {
        for kind in [
            "text/plain",
            "multipart/mixed",
            "message/rfc822",
            "application/json",
            "application/vnd.api+json",
            "application/xml",
            "image/svg+xml",
            "application/x-www-form-urlencoded",
            "image/*",
            "*/*",
            "Image/png",
            "image/png; a=b",
            "image/",
            "/png",
            "png",
            "image/a/b",
            "image/+",
            "",
        ] {
            assert!(matches!(read(&[kind], 1), Err(Problem::Rule(_))), "{kind}");
        }
        assert!(read(&[&format!("image/{}", "x".repeat(75))], 1).is_err());
        assert!(read(&[&format!("image/{}", "x".repeat(74))], 1).is_ok());
        assert!(matches!(read(&["image/png", "image/png"], 1), Err(Problem::Duplicate(_))));
        assert!(read(&[], 1).is_err());
        let many: Vec<String> = (0..17).map(|n| format!("image/x{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(read(&many, 1).is_err() && read(&many[..16], 1).is_ok());
        assert!(read(&["image/png"], 0).is_err() && read(&["image/png"], BYTES_MAX + 1).is_err());
        assert!(read(&["image/png"], BYTES_MAX).is_ok());
    }
}
