//! What an operator proves its key over.

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::labels::CAPSULE_TRANSCRIPT;

/// The statement for the transcript of a capsule's receipt (`specs/receipt.md`). Under a label of its own, so
/// that whoever has the key can be asked to prove it over a digest, and over nothing else.
pub fn capsule_statement(transcript: &Digest32) -> Vec<u8> {
    Fields::new(CAPSULE_TRANSCRIPT.as_str()).bytes(transcript.as_bytes()).finish()
}
