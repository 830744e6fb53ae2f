//! The files and the log together, against the log's signed checkpoint.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;

use serde::Serialize;
use symbolon_audit::{AuditError, Entry, Row, Segment, Summary, read_lines};
use symbolon_codec::Digest32;
use symbolon_log::{Checkpoint, Shards, Span};

use super::files::{Named, OnDisk};
use super::known::Known;
use super::{Audit, AuditFault, Progress};

/// What the audit's files, and the log where no file has it, were found to be: every entry that the checkpoint
/// covers, none missing, changed or too much.
#[derive(Debug, Clone)]
pub struct Proof {
    /// What the operator signed; `None` while there is no signed checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Place after the last entry that was searched, which no checkpoint may cover yet.
    pub next: u64,
    /// Files, in order.
    pub files: Vec<Checked>,
    /// Ranges of entries, from the first to before the second, that no file has and that were taken away from the log: their
    /// hashes were checked, what they say was not searched.
    pub taken_away: Vec<(u64, u64)>,
    /// Files whose rows were all read and hashed for this; of the others it was known.
    pub checked: usize,
}

/// A file that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Its first entry.
    pub first: u64,
    /// The entry after its last.
    pub next: u64,
}

/// What a walk over all files collects.
pub(super) struct Walk<'a> {
    pub(super) packed: Vec<(Named, Summary)>,
    /// Rows in no Parquet file that `keep` wants.
    pub(super) loose: Vec<Row>,
    keep: &'a dyn Fn(&Row) -> bool,
    /// Intents that a receipt names which is not in the same Parquet file.
    pub(super) closes: HashSet<u64>,
    whole: Span,
    spans: Vec<(Named, Span)>,
    taken_away: Vec<(u64, u64)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(keep: &'a dyn Fn(&Row) -> bool) -> Self {
        Self {
            packed: Vec::new(),
            loose: Vec::new(),
            keep,
            closes: HashSet::new(),
            whole: Span::empty(0),
            spans: Vec::new(),
            taken_away: Vec::new(),
        }
    }

    fn push(&mut self, row: Row, leaf: Digest32) {
        self.whole.push(leaf);
        self.closes.extend(row.entry.receipt().and_then(|s| s.predicate.intent).map(|i| i.index));
        if (self.keep)(&row) {
            self.loose.push(row);
        }
    }
}

impl Audit {
    /// Reads and hashes every row of every file, believes nothing that was noted before, and holds the whole
    /// against the checkpoint. Slow for a large log.
    ///
    /// # Errors
    /// [`AuditFault`], which names the file that is wrong.
    pub fn verify(&self, progress: Progress<'_>) -> Result<Proof, AuditFault> {
        self.walk(&mut Walk::new(&|_| false), &mut Known::default(), progress)
    }

    pub(super) fn walk(
        &self,
        walk: &mut Walk<'_>,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<Proof, AuditFault> {
        let files = self.files()?;
        let mut checked = 0;
        for file in &files {
            self.check_stop()?;
            let first = walk.whole.next();
            if file.first < first {
                return Err(AuditFault::Overlap { name: file.name() });
            }
            // What no file has, the log has.
            self.read_log(walk, file.first, None)?;
            if file.is_packed {
                let (summary, is_new) = known.summary(self, file)?;
                checked += usize::from(is_new);
                let span = summary.tree().filter(|span| walk.whole.join(span));
                let span = span.ok_or_else(|| AuditFault::Differs { name: file.name() })?;
                walk.closes.extend(&summary.closes);
                walk.spans.push((file.clone(), span));
                walk.packed.push((file.clone(), summary));
            } else {
                self.read_lines(walk, file)?;
                checked += 1;
            }
            progress(walk.whole.next(), 0);
        }
        // Read after the files, which hold nothing that the checkpoint of their time did not cover.
        let checkpoint = self.checkpoint()?;
        let covered = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
        let found = walk.whole.next();
        if found > covered {
            return Err(AuditFault::Behind { covered, found });
        }
        let root = self.read_log(walk, u64::MAX, Some(covered))?;
        if let Some(checkpoint) = checkpoint.as_ref().filter(|c| root != Some(c.root)) {
            return Err(self.culprit(&walk.spans, checkpoint)?);
        }
        let files = walk.spans.iter().map(|(file, span)| Checked {
            name: file.name(),
            first: span.first(),
            next: span.next(),
        });
        let (files, taken_away) = (files.collect(), std::mem::take(&mut walk.taken_away));
        Ok(Proof { checkpoint, next: walk.whole.next(), files, taken_away, checked })
    }

    /// Goes on in the log itself up to an entry, or its end. Gives the root of the first `rooted` entries.
    fn read_log(
        &self,
        walk: &mut Walk<'_>,
        until: u64,
        rooted: Option<u64>,
    ) -> Result<Option<Digest32>, AuditFault> {
        let from = self.pass_over(walk, until)?;
        let mut root = walk.whole.root().filter(|_| rooted == Some(from));
        if from >= until || !self.is_begun()? {
            return Ok(root);
        }
        let mut log = self.follower(from)?;
        let mut stopped = Ok(());
        log.read(until, |index, bytes, leaf| {
            walk.push(Row { index, entry: Entry::read(bytes) }, leaf);
            if rooted == Some(index + 1) {
                root = walk.whole.root();
            }
            stopped = self.check_stop();
            stopped.is_ok()
        })?;
        stopped?;
        let found = log.next();
        match rooted.or(Some(until)).filter(|covered| found < *covered) {
            Some(covered) => Err(symbolon_log::LogError::Truncated { found, covered }.into()),
            None => Ok(root),
        }
    }

    /// Goes over entries that were taken away, by their hashes, up to an entry. Gives the place that comes next.
    fn pass_over(&self, walk: &mut Walk<'_>, until: u64) -> Result<u64, AuditFault> {
        let (from, storage) = (walk.whole.next(), self.storage()?);
        let there = Shards::read(&storage)?.first().min(until);
        if from < there {
            let gone = Span::stored(&storage, from, there)?;
            if walk.whole.join(&gone) {
                walk.taken_away.push((from, there));
            }
        }
        Ok(walk.whole.next())
    }

    fn read_lines(&self, walk: &mut Walk<'_>, file: &Named) -> Result<(), AuditFault> {
        let path = self.path(file);
        let open = File::open(&path).map_err(AuditFault::io(&path))?;
        let mut span = Span::empty(file.first);
        let mut stopped = Ok(());
        let read = read_lines(BufReader::with_capacity(1 << 20, open), file.first, |row, leaf| {
            stopped = self.check_stop();
            span.push(leaf);
            walk.push(row, leaf);
            if stopped.is_ok() { Ok(()) } else { Err(AuditError::Rows("stopped")) }
        });
        stopped?;
        read.map_err(|e| AuditFault::of(&path, e))?;
        walk.spans.push((file.clone(), span));
        Ok(())
    }

    /// Which file holds other entries than the log.
    fn culprit(
        &self,
        spans: &[(Named, Span)],
        checkpoint: &Checkpoint,
    ) -> Result<AuditFault, AuditFault> {
        let storage = self.storage()?;
        let there = Shards::read(&storage)?.first();
        let mut log = self.follower(there)?;
        for (file, span) in spans {
            if span.first() < there {
                if Span::stored(&storage, span.first(), span.next())? != *span {
                    return Ok(AuditFault::Differs { name: file.name() });
                }
                continue;
            }
            // Between files the log itself was read.
            log.read(span.first(), |_, _, _| true)?;
            let mut own = Span::empty(span.first());
            log.read(span.next(), |_, _, leaf| {
                own.push(leaf);
                true
            })?;
            if own != *span {
                return Ok(AuditFault::Differs { name: file.name() });
            }
        }
        Ok(AuditFault::Root { size: checkpoint.size })
    }

    pub(super) fn segment(&self, file: &Named) -> Result<Segment<OnDisk>, AuditFault> {
        let path = self.path(file);
        let open = File::open(&path).map_err(AuditFault::io(&path))?;
        let source = OnDisk::new(open).map_err(AuditFault::io(&path))?;
        Segment::open(source).map_err(|e| AuditFault::of(&path, e))
    }
}
