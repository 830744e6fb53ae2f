//! Making Parquet files of lines.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use serde::Serialize;
use symbolon_audit::{AuditError, Packer, Segment, read_lines};
use symbolon_codec::time::rfc3339;

use super::files::{Careful, Named, OnDisk, private};
use super::follow::AT_ONCE;
use super::known::Known;
use super::{Audit, AuditFault, Progress};
use crate::folder::sync_folder;

/// A file that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Its name.
    pub name: String,
    /// Entries of the log that it stands for.
    pub entries: u64,
    /// Receipts among them.
    pub receipts: u64,
    /// Bytes of the lines that it was made of.
    pub bytes_before: u64,
    /// Bytes of it.
    pub bytes: u64,
}

impl Audit {
    /// What a broker does now and then: [`Audit::follow`], and [`Audit::compact`] of full files and of days before
    /// that of `now_unix_ms`. Does nothing, and says so, where another process does it.
    ///
    /// # Errors
    /// [`AuditFault`].
    pub fn keep(&self, now_unix_ms: u64) -> Result<bool, AuditFault> {
        let Some(_lock) = self.lock(false)? else { return Ok(false) };
        self.catch_up(Some(now_unix_ms), &|_, _| {}).map(|_| true)
    }

    /// Makes a Parquet file of each file of lines, what the log has since included.
    ///
    /// # Errors
    /// [`AuditFault`]. What was not finished is there as lines.
    pub fn compact(&self, progress: Progress<'_>) -> Result<Vec<Compacted>, AuditFault> {
        let _lock = self.lock(true)?;
        self.catch_up(None, progress)
    }

    /// Lines and their compaction in turns, so that a long log is never there as lines all at once.
    fn catch_up(
        &self,
        now_unix_ms: Option<u64>,
        progress: Progress<'_>,
    ) -> Result<Vec<Compacted>, AuditFault> {
        let mut known = Known::load(self);
        let mut made = Vec::new();
        loop {
            let written = self.follow_locked(&mut known, progress)?;
            // All but the last file are full or of a day that is over.
            let all = if written < AT_ONCE { now_unix_ms } else { Some(0) };
            made.extend(self.compact_files(all, &mut known, progress)?);
            if written < AT_ONCE {
                known.save(self, &self.files()?)?;
                return Ok(made);
            }
        }
    }

    /// Of the last file only where its day is over; of all where `now_unix_ms` is not given.
    fn compact_files(
        &self,
        now_unix_ms: Option<u64>,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<Vec<Compacted>, AuditFault> {
        let files = self.all_files()?;
        let today = now_unix_ms.map(|ms| rfc3339(ms)[..10].to_owned());
        let mut made = Vec::new();
        for (at, file) in files.iter().enumerate().filter(|(_, file)| !file.is_packed) {
            self.check_stop()?;
            if files.contains(&file.packed()) {
                self.finish(file, known)?;
                continue;
            }
            let is_over = |today: &String| file.day < *today || at + 1 < files.len();
            if today.as_ref().is_none_or(is_over) {
                made.push(self.pack(file, known, progress)?);
            }
        }
        Ok(made)
    }

    fn pack(
        &self,
        lines: &Named,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<Compacted, AuditFault> {
        let path = self.path(lines);
        let failed = AuditFault::io(&path);
        let open = File::open(&path).map_err(failed)?;
        let bytes_before = open.metadata().map_err(failed)?.len();
        let mut packer = Packer::new(lines.first);
        let mut stopped = Ok(());
        let read = read_lines(BufReader::with_capacity(1 << 20, open), lines.first, |row, leaf| {
            if row.index.is_multiple_of(1024) {
                stopped = self.check_stop();
                progress(row.index - lines.first, symbolon_audit::ENTRIES_MAX);
            }
            match stopped {
                Ok(()) => packer.push(row, leaf),
                Err(_) => Err(AuditError::Rows("stopped")),
            }
        });
        stopped?;
        let read = read.map_err(|e| AuditFault::of(&path, e))?;
        if read.bytes != bytes_before {
            // A torn line here was not the last thing written: something else cut it.
            let torn = AuditError::Line { line: read.next - lines.first + 1, expected: read.next };
            return Err(AuditFault::of(&path, torn));
        }
        let packed = lines.packed();
        let target = self.path(&packed);
        let bytes = self.write_packed(packer, &target)?;
        let summary = known.made(self, &packed)?;
        self.remove_lines(lines)?;
        Ok(Compacted {
            name: packed.name(),
            entries: summary.next - summary.first,
            receipts: summary.receipts,
            bytes_before,
            bytes,
        })
    }

    /// Whole, on disk and read back, or not at all.
    fn write_packed(&self, packer: Packer, target: &Path) -> Result<u64, AuditFault> {
        let new = target.with_extension("parquet.new");
        let failed = AuditFault::io(&new);
        self.step(&new)?;
        let file = private().create(true).truncate(true).open(&new).map_err(failed)?;
        let kept = file.try_clone().map_err(failed)?;
        let out = Careful { audit: self, file };
        let out = std::io::BufWriter::with_capacity(1 << 18, out);
        let made = packer.finish(out).map_err(|e| AuditFault::of(&new, e))?;
        self.step(&new)?;
        kept.sync_all().map_err(failed)?;
        let bytes = kept.metadata().map_err(failed)?.len();
        let source = OnDisk::new(File::open(&new).map_err(failed)?).map_err(failed)?;
        let again = Segment::open(source).map_err(|e| AuditFault::of(&new, e))?;
        again.check().map_err(|e| AuditFault::of(&new, e))?;
        if *again.summary() != made {
            return Err(AuditFault::of(&new, AuditError::Rows("they are not what was written")));
        }
        self.step(target)?;
        fs::rename(&new, target).map_err(AuditFault::io(target))?;
        sync_folder(&self.folder).map_err(AuditFault::io(&self.folder))?;
        Ok(bytes)
    }

    /// A crash came between the Parquet file and the removal of its lines.
    fn finish(&self, lines: &Named, known: &mut Known) -> Result<(), AuditFault> {
        let packed = lines.packed();
        let (summary, _) = known.summary(self, &packed)?;
        if self.whole_lines(lines)? == summary.next {
            return self.remove_lines(lines);
        }
        Err(AuditFault::Differs { name: packed.name() })
    }

    fn remove_lines(&self, lines: &Named) -> Result<(), AuditFault> {
        let path = self.path(lines);
        self.step(&path)?;
        fs::remove_file(&path).map_err(AuditFault::io(&path))
    }
}
