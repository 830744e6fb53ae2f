//! The home's own log, read as another process does, up to what a signed checkpoint covers: that is on the disk.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{Checkpoint, Follower, LogError, Storage};
use symbolon_mesh::{Input, LogName};
use symbolon_store::{Home, LogStorage};

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OwnError {
    /// Its records.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its checkpoint.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] std::io::Error),
    /// The home's operator has another key than the one that this log is published under.
    #[error("the operator's key gave way to another; next: symbolon node run, once more")]
    GaveWay,
}

/// A log that somebody else writes.
pub(crate) struct Own {
    name: LogName,
    storage: Arc<LogStorage>,
    witnessed: PathBuf,
    /// `operator.pub`.
    pinned: PathBuf,
    follower: Option<Follower<Arc<LogStorage>>>,
    told: Option<Checkpoint>,
    /// What witnesses said, as it was told.
    cosigned: Option<String>,
}

impl Own {
    /// The log of a home, by the key that it has now.
    pub(crate) fn new(name: LogName, storage: LogStorage, home: &Home) -> Self {
        let (witnessed, pinned) = (home.log().join("checkpoint.cosigned"), home.operator_pub());
        let storage = Arc::new(storage);
        Self { name, storage, witnessed, pinned, follower: None, told: None, cosigned: None }
    }

    pub(crate) fn name(&self) -> &LogName {
        &self.name
    }

    /// Reads it. A storage that answers over a network is waited for where no other task of the thread waits too.
    pub(crate) fn read<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        match self.storage.is_quick() {
            true => read(self),
            false => tokio::task::block_in_place(|| read(self)),
        }
    }

    /// What there is beyond `from`, at most [`ENTRIES_MAX`] entries of it; nothing where there is nothing new. The note
    /// stands with the last.
    ///
    /// # Errors
    /// [`OwnError`].
    pub(crate) fn grown(&mut self, from: u64) -> Result<Option<Input>, OwnError> {
        let Some((checkpoint, note)) = self.newest()? else { return Ok(None) };
        if self.told.as_ref() == Some(&checkpoint) && from >= checkpoint.size {
            return Ok(None);
        }
        let until = checkpoint.size.min(from.saturating_add(ENTRIES_MAX));
        let mut entries = Vec::new();
        if until > from {
            let follower = match self.follower.take() {
                Some(follower) if follower.next() == from => follower,
                _ => Follower::open(self.storage.clone(), self.name.origin(), from)?,
            };
            let follower = self.follower.insert(follower);
            follower.read(until, |_, entry, _| {
                entries.push(entry.to_vec());
                true
            })?;
        }
        let is_all = from + entries.len() as u64 == checkpoint.size;
        let note = is_all.then_some(note);
        if is_all {
            self.told = Some(checkpoint);
        }
        Ok(Some(Input::Grown { log: self.name.id(), from, entries, note }))
    }

    /// What witnesses said since it was told last, of a checkpoint that was told before.
    ///
    /// # Errors
    /// [`OwnError`].
    pub(crate) fn cosigned(&mut self) -> Result<Option<Input>, OwnError> {
        let told = self.told.as_ref().map_or(0, |told| told.size);
        let bytes = match std::fs::read(&self.witnessed) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let Some((checkpoint, note)) = self.opened(bytes) else { return Ok(None) };
        if checkpoint.size > told || self.cosigned.as_ref() == Some(&note) {
            return Ok(None);
        }
        self.cosigned = Some(note.clone());
        Ok(Some(Input::Cosigned { log: self.name.id(), note }))
    }

    fn newest(&self) -> Result<Option<(Checkpoint, String)>, OwnError> {
        let bytes = self.storage.get("checkpoint", NOTE_BYTES_MAX as u64 + 1)?;
        match self.opened(bytes) {
            None if self.gave_way() => Err(OwnError::GaveWay),
            opened => Ok(opened),
        }
    }

    fn gave_way(&self) -> bool {
        let pinned = std::fs::read_to_string(&self.pinned).ok();
        let pinned = pinned.and_then(|text| LogName::parse(text.trim()).ok());
        pinned.is_some_and(|name| name != self.name)
    }

    /// One that is not signed yet, or not whole, is there a moment later.
    fn opened(&self, bytes: Option<Vec<u8>>) -> Option<(Checkpoint, String)> {
        let note = String::from_utf8(bytes?).ok()?;
        let opened = Checkpoint::open(&note, self.name.operator(), self.name.origin());
        opened.ok().map(|checkpoint| (checkpoint, note))
    }
}

/// Entries that are handed over at once.
const ENTRIES_MAX: u64 = 256;
