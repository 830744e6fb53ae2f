//! An act with its signatures, as a log has it.

use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::labels;

use crate::{Act, LOG_BYTES_MAX};

/// The longest entry, in bytes: a transfer in a log of the longest name.
pub const ENTRY_BYTES_MAX: usize = 768 + LOG_BYTES_MAX;

/// Why bytes are no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not the bytes of an act.
    #[error("these are no act of an owner: {0}")]
    Form(#[from] CodecError),
    /// The signature is not of this act by its key.
    #[error("the act is not signed by the key that it names")]
    Signature,
    /// A transfer that the next owner did not accept, or an acceptance of something else.
    #[error("the transfer is not accepted by the next owner's key")]
    Acceptance,
}

/// An act whose signatures are valid. Only [`Entry::new`] and [`Entry::parse`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    at_unix_ms: u64,
    act: Act,
    signature: [u8; 64],
    acceptance: Option<[u8; 64]>,
}

impl Entry {
    /// Checks the signatures.
    ///
    /// # Errors
    /// [`EntryError::Signature`], [`EntryError::Acceptance`].
    pub fn new(
        at_unix_ms: u64,
        act: Act,
        signature: [u8; 64],
        acceptance: Option<[u8; 64]>,
    ) -> Result<Self, EntryError> {
        act.signer().verify(&act.write(), &signature).map_err(|_| EntryError::Signature)?;
        match (&act, &acceptance) {
            (Act::Transfer(it), Some(by_next)) => {
                let accepted = it.next.verify(&act.acceptance(), by_next);
                accepted.map_err(|_| EntryError::Acceptance)?;
            }
            (Act::Transfer(_), None) | (_, Some(_)) => return Err(EntryError::Acceptance),
            (_, None) => {}
        }
        Ok(Self { at_unix_ms, act, signature, acceptance })
    }

    /// Reads an entry of a log, and checks its signatures.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut r = FieldsReader::new(labels::AUTHORSHIP_ENTRY.as_str(), bytes)?;
        let at_unix_ms = r.u64()?;
        let act = Act::parse(r.bytes(ENTRY_BYTES_MAX)?)?;
        let signature = r.array()?;
        let acceptance = match r.bytes(64)? {
            [] => None,
            some => Some(some.try_into().map_err(|_| CodecError::Truncated)?),
        };
        r.end()?;
        Self::new(at_unix_ms, act, signature, acceptance)
    }

    /// Whether an entry of a log says that it is one, without any check.
    pub fn is(bytes: &[u8]) -> bool {
        FieldsReader::new(labels::AUTHORSHIP_ENTRY.as_str(), bytes).is_ok()
    }

    /// The entry's bytes.
    pub fn write(&self) -> Vec<u8> {
        Fields::new(labels::AUTHORSHIP_ENTRY.as_str())
            .u64(self.at_unix_ms)
            .bytes(&self.act.write())
            .bytes(&self.signature)
            .bytes(self.acceptance.as_ref().map_or(&[], |bytes| &bytes[..]))
            .finish()
    }

    /// When the server took it, in Unix milliseconds.
    pub const fn at_unix_ms(&self) -> u64 {
        self.at_unix_ms
    }

    /// What was done.
    pub const fn act(&self) -> &Act {
        &self.act
    }
}
