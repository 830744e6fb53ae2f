//! Text with its escapes undone, while it is put together.

/// Bytes that are added in many small pieces.
#[derive(Default)]
pub(super) struct View {
    /// Longer than what is in use, so that a short piece is copied at a fixed length.
    space: Vec<u8>,
    len: usize,
}

impl View {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.space[..self.len]
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds what of `text` is in front of `at` and behind `read`, up to where it was added before;
    /// all of it where the view begins anew.
    #[inline]
    pub(super) fn follow(&mut self, text: &[u8], read: usize, at: usize, is_new: bool) {
        if is_new {
            self.len = 0;
            self.take(text, 0, at);
        } else if read < at {
            self.take(text, read, at);
        }
    }

    /// Adds `text[from..to]`.
    #[inline]
    pub(super) fn take(&mut self, text: &[u8], from: usize, to: usize) {
        let len = to - from;
        self.reserve(len + PIECE);
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
    pub(super) fn escaped(&mut self, stands: &[u8]) {
        self.reserve(PIECE);
        // Nearly all stand for a byte, which is quicker by itself.
        if let [byte] = stands {
            self.space[self.len] = *byte;
        } else {
            self.space[self.len..self.len + stands.len()].copy_from_slice(stands);
        }
        self.len += stands.len();
    }

    pub(super) fn forget(&mut self, to: usize) {
        self.space.copy_within(to..self.len, 0);
        self.len -= to;
    }

    #[inline]
    fn reserve(&mut self, len: usize) {
        if self.space.len() < self.len + len {
            self.space.resize((self.len + len).next_power_of_two(), 0);
        }
    }
}

/// Pieces up to this length are copied without a loop.
const PIECE: usize = 80;
