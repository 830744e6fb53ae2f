//! The response with its escapes undone, as it is searched.

use super::fold::{self, Kind, Next, Token};
use super::skim::{Places, Skimmed, skim};
use super::text::{Side, Text};
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
    marks: Vec<Mark>,
    /// The byte before `raw`.
    pub(super) before: Option<u8>,
}

#[derive(Clone, Copy)]
struct Mark {
    raw: usize,
    raw_end: usize,
    view: usize,
    view_end: usize,
    kind: Kind,
}

impl Folded {
    pub(super) fn mark(&mut self, at: usize, token: &Token) {
        if self.marks.is_empty() {
            self.view.clear();
            self.view.take(&self.raw, 0, at);
        } else {
            self.view.take(&self.raw, self.read, at);
        }
        let view = self.view.len;
        self.view.take(&token.bytes, 0, token.bytes().len());
        self.read = at + token.len;
        let (raw_end, view_end) = (self.read, self.view.len);
        self.marks.push(Mark { raw: at, raw_end, view, view_end, kind: token.kind });
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
    fn may_matter(&self, at: usize, token: &Token, pattern: &Pattern) -> bool {
        let mut back = self.raw[self.read.min(at)..at].iter().rev().take(WINDOW);
        let Some(before) = back.position(|b| !pattern.may_hold(*b)) else {
            return true;
        };
        let on = self.raw[at + token.len..].iter().take(WINDOW);
        match on.enumerate().find(|(_, b)| fold::is_special(**b) || !pattern.may_hold(**b)) {
            Some((after, byte)) if !fold::is_special(*byte) => {
                before + token.bytes().len() + after >= WINDOW
            }
            _ => true,
        }
    }

    /// The escapes that a stretch has something of.
    fn marks_in(&self, from: usize, to: usize) -> &[Mark] {
        let first = self.marks.partition_point(|m| m.view_end <= from);
        let last = self.marks.partition_point(|m| m.view < to);
        &self.marks[first.min(last)..last]
    }
}

impl Text for Folded {
    const ESCAPE_REST: usize = 8;

    fn take(&mut self, block: &[u8], is_last: bool, pattern: &Pattern) {
        let mut places = Places::from(self.read);
        self.raw.extend_from_slice(block);
        let mut at = self.read;
        let end = loop {
            let Some(place) = places.next(&self.raw, at) else { break self.raw.len() };
            let token = match skim(&self.raw, place, self.before, pattern) {
                Skimmed::Passed(len) => {
                    at = place + len;
                    continue;
                }
                Skimmed::Token(token) => token,
                Skimmed::Unclear => match fold::token(&self.raw, place, self.before, is_last) {
                    Next::More => break place,
                    Next::Plain => {
                        at = place + 1;
                        continue;
                    }
                    Next::Token(token) => token,
                },
            };
            at = place + token.len;
            if token.bytes().iter().all(|b| pattern.may_hold(*b))
                && self.may_matter(place, &token, pattern)
            {
                self.mark(place, &token);
            }
        };
        self.read_to(end);
    }

    fn view(&self) -> &[u8] {
        if self.marks.is_empty() { &self.raw[..self.read] } else { self.view.bytes() }
    }

    fn candidate(&self, pattern: &Pattern, base: u64, at: usize) -> Option<usize> {
        let view = self.view();
        // Every match with an escape in it has a hashed window this near.
        let reach = pattern.run_min();
        let aligned = |at: usize| (pattern.aligned(base + at as u64) - base) as usize;
        let mut at = at;
        let first = self.marks.partition_point(|m| m.view_end + reach <= at);
        let ends = self.marks[first..].iter().map(|m| (m.view, m.view_end));
        // An escape may come right behind the end.
        for (from, to) in ends.chain([(view.len(), view.len())]) {
            let to = view.len().min(to + reach);
            at = aligned(at.max(from.saturating_sub(reach)));
            if let Some(found) = pattern.candidate(&view[..to], at) {
                return Some(found);
            }
            at = at.max(to.saturating_sub(7));
        }
        None
    }

    fn owns(&self, found: &Match) -> bool {
        !self.marks_in(found.start, found.start + found.len).is_empty()
    }

    fn settle(&self, found: Match) -> Match {
        let marks = self.marks_in(found.start, found.start + found.len);
        let (Some(first), Some(last)) = (marks.first(), marks.last()) else { return found };
        let start = found.start.min(first.view);
        let end = (found.start + found.len).max(last.view_end);
        let form = match first.kind {
            Kind::Percent => Form::PercentMixed,
            Kind::Backslash => Form::Escaped,
            Kind::Entity => Form::HtmlMixed,
            Kind::Break => Form::Wrapped,
        };
        Match { start, len: end - start, form }
    }

    fn raw_at(&self, place: usize, side: Side) -> usize {
        let before = match side {
            Side::End => self.marks.partition_point(|m| m.view < place),
            Side::Start => self.marks.partition_point(|m| m.view_end <= place),
        };
        if side == Side::Start
            && let Some(mark) = self.marks.get(before)
            && mark.view < place
        {
            return mark.raw;
        }
        let Some(mark) = before.checked_sub(1).map(|at| self.marks[at]) else { return place };
        mark.raw_end + place.saturating_sub(mark.view_end)
    }

    fn view_at(&self, raw: usize, side: Side) -> usize {
        let raw = raw.min(self.read);
        let next = self.marks.partition_point(|m| m.raw_end <= raw);
        if let Some(mark) = self.marks.get(next)
            && mark.raw < raw
        {
            return if side == Side::Start { mark.view } else { mark.view_end };
        }
        let Some(mark) = next.checked_sub(1).map(|at| self.marks[at]) else { return raw };
        mark.view_end + (raw - mark.raw_end)
    }

    fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn floor(&self, place: usize) -> usize {
        let before = self.marks.partition_point(|m| m.view < place);
        let inside = before.checked_sub(1).map(|at| self.marks[at]).filter(|m| place < m.view_end);
        inside.map_or(place, |mark| mark.view)
    }

    fn forget(&mut self, at: usize) {
        let raw = self.raw_at(at, Side::End);
        self.before = raw.checked_sub(1).map(|last| self.raw[last]).or(self.before);
        self.raw.drain(..raw);
        self.read -= raw;
        if self.marks.is_empty() {
            return;
        }
        self.view.forget(at);
        let gone = self.marks.partition_point(|m| m.raw < raw);
        self.marks.drain(..gone);
        for mark in &mut self.marks {
            (mark.raw, mark.raw_end) = (mark.raw - raw, mark.raw_end - raw);
            (mark.view, mark.view_end) = (mark.view - at, mark.view_end - at);
        }
    }
}

/// Bytes that are added in many small pieces.
#[derive(Default)]
struct View {
    /// Longer than what is in use, so that a short piece is copied at a fixed length.
    space: Vec<u8>,
    len: usize,
}

impl View {
    fn bytes(&self) -> &[u8] {
        &self.space[..self.len]
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds `text[from..to]`.
    #[inline]
    fn take(&mut self, text: &[u8], from: usize, to: usize) {
        let len = to - from;
        if self.space.len() < self.len + len + PIECE {
            self.space.resize((self.len + len + PIECE).next_power_of_two(), 0);
        }
        let free = &mut self.space[self.len..];
        let piece = text.get(from..).and_then(|rest| rest.first_chunk::<PIECE>());
        match (piece, free.first_chunk_mut::<PIECE>()) {
            (Some(piece), Some(free)) if len <= PIECE => *free = *piece,
            _ => free[..len].copy_from_slice(&text[from..to]),
        }
        self.len += len;
    }

    fn forget(&mut self, to: usize) {
        self.space.copy_within(to..self.len, 0);
        self.len -= to;
    }
}

/// Pieces up to this length are copied without a loop.
const PIECE: usize = 32;
/// The shortest spelling, and how much of one is hashed at once.
const WINDOW: usize = 8;
