//! The rewriter: response bytes in, the same bytes without the credential out.

use std::sync::Arc;

use super::fold::{is_special, undone};
use super::folded::Folded;
use super::text::{Plain, Side, Text};
use super::{Confirm, Form, Match, Pattern, Unconfirmed, Verdict};

/// What stands in place of the credential. Safe in a header, in a JSON string, in HTML text.
pub const REPLACEMENT: &str = "[redacted:symbolon]";

/// Rewrites one body, or one header value, piece by piece.
///
/// The output does not depend on how the input was split. While nothing is found, at most
/// [`Pattern::run_min`] twice and six bytes are held back, and none behind a byte that no spelling
/// has; while a spelling has begun, at most [`Pattern::longest`] less one beside them. An escape
/// counts as what it stands for, and one that is not whole is held back too.
pub struct Redactor<C> {
    pattern: Arc<Pattern>,
    confirm: C,
    folded: Stage<Folded>,
    plain: Stage<Plain>,
    counts: Counts,
}

impl<C: Confirm> Redactor<C> {
    /// For one response.
    pub fn new(pattern: Arc<Pattern>, confirm: C) -> Self {
        let (folded, plain) = (Stage::default(), Stage::default());
        Self { pattern, confirm, folded, plain, counts: Counts::default() }
    }

    /// Takes `input` and appends to `out` what is safe so far. After an error nothing more of the
    /// response may be given out.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), RedactError> {
        // Blocks that stay in the first-level cache between the copies and the scans, and are
        // under the 4 KiB at which the copies take another, slower way on many processors.
        input.chunks(BLOCK_BYTES).try_for_each(|block| self.take(block, false, out))
    }

    /// Appends what was held back and says what was found.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<Counts, RedactError> {
        self.take(&[], true, out)?;
        Ok(self.counts)
    }

    /// What was found so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn take(&mut self, block: &[u8], is_last: bool, out: &mut Vec<u8>) -> Result<(), RedactError> {
        let mut search = Search {
            pattern: &self.pattern,
            confirm: &self.confirm,
            counts: &mut self.counts,
            is_last,
        };
        self.folded.take(block, &mut search, self.plain.text.inbox())?;
        self.plain.take(&[], &mut search, out)
    }
}

/// What the stages share.
struct Search<'a, C> {
    pattern: &'a Pattern,
    confirm: &'a C,
    counts: &'a mut Counts,
    is_last: bool,
}

/// One pass over a response.
#[derive(Default)]
struct Stage<T> {
    text: T,
    /// Of the whole view: where the text begins, and where the next window is looked at.
    base: u64,
    next: u64,
    fragments: u32,
    /// Windows that hit the filter by chance, so that a repeated one is not confirmed again.
    chance: Chances,
}

impl<T: Text> Stage<T> {
    fn take(
        &mut self,
        block: &[u8],
        search: &mut Search<'_, impl Confirm>,
        out: &mut Vec<u8>,
    ) -> Result<(), RedactError> {
        let (pattern, is_last) = (search.pattern, search.is_last);
        self.text.take(block, is_last, pattern);
        let mut done = 0;
        let mut open = None;
        let mut at = (self.next - self.base) as usize;
        while let Some(place) = self.text.candidate(pattern, self.base, at) {
            let verdict = self.verdict(search, done, place)?;
            if let (Some(start), false) = (verdict.open, is_last) {
                // A complete match beside the open one waits with it.
                let complete = verdict.whole.into_iter().chain(verdict.part);
                let first = complete.map(|found| found.start).fold(start, usize::min);
                open = Some(first);
                at = place;
                break;
            }
            let resume = match self.enough(search, &verdict) {
                Some(found) => {
                    let found = match self.settle(search, done, found)? {
                        Settled::Match(found) => found,
                        Settled::Open(start) => {
                            open = Some(start);
                            at = place;
                            break;
                        }
                    };
                    let from = self.text.raw_at(done, Side::End);
                    let to = self.text.raw_at(found.start, Side::Start);
                    out.extend_from_slice(&self.text.raw()[from..to]);
                    out.extend_from_slice(REPLACEMENT.as_bytes());
                    search.counts.add(found.form);
                    done = found.start + found.len;
                    done
                }
                None => {
                    self.fragment(&verdict)?;
                    // What is another stage's is passed over as a whole: each look costs an
                    // opening. Windows that reach beyond it are still looked at.
                    let others = verdict.whole.into_iter().chain(verdict.part);
                    let others = others.filter(|found| !self.text.owns(found));
                    let end = others.map(|found| found.start + found.len).max().unwrap_or(0);
                    end.saturating_sub(7).max(place + 1)
                }
            };
            at = self.aligned(resume, pattern);
        }
        let view = self.text.view();
        if open.is_none() {
            let unseen = (view.len() + 1).saturating_sub(8).max(at);
            at = self.aligned(unseen, pattern);
        }
        // In front of what has begun the rest of an escape may stand, which belongs to it too.
        let (settled, unseen) = match open {
            Some(start) => (start, 0),
            None => (view.len(), pattern.run_min() - 1),
        };
        let tail = if is_last { 0 } else { unseen + T::ESCAPE_REST };
        let safe = settled - pattern.tail_len(&view[..settled], tail);
        let safe = self.text.floor(safe).max(done);
        let from = self.text.raw_at(done, Side::End);
        let to = self.text.raw_at(safe, Side::End);
        out.extend_from_slice(&self.text.raw()[from..to]);
        self.text.forget(safe);
        // What was given out holds no window, and neither does what reaches into it.
        self.next = self.base + self.aligned(at.max(safe), pattern) as u64;
        self.base += safe as u64;
        Ok(())
    }

    /// The first place at or after `place` that is looked at: the places are fixed in the whole
    /// view, so that the splits do not matter.
    fn aligned(&self, place: usize, pattern: &Pattern) -> usize {
        (pattern.aligned(self.base + place as u64) - self.base) as usize
    }

    /// What is redacted of a verdict: the longest of a whole spelling and a part that is long.
    fn enough<C>(&self, search: &Search<'_, C>, verdict: &Verdict) -> Option<Match> {
        let part = verdict.part.filter(|part| part.len >= search.pattern.run_min());
        let found = verdict.whole.into_iter().chain(part);
        found.filter(|found| self.text.owns(found)).max_by_key(|found| found.len)
    }

    /// Counts a part that is too short to redact.
    fn fragment(&mut self, verdict: &Verdict) -> Result<(), RedactError> {
        let is_own = verdict.part.is_some_and(|part| self.text.owns(&part));
        self.fragments += u32::from(is_own);
        if self.fragments > FRAGMENTS_MAX { Err(RedactError::Fragments) } else { Ok(()) }
    }

    /// Confirms a candidate, unless its window is known to be a chance hit. What is settled, in
    /// front of `done`, is not matched again. Positions in the verdict are the view's.
    fn verdict(
        &mut self,
        search: &Search<'_, impl Confirm>,
        done: usize,
        place: usize,
    ) -> Result<Verdict, RedactError> {
        let view = self.text.view();
        let window = view[place..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let chance = (window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize;
        if self.chance.0[chance] == window {
            return Ok(Verdict::default());
        }
        let verdict = search.confirm.confirm(&view[done..], place - done)?;
        if verdict == Verdict::default() {
            self.chance.0[chance] = window;
        }
        let placed = |found: Match| Match { start: done + found.start, ..found };
        Ok(Verdict {
            whole: verdict.whole.map(placed),
            part: verdict.part.map(placed),
            open: verdict.open.map(|start| done + start),
        })
    }

    /// Up to whole escapes, and with what stands there as it came, where that is in the list: then
    /// it has that name, and may be longer.
    fn settle(
        &self,
        search: &Search<'_, impl Confirm>,
        done: usize,
        found: Match,
    ) -> Result<Settled, RedactError> {
        let found = self.text.settle(found);
        let end = found.start + found.len;
        let from = self.text.raw_at(done, Side::End);
        let start = self.text.raw_at(found.start, Side::Start);
        let stop = self.text.raw_at(end, Side::End);
        if stop - start == found.len {
            return Ok(Settled::Match(found));
        }
        let verdict = search.confirm.confirm(&self.text.raw()[from..], start - from)?;
        if let (Some(open), false) = (verdict.open, search.is_last) {
            let others = verdict.whole.into_iter().chain(verdict.part);
            let first = from + others.map(|other| other.start).fold(open, usize::min);
            let first = self.text.view_at(first, Side::Start).max(done);
            return Ok(Settled::Open(found.start.min(first)));
        }
        let part = verdict.part.filter(|part| part.len >= search.pattern.run_min());
        let exact = verdict.whole.into_iter().chain(part).max_by_key(|exact| exact.len);
        let Some(exact) = exact else { return Ok(Settled::Match(found)) };
        let (first, last) = (from + exact.start, from + exact.start + exact.len);
        let form = if (first, last) == (start, stop) { exact.form } else { found.form };
        let begin = found.start.min(self.text.view_at(first, Side::Start)).max(done);
        let end = end.max(self.text.view_at(last, Side::End));
        Ok(Settled::Match(Match { start: begin, len: end - begin, form }))
    }
}

enum Settled {
    Match(Match),
    /// What stands there as it came may go on.
    Open(usize),
}

struct Chances([u64; CHANCES]);

impl Default for Chances {
    fn default() -> Self {
        Self([0; CHANCES])
    }
}

/// A header value without the credential; `None` where it was not in it.
pub fn redact_value(
    pattern: &Arc<Pattern>,
    confirm: &impl Confirm,
    value: &[u8],
    counts: &mut Counts,
) -> Result<Option<Vec<u8>>, RedactError> {
    if pattern.candidate(value, 0).is_none() && !value.iter().any(|b| is_special(*b)) {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(value.len() + REPLACEMENT.len());
    let mut redactor = Redactor::new(Arc::clone(pattern), confirm);
    redactor.push(value, &mut out)?;
    let found = redactor.finish(&mut out)?;
    counts.merge(&found);
    Ok(if found.total() == 0 { None } else { Some(out) })
}

/// What becomes of a header or a trailer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// It stays as it is.
    Kept,
    /// It stays with this value.
    Rewritten(Vec<u8>),
    /// Its name holds the credential, so it goes.
    Dropped,
}

/// Searches a header or a trailer, its name included: a name is in lower case when it comes here,
/// which is a spelling too.
pub fn redact_field(
    pattern: &Arc<Pattern>,
    confirm: &impl Confirm,
    name: &str,
    value: &[u8],
    counts: &mut Counts,
) -> Result<Field, RedactError> {
    if redact_value(pattern, confirm, name.as_bytes(), counts)?.is_some() {
        return Ok(Field::Dropped);
    }
    // What an escape stands for is not in lower case yet, and what is around it is.
    let is_escaped = name.bytes().any(is_special);
    let lower = is_escaped.then(|| undone(name.as_bytes()).to_ascii_lowercase());
    if let Some(lower) = lower
        && redact_value(pattern, confirm, &lower, counts)?.is_some()
    {
        return Ok(Field::Dropped);
    }
    let value = redact_value(pattern, confirm, value, counts)?;
    Ok(value.map_or(Field::Kept, Field::Rewritten))
}

/// How often each spelling was redacted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts([u32; Form::COUNT]);

impl Counts {
    /// The spellings that were found, with how often.
    pub fn iter(&self) -> impl Iterator<Item = (Form, u32)> + '_ {
        Form::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// All together.
    pub fn total(&self) -> u32 {
        self.0.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// Adds those of another part of the same response.
    pub fn merge(&mut self, other: &Counts) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }

    fn add(&mut self, form: Form) {
        let count = &mut self.0[form as usize];
        *count = count.saturating_add(1);
    }
}

/// Why a response is refused instead of redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The credential could not be opened to compare.
    #[error(transparent)]
    Unconfirmed(#[from] Unconfirmed),
    /// Thousands of pieces of the credential too short to redact: an upstream that spells it out.
    #[error("the response is full of pieces of the credential")]
    Fragments,
}

const BLOCK_BYTES: usize = 3584;
const CHANCES: usize = 64;
const FRAGMENTS_MAX: u32 = 4096;

#[cfg(test)]
mod oracle;
