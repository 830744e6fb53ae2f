//! What can go wrong with a log.

use std::io;
use std::sync::Arc;

use crate::checkpoint::CheckpointError;
use crate::note::NoteError;
use crate::proof::ProofError;

/// Why the log did not do what it was asked. Never carries an entry's bytes.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Caller: an entry has 1 to 65,535 bytes.
    #[error("an entry has 1 to 65535 bytes, this one {found}")]
    EntryLength {
        /// Bytes given.
        found: usize,
    },
    /// Environment: entries come faster than they are written. Write (`hand_over`) and try again.
    #[error("{waiting} bytes wait to be written; no more are taken")]
    Backlog {
        /// Bytes that wait.
        waiting: usize,
    },
    /// Environment: the disk refused. After a write or sync of entries the log is poisoned.
    #[error("the log's storage failed to {action}: {source}")]
    Storage {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Environment: an earlier write or sync failed, so nothing is known about the file until the
    /// log is opened again.
    #[error("the log stopped and must be opened again: {cause}")]
    Poisoned {
        /// The failure that stopped it.
        cause: Arc<str>,
    },
    /// Caller: the log was closed; nothing more is taken.
    #[error("the log is closed")]
    Closed,
    /// Caller: no such entry.
    #[error("there is no entry {index} in {size}")]
    NoEntry {
        /// The entry asked for.
        index: u64,
        /// Entries there are.
        size: u64,
    },
    /// Caller: no key was given, so nothing can be signed.
    #[error("the log has no signing key yet")]
    NoKey,
    /// Caller: a name that cannot be a log's.
    #[error(transparent)]
    Name(#[from] NoteError),
    /// Damage: the stored checkpoint is not this log's, or its signature does not verify.
    #[error("the stored checkpoint is refused: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Damage: the file of entries does not begin as one.
    #[error("the file of entries does not begin with symbolon/log/v1")]
    Format,
    /// Damage: an entry that the checkpoint covers has been changed, moved or removed.
    #[error(
        "entry {index}, at byte {offset} of the file of entries, is damaged; the checkpoint covers {covered} entries"
    )]
    Damaged {
        /// The first entry that does not pass.
        index: u64,
        /// Where it starts.
        offset: u64,
        /// Entries that the checkpoint covers.
        covered: u64,
    },
    /// Damage: the file of entries ends before the checkpoint does.
    #[error("the file of entries ends after {found} entries; the checkpoint covers {covered}")]
    Truncated {
        /// Entries that are there.
        found: u64,
        /// Entries that the checkpoint covers.
        covered: u64,
    },
    /// Caller: the shard with this entry was taken away.
    #[error(
        "entry {index} was taken away with the shard {shard}; entries from {first} on are here"
    )]
    TakenAway {
        /// The entry asked for.
        index: u64,
        /// The first one that is there.
        first: u64,
        /// The shard that it is in.
        shard: String,
    },
    /// Caller: what was asked of this shard cannot be done.
    #[error("the shard {shard} {why}")]
    Shard {
        /// Its name.
        shard: String,
        /// Why not.
        why: &'static str,
    },
    /// Damage: the list of shards.
    #[error("the log's list of shards: {0}")]
    Shards(&'static str),
    /// Damage: hashes of entries that were taken away, which only a backup has.
    #[error("the hashes of entries before {before}, which were taken away, are gone or damaged")]
    Hashes {
        /// The first entry that is there.
        before: u64,
    },
    /// Damage: every record passes, and together they give another root than the one signed:
    /// somebody has rewritten the file.
    #[error("the first {size} entries do not give the root in the checkpoint")]
    Root {
        /// Entries that the checkpoint covers.
        size: u64,
    },
    /// Damage or a bug: a proof that was just made does not verify.
    #[error("a proof made from the stored tiles does not verify: {0}")]
    Proof(#[from] ProofError),
}

impl LogError {
    pub(crate) fn storage(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Storage { action, source: Arc::new(source) }
    }
}
