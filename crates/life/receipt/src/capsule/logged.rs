//! A receipt's place in its operator's log, beside what the receipt proves: it shows that the receipt was there when a checkpoint
//! was signed, and cannot be taken back.

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_log::{Checkpoint, InclusionBundle, leaf_hash, verify_inclusion};
use symbolon_trust::capsule_entry;

use super::{CapsuleError, CapsuleFormError, Seen};
use crate::bundle::{CHECKPOINT_BYTES_MAX, PATH_MAX};
use crate::verify::OperatorKey;

/// Where the transcript stands, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// The entry's place.
    pub index: u64,
    /// From its leaf to the root.
    pub path: Vec<Digest32>,
    /// The signed note, with what witnesses signed under it.
    pub checkpoint: String,
}

impl From<InclusionBundle> for Logged {
    fn from(InclusionBundle { index, path, checkpoint, .. }: InclusionBundle) -> Self {
        Self { index, path, checkpoint }
    }
}

impl Logged {
    /// Within the bounds of any proof.
    pub(super) fn bounded(self) -> Result<Self, CapsuleFormError> {
        match self.path.len() <= PATH_MAX && self.checkpoint.len() <= CHECKPOINT_BYTES_MAX {
            true => Ok(self),
            false => {
                Err(CapsuleFormError::Form("the proof is longer than any proof can be".into()))
            }
        }
    }

    /// Checks that the operator's log has the transcript there.
    pub(super) fn check(
        &self,
        transcript: &Digest32,
        operator: &OperatorKey,
    ) -> Result<Seen, CapsuleError> {
        let origin = operator.origin_in(&self.checkpoint)?;
        let Checkpoint { origin, size, root } = operator.checkpoint(&self.checkpoint, &origin)?;
        let leaf = leaf_hash(&capsule_entry(transcript));
        verify_inclusion(&leaf, self.index, size, &self.path, &root)?;
        Ok(Seen::Held(format!("entry {} of {origin}, which has {size}", self.index)))
    }
}
