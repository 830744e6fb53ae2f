//! A witness: it signs that a log's checkpoint continues the one before, and never two that do not
//! (`specs/witness.md`).

use std::io;
use std::sync::Arc;

use symbolon_codec::Digest32;
use symbolon_crypto::{SigningKey, VerifyingKey};

use crate::add_checkpoint::{AddCheckpoint, AddCheckpointError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::{FIRST_LINE, WitnessKey, cosign_text};
use crate::hash::empty_root;
use crate::note::{NoteError, split_note};
use crate::proof::{ProofError, verify_consistency};

/// How far a witness has seen one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// The tree's root.
    pub root: Digest32,
}

/// Where a witness remembers what it signed.
pub trait WitnessStore: Send + Sync {
    /// The last head of a log, or nothing where it was never seen. What cannot be read is an error, and never nothing.
    fn latest(&self, origin: &str) -> io::Result<Option<Head>>;

    /// Puts `to` in place of `from`, so that it survives the loss of power before this returns; false, and nothing is
    /// changed, where something else is there by now. After an error either may be there.
    fn advance(&self, origin: &str, from: Option<&Head>, to: &Head) -> io::Result<bool>;
}

impl<S: WitnessStore + ?Sized> WitnessStore for Arc<S> {
    fn latest(&self, origin: &str) -> io::Result<Option<Head>> {
        (**self).latest(origin)
    }
    fn advance(&self, origin: &str, from: Option<&Head>, to: &Head) -> io::Result<bool> {
        (**self).advance(origin, from, to)
    }
}

/// A log that a witness signs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedLog {
    /// The log's name.
    pub origin: String,
    /// Its key.
    pub key: VerifyingKey,
}

/// Why a witness did not sign. In the order in which things are checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessRefusal {
    /// The request, or the checkpoint in it, has not the right form.
    #[error("{0}")]
    Request(#[from] AddCheckpointError),
    /// The checkpoint has not the right form.
    #[error("{0}")]
    Form(CheckpointError),
    /// The request's old size is above the checkpoint's.
    #[error("the old size {old} is above the checkpoint's {new}")]
    Backwards {
        /// The request's old size.
        old: u64,
        /// The checkpoint's.
        new: u64,
    },
    /// The log is none of those that are watched.
    #[error("the log {origin} is not one that this witness watches")]
    UnknownLog {
        /// Its name.
        origin: String,
    },
    /// The log's key did not sign.
    #[error("{0}")]
    Signature(CheckpointError),
    /// The witness has another size than the request says.
    #[error("this witness has seen {size} entries")]
    Size {
        /// Its size.
        size: u64,
    },
    /// The same size, signed with another root: the log has two histories.
    #[error("the log {origin} signed two roots for {size} entries")]
    Forked {
        /// Its name.
        origin: String,
        /// The size.
        size: u64,
    },
    /// The checkpoint is not shown to continue the one before.
    #[error("the checkpoint is not shown to continue the last: {0}")]
    Proof(#[from] ProofError),
    /// What was seen cannot be read or written.
    #[error("the witness's memory failed")]
    Store(#[source] io::Error),
}

/// The logs that it watches, its key, its memory.
pub struct Witness<S> {
    public: WitnessKey,
    key: SigningKey,
    logs: Vec<WatchedLog>,
    store: S,
}

impl<S: WitnessStore> Witness<S> {
    /// A witness of these logs.
    ///
    /// # Errors
    /// [`NoteError::Name`] for a name that cannot stand in a note, and for a log whose checkpoints could be taken
    /// for cosignatures.
    pub fn new(
        name: &str,
        key: SigningKey,
        logs: Vec<WatchedLog>,
        store: S,
    ) -> Result<Self, NoteError> {
        let public = WitnessKey::new(name, key.verifying_key())?;
        if logs.iter().any(|log| log.origin == FIRST_LINE) {
            return Err(NoteError::Name);
        }
        Ok(Self { public, key, logs, store })
    }

    /// Its name and public key.
    pub fn public(&self) -> &WitnessKey {
        &self.public
    }

    /// Its memory.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Takes a log's request, and gives the line that cosigns its checkpoint. What is signed stands in the store first.
    ///
    /// # Errors
    /// [`WitnessRefusal`]: the first check that fails.
    pub fn add_checkpoint(&self, body: &[u8], unix_seconds: u64) -> Result<String, WitnessRefusal> {
        let AddCheckpoint { old, proof, note } = AddCheckpoint::parse(body)?;
        let claimed = Checkpoint::dangerous_read_unverified(&note).map_err(WitnessRefusal::Form)?;
        if old > claimed.size {
            return Err(WitnessRefusal::Backwards { old, new: claimed.size });
        }
        let log = self.logs.iter().find(|log| log.origin == claimed.origin);
        let log = log.ok_or(WitnessRefusal::UnknownLog { origin: claimed.origin })?;
        let opened = Checkpoint::open(&note, &log.key, &log.origin);
        let checkpoint = opened.map_err(WitnessRefusal::Signature)?;
        let to = Head { size: checkpoint.size, root: checkpoint.root };
        self.remember(&log.origin, old, to, &proof)?;
        let (text, _) = split_note(&note).map_err(|e| WitnessRefusal::Form(e.into()))?;
        Ok(cosign_text(text, self.public.name(), &self.key, unix_seconds))
    }

    /// After this the head, or one that continues it, is what the store has.
    fn remember(
        &self,
        origin: &str,
        old: u64,
        to: Head,
        proof: &[Digest32],
    ) -> Result<(), WitnessRefusal> {
        let from = self.store.latest(origin).map_err(WitnessRefusal::Store)?;
        let has = from.map_or(0, |head| head.size);
        if has != old {
            return Err(WitnessRefusal::Size { size: has });
        }
        let from_root = from.map_or_else(empty_root, |head| head.root);
        if has == to.size && from_root != to.root {
            return Err(WitnessRefusal::Forked { origin: origin.to_owned(), size: has });
        }
        match (has, proof.len()) {
            // Every tree continues the empty one.
            (0, 0) => {}
            (0, found) => return Err(ProofError::Length { found, expected: 0 }.into()),
            _ => verify_consistency(has, to.size, proof, &from_root, &to.root)?,
        }
        if from == Some(to) {
            return Ok(());
        }
        if self.store.advance(origin, from.as_ref(), &to).map_err(WitnessRefusal::Store)? {
            return Ok(());
        }
        // Another request was quicker. What this one brought was checked against what is no longer there.
        let now = self.store.latest(origin).map_err(WitnessRefusal::Store)?;
        Err(WitnessRefusal::Size { size: now.map_or(0, |head| head.size) })
    }
}
