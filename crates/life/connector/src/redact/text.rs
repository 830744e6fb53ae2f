//! What a stage of the redactor searches: the response itself, or the response with its escapes
//! undone.

use super::fold::{self, Kind, Next, Token};
use super::{Form, Match, Pattern};

/// Bytes that were taken and not given out, as they came and as they are searched. Positions are
/// in what is searched.
pub(super) trait Text: Default {
    /// How much of an escape that is cut can stand in front of a match.
    const ESCAPE_REST: usize;

    /// Takes more; `is_last` says that nothing follows.
    fn take(&mut self, block: &[u8], is_last: bool, pattern: &Pattern);

    /// What is searched.
    fn view(&self) -> &[u8];

    /// The first place at or after `at` where a window of interest may be a piece of the credential.
    /// `base` is where the view begins in the whole.
    fn candidate(&self, pattern: &Pattern, base: u64, at: usize) -> Option<usize>;

    /// Whether a match is this stage's to take out.
    fn owns(&self, found: &Match) -> bool;

    /// A match up to whole escapes, and its name.
    fn settle(&self, found: Match) -> Match;

    /// Where a place of the view is in what came: as the end of what is in front of it, or as the
    /// start of what follows (a line break that was undone there is between the two).
    fn raw_at(&self, place: usize, side: Side) -> usize;

    /// Where a place of what came is in the view; in an escape, its start or its end.
    fn view_at(&self, raw: usize, side: Side) -> usize;

    /// What came.
    fn raw(&self) -> &[u8];

    /// The last place up to this one that is not inside of an escape.
    fn floor(&self, place: usize) -> usize;

    /// Forgets what is in front of `at`, which was given out.
    fn forget(&mut self, at: usize);
}

/// Of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    End,
    Start,
}

/// The response itself.
#[derive(Default)]
pub(super) struct Plain(Vec<u8>);

impl Text for Plain {
    const ESCAPE_REST: usize = 0;

    fn take(&mut self, block: &[u8], _: bool, _: &Pattern) {
        self.0.extend_from_slice(block);
    }

    fn view(&self) -> &[u8] {
        &self.0
    }

    fn candidate(&self, pattern: &Pattern, _: u64, at: usize) -> Option<usize> {
        pattern.candidate(&self.0, at)
    }

    fn owns(&self, _: &Match) -> bool {
        true
    }

    fn settle(&self, found: Match) -> Match {
        found
    }

    fn raw_at(&self, place: usize, _: Side) -> usize {
        place
    }

    fn view_at(&self, raw: usize, _: Side) -> usize {
        raw
    }

    fn raw(&self) -> &[u8] {
        &self.0
    }

    fn floor(&self, place: usize) -> usize {
        place
    }

    fn forget(&mut self, at: usize) {
        self.0.drain(..at);
    }
}

/// The response with its escapes undone. Owns what has at least one escape in it, and is only
/// searched around escapes.
#[derive(Default)]
pub(super) struct Folded {
    /// As it came.
    raw: Vec<u8>,
    /// The part of `raw` that is searched; what follows is an escape that is not whole.
    read: usize,
    /// With escapes undone; unused, and the same as `raw[..read]`, while there are none.
    view: Vec<u8>,
    /// Escapes that a spelling can have.
    marks: Vec<Mark>,
    /// The byte before `raw`.
    before: Option<u8>,
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
    fn mark(&mut self, at: usize, token: &Token) {
        if self.marks.is_empty() {
            self.view.clear();
            self.view.extend_from_slice(&self.raw[..at]);
        } else {
            self.view.extend_from_slice(&self.raw[self.read..at]);
        }
        let view = self.view.len();
        self.view.extend_from_slice(token.bytes());
        self.read = at + token.len;
        let (raw_end, view_end) = (self.read, self.view.len());
        self.marks.push(Mark { raw: at, raw_end, view, view_end, kind: token.kind });
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
        self.raw.extend_from_slice(block);
        let mut at = self.read;
        let end = loop {
            let Some(place) = fold::special(&self.raw, at) else { break self.raw.len() };
            match fold::token(&self.raw, place, self.before, is_last) {
                Next::More => break place,
                Next::Plain => at = place + 1,
                Next::Token(token) => {
                    if token.bytes().iter().all(|b| pattern.may_hold(*b)) {
                        self.mark(place, &token);
                    }
                    at = place + token.len;
                }
            }
        };
        if !self.marks.is_empty() {
            self.view.extend_from_slice(&self.raw[self.read..end]);
        }
        self.read = end;
    }

    fn view(&self) -> &[u8] {
        if self.marks.is_empty() { &self.raw[..self.read] } else { &self.view }
    }

    fn candidate(&self, pattern: &Pattern, base: u64, at: usize) -> Option<usize> {
        let view = self.view();
        let reach = pattern.longest();
        let stride = pattern.stride() as u64;
        let aligned = |at: usize| ((base + at as u64).next_multiple_of(stride) - base) as usize;
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
        self.view.drain(..at);
        let gone = self.marks.partition_point(|m| m.raw < raw);
        self.marks.drain(..gone);
        for mark in &mut self.marks {
            (mark.raw, mark.raw_end) = (mark.raw - raw, mark.raw_end - raw);
            (mark.view, mark.view_end) = (mark.view - at, mark.view_end - at);
        }
    }
}
