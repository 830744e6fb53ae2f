//! What witnesses said of this log's checkpoints.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon_crypto::VerifyingKey;
use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{Checkpoint, WitnessKey, with_lines};
use symbolon_store::replace_file;

/// The newest cosigned checkpoint, and the newest that enough witnesses signed: in memory, and as files beside the log,
/// which are only a cache of what witnesses said.
#[derive(Debug)]
pub struct Gathered {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    cosigned: Option<Signed>,
    last: Option<Signed>,
    /// Those of the last minute or so, to which lines still come.
    fresh: Vec<Signed>,
}

#[derive(Debug, Clone)]
struct Signed {
    checkpoint: Checkpoint,
    note: String,
}

impl Signed {
    /// Lines under the note beside the log's own: one, or two where its key gave way to another.
    fn count(&self) -> usize {
        let own = format!("\u{2014} {} ", self.checkpoint.origin);
        let lines = self.note.rsplit_once("\n\n").map_or("", |(_, lines)| lines);
        lines.lines().filter(|line| !line.starts_with(&own)).count()
    }
}

impl Gathered {
    /// Reads what was kept in the log's folder. What is damaged or another log's is as good as nothing: witnesses are
    /// asked again.
    pub fn open(folder: &Path, origin: &str, key: &VerifyingKey) -> Self {
        let read = |name: &str| {
            let bytes = std::fs::read(folder.join(name)).ok().filter(|b| b.len() <= NOTE_BYTES_MAX);
            let note = String::from_utf8(bytes?).ok()?;
            let checkpoint = Checkpoint::open(&note, key, origin).ok()?;
            Some(Signed { checkpoint, note })
        };
        let (cosigned, last) = (read(COSIGNED), read(FINAL));
        let fresh = cosigned.iter().cloned().collect();
        Self { folder: folder.to_owned(), inner: Mutex::new(Inner { cosigned, last, fresh }) }
    }

    /// The best note for an entry: the newest that enough witnesses signed, if it covers the entry, else the newest that
    /// any did.
    pub fn covering(&self, index: u64) -> Option<String> {
        let inner = self.lock();
        let best = [&inner.last, &inner.cosigned].into_iter().flatten();
        let mut best = best.filter(|signed| index < signed.checkpoint.size);
        best.next().map(|signed| signed.note.clone())
    }

    /// Whether this witness's line stands under the checkpoint already.
    pub(crate) fn has(&self, checkpoint: &Checkpoint, witness: &WitnessKey) -> bool {
        let inner = self.lock();
        let mut fresh = inner.fresh.iter().filter(|signed| signed.checkpoint == *checkpoint);
        fresh.any(|signed| witness.verify(&signed.note).is_ok())
    }

    /// How many witnesses signed the checkpoint.
    pub(crate) fn count(&self, checkpoint: &Checkpoint) -> usize {
        let inner = self.lock();
        let signed = inner.fresh.iter().find(|signed| signed.checkpoint == *checkpoint);
        signed.map_or(0, Signed::count)
    }

    /// Keeps a witness's lines under the checkpoint that it signed; they were verified.
    pub(crate) fn add(
        &self,
        checkpoint: &Checkpoint,
        note: &str,
        witness: &WitnessKey,
        lines: &str,
    ) -> io::Result<()> {
        let mut inner = self.lock();
        let at = inner.fresh.iter().position(|signed| signed.checkpoint == *checkpoint);
        let mut signed = match at {
            Some(at) => inner.fresh.remove(at),
            None => Signed { checkpoint: checkpoint.clone(), note: note.to_owned() },
        };
        if witness.verify(&signed.note).is_err() {
            signed.note = with_lines(&signed.note, lines).map_err(io::Error::other)?;
        }
        let is_final = signed.count() >= FINAL_WITNESSES;
        let is_newer = |kept: &Option<Signed>| {
            kept.as_ref().is_none_or(|kept| kept.checkpoint.size <= signed.checkpoint.size)
        };
        let (newest, newest_final) = (is_newer(&inner.cosigned), is_final && is_newer(&inner.last));
        if newest {
            inner.cosigned = Some(signed.clone());
        }
        if newest_final {
            inner.last = Some(signed.clone());
        }
        let text = signed.note.clone();
        inner.fresh.push(signed);
        if inner.fresh.len() > FRESH_MAX {
            inner.fresh.remove(0);
        }
        // Both files are written under the lock, so that an older one does not come last.
        if newest {
            replace_file(&self.folder.join(COSIGNED), text.as_bytes())?;
        }
        if newest_final {
            replace_file(&self.folder.join(FINAL), text.as_bytes())?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest checkpoint with a cosignature.
pub(crate) const COSIGNED: &str = "checkpoint.cosigned";
/// The newest with enough of them.
const FINAL: &str = "checkpoint.final";
/// Witnesses that make a checkpoint final.
pub(crate) const FINAL_WITNESSES: usize = 2;
const FRESH_MAX: usize = 16;
