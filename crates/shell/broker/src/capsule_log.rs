//! Receipts of capsules in the home's log: their transcripts, and what shows where they stand.

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_log::{InclusionBundle, LogError};
use symbolon_trust::capsule_entry;

use crate::Broker;
use crate::api::CallError;
use crate::errors;

/// Where a transcript stands in the home's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoggedView {
    /// The entry's place.
    pub index: u64,
    /// From its leaf to the root, in hex.
    pub path: Vec<Digest32>,
    /// The signed note, with what witnesses signed under it.
    pub checkpoint: String,
}

impl Broker {
    /// Appends the transcript of a capsule's receipt, durably, and shows where it stands.
    ///
    /// # Errors
    /// [`CallError`]: locked, or a log that cannot be written.
    pub async fn log_capsule(&self, transcript: &Digest32) -> Result<LoggedView, CallError> {
        self.acting()?;
        let ticket = self.log.append(&capsule_entry(transcript)).map_err(not_written)?;
        let index = ticket.index();
        self.log.durable(ticket).await.map_err(not_written)?;
        self.prove_capsule(transcript, index).await
    }

    /// Shows where a transcript stands that was appended before, by what witnesses signed where that covers it.
    ///
    /// # Errors
    /// [`CallError`]: locked, or `no_receipt` where something else stands there.
    pub async fn prove_capsule(
        &self,
        transcript: &Digest32,
        index: u64,
    ) -> Result<LoggedView, CallError> {
        self.opened()?;
        let (log, witnessed) = (self.log.clone(), self.witnessed.clone());
        let entry = capsule_entry(transcript);
        let work = move || {
            if index >= log.size() || log.entry(index).map_err(errors::log_read)? != entry {
                let message = format!("entry {index} of this home's log is not of this receipt");
                return Err(CallError::caller("no_receipt", message)
                    .status(404)
                    .next("symbolon capsule log FILE, in the home that ran the capsule"));
            }
            let cosigned = witnessed.covering(index);
            let cosigned = cosigned.and_then(|note| log.log().prove_against(index, &note).ok());
            let proof = match cosigned {
                Some(proof) => proof,
                None => log.proof(index).map_err(errors::log_read)?,
            };
            let InclusionBundle { index, path, checkpoint, .. } = proof;
            Ok(LoggedView { index, path, checkpoint })
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }
}

fn not_written(error: LogError) -> CallError {
    CallError::environment("log", format!("the log cannot keep the receipt: {error}"))
        .next("symbolon doctor; then free space or restart the broker")
}
