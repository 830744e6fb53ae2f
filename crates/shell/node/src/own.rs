//! The home's own log, read as another process does, up to what a signed checkpoint covers: that is on the disk.

use std::sync::Arc;

use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{Checkpoint, Follower, LogError, Storage};
use symbolon_mesh::{Input, LogName};
use symbolon_store::FolderStorage;

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OwnError {
    /// Its records.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its checkpoint.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] std::io::Error),
}

/// A log that somebody else writes.
pub(crate) struct Own {
    name: LogName,
    storage: Arc<FolderStorage>,
    follower: Option<Follower<Arc<FolderStorage>>>,
    told: Option<Checkpoint>,
}

impl Own {
    pub(crate) fn new(name: LogName, storage: FolderStorage) -> Self {
        Self { name, storage: Arc::new(storage), follower: None, told: None }
    }

    pub(crate) fn name(&self) -> &LogName {
        &self.name
    }

    /// What there is beyond `from`, at most [`ENTRIES_MAX`] entries of it; nothing where there is nothing new. The note
    /// stands with the last.
    ///
    /// # Errors
    /// [`OwnError`].
    pub(crate) fn grown(&mut self, from: u64) -> Result<Option<Input>, OwnError> {
        let Some((checkpoint, note)) = self.checkpoint()? else { return Ok(None) };
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

    fn checkpoint(&self) -> Result<Option<(Checkpoint, String)>, OwnError> {
        let bytes = self.storage.get("checkpoint", NOTE_BYTES_MAX as u64 + 1);
        let note = bytes?.and_then(|bytes| String::from_utf8(bytes).ok());
        // One that is not signed yet, or not whole, is there a moment later.
        Ok(note.and_then(|note| {
            let opened = Checkpoint::open(&note, self.name.operator(), self.name.origin());
            opened.ok().map(|checkpoint| (checkpoint, note))
        }))
    }
}

/// Entries that are handed over at once.
const ENTRIES_MAX: u64 = 256;
