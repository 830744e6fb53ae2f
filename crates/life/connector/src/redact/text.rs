//! What a stage of the redactor searches: the response itself, or the response with its escapes
//! undone.

use super::{Match, Pattern};

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

impl Plain {
    /// Where another stage writes what this one searches next.
    pub(super) fn inbox(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

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
