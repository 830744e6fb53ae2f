//! A witness: it signs that a log's checkpoint continues the one before, and never two that do not
//! (`specs/witness.md`).

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_codec::Digest32;
use symbolon_crypto::{SigningKey, VerifyingKey};

use crate::add_checkpoint::{AddCheckpoint, AddCheckpointError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::{FIRST_LINE, WitnessKey, cosign_text};
use crate::handover::{Handover, Succession, SuccessionError};
use crate::hash::empty_root;
use crate::note::{NoteError, parse_vkey, split_note};
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

    /// The keys that the log was followed to, where its key ever gave way. What cannot be read is an error, and never
    /// nothing.
    fn keys(&self, origin: &str) -> io::Result<Option<Succession>>;

    /// Keeps them, so that they survive the loss of power before this returns; false, and nothing is changed, where what is
    /// there by now is not what they go on from.
    fn follow(&self, keys: &Succession) -> io::Result<bool>;
}

impl<S: WitnessStore + ?Sized> WitnessStore for Arc<S> {
    fn latest(&self, origin: &str) -> io::Result<Option<Head>> {
        (**self).latest(origin)
    }
    fn advance(&self, origin: &str, from: Option<&Head>, to: &Head) -> io::Result<bool> {
        (**self).advance(origin, from, to)
    }
    fn keys(&self, origin: &str) -> io::Result<Option<Succession>> {
        (**self).keys(origin)
    }
    fn follow(&self, keys: &Succession) -> io::Result<bool> {
        (**self).follow(keys)
    }
}

/// A log that a witness signs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedLog {
    /// Its name and keys, as its operator gave them.
    keys: Succession,
}

impl WatchedLog {
    /// Of this name, with this key.
    pub fn new(origin: &str, key: VerifyingKey) -> Self {
        Self { keys: Succession::new(origin, key) }
    }

    /// Of an operator's `operator.pub`, or of its `operator.succession`.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SuccessionError> {
        match parse_vkey(String::from_utf8_lossy(bytes).trim()) {
            Ok((origin, key)) => Ok(Self::new(&origin, key)),
            Err(_) if bytes.first() == Some(&b'{') => Ok(Succession::parse(bytes)?.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        self.keys.origin()
    }
}

impl From<Succession> for WatchedLog {
    fn from(keys: Succession) -> Self {
        Self { keys }
    }
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
    /// The handover to another key has not the right form, or that one did not sign it.
    #[error("{0}")]
    Handover(SuccessionError),
    /// It was followed to other keys than the ones that were given for it.
    #[error("the log {origin} was followed to other keys than this witness was given for it")]
    Keys {
        /// Its name.
        origin: String,
    },
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
    /// One request at a time from the keys that it is held against to the head that is written: a log with two histories must
    /// not be followed to a key in the one while the head of the other comes between.
    turn: Mutex<()>,
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
        if logs.iter().any(|log| log.origin() == FIRST_LINE) {
            return Err(NoteError::Name);
        }
        Ok(Self { public, key, logs, store, turn: Mutex::default() })
    }

    /// Its name and public key.
    pub fn public(&self) -> &WitnessKey {
        &self.public
    }

    /// Its memory.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// What the first log was followed to that was given with other keys: nothing that it shows will be signed. To be asked
    /// before anybody is answered.
    pub fn other_keys(&self) -> Option<Succession> {
        self.logs.iter().find_map(|log| {
            // A file that is damaged stops its log when that one asks.
            let kept = self.store.keys(log.origin()).ok().flatten();
            kept.filter(|kept| together(kept, &log.keys).is_none())
        })
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
        let log = self.logs.iter().find(|log| log.origin() == claimed.origin);
        let log = log.ok_or(WitnessRefusal::UnknownLog { origin: claimed.origin })?;
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = self.keys(log)?;
        let (checkpoint, _) = keys.open_signed(&note).map_err(WitnessRefusal::Signature)?;
        let to = Head { size: checkpoint.size, root: checkpoint.root };
        let next = followed(&keys, &note).map_err(WitnessRefusal::Handover)?;
        let agrees = keys.agrees(&checkpoint);
        self.remember(log.origin(), old, to, &proof, (agrees, next.as_ref()))?;
        drop(turn);
        let (text, _) = split_note(&note).map_err(|e| WitnessRefusal::Form(e.into()))?;
        Ok(cosign_text(text, self.public.name(), &self.key, unix_seconds))
    }

    /// The keys that count for a log: those that it was followed to, or those that were given where these say more.
    fn keys(&self, log: &WatchedLog) -> Result<Succession, WitnessRefusal> {
        let Some(known) = self.store.keys(log.origin()).map_err(WitnessRefusal::Store)? else {
            return Ok(log.keys.clone());
        };
        let keys = together(&known, &log.keys).cloned();
        keys.ok_or_else(|| WitnessRefusal::Keys { origin: log.origin().to_owned() })
    }

    /// After this the head, or one that continues it, is what the store has; and the next key, where the log goes on with
    /// another.
    fn remember(
        &self,
        origin: &str,
        old: u64,
        to: Head,
        proof: &[Digest32],
        (agrees, next): (Result<(), CheckpointError>, Option<&Succession>),
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
        // After the size, which the log is told where it asks with another, and after the head's own root.
        agrees.map_err(WitnessRefusal::Signature)?;
        match (has, proof.len()) {
            // Every tree continues the empty one.
            (0, 0) => {}
            (0, found) => return Err(ProofError::Length { found, expected: 0 }.into()),
            _ => verify_consistency(has, to.size, proof, &from_root, &to.root)?,
        }
        // Before the head: who is stopped between the two is asked for the same head again.
        if let Some(next) = next
            && !self.store.follow(next).map_err(WitnessRefusal::Store)?
        {
            return Err(WitnessRefusal::Keys { origin: origin.to_owned() });
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

/// Of two lines the one that goes on from the other.
fn together<'a>(kept: &'a Succession, given: &'a Succession) -> Option<&'a Succession> {
    match () {
        () if kept.goes_on_from(given) => Some(kept),
        () if given.goes_on_from(kept) => Some(given),
        () => None,
    }
}

/// The keys with the next one, where this note is the handover of the newest.
fn followed(keys: &Succession, note: &str) -> Result<Option<Succession>, SuccessionError> {
    if !Handover::may_be(note) {
        return Ok(None);
    }
    match Handover::open(note, keys.newest(), keys.origin()) {
        Ok(handover) => {
            let mut next = keys.clone();
            match next.push(handover) {
                Ok(()) => Ok(Some(next)),
                // No handover: two histories, which is said where the roots are compared.
                Err(SuccessionError::Checkpoint(CheckpointError::TwoRoots { .. })) => Ok(None),
                Err(error) => Err(error),
            }
        }
        // One as any other, one of before, and the one that this key began with.
        Err(SuccessionError::Successor | SuccessionError::Again) => Ok(None),
        Err(SuccessionError::Checkpoint(CheckpointError::Note(NoteError::Unsigned { .. }))) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
