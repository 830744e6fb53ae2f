//! Writing what the log has into the file of the day.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom};
use std::path::Path;

use symbolon_audit::{AuditError, ENTRIES_MAX, Entry, write_line};
use symbolon_codec::time::rfc3339;
use symbolon_log::Shards;

use super::files::{Careful, Named, private};
use super::known::Known;
use super::{Audit, AuditFault, Progress};

/// A file that lines are added to.
struct Day<'a> {
    named: Named,
    out: BufWriter<Careful<'a>>,
}

impl Audit {
    /// Writes lines for entries that a checkpoint covers and no file has, gaps between files included: some
    /// 262,144 at a time, so that they can be compacted in between. Gives their number. Does nothing where another
    /// process does it.
    ///
    /// # Errors
    /// [`AuditFault`].
    pub fn follow(&self, progress: Progress<'_>) -> Result<u64, AuditFault> {
        let Some(_lock) = self.lock(false)? else { return Ok(0) };
        let mut known = Known::load(self);
        let written = self.follow_locked(&mut known, progress)?;
        known.save(self, &self.files()?)?;
        Ok(written)
    }

    /// As [`Audit::follow`], to the last entry that a checkpoint covers; waits for another process that does it.
    ///
    /// # Errors
    /// [`AuditFault`].
    pub fn follow_whole(&self, progress: Progress<'_>) -> Result<(), AuditFault> {
        let _lock = self.lock(true)?;
        let mut known = Known::load(self);
        while self.follow_locked(&mut known, progress)? > 0 {}
        known.save(self, &self.files()?)
    }

    pub(super) fn follow_locked(
        &self,
        known: &mut Known,
        progress: Progress<'_>,
    ) -> Result<u64, AuditFault> {
        let covered = self.checkpoint()?.map_or(0, |checkpoint| checkpoint.size);
        let files = self.files()?;
        let (mut written, mut at) = (0, 0);
        for (place, file) in files.iter().enumerate() {
            let until = file.first.min(covered).min(at + (AT_ONCE - written));
            written += self.write_lines(None, at, until, progress)?;
            if written >= AT_ONCE {
                return Ok(written);
            }
            at = match file.is_packed {
                true => known.summary(self, file)?.0.next,
                false => self.whole_lines(file)?,
            };
            if !file.is_packed {
                let end = files.get(place + 1).map_or(covered, |next| next.first.min(covered));
                let until = end.min(at + (AT_ONCE - written));
                written += self.write_lines(Some(file), at, until, progress)?;
                at = at.max(until);
            }
        }
        let until = covered.min(at + (AT_ONCE - written));
        Ok(written + self.write_lines(None, at, until, progress)?)
    }

    /// Writes lines from `from` to `until`, the first of them into `file` where it is given and of the same day.
    fn write_lines(
        &self,
        file: Option<&Named>,
        from: u64,
        until: u64,
        progress: Progress<'_>,
    ) -> Result<u64, AuditFault> {
        // What was taken away is in a file, or nowhere here.
        let from = from.max(Shards::read(&self.storage()?)?.first());
        if from >= until {
            return Ok(0);
        }
        let mut day = file.map(|file| self.open_day(file.clone())).transpose()?;
        let mut log = self.follower(from)?;
        let mut last_ms = None;
        let mut failed = None;
        let next = log.read(until, |index, bytes, _| {
            let step = self.check_stop().and_then(|()| {
                let entry = Entry::read(bytes);
                // A question has the time of what came before it.
                last_ms = entry.unix_ms().or(last_ms);
                self.write_one(&mut day, index, (bytes, &entry), last_ms)
            });
            if index.is_multiple_of(4096) {
                progress(index - from, until - from);
            }
            step.map_err(|error| failed = Some(error)).is_ok()
        })?;
        if let Some(day) = day {
            let flushed = day.out.into_inner().map(drop).map_err(|e| e.into_error());
            flushed.map_err(AuditFault::io(&self.folder))?;
        }
        match failed {
            Some(error) => Err(error),
            None if next < until => Err(AuditFault::Behind { covered: next, found: until }),
            None => Ok(next - from),
        }
    }

    fn write_one<'a>(
        &'a self,
        day: &mut Option<Day<'a>>,
        index: u64,
        (bytes, entry): (&[u8], &Entry),
        ms: Option<u64>,
    ) -> Result<(), AuditFault> {
        let today = rfc3339(ms.unwrap_or(0))[..10].to_owned();
        let fits = |open: &Day<'_>| {
            index - open.named.first < ENTRIES_MAX
                && ms.is_none_or(|ms| is_same_day(&open.named.day, &today, ms))
        };
        let day = match day {
            Some(open) if fits(open) => open,
            other => {
                if let Some(full) = other.take() {
                    let path = self.path(&full.named);
                    full.out.into_inner().map_err(|e| AuditFault::io(&path)(e.into_error()))?;
                }
                other.insert(self.open_day(Named { first: index, day: today, is_packed: false })?)
            }
        };
        let path = self.folder.join(day.named.name());
        write_line(index, bytes, entry, &mut day.out).map_err(|e| AuditFault::of(&path, e))
    }

    fn open_day(&self, named: Named) -> Result<Day<'_>, AuditFault> {
        let path = self.path(&named);
        self.step(&path)?;
        let file = private().write(false).append(true).create(true).open(&path);
        let file = file.map_err(AuditFault::io(&path))?;
        let out = BufWriter::with_capacity(64 * 1024, Careful { audit: self, file });
        Ok(Day { named, out })
    }

    /// Cuts a torn last line off, and gives the place after the last whole one.
    pub(super) fn whole_lines(&self, file: &Named) -> Result<u64, AuditFault> {
        let path = self.path(file);
        let failed = AuditFault::io(&path);
        let mut open = File::options().read(true).write(true).open(&path).map_err(failed)?;
        let bytes = open.metadata().map_err(failed)?.len();
        let start = bytes.saturating_sub(TAIL_BYTES);
        open.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut tail = Vec::new();
        open.take(TAIL_BYTES).read_to_end(&mut tail).map_err(failed)?;
        let whole = tail.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if whole < tail.len() {
            self.step(&path)?;
            let open = File::options().write(true).open(&path).map_err(failed)?;
            open.set_len(start + whole as u64).map_err(failed)?;
        }
        let Some(body) = tail[..whole].strip_suffix(b"\n") else { return Ok(file.first) };
        let line = body.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        last_index(line, &path).map(|index| index + 1)
    }
}

/// Entries of calls that ran at midnight come in any order; a clock that was set back by more begins anew.
fn is_same_day(open: &str, today: &str, ms: u64) -> bool {
    let tomorrow = rfc3339(ms.saturating_add(86_400_000));
    open == today || open == &tomorrow[..10]
}

fn last_index(line: &[u8], path: &Path) -> Result<u64, AuditFault> {
    let end = b"{\"index\":";
    let digits = line.strip_prefix(end).and_then(|rest| {
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        std::str::from_utf8(&rest[..count]).ok()?.parse().ok()
    });
    let wrong = || AuditError::Form("its last line is none".to_owned());
    digits.ok_or_else(|| AuditFault::of(path, wrong()))
}

/// Lines that are written before what is full is compacted.
pub(super) const AT_ONCE: u64 = 4 * ENTRIES_MAX;
/// Longer than any line.
const TAIL_BYTES: u64 = 256 * 1024;
