//! What a witness signs: that it saw a checkpoint, and when (C2SP `tlog-cosignature`, version 1).

use std::fmt;
use std::str::FromStr;

use symbolon_crypto::{SigningKey, VerifyingKey};

use crate::note::{self, COSIGNATURE, NoteError};

/// Why a note is not cosigned by a witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CosignatureError {
    /// The note, or a line of it, has not the right form.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// No line is by this witness.
    #[error("no cosignature by {witness}")]
    Missing {
        /// The witness that was asked for.
        witness: String,
    },
    /// A line by this witness does not verify.
    #[error("the cosignature by {witness} does not match the checkpoint")]
    Signature {
        /// The witness.
        witness: String,
    },
    /// A line by this witness has a time after the year 9999.
    #[error("the cosignature by {witness} has a time that is none")]
    Time {
        /// The witness.
        witness: String,
    },
}

/// A witness's name and public key. Its text is `name+id+base64(0x04 ‖ key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: VerifyingKey,
}

impl WitnessKey {
    /// Of a witness with a name that can stand in a note.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        note::check_name(name)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// What it calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key alone: two witnesses with one key are one.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The cosignature of this witness under a note: of several the latest.
    ///
    /// # Errors
    /// [`CosignatureError`]; one line by this key that is bad spoils the others. Whether the log signed the note
    /// is another question: [`crate::Checkpoint::open`].
    pub fn verify(&self, note: &str) -> Result<Cosignature, CosignatureError> {
        let (text, lines) = note::split_note(note)?;
        self.verify_lines(text, lines)
    }

    /// As [`WitnessKey::verify`], of lines that came apart from the text that they sign.
    ///
    /// # Errors
    /// As there.
    pub fn verify_lines(&self, text: &str, lines: &str) -> Result<Cosignature, CosignatureError> {
        let witness = || self.name.clone();
        let id = note::key_id(COSIGNATURE, &self.name, &self.key);
        let mut latest = None;
        for line in lines.split_terminator('\n') {
            let (name, bytes) = note::parse_signature(line)?;
            let Some((found, rest)) = bytes.split_first_chunk::<4>() else { continue };
            if name != self.name || *found != id {
                continue;
            }
            let bad = || CosignatureError::Signature { witness: witness() };
            let (time, signature) = rest.split_first_chunk::<8>().ok_or_else(bad)?;
            let time = u64::from_be_bytes(*time);
            if time > SECONDS_MAX {
                return Err(CosignatureError::Time { witness: witness() });
            }
            let signature = <&[u8; 64]>::try_from(signature).map_err(|_| bad())?;
            self.key.verify(&signed(text, time), signature).map_err(|_| bad())?;
            latest = latest.max(Some(time));
        }
        let unix_seconds =
            latest.ok_or_else(|| CosignatureError::Missing { witness: witness() })?;
        Ok(Cosignature { unix_seconds })
    }
}

impl FromStr for WitnessKey {
    type Err = NoteError;
    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, key) = note::parse_key_text(COSIGNATURE, text)?;
        Ok(Self { name, key })
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name was checked when this was made.
        f.write_str(&note::key_text(COSIGNATURE, &self.name, &self.key).unwrap_or_default())
    }
}

/// A cosignature that verified. Only [`WitnessKey`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosignature {
    unix_seconds: u64,
}

impl Cosignature {
    /// When the witness says that it signed.
    pub fn unix_seconds(&self) -> u64 {
        self.unix_seconds
    }
}

/// Cosigns the text of a checkpoint's note: a line, with its end. The text ends with a newline; what follows from
/// signing is the witness's business ([`crate::Witness`]).
pub(crate) fn cosign_text(text: &str, name: &str, key: &SigningKey, unix_seconds: u64) -> String {
    let unix_seconds = unix_seconds.min(SECONDS_MAX);
    let mut bytes = note::key_id(COSIGNATURE, name, &key.verifying_key()).to_vec();
    bytes.extend_from_slice(&unix_seconds.to_be_bytes());
    bytes.extend_from_slice(&key.sign(&signed(text, unix_seconds)));
    note::signature_line(name, &bytes)
}

/// The line with which `name` cosigns a note at this time. It looks at nothing: a witness that must not sign two
/// histories is [`crate::Witness`].
///
/// # Errors
/// [`NoteError`] where this is no note, or the name cannot stand in one.
pub fn cosign(
    note: &str,
    name: &str,
    key: &SigningKey,
    unix_seconds: u64,
) -> Result<String, NoteError> {
    note::check_name(name)?;
    Ok(cosign_text(note::split_note(note)?.0, name, key, unix_seconds))
}

/// What these witnesses said under a note: for each of their keys its latest line that verifies, with the line's end. Lines of
/// others, and lines that do not verify, are passed over: who took the note from a stranger may drop them.
///
/// # Errors
/// [`NoteError`] where this is no note.
pub fn lines_by<'w, 'n>(
    note: &'n str,
    witnesses: &'w [WitnessKey],
) -> Result<Vec<(&'w WitnessKey, &'n str)>, NoteError> {
    let (text, lines) = note::split_note(note)?;
    let mut found: Vec<(&WitnessKey, u64, &str)> = Vec::new();
    for line in lines.split_inclusive('\n') {
        let (name, _) = note::parse_signature(line.trim_end_matches('\n'))?;
        for witness in witnesses.iter().filter(|it| it.name == name) {
            let Ok(Cosignature { unix_seconds }) = witness.verify_lines(text, line) else {
                continue;
            };
            match found.iter_mut().find(|(known, _, _)| known.key == witness.key) {
                Some(known) if known.1 < unix_seconds => *known = (witness, unix_seconds, line),
                Some(_) => {}
                None => found.push((witness, unix_seconds, line)),
            }
        }
    }
    Ok(found.into_iter().map(|(witness, _, line)| (witness, line)).collect())
}

/// A note with more signature lines under it.
///
/// # Errors
/// [`NoteError`] where it would be too long, have too many, or a line is none.
pub fn with_lines(note: &str, lines: &str) -> Result<String, NoteError> {
    note::split_note(note)?;
    for line in lines.split_terminator('\n') {
        note::parse_signature(line)?;
    }
    let whole = format!("{note}{lines}");
    note::split_note(&whole)?;
    Ok(whole)
}

/// What is signed for a checkpoint's text.
fn signed(text: &str, unix_seconds: u64) -> Vec<u8> {
    format!("{FIRST_LINE}\ntime {unix_seconds}\n{text}").into_bytes()
}

/// No log may have this for its name: its checkpoints could be taken for cosignatures.
pub(crate) const FIRST_LINE: &str = "cosignature/v1";
/// The last second of the year 9999.
const SECONDS_MAX: u64 = 253_402_300_799;
