//! The instant in which a credential is in the clear.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use crate::histogram::Histogram;
use crate::region::MemoryError;
use crate::scrub::{scrub_registers, wipe_raw};
use crate::stack::{Stack, with_stack};

/// How long credentials were in the clear, from [`Window::opened`] to [`Window::sealed`].
pub static CLEAR: Histogram = Histogram::new();

/// Room for one TLS record (2^14 bytes, its type, its tag) and more.
pub const SCRATCH_BYTES: usize = 20 * 1024;

/// Runs `f` on the secret stack with this thread's secret scratch; afterwards wipes what was used
/// of both and clears the registers, also where `f` panics.
///
/// Errs with [`WindowError::Nested`] inside another window (the scratch is one per thread).
#[inline]
pub fn with_window<R>(f: impl FnOnce(&mut Window<'_>) -> R) -> Result<R, WindowError> {
    with_stack(|stack| {
        if stack.window.replace(true) {
            return Err(WindowError::Nested);
        }
        let mut window = Window { stack, used: 0, opened: None };
        let result = catch_unwind(AssertUnwindSafe(|| stack.run(|| f(&mut window))));
        window.close();
        stack.window.set(false);
        match result {
            Ok(result) => Ok(result),
            Err(panic) => resume_unwind(panic),
        }
    })?
}

/// The secret scratch of one thread, for as long as a window is open.
pub struct Window<'a> {
    stack: &'a Stack,
    /// Bytes from the scratch's start that may have been written.
    used: usize,
    opened: Option<Instant>,
}

impl Window<'_> {
    /// All of the scratch. All of it is wiped at the end; [`take`](Self::take) is cheaper.
    #[inline]
    pub fn buffer(&mut self) -> &mut [u8] {
        self.take(SCRATCH_BYTES)
    }

    /// The first `len` bytes of the scratch (at most [`SCRATCH_BYTES`]); the same bytes each time.
    #[inline]
    pub fn take(&mut self, len: usize) -> &mut [u8] {
        let len = len.min(SCRATCH_BYTES);
        self.used = self.used.max(len);
        // SAFETY: the scratch is this window's alone (`stack.window`), and `&mut self` is unique.
        unsafe { std::slice::from_raw_parts_mut(self.stack.scratch(), len) }
    }

    /// A credential is in the clear from now on. The first call counts.
    #[inline]
    pub fn opened(&mut self) {
        self.opened.get_or_insert_with(Instant::now);
        crate::hold("opened");
    }

    /// Nothing is in the clear any more: the scratch holds ciphertext or is about to be wiped, and
    /// the registers are cleared. Ends the clock.
    #[inline]
    pub fn sealed(&mut self) {
        scrub_registers();
        if let Some(opened) = self.opened.take() {
            CLEAR.record(opened.elapsed());
        }
    }

    fn close(&mut self) {
        // SAFETY: within the scratch.
        unsafe { wipe_raw(self.stack.scratch(), self.used) };
        self.sealed();
    }
}

/// A window could not be opened; nothing ran.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// This thread has a window open already.
    #[error("a window on secret memory is open on this thread already")]
    Nested,
    /// No memory for this thread's secret stack.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_windows_are_refused_and_the_outer_one_goes_on() {
        let out = with_window(|w| {
            w.take(3).copy_from_slice(b"abc");
            assert!(matches!(with_window(|_| ()), Err(WindowError::Nested)));
            w.take(3) == b"abc"
        });
        assert!(out.expect("window"));
        assert!(with_window(|_| crate::on_stack(|| 1)).is_ok());
        assert!(crate::on_stack(|| with_window(|_| 1)).is_ok());
    }

    #[test]
    fn scratch_is_zero_at_the_start_even_after_a_panic() {
        for len in [1, 100, SCRATCH_BYTES] {
            let panicked = std::panic::catch_unwind(|| {
                with_window(|w| {
                    w.opened();
                    w.take(len).fill(7);
                    std::panic::resume_unwind(Box::new(()))
                })
            });
            assert!(panicked.is_err());
            assert!(with_window(|w| w.buffer().iter().all(|b| *b == 0)).expect("window"));
        }
    }

    #[test]
    fn the_clock_counts_once_for_each_window() {
        let before = CLEAR.snapshot().count;
        with_window(|w| {
            w.opened();
            w.opened();
            w.sealed();
            w.sealed();
        })
        .expect("window");
        with_window(|_| ()).expect("window");
        assert!(CLEAR.snapshot().count > before);
    }
}
