//! Where the escapes are that were undone.

/// The escapes of a text that were undone, in order.
#[derive(Default)]
pub(super) struct Marks {
    marks: Vec<Mark>,
    /// What a mark has of the text and of its view that was given out since it was made.
    gone: (u32, u32),
}

/// There can be one for every second byte, so it is small. Positions are modulo 2^32.
#[derive(Clone, Copy)]
struct Mark {
    raw: u32,
    view: u32,
    len: u16,
    stands: u16,
}

/// An escape that was undone: its bytes, and where what they stand for is in the view.
#[derive(Clone, Copy)]
pub(super) struct Escape {
    pub(super) raw: usize,
    pub(super) raw_end: usize,
    pub(super) view: usize,
    pub(super) view_end: usize,
}

impl Marks {
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// One behind all others: `len` bytes at `raw`, under 2^16, now `stands` bytes at `view`.
    #[inline]
    pub(super) fn push(&mut self, raw: usize, view: usize, len: usize, stands: usize) {
        self.marks.push(Mark {
            raw: (raw as u32).wrapping_add(self.gone.0),
            view: (view as u32).wrapping_add(self.gone.1),
            len: len as u16,
            stands: stands as u16,
        });
    }

    /// The last for which `is_before` holds and the first for which it does not; it holds for none
    /// behind that.
    #[inline]
    pub(super) fn around(
        &self,
        is_before: impl Fn(&Escape) -> bool,
    ) -> (Option<Escape>, Option<Escape>) {
        let next = self.marks.partition_point(|mark| is_before(&self.escape(mark)));
        let at = |place: usize| self.marks.get(place).map(|mark| self.escape(mark));
        (next.checked_sub(1).and_then(at), at(next))
    }

    /// Those that end in the view behind `view`.
    #[inline]
    pub(super) fn behind(&self, view: usize) -> impl Iterator<Item = Escape> {
        let first = self.marks.partition_point(|mark| self.escape(mark).view_end <= view);
        self.marks[first..].iter().map(|mark| self.escape(mark))
    }

    /// So much of the text and of the view is given out, up to between two escapes or beside one.
    pub(super) fn forget(&mut self, raw: usize, view: usize) {
        let gone = self.marks.partition_point(|mark| self.escape(mark).raw < raw);
        self.marks.drain(..gone);
        self.gone.0 = self.gone.0.wrapping_add(raw as u32);
        self.gone.1 = self.gone.1.wrapping_add(view as u32);
    }

    #[inline]
    fn escape(&self, mark: &Mark) -> Escape {
        let raw = mark.raw.wrapping_sub(self.gone.0) as usize;
        let view = mark.view.wrapping_sub(self.gone.1) as usize;
        let (len, stands) = (usize::from(mark.len), usize::from(mark.stands));
        Escape { raw, raw_end: raw + len, view, view_end: view + stands }
    }
}
