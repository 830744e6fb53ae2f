//! The proof that whoever holds a log's key signed two histories (`specs/witness.md`, "Fork proof").

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, Digest32, json};
use symbolon_crypto::VerifyingKey;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{NoteError, vkey};
use crate::proof::{ProofError, verify_consistency};

/// Media type of a proof; the version is in it.
pub const FORK_MEDIA_TYPE: &str = "application/vnd.symbolon.fork+json;version=1";
/// Longest proof that is read.
pub const FORK_BYTES_MAX: usize = 256 * 1024;
const DEPTH_MAX: usize = 3;
const PATH_MAX: usize = 64;

/// Why a file does not show a fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the proof cannot be read: {0}")]
    Json(#[from] CodecError),
    /// Another kind of file, or another version.
    #[error("this is not a proof of a fork, of version 1")]
    MediaType,
    /// A field is missing, unknown or of another kind.
    #[error("the proof has not the right form: {0}")]
    Form(String),
    /// It accuses another operator than the key given.
    #[error("the proof is about another operator than the key you gave")]
    Operator,
    /// A checkpoint, its signature or its origin.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// The name cannot be a log's.
    #[error("{0}")]
    Note(#[from] NoteError),
    /// The path does not belong to the newer checkpoint.
    #[error("the path does not lead to the newer checkpoint: {0}")]
    Path(#[from] ProofError),
    /// The two checkpoints can both be true.
    #[error("the two checkpoints do not contradict each other")]
    NoFork,
}

/// Two checkpoints of one log, and what shows that they are of two histories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForkProof {
    #[serde(rename = "mediaType")]
    media_type: String,
    operator: String,
    older: String,
    newer: String,
    /// Root of the newer tree's first entries, as many as the older has. Absent where the sizes are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<Digest32>,
    path: Vec<Digest32>,
}

/// A fork that was shown. Only [`ForkProof::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    older: Checkpoint,
    newer: Checkpoint,
}

impl Fork {
    /// The checkpoint with fewer entries, or the one that was seen first.
    pub fn older(&self) -> &Checkpoint {
        &self.older
    }

    /// The other.
    pub fn newer(&self) -> &Checkpoint {
        &self.newer
    }
}

impl ForkProof {
    /// Two notes of one size.
    pub(crate) fn of_one_size(operator: String, older: &str, newer: &str) -> Self {
        Self::new(operator, older, newer, None, Vec::new())
    }

    /// Two notes, the root of the newer tree's first entries, and the path from that to the newer root.
    pub(crate) fn of_prefix(
        operator: String,
        (older, newer): (&str, &str),
        prefix: Digest32,
        path: Vec<Digest32>,
    ) -> Self {
        Self::new(operator, older, newer, Some(prefix), path)
    }

    fn new(
        operator: String,
        older: &str,
        newer: &str,
        prefix: Option<Digest32>,
        path: Vec<Digest32>,
    ) -> Self {
        let (older, newer) = (older.to_owned(), newer.to_owned());
        Self { media_type: FORK_MEDIA_TYPE.into(), operator, older, newer, prefix, path }
    }

    /// As JSON, on several lines for people.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and lists of them always serialize.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Reads a proof; verifies nothing.
    ///
    /// # Errors
    /// [`ForkError`] of form and encoding.
    pub fn parse(bytes: &[u8]) -> Result<Self, ForkError> {
        let value = json::parse_bounded(bytes, FORK_BYTES_MAX, DEPTH_MAX)?;
        if value.get("mediaType").and_then(|v| v.as_str()) != Some(FORK_MEDIA_TYPE) {
            return Err(ForkError::MediaType);
        }
        let proof: Self =
            serde_json::from_value(value).map_err(|e| ForkError::Form(e.to_string()))?;
        if proof.path.len() > PATH_MAX {
            return Err(ForkError::Form("the path is longer than any can be".into()));
        }
        Ok(proof)
    }

    /// Checks, offline, that this key signed two histories of one log: of this name, or of the one that the proof
    /// names where the key came without one.
    ///
    /// # Errors
    /// [`ForkError`]: the first check that fails.
    pub fn verify(&self, key: &VerifyingKey, origin: Option<&str>) -> Result<Fork, ForkError> {
        let origin = match origin {
            Some(origin) => origin.to_owned(),
            None => Checkpoint::dangerous_read_unverified(&self.older)?.origin,
        };
        if vkey(&origin, key)? != self.operator {
            return Err(ForkError::Operator);
        }
        let older = Checkpoint::open(&self.older, key, &origin)?;
        let newer = Checkpoint::open(&self.newer, key, &origin)?;
        if older.size == newer.size {
            let is_plain = self.prefix.is_none() && self.path.is_empty();
            let forked = is_plain && older.root != newer.root;
            return if forked { Ok(Fork { older, newer }) } else { Err(ForkError::NoFork) };
        }
        let prefix = self.prefix.ok_or(ForkError::NoFork)?;
        verify_consistency(older.size, newer.size, &self.path, &prefix, &newer.root)?;
        if prefix == older.root { Err(ForkError::NoFork) } else { Ok(Fork { older, newer }) }
    }
}
