//! The response with its escapes undone, as it is searched.

use super::fold::{self, Next};
use super::marks::{Escape, Marks};
use super::places::Places;
use super::row::{MOST, Row};
use super::skim::{Skimmed, skim};
use super::text::{Side, Text};
use super::view::View;
use super::{Form, Match, Pattern};

/// The response with its escapes undone. Owns what has at least one escape in it, and is only
/// searched around escapes.
#[derive(Default)]
pub(super) struct Folded {
    /// As it came.
    pub(super) raw: Vec<u8>,
    /// The part of `raw` that is searched; what follows is an escape that is not whole.
    pub(super) read: usize,
    /// With escapes undone; unused, and the same as `raw[..read]`, while there are none.
    view: View,
    /// Escapes that a spelling can have.
    marks: Marks,
    /// The byte before `raw`.
    pub(super) before: Option<u8>,
}

impl Folded {
    /// An escape of `len` bytes and what it stands for.
    #[inline]
    pub(super) fn mark(&mut self, at: usize, len: usize, stands: &[u8]) {
        self.view.follow(&self.raw, self.read, at, self.marks.is_empty());
        self.marks.push(at, self.view.len(), len, stands.len());
        self.view.escaped(stands);
        self.read = at + len;
    }

    /// The row of escapes that begins at `at`, if it is a long one, and where it ends.
    #[inline(never)]
    fn row(&mut self, at: usize, pattern: &Pattern) -> Option<usize> {
        let len = Row::len_at(&self.raw, at)?;
        let mut bytes = [0; MOST];
        let Row { bytes, quiet } = Row::read(&self.raw[at..], len, pattern, &mut bytes)?;
        for count in (0..quiet.start).chain(quiet.end..bytes.len()) {
            if count == quiet.end && !quiet.is_empty() {
                // A byte that no spelling has stands for it, so nothing that is found reaches over.
                let wall = pattern.wall();
                self.mark(at + quiet.start * len, quiet.len() * len, wall.as_slice());
            }
            if pattern.may_hold(bytes[count]) {
                self.mark(at + count * len, len, &[bytes[count]]);
            }
        }
        Some(at + bytes.len() * len)
    }

    /// What follows the last mark is as it came.
    pub(super) fn read_to(&mut self, end: usize) {
        if !self.marks.is_empty() {
            self.view.take(&self.raw, self.read, end);
        }
        self.read = end;
    }

    /// Whether an escape can be in a spelling: a window's length of bytes that spellings have
    /// stands around it. What is not known (it was given out, it has not come, it is an escape)
    /// counts as such.
    fn may_matter(&self, at: usize, len: usize, stands: usize, pattern: &Pattern) -> bool {
        let mut back = self.raw[self.read.min(at)..at].iter().rev().take(WINDOW);
        let Some(before) = back.position(|b| !pattern.may_hold(*b)) else {
            return true;
        };
        let on = self.raw[at + len..].iter().take(WINDOW);
        match on.enumerate().find(|(_, b)| fold::is_special(**b) || !pattern.may_hold(**b)) {
            Some((after, byte)) if !fold::is_special(*byte) => before + stands + after >= WINDOW,
            _ => true,
        }
    }

    /// The first and the last of the escapes that a match has something of.
    fn escapes_in(&self, found: &Match) -> Option<(Escape, Escape)> {
        let end = found.start + found.len;
        let (_, first) = self.marks.around(|escape| escape.view_end <= found.start);
        let (last, _) = self.marks.around(|escape| escape.view < end);
        first.filter(|first| first.view < end).zip(last)
    }

    /// The form of a match that begins with this escape or in front of it.
    fn form(&self, first: &Escape) -> Form {
        match self.raw[first.raw] {
            _ if first.view == first.view_end => Form::Wrapped,
            b'%' => Form::PercentMixed,
            b'&' => Form::HtmlMixed,
            _ => Form::Escaped,
        }
    }
}

impl Text for Folded {
    const ESCAPE_REST: usize = 8;

    fn take(&mut self, block: &[u8], is_last: bool, pattern: &Pattern) {
        let mut places = Places::from(self.read, pattern);
        self.raw.extend_from_slice(block);
        let mut at = self.read;
        let mut row = at;
        let end = loop {
            let Some(place) = places.next(&self.raw, at) else { break self.raw.len() };
            if place >= row {
                // Behind one there may be the next. One that begins elsewhere is found with the
                // next block.
                match self.row(place, pattern) {
                    Some(end) => {
                        (at, row) = (end, end);
                        continue;
                    }
                    None => row = usize::MAX,
                }
            }
            let mut token = None;
            let byte;
            let (len, stands) = match skim(&self.raw, place, self.before, pattern) {
                Skimmed::Passed(len) => {
                    at = place + len;
                    continue;
                }
                Skimmed::Byte(len, value) => {
                    byte = [value];
                    (len, &byte[..])
                }
                Skimmed::Break(len) => (len, &[][..]),
                Skimmed::Unclear => match fold::token(&self.raw, place, self.before, is_last) {
                    Next::More => break place,
                    Next::Plain => {
                        at = place + 1;
                        continue;
                    }
                    Next::Token(read) => {
                        at = place + read.len;
                        if !read.bytes().iter().all(|b| pattern.may_hold(*b)) {
                            continue;
                        }
                        let token = token.insert(read);
                        (token.len, token.bytes())
                    }
                },
            };
            at = place + len;
            // Beside one that matters the next costs less to undo than to look at.
            if !self.marks.is_empty() || self.may_matter(place, len, stands.len(), pattern) {
                self.mark(place, len, stands);
            }
        };
        self.read_to(end);
    }

    fn view(&self) -> &[u8] {
        if self.marks.is_empty() { &self.raw[..self.read] } else { self.view.bytes() }
    }

    fn candidate(&self, pattern: &Pattern, base: u64, at: usize) -> Option<usize> {
        let view = self.view();
        // Every match with an escape in it has a hashed window this near. More windows than those
        // do no harm: what is not this stage's is left to the other.
        let reach = pattern.run_min();
        let aligned = |at: usize| (pattern.aligned(base + at as u64) - base) as usize;
        let mut at = aligned(at);
        let escapes = self.marks.behind(at.saturating_sub(reach));
        let places = escapes.map(|escape| (escape.view, escape.view_end));
        // An escape may come right behind the end.
        for (from, end) in places.chain([(view.len(), view.len())]) {
            let to = end + reach + 1 - WINDOW;
            if to <= at {
                continue;
            }
            at = at.max(aligned(from.saturating_sub(reach)));
            match pattern.candidate_up_to(view, at, to) {
                Ok(found) => return Some(found),
                Err(next) => at = next,
            }
        }
        None
    }

    fn owns(&self, found: &Match) -> bool {
        self.escapes_in(found).is_some()
    }

    fn settle(&self, found: Match) -> Match {
        let Some((first, last)) = self.escapes_in(&found) else { return found };
        let start = found.start.min(first.view);
        let end = (found.start + found.len).max(last.view_end);
        Match { start, len: end - start, form: self.form(&first) }
    }

    fn raw_at(&self, place: usize, side: Side) -> usize {
        let before = match side {
            Side::End => self.marks.around(|escape| escape.view < place).0,
            Side::Start => {
                let (before, next) = self.marks.around(|escape| escape.view_end <= place);
                if let Some(next) = next.filter(|next| next.view < place) {
                    return next.raw;
                }
                before
            }
        };
        before.map_or(place, |b| b.raw_end + place.saturating_sub(b.view_end))
    }

    fn view_at(&self, raw: usize, side: Side) -> usize {
        let raw = raw.min(self.read);
        let (before, next) = self.marks.around(|escape| escape.raw_end <= raw);
        if let Some(next) = next.filter(|next| next.raw < raw) {
            return if side == Side::Start { next.view } else { next.view_end };
        }
        before.map_or(raw, |b| b.view_end + (raw - b.raw_end))
    }

    fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn floor(&self, place: usize) -> usize {
        let (last, _) = self.marks.around(|escape| escape.view < place);
        last.filter(|escape| place < escape.view_end).map_or(place, |escape| escape.view)
    }

    fn forget(&mut self, at: usize) {
        let raw = self.raw_at(at, Side::End);
        self.before = raw.checked_sub(1).map(|last| self.raw[last]).or(self.before);
        self.raw.drain(..raw);
        self.read -= raw;
        if !self.marks.is_empty() {
            self.view.forget(at);
            self.marks.forget(raw, at);
        }
    }
}

/// The shortest spelling, and how much of one is hashed at once.
const WINDOW: usize = 8;
