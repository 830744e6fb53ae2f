//! A receipt as it is handed over: envelope, proof, checkpoint.

use serde::{Deserialize, Serialize};
use symbolon_codec::dsse::EnvelopeJson;
use symbolon_codec::{Digest32, json};
use symbolon_crypto::SigningKey;
use symbolon_log::{InclusionBundle, NoteError, vkey};

use crate::dsse::Envelope;
use crate::verify::VerifyError;

/// Media type of a bundle; the version is in it.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.symbolon.receipt+json;version=1";
/// Longest bundle that is read.
pub const BUNDLE_BYTES_MAX: usize = 256 * 1024;

const DEPTH_MAX: usize = 6;
/// Hashes of the longest proof.
pub(crate) const PATH_MAX: usize = 64;
/// Bytes of the longest note.
pub(crate) const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// Everything that a verifier needs beside the operator's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The signed statement.
    pub envelope: Envelope,
    /// The statement's place in the log.
    pub index: u64,
    /// From the statement's leaf to the root.
    pub path: Vec<Digest32>,
    /// The signed note.
    pub checkpoint: String,
    /// The operator's key as text: it helps people, and is never trusted.
    pub operator: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BundleJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    #[serde(rename = "dsseEnvelope")]
    envelope: EnvelopeJson,
    log: LogJson,
    operator: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogJson {
    index: u64,
    path: Vec<Digest32>,
    checkpoint: String,
}

impl Bundle {
    /// Signs the statement's bytes, which are the log's entry, and puts its proof beside it.
    ///
    /// # Errors
    /// [`NoteError::Name`] where the origin cannot be a log's name.
    pub fn make(
        entry: Vec<u8>,
        proof: InclusionBundle,
        origin: &str,
        key: &SigningKey,
    ) -> Result<Self, NoteError> {
        let operator = vkey(origin, &key.verifying_key())?;
        let InclusionBundle { index, path, checkpoint, .. } = proof;
        Ok(Self { envelope: Envelope::sign(entry, key), index, path, checkpoint, operator })
    }

    /// As JSON, on several lines for people.
    pub fn to_json(&self) -> Vec<u8> {
        let whole = BundleJson {
            media_type: BUNDLE_MEDIA_TYPE.into(),
            envelope: self.envelope.json(),
            log: LogJson {
                index: self.index,
                path: self.path.clone(),
                checkpoint: self.checkpoint.clone(),
            },
            operator: self.operator.clone(),
        };
        // Strings, numbers and lists of them always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// Reads a bundle; verifies nothing. See [`crate::verify()`].
    ///
    /// # Errors
    /// [`VerifyError`] of form and encoding.
    pub fn parse(bytes: &[u8]) -> Result<Self, VerifyError> {
        let value = json::parse_bounded(bytes, BUNDLE_BYTES_MAX, DEPTH_MAX)?;
        if value.get("mediaType").and_then(|v| v.as_str()) != Some(BUNDLE_MEDIA_TYPE) {
            return Err(VerifyError::MediaType);
        }
        let read: BundleJson =
            serde_json::from_value(value).map_err(|e| VerifyError::Form(e.to_string()))?;
        debug_assert_eq!(read.media_type, BUNDLE_MEDIA_TYPE);
        let LogJson { index, path, checkpoint } = read.log;
        if path.len() > PATH_MAX || checkpoint.len() > CHECKPOINT_BYTES_MAX {
            return Err(VerifyError::Form("the proof is longer than any proof can be".into()));
        }
        let envelope = Envelope::from_json(read.envelope)?;
        Ok(Self { envelope, index, path, checkpoint, operator: read.operator })
    }
}
