//! The end of what a program said on standard error.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The last bytes of a stream.
#[derive(Debug, Default)]
pub(super) struct Tail(Mutex<VecDeque<u8>>);

impl Tail {
    pub(super) fn push(&self, piece: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&piece[piece.len().saturating_sub(BYTES_MAX)..]);
        let over = kept.len().saturating_sub(BYTES_MAX);
        kept.drain(..over);
    }

    /// As text, without what a terminal would obey.
    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (front, back) = kept.as_slices();
        let bytes = [front, back].concat();
        let text = String::from_utf8_lossy(&bytes);
        let plain = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
        text.chars().map(plain).collect()
    }
}

const BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_obeyed_by_no_terminal() {
        let tail = Tail::default();
        tail.push(&vec![b'a'; 3 * BYTES_MAX]);
        tail.push(b"\x1b[2Jend\n");
        let text = tail.text();
        assert_eq!(text.len(), BYTES_MAX + "\u{fffd}".len() - 1);
        assert!(text.ends_with("a\u{fffd}[2Jend\n"));
    }
}
