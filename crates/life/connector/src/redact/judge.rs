//! Whether a suspicious place really holds the credential.

use super::form::{Form, for_each};
use crate::inject::Slot;

/// Opens the credential for the instant of one comparison.
///
/// The implementation opens it into secret scratch on the secret stack
/// (`symbolon_secret::with_window`), calls [`judge`], and wipes. An implementation that cannot
/// open it says so, and the response is refused.
pub trait Confirm {
    /// Looks for the credential around `at`, where an 8-byte window of `haystack` may be a piece
    /// of it.
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed>;
}

impl<C: Confirm + ?Sized> Confirm for &C {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        (**self).confirm(haystack, at)
    }
}

/// The credential could not be opened: the vault was locked meanwhile, or there is no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credential could not be opened to search the response for it")]
pub struct Unconfirmed;

/// What stands at a suspicious place. Positions and lengths, never contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The longest whole spelling that holds the window.
    pub whole: Option<Match>,
    /// The longest run of a part of a spelling that holds the window.
    pub part: Option<Match>,
    /// The start of a run that the end of the haystack cut short: more may follow.
    pub open: Option<usize>,
}

/// Bytes of a haystack that are a piece of the credential in one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The first byte.
    pub start: usize,
    /// How many.
    pub len: usize,
    /// The spelling.
    pub form: Form,
}

/// Compares the surroundings of `at` with every spelling of the credential whose wire form is
/// `wire`. For implementations of [`Confirm`], on the secret stack.
///
/// `scratch` is secret memory of [`judge_scratch_len`] bytes that does not hold `wire`.
pub fn judge(
    slot: &Slot,
    wire: &[u8],
    scratch: &mut [u8],
    haystack: &[u8],
    at: usize,
) -> Result<Verdict, Unconfirmed> {
    let mut verdict = Verdict::default();
    let Some(window) = haystack[at..].first_chunk::<8>() else { return Ok(verdict) };
    let scratch_len = judge_scratch_len(wire.len());
    let scratch = scratch.get_mut(..scratch_len).ok_or(Unconfirmed)?;
    for_each(slot, wire, scratch, |form, text| {
        let places = text.windows(8).enumerate().filter(|(_, piece)| piece == window);
        for (place, _) in places {
            verdict.consider(form, text, place, haystack, at);
        }
    })
    .ok_or(Unconfirmed)?;
    Ok(verdict)
}

impl Verdict {
    /// What stands there when another credential is looked for too.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let longer = |a: Option<Match>, b: Option<Match>| match (a, b) {
            (Some(a), Some(b)) => Some(if b.len > a.len { b } else { a }),
            (a, b) => a.or(b),
        };
        Self {
            whole: longer(self.whole, other.whole),
            part: longer(self.part, other.part),
            open: match (self.open, other.open) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }

    /// Extends the window at `text[place..]` and `haystack[at..]` both ways.
    fn consider(&mut self, form: Form, text: &[u8], place: usize, haystack: &[u8], at: usize) {
        let back = text[..place].iter().rev().zip(haystack[..at].iter().rev());
        let before = back.take_while(|(a, b)| a == b).count();
        let on = text[place..].iter().zip(&haystack[at..]);
        let len = before + on.take_while(|(a, b)| a == b).count();
        let (start, first) = (at - before, place - before);
        if start + len == haystack.len() && first + len < text.len() {
            self.open = Some(self.open.map_or(start, |other| other.min(start)));
        }
        let best = if len == text.len() { &mut self.whole } else { &mut self.part };
        if best.is_none_or(|best| best.len < len) {
            *best = Some(Match { start, len, form });
        }
    }
}

/// How much secret scratch [`judge`] needs for a wire form of this length; with the longest wire
/// form it makes 20 KiB.
pub const fn judge_scratch_len(wire_len: usize) -> usize {
    let spelling = wire_len * 6;
    wire_len + if spelling < SPELLING_BYTES_MAX { spelling } else { SPELLING_BYTES_MAX }
}

/// The longest spelling that is followed: three times the longest credential.
const SPELLING_BYTES_MAX: usize = 3 * crate::inject::CREDENTIAL_BYTES_MAX;

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &[u8] = b"tok-en_~1tok-en_~2";

    fn judged(haystack: &[u8], at: usize) -> Verdict {
        let mut scratch = vec![0; judge_scratch_len(WIRE.len())];
        judge(&Slot::bearer(), WIRE, &mut scratch, haystack, at).unwrap()
    }

    #[test]
    fn a_run_is_extended_both_ways() {
        let whole = Some(Match { start: 2, len: 18, form: Form::Raw });
        assert_eq!(judged(b"..tok-en_~1tok-en_~2..", 2).whole, whole);
        assert_eq!(judged(b"..tok-en_~1tok-en_~2..", 9).whole, whole);
        assert_eq!(judged(b"..tok-en_~1tok-en_~2..", 12).whole, whole);
        let part = |len| Some(Match { start: 1, len, form: Form::Raw });
        assert_eq!(judged(b".en_~1tok-en.", 2), Verdict { part: part(11), ..Verdict::default() });
        assert_eq!(judged(b"x1tok-en_~x", 2).part, part(9));
    }

    #[test]
    fn a_run_at_the_end_is_open_until_its_spelling_is_complete() {
        assert_eq!(judged(b"..tok-en_~1tok", 2).open, Some(2));
        assert_eq!(judged(b"..tok-en_~1tok.", 2).open, None);
        // The second half begins like the whole, so it may yet go on.
        assert_eq!(judged(b"tok-en_~1tok-en_~", 9).open, Some(0));
        assert_eq!(judged(b"..tok-en_~1tok-en_~2", 2).open, None);
    }

    #[test]
    fn what_is_in_no_spelling_is_nothing() {
        assert_eq!(judged(b"tok-en_.1tok-en_.2", 0), Verdict::default());
        assert_eq!(judged(b"tok-en_", 0), Verdict::default());
    }

    #[test]
    fn of_two_the_longer_match_counts_and_the_earlier_open_run() {
        let found = |start, len| Some(Match { start, len, form: Form::Raw });
        let a = Verdict { whole: found(3, 8), part: None, open: Some(7) };
        let b = Verdict { whole: found(1, 12), part: found(2, 9), open: Some(5) };
        let both = Verdict { whole: found(1, 12), part: found(2, 9), open: Some(5) };
        assert_eq!((a.or(b), b.or(a)), (both, both));
        assert_eq!(a.or(Verdict::default()), a);
    }

    #[test]
    fn scratch_that_is_too_small_is_refused() {
        let result = judge(&Slot::bearer(), WIRE, &mut [0; 20], WIRE, 0);
        assert_eq!(result, Err(Unconfirmed));
        assert_eq!(judge_scratch_len(4096), 16 * 1024);
    }
}
