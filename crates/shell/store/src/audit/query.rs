//! Questions to the audit, each answered with the proof that nothing was left out.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::sync::OnceLock;

use symbolon_audit::{ENTRIES_MAX, Filter, Row, Segment, Summary};

use super::files::{Named, OnDisk};
use super::known::Known;
use super::verify::Walk;
use super::{Audit, AuditFault, Progress, Proof};

/// Everything that the log has at one moment, found to be whole. Any number of questions can be put to it.
pub struct Archive {
    audit: Audit,
    proof: Proof,
    packed: Vec<Packed>,
    loose: Vec<Row>,
    closes: HashSet<u64>,
}

struct Packed {
    file: Named,
    summary: Summary,
    segment: OnceLock<Segment<OnDisk>>,
}

/// Rows, and what shows that there are no others.
#[derive(Debug)]
pub struct Answer {
    /// Newest first.
    pub rows: Vec<Row>,
    /// What was searched.
    pub proof: Proof,
}

impl Audit {
    /// The newest rows that a filter finds, newest first.
    ///
    /// # Errors
    /// [`AuditFault`]: where anything is missing, changed or too much, there is no answer.
    pub fn query(
        &self,
        filter: &Filter,
        limit: usize,
        progress: Progress<'_>,
    ) -> Result<Answer, AuditFault> {
        let archive = self.archive(&|row| filter.finds(row, |_| false), progress)?;
        let rows = archive.find(filter, limit)?;
        Ok(Answer { rows, proof: archive.proof })
    }

    /// Opens the files and reads what is not in Parquet; of that, rows that `keep` wants stay in memory. Where the
    /// files are far behind the log, they are brought up first.
    ///
    /// # Errors
    /// As [`Audit::query`].
    pub fn archive(
        &self,
        keep: &dyn Fn(&Row) -> bool,
        progress: Progress<'_>,
    ) -> Result<Archive, AuditFault> {
        let files = self.files()?;
        let last = files.last().map_or(0, |file| file.first);
        let covered = self.checkpoint()?.map_or(0, |checkpoint| checkpoint.size);
        if covered.saturating_sub(last) > 2 * ENTRIES_MAX {
            self.compact(progress)?;
        }
        let mut tries = 0;
        loop {
            let mut walk = Walk::new(keep);
            let mut known = Known::load(self);
            let proof = match self.walk(&mut walk, &mut known, progress) {
                // A broker put a Parquet file in the place of lines at this moment.
                Err(AuditFault::Io { source, .. })
                    if source.kind() == ErrorKind::NotFound && tries < TRIES =>
                {
                    tries += 1;
                    continue;
                }
                other => other?,
            };
            let lock = if self.folder.is_dir() { self.lock(false)? } else { None };
            if lock.is_some() {
                known.save(self, &self.files()?)?;
            }
            drop(lock);
            let packed = |(file, summary)| Packed { file, summary, segment: OnceLock::new() };
            return Ok(Archive {
                audit: self.clone(),
                proof,
                packed: walk.packed.into_iter().map(packed).collect(),
                loose: walk.loose,
                closes: walk.closes,
            });
        }
    }
}

impl Archive {
    /// What it is of.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The newest rows that a filter finds, newest first.
    ///
    /// # Errors
    /// [`AuditFault`].
    pub fn find(&self, filter: &Filter, limit: usize) -> Result<Vec<Row>, AuditFault> {
        let is_closed = |intent: u64| self.closes.contains(&intent);
        let loose = self.loose.iter().filter(|row| filter.finds(row, is_closed)).cloned();
        let mut found: Vec<Row> = loose.collect();
        found.sort_unstable_by_key(|row| std::cmp::Reverse(row.index));
        found.truncate(limit);
        for packed in self.packed.iter().rev() {
            // Lines can stand before a Parquet file only where a gap was: few, and sorted in below.
            let newer = found.iter().take_while(|row| row.index >= packed.summary.next).count();
            if newer >= limit {
                break;
            }
            let Summary { first, next, .. } = packed.summary;
            if filter.index.is_some_and(|index| !(first..next).contains(&index))
                || !packed.summary.may_hold(filter.since, filter.until)
            {
                continue;
            }
            let path = self.audit.path(&packed.file);
            let more = packed.open(&self.audit)?.find(filter, limit - newer, is_closed);
            found.extend(more.map_err(|e| AuditFault::of(&path, e))?);
            found.sort_unstable_by_key(|row| std::cmp::Reverse(row.index));
            found.truncate(limit);
        }
        Ok(found)
    }
}

impl Packed {
    fn open(&self, audit: &Audit) -> Result<&Segment<OnDisk>, AuditFault> {
        if let Some(open) = self.segment.get() {
            return Ok(open);
        }
        let segment = audit.segment(&self.file)?;
        if *segment.summary() != self.summary {
            return Err(AuditFault::Differs { name: self.file.name() });
        }
        Ok(self.segment.get_or_init(|| segment))
    }
}

/// A day is over once, and there are a few files at most.
const TRIES: u32 = 5;
