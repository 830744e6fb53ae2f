//! What an operator proves its key over.

use symbolon_codec::{Digest32, Fields, FieldsReader};
use symbolon_crypto::labels::{CAPSULE_ENTRY, CAPSULE_TRANSCRIPT};

/// The statement for the transcript of a capsule's receipt (`specs/receipt.md`). Under a label of its own, so
/// that whoever has the key can be asked to prove it over a digest, and over nothing else.
pub fn capsule_statement(transcript: &Digest32) -> Vec<u8> {
    Fields::new(CAPSULE_TRANSCRIPT.as_str()).bytes(transcript.as_bytes()).finish()
}

/// What the operator's log has of a capsule's receipt: its transcript, of which nobody guesses anything.
pub fn capsule_entry(transcript: &Digest32) -> Vec<u8> {
    Fields::new(CAPSULE_ENTRY.as_str()).bytes(transcript.as_bytes()).finish()
}

/// Whether an entry of a log is a receipt of a capsule.
pub fn is_capsule_entry(entry: &[u8]) -> bool {
    FieldsReader::new(CAPSULE_ENTRY.as_str(), entry).is_ok()
}
