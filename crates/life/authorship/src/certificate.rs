//! A registration as it is handed over: its entries, their proofs, one checkpoint.

use serde::{Deserialize, Serialize};
use symbolon_codec::{Digest32, b64url, hex, json};

use crate::Salt;
use crate::entry::ENTRY_BYTES_MAX;
use crate::verify::CertificateError;

/// Media type of a certificate; the version is in it.
pub const CERTIFICATE_MEDIA_TYPE: &str = "application/vnd.symbolon.authorship+json;version=1";
/// The longest certificate, in bytes.
pub const CERTIFICATE_BYTES_MAX: usize = 256 * 1024;
/// The most entries of one registration.
pub const ENTRIES_MAX: usize = 64;

const DEPTH_MAX: usize = 5;
const PATH_MAX: usize = 64;
const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// Everything that a verifier needs beside the operator's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Of one registration, its commit first.
    pub entries: Vec<CertificateEntry>,
    /// The signed note that all of them are proven against.
    pub checkpoint: String,
    /// The operator's key as text: it helps people, and is never trusted.
    pub operator: String,
    /// What tells whether a text is the one, where its holder shows it.
    pub salt: Option<Salt>,
}

/// An entry with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateEntry {
    /// Where it stands.
    pub index: u64,
    /// Its bytes.
    pub entry: Vec<u8>,
    /// From its leaf to the root.
    pub path: Vec<Digest32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    entries: Vec<EntryJson>,
    checkpoint: String,
    operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryJson {
    index: u64,
    entry: String,
    path: Vec<Digest32>,
}

impl Certificate {
    /// Whether bytes say that they are one, without any check.
    pub fn is_one(bytes: &[u8]) -> bool {
        let kind = json::text_member(bytes, CERTIFICATE_BYTES_MAX, DEPTH_MAX, "mediaType");
        kind.is_some_and(|kind| kind == CERTIFICATE_MEDIA_TYPE)
    }

    /// As JSON, on several lines for people.
    pub fn to_json(&self) -> Vec<u8> {
        let entries = self.entries.iter().map(|it| EntryJson {
            index: it.index,
            entry: b64url::encode(&it.entry),
            path: it.path.clone(),
        });
        let whole = CertificateJson {
            media_type: CERTIFICATE_MEDIA_TYPE.to_owned(),
            entries: entries.collect(),
            checkpoint: self.checkpoint.clone(),
            operator: self.operator.clone(),
            salt: self.salt.as_ref().map(|salt| hex::encode(salt.as_bytes())),
        };
        // Strings, numbers and lists of them always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// Reads a certificate; verifies nothing. See [`crate::verify()`].
    ///
    /// # Errors
    /// [`CertificateError`] of form.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertificateError> {
        let form = |says: &str| CertificateError::Form(says.to_owned());
        let value = json::parse_bounded(bytes, CERTIFICATE_BYTES_MAX, DEPTH_MAX)?;
        if value.get("mediaType").and_then(|v| v.as_str()) != Some(CERTIFICATE_MEDIA_TYPE) {
            return Err(CertificateError::MediaType);
        }
        let read: CertificateJson =
            serde_json::from_value(value).map_err(|e| CertificateError::Form(e.to_string()))?;
        if read.entries.is_empty() || read.entries.len() > ENTRIES_MAX {
            return Err(form("1 to 64 entries"));
        }
        if read.checkpoint.len() > CHECKPOINT_BYTES_MAX {
            return Err(form("the checkpoint is longer than any checkpoint can be"));
        }
        let mut entries = Vec::with_capacity(read.entries.len());
        for it in read.entries {
            if it.path.len() > PATH_MAX {
                return Err(form("a proof is longer than any proof can be"));
            }
            let entry = b64url::decode(&it.entry, ENTRY_BYTES_MAX)?;
            entries.push(CertificateEntry { index: it.index, entry, path: it.path });
        }
        let salt = match read.salt {
            None => None,
            Some(text) => Some(Salt::from_hex(&text).ok_or_else(|| form("the salt"))?),
        };
        Ok(Self { entries, checkpoint: read.checkpoint, operator: read.operator, salt })
    }
}
