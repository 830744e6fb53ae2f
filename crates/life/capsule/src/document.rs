//! The three kinds of signed documents, and their one spelling: canonical JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_codec::{CodecError, json};

/// What a document is. The payload type is under the signature, so that none stands for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What a capsule is and asks for.
    Manifest,
    /// What a publisher's capsules may at most ask for.
    Certificate,
    /// What is not believed any more.
    Revocations,
}

impl Kind {
    /// The DSSE payload type; the version is in it.
    pub const fn payload_type(self) -> &'static str {
        match self {
            Self::Manifest => "application/vnd.symbolon.capsule-manifest+json;version=1",
            Self::Certificate => "application/vnd.symbolon.capsule-certificate+json;version=1",
            Self::Revocations => "application/vnd.symbolon.capsule-revocations+json;version=1",
        }
    }

    /// The word for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Certificate => "certificate",
            Self::Revocations => "revocation list",
        }
    }
}

/// Why a document was refused. Never carries a field's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("it cannot be read: {0}")]
    Json(#[from] CodecError),
    /// A field is missing, unknown or of another kind.
    #[error("it has not the right form: {0}")]
    Form(String),
    /// Another spelling of the same document: other order, spaces, numbers written otherwise.
    #[error("it is not in its one spelling: keys sorted, no spaces")]
    Spelling,
    /// A field is out of its bounds.
    #[error("its `{0}` is out of bounds")]
    Field(&'static str),
}

pub(crate) fn to_bytes(document: &impl Serialize) -> Vec<u8> {
    // Documents are strings, whole numbers, truth values and lists of them: they always serialize.
    json::canonical(&serde_json::to_value(document).unwrap_or_default())
}

/// Reads what [`to_bytes`] wrote, and nothing else.
pub(crate) fn parse<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<T, DocumentError> {
    let value = json::parse_bounded(bytes, bytes_max, DEPTH_MAX)?;
    let read: T = serde_json::from_value(value).map_err(|e| DocumentError::Form(e.to_string()))?;
    if to_bytes(&read) == bytes { Ok(read) } else { Err(DocumentError::Spelling) }
}

/// Reads a document that a person wrote, in any spelling.
pub(crate) fn parse_draft<T: DeserializeOwned>(
    bytes: &[u8],
    bytes_max: usize,
) -> Result<T, DocumentError> {
    let value = json::parse_bounded(bytes, bytes_max, DEPTH_MAX)?;
    serde_json::from_value(value).map_err(|e| DocumentError::Form(e.to_string()))
}

/// A name of a capsule or publisher: 1 to 64 of `a-z`, `0-9`, `-` and `.`, beginning with a letter.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (1..=64).contains(&text.len())
        && text.as_bytes()[0].is_ascii_lowercase()
        && text.bytes().all(plain)
}

/// An operation such as `github.issues.list`: a name with a dot in it, `_` too.
pub(crate) fn is_operation(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    (3..=128).contains(&text.len())
        && text.as_bytes()[0].is_ascii_lowercase()
        && text.contains('.')
        && text.bytes().all(plain)
}

/// A host's name in lower case, without a port.
pub(crate) fn is_host(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Three numbers without leading zeros, as in `1.0.12`.
pub(crate) fn is_version(text: &str) -> bool {
    let part = |p: &str| {
        (1..=6).contains(&p.len())
            && p.bytes().all(|b| b.is_ascii_digit())
            && (p == "0" || !p.starts_with('0'))
    };
    text.split('.').count() == 3 && text.split('.').all(part)
}

/// Sorted, nothing twice, and at most `max`.
pub(crate) fn is_set<T: Ord>(list: &[T], max: usize) -> bool {
    list.len() <= max && list.windows(2).all(|pair| pair[0] < pair[1])
}

/// Objects in lists in objects, and room for one more.
const DEPTH_MAX: usize = 5;
