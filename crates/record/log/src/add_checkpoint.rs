//! What a log sends to a witness (C2SP `tlog-witness`, `add-checkpoint`).

use symbolon_codec::{Digest32, b64};

use crate::checkpoint::decimal;
use crate::note::NOTE_BYTES_MAX;

/// Longest request that is read.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = NOTE_BYTES_MAX + 8 * 1024;
/// Hashes in the longest proof.
const PROOF_MAX: usize = 63;

/// A request that has not the right form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a request to a witness: {0}")]
pub struct AddCheckpointError(&'static str);

/// The log's request: from which size on, the proof, the new checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the log believes the witness has.
    pub old: u64,
    /// Consistency proof from there.
    pub proof: Vec<Digest32>,
    /// The checkpoint's note.
    pub note: String,
}

impl AddCheckpoint {
    /// As it goes over the wire.
    pub fn to_text(&self) -> String {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.proof {
            text.push_str(&b64::encode(hash.as_bytes()));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads a request; nothing of it is verified.
    ///
    /// # Errors
    /// [`AddCheckpointError`].
    pub fn parse(body: &[u8]) -> Result<Self, AddCheckpointError> {
        let bad = AddCheckpointError;
        if body.len() > ADD_CHECKPOINT_BYTES_MAX {
            return Err(bad("longer than 72 KiB"));
        }
        let text = std::str::from_utf8(body).map_err(|_| bad("not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(bad("no blank line"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(decimal).ok_or(bad("the first line is `old` and a size"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == PROOF_MAX {
                return Err(bad("more than 63 hashes"));
            }
            let hash = b64::decode(line, 32).ok().and_then(|hash| hash.try_into().ok());
            proof.push(Digest32(hash.ok_or(bad("a hash is 32 bytes in base64"))?));
        }
        Ok(Self { old, proof, note: note.to_owned() })
    }
}
