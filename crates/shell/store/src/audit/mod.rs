//! The audit's folder: what the log says, as files that can be searched (`specs/audit.md`).
//!
//! It reads the log's files as any other process could, and shares no lock with the log that writes them.

mod compact;
mod files;
mod follow;
mod keeper;
mod known;
mod query;
mod verify;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use symbolon_audit::AuditError;
use symbolon_crypto::VerifyingKey;
use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{
    Checkpoint, CheckpointError, Follower, LogError, NoteError, Storage, parse_vkey,
};

use crate::faults::{Faults, Op};
use crate::folder::make_folder;
use crate::home::Home;
use crate::log_storage::{LogPlace, LogStorage};

pub use compact::Compacted;
pub use keeper::{Keeper, lower_priority};
pub use query::{Answer, Archive};
pub use verify::{Checked, Proof};

/// Why the audit does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditFault {
    /// Environment: a file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Damage: a file of the audit is not what was written.
    #[error("incomplete: {name} was changed or damaged: {source}")]
    File {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: AuditError,
    },
    /// Damage: the file holds other entries than the log has, though in itself it is whole.
    #[error("incomplete: {name} holds other entries than the log")]
    Differs {
        /// Its name.
        name: String,
    },
    /// Damage: two files hold the same entry.
    #[error("{name} begins before the file ahead of it ends")]
    Overlap {
        /// Name of the later one.
        name: String,
    },
    /// Damage: the log's entries do not give the root that its checkpoint has.
    #[error(
        "incomplete: the first {size} entries of the log do not give the root in its checkpoint"
    )]
    Root {
        /// Entries that the checkpoint covers.
        size: u64,
    },
    /// Damage: the log has fewer entries than the audit: it was cut, or put back from a backup.
    #[error("incomplete: the log's checkpoint covers {covered} entries, and the audit has {found}")]
    Behind {
        /// Entries that the checkpoint covers.
        covered: u64,
        /// Entries that the audit's files hold.
        found: u64,
    },
    /// Damage: the log's checkpoint or its key.
    #[error("the log's checkpoint is refused: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Damage: the key that checkpoints are checked with.
    #[error("operator.pub: {0}")]
    Operator(#[from] NoteError),
    /// What reading the log gives.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Caller: asked to stop.
    #[error("stopped")]
    Stopped,
}

impl AuditFault {
    /// Whether it says that something is missing, changed or too much.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Self::Io { .. } | Self::Stopped | Self::Log(LogError::Storage { .. }))
    }

    fn io(path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Tells the disk's fault from a file's.
    fn of(path: &Path, source: AuditError) -> Self {
        match source {
            AuditError::Io(source) => Self::Io { path: path.to_owned(), source },
            source => Self::File { name: name_of(path), source },
        }
    }
}

/// The audit of one home. Any process of the owner may open it, beside a broker or without one.
#[derive(Clone)]
pub struct Audit {
    folder: PathBuf,
    log: PathBuf,
    place: LogPlace,
    /// A database's, opened when it is first read, for all clones.
    storage: Arc<OnceLock<Arc<LogStorage>>>,
    origin: String,
    operator: VerifyingKey,
    stop: Arc<AtomicBool>,
    faults: Faults,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Told how far long work is: entries done, and to do.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

impl Audit {
    /// Reads the operator's public key, which names the log. Needs no open vault.
    ///
    /// # Errors
    /// [`AuditFault::Io`] or [`AuditFault::Operator`].
    pub fn open(home: &Home) -> Result<Self, AuditFault> {
        Self::open_with(home, Faults::none())
    }

    /// As [`Audit::open`], failing as planned.
    ///
    /// # Errors
    /// As [`Audit::open`].
    pub fn open_with(home: &Home, faults: Faults) -> Result<Self, AuditFault> {
        let path = home.operator_pub();
        let text = std::fs::read_to_string(&path).map_err(AuditFault::io(&path))?;
        let (origin, operator) = parse_vkey(text.trim_end())?;
        let (folder, log) = (home.audit(), home.log());
        let place = LogPlace::of(home).map_err(|e| AuditFault::io(&log)(e.into()))?;
        let (storage, stop) = (Arc::default(), Arc::default());
        Ok(Self { folder, log, place, storage, origin, operator, stop, faults })
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has work on the way end at the next entry, in every clone.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    fn check_stop(&self) -> Result<(), AuditFault> {
        if self.stop.load(Relaxed) { Err(AuditFault::Stopped) } else { Ok(()) }
    }

    /// The last checkpoint that the operator signed; `None` where none was yet.
    ///
    /// # Errors
    /// [`AuditFault::Checkpoint`] or [`AuditFault::Io`].
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, AuditFault> {
        let path = self.log.join("checkpoint");
        let text = self.storage()?.get("checkpoint", NOTE_BYTES_MAX as u64 + 1);
        let Some(text) = text.map_err(AuditFault::io(&path))? else { return Ok(None) };
        let text = String::from_utf8(text).map_err(|_| CheckpointError::Line("text"))?;
        Ok(Some(Checkpoint::open(&text, &self.operator, &self.origin)?))
    }

    /// The log from an entry on.
    fn follower(&self, next: u64) -> Result<Follower<Arc<LogStorage>>, AuditFault> {
        Ok(Follower::open(self.storage()?, &self.origin, next)?)
    }

    /// The log's, as one who reads it.
    fn storage(&self) -> Result<Arc<LogStorage>, AuditFault> {
        if let Some(storage) = self.storage.get() {
            return Ok(storage.clone());
        }
        let opened = self.place.reader(&self.origin).map_err(AuditFault::io(&self.log))?;
        let opened = Arc::new(opened);
        // A folder is opened each time, as it is then; a connection is kept.
        match &self.place {
            LogPlace::Folder(_) => Ok(opened),
            LogPlace::Postgres(_) => Ok(self.storage.get_or_init(|| opened).clone()),
        }
    }

    /// Whether there are entries to read.
    fn is_begun(&self) -> Result<bool, AuditFault> {
        let is_empty = self.storage()?.is_empty().map_err(AuditFault::io(&self.log))?;
        Ok(!is_empty)
    }

    /// One writer at a time, of all processes. `None` where another is at work and `wait` is false.
    fn lock(&self, wait: bool) -> Result<Option<File>, AuditFault> {
        make_folder(&self.folder).map_err(AuditFault::io(&self.folder))?;
        let path = self.folder.join("lock");
        let file = files::private().create(true).truncate(false).open(&path);
        let file = file.map_err(AuditFault::io(&path))?;
        match (wait, file.try_lock()) {
            (_, Ok(())) => Ok(Some(file)),
            (false, Err(TryLockError::WouldBlock)) => Ok(None),
            (true, Err(TryLockError::WouldBlock)) => {
                file.lock().map_err(AuditFault::io(&path))?;
                Ok(Some(file))
            }
            (_, Err(TryLockError::Error(source))) => Err(AuditFault::Io { path, source }),
        }
    }

    /// Before each step that changes a file.
    fn step(&self, path: &Path) -> Result<(), AuditFault> {
        self.planned().map_err(AuditFault::io(path))
    }

    fn planned(&self) -> io::Result<()> {
        self.faults.next(Op::Audit).map_or(Ok(()), |fault| Err(fault.error()))
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
