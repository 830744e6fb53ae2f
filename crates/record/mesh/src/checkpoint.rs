//! A checkpoint as it spreads.

use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::labels::MESH_CHECKPOINT;
use symbolon_log::{Checkpoint, CheckpointError};

use crate::name::{LOG_NAME_BYTES_MAX, LogName, NameError};

/// Longest note that spreads: 64 signatures of usual length.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpreadError {
    /// Its bytes are no checkpoint of the mesh.
    #[error("this is no checkpoint of the mesh: {0}")]
    Form(#[from] CodecError),
    /// It names no log.
    #[error("{0}")]
    Log(#[from] NameError),
    /// The note in it, or its signature.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// A log without entries has nothing to say.
    #[error("a checkpoint of no entries does not spread")]
    Empty,
}

/// The form of a checkpoint as it spreads; nothing is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawCheckpoint<'a> {
    /// Text of the log's key.
    pub log: &'a str,
    /// The signed note.
    pub note: &'a str,
}

impl<'a> RawCheckpoint<'a> {
    /// Reads the form.
    ///
    /// # Errors
    /// [`SpreadError::Form`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SpreadError> {
        let mut r = FieldsReader::new(MESH_CHECKPOINT.as_str(), bytes)?;
        let (log, note) = (r.str(LOG_NAME_BYTES_MAX)?, r.str(NOTE_BYTES_MAX)?);
        r.end()?;
        Ok(Self { log, note })
    }

    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        Fields::new(MESH_CHECKPOINT.as_str()).str(self.log).str(self.note).finish()
    }

    /// Checks the note, of a log that need not be known.
    ///
    /// # Errors
    /// [`SpreadError`].
    pub fn open(&self) -> Result<(LogName, Checkpoint), SpreadError> {
        let log = LogName::parse(self.log)?;
        let checkpoint = open_note(&log, self.note)?;
        Ok((log, checkpoint))
    }
}

/// The checkpoint in a note of a log, which has entries.
///
/// # Errors
/// [`SpreadError::Checkpoint`] or [`SpreadError::Empty`].
pub(crate) fn open_note(log: &LogName, note: &str) -> Result<Checkpoint, SpreadError> {
    let checkpoint = Checkpoint::open(note, log.operator(), log.origin())?;
    if checkpoint.size == 0 { Err(SpreadError::Empty) } else { Ok(checkpoint) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;
    use symbolon_codec::Digest32;
    use symbolon_crypto::SigningKey;

    #[test]
    fn each_check_refuses_what_breaks_it_alone() {
        let key = SigningKey::make(&SeededRng::new(1));
        let log = LogName::new("example.test/log", key.verifying_key()).unwrap();
        let note = |size, by: &SigningKey| {
            let root = Digest32([1; 32]);
            Checkpoint { origin: log.origin().into(), size, root }.sign(by)
        };
        let open = |log: &str, note: &str| {
            let bytes = RawCheckpoint { log, note }.to_bytes();
            RawCheckpoint::parse(&bytes).and_then(|raw| raw.open())
        };
        let good = note(3, &key);
        assert_eq!(open(log.text(), &good).map(|(_, it)| it.size), Ok(3));
        assert_eq!(open(log.text(), &note(0, &key)), Err(SpreadError::Empty));
        let other = SigningKey::make(&SeededRng::new(2));
        let forged = open(log.text(), &note(3, &other));
        assert!(matches!(forged, Err(SpreadError::Checkpoint(_))), "{forged:?}");
        let newline = format!("{}\n", log.text());
        assert_eq!(open(&newline, &good), Err(SpreadError::Log(NameError::Spelling)));
        let long = open(log.text(), &"x".repeat(NOTE_BYTES_MAX + 1));
        assert!(matches!(long, Err(SpreadError::Form(CodecError::TooLong { .. }))));
        let bytes = RawCheckpoint { log: log.text(), note: &good }.to_bytes();
        let tail = [&bytes[..], b"x"].concat();
        assert_eq!(RawCheckpoint::parse(&tail), Err(CodecError::Trailing(1).into()));
    }
}
