//! The response with its escapes undone, as it is searched.

use super::fold::{self, Kind, Next};
use super::places::Places;
use super::skim::{Skimmed, skim};
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
    /// What a mark has of `raw` and of the view that was given out since it was made.
    gone: Mark,
    /// The byte before `raw`.
    pub(super) before: Option<u8>,
}

/// Where an escape is. There can be one for every second byte, and what it is asked for is rare:
/// so this is all that is kept, and the rest is read again ([`Folded::escape`]). Modulo 2^32.
#[derive(Clone, Copy, Default)]
struct Mark {
    raw: u32,
    view: u32,
}

/// An escape that a mark stands for.
struct Escape {
    raw_end: usize,
    view: usize,
    view_end: usize,
    kind: Kind,
}

impl Folded {
    /// An escape of `len` bytes and what it stands for.
    #[inline]
    pub(super) fn mark(&mut self, at: usize, len: usize, stands: &[u8]) {
        if self.marks.is_empty() {
            self.view.clear();
            self.gone = Mark::default();
            self.view.take(&self.raw, 0, at);
        } else if self.read < at {
            self.view.take(&self.raw, self.read, at);
        }
        let (raw, view) = (at as u32, self.view.len as u32);
        self.marks.push(Mark {
            raw: raw.wrapping_add(self.gone.raw),
            view: view.wrapping_add(self.gone.view),
        });
        self.view.escaped(stands);
        self.read = at + len;
    }

    fn raw_of(&self, mark: Mark) -> usize {
        mark.raw.wrapping_sub(self.gone.raw) as usize
    }

    fn view_of(&self, mark: Mark) -> usize {
        mark.view.wrapping_sub(self.gone.view) as usize
    }

    fn escape(&self, mark: Mark) -> Escape {
        let (raw, view) = (self.raw_of(mark), self.view_of(mark));
        // All that it was read from is there, so more could not change it.
        let (len, bytes_len, kind) = match fold::token(&self.raw, raw, self.before, true) {
            Next::Token(token) => (token.len, token.bytes_len, token.kind),
            Next::Plain | Next::More => (1, 1, Kind::Break),
        };
        Escape { raw_end: raw + len, view, view_end: view + bytes_len, kind }
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

    /// The escapes that a stretch has something of.
    fn marks_in(&self, from: usize, to: usize) -> &[Mark] {
        let first = self.marks.partition_point(|m| self.escape(*m).view_end <= from);
        let last = self.marks.partition_point(|m| self.view_of(*m) < to);
        &self.marks[first.min(last)..last]
    }
}

impl Text for Folded {
    const ESCAPE_REST: usize = 8;

    fn take(&mut self, block: &[u8], is_last: bool, pattern: &Pattern) {
        let mut places = Places::from(self.read, pattern);
        self.raw.extend_from_slice(block);
        let mut at = self.read;
        let end = loop {
            let Some(place) = places.next(&self.raw, at) else { break self.raw.len() };
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
        let after = reach + ESCAPE_BYTES_MAX;
        let first = self.marks.partition_point(|m| self.view_of(*m) + after <= at);
        let places = self.marks[first..].iter().map(|m| self.view_of(*m));
        // An escape may come right behind the end.
        for place in places.chain([view.len()]) {
            let to = place + after + 1 - WINDOW;
            if to <= at {
                continue;
            }
            at = at.max(aligned(place.saturating_sub(reach)));
            match pattern.candidate_up_to(view, at, to) {
                Ok(found) => return Some(found),
                Err(next) => at = next,
            }
        }
        None
    }

    fn owns(&self, found: &Match) -> bool {
        !self.marks_in(found.start, found.start + found.len).is_empty()
    }

    fn settle(&self, found: Match) -> Match {
        let marks = self.marks_in(found.start, found.start + found.len);
        let (Some(first), Some(last)) = (marks.first(), marks.last()) else { return found };
        let (first, last) = (self.escape(*first), self.escape(*last));
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
            Side::End => self.marks.partition_point(|m| self.view_of(*m) < place),
            Side::Start => self.marks.partition_point(|m| self.escape(*m).view_end <= place),
        };
        if side == Side::Start
            && let Some(mark) = self.marks.get(before)
            && self.view_of(*mark) < place
        {
            return self.raw_of(*mark);
        }
        let Some(mark) = before.checked_sub(1).map(|at| self.marks[at]) else { return place };
        let escape = self.escape(mark);
        escape.raw_end + place.saturating_sub(escape.view_end)
    }

    fn view_at(&self, raw: usize, side: Side) -> usize {
        let raw = raw.min(self.read);
        let next = self.marks.partition_point(|m| self.escape(*m).raw_end <= raw);
        if let Some(mark) = self.marks.get(next)
            && self.raw_of(*mark) < raw
        {
            let escape = self.escape(*mark);
            return if side == Side::Start { escape.view } else { escape.view_end };
        }
        let Some(mark) = next.checked_sub(1).map(|at| self.marks[at]) else { return raw };
        let escape = self.escape(mark);
        escape.view_end + (raw - escape.raw_end)
    }

    fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn floor(&self, place: usize) -> usize {
        let before = self.marks.partition_point(|m| self.view_of(*m) < place);
        let last = before.checked_sub(1).map(|at| self.escape(self.marks[at]));
        last.filter(|escape| place < escape.view_end).map_or(place, |escape| escape.view)
    }

    fn forget(&mut self, at: usize) {
        let raw = self.raw_at(at, Side::End);
        let gone = self.marks.partition_point(|m| self.raw_of(*m) < raw);
        self.before = raw.checked_sub(1).map(|last| self.raw[last]).or(self.before);
        self.raw.drain(..raw);
        self.read -= raw;
        if self.marks.is_empty() {
            return;
        }
        self.view.forget(at);
        self.marks.drain(..gone);
        self.gone.raw = self.gone.raw.wrapping_add(raw as u32);
        self.gone.view = self.gone.view.wrapping_add(at as u32);
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

    /// Adds what an escape stands for.
    #[inline]
    fn escaped(&mut self, stands: &[u8]) {
        if self.space.len() < self.len + PIECE {
            self.space.resize((self.len + PIECE).next_power_of_two(), 0);
        }
        // Nearly all stand for a byte, which is quicker by itself.
        if let [byte] = stands {
            self.space[self.len] = *byte;
        } else {
            self.space[self.len..self.len + stands.len()].copy_from_slice(stands);
        }
        self.len += stands.len();
    }

    fn forget(&mut self, to: usize) {
        self.space.copy_within(to..self.len, 0);
        self.len -= to;
    }
}

/// Pieces up to this length are copied without a loop.
const PIECE: usize = 80;
/// The longest character in UTF-8.
const ESCAPE_BYTES_MAX: usize = 4;
/// The shortest spelling, and how much of one is hashed at once.
const WINDOW: usize = 8;
