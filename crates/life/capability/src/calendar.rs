//! The calendar, as far as it can be believed: a wall clock that is watched by the monotonic one.

use std::sync::{Mutex, PoisonError};

use symbolon_ambient::Clock;

/// Both clocks at one moment; what the wall clock says later is compared with it.
#[derive(Debug)]
pub struct Calendar(Mutex<Anchor>);

#[derive(Debug, Clone, Copy)]
struct Anchor {
    unix_ms: u64,
    mono_ns: u64,
    jump: Option<Seen>,
}

/// A jump that was seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    by_ms: i64,
    since_ns: u64,
}

/// What time it is, for rules that go by the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Unix milliseconds: the wall clock's, or after a jump the time as it went on without it.
    pub unix_ms: u64,
    /// The wall clock jumped and is not believed yet.
    pub jump: Option<Jump>,
}

/// A wall clock that does not say what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// By how much; below zero it was set back.
    pub by_ms: i64,
    /// After how many milliseconds it is believed, if it stays.
    pub settles_in_ms: u64,
}

/// Corrections up to this are believed at once.
const SLIP_MS: u64 = 60_000;
/// How long a new time must stand before it is believed.
const SETTLES_NS: u64 = 15 * 60 * 1_000_000_000;

impl Calendar {
    /// Believes the wall clock as it is now.
    pub fn new(clock: &dyn Clock) -> Self {
        let (unix_ms, mono_ns) = (clock.unix_ms(), clock.mono_ns());
        Self(Mutex::new(Anchor { unix_ms, mono_ns, jump: None }))
    }

    /// What time it is.
    pub fn read(&self, clock: &dyn Clock) -> Reading {
        let mut anchor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, mono_ns) = (clock.unix_ms(), clock.mono_ns());
        let expected = anchor.unix_ms + mono_ns.saturating_sub(anchor.mono_ns) / 1_000_000;
        if wall.abs_diff(expected) <= SLIP_MS {
            anchor.jump = None;
            return Reading { unix_ms: wall, jump: None };
        }
        let by_ms = wall.cast_signed().saturating_sub(expected.cast_signed());
        let seen = match anchor.jump {
            Some(seen) if by_ms.abs_diff(seen.by_ms) <= SLIP_MS => seen,
            _ => Seen { by_ms, since_ns: mono_ns },
        };
        let stood_ns = mono_ns.saturating_sub(seen.since_ns);
        if stood_ns >= SETTLES_NS {
            *anchor = Anchor { unix_ms: wall, mono_ns, jump: None };
            return Reading { unix_ms: wall, jump: None };
        }
        anchor.jump = Some(seen);
        let settles_in_ms = (SETTLES_NS - stood_ns).div_ceil(1_000_000);
        Reading { unix_ms: expected, jump: Some(Jump { by_ms, settles_in_ms }) }
    }
}

#[cfg(test)]
mod tests {
    use symbolon_ambient::ManualClock;

    use super::*;

    const START: u64 = 1_800_000_000_000;
    const MINUTE: u64 = 60_000;

    #[test]
    fn a_clock_that_goes_as_it_should_is_believed() {
        let clock = ManualClock::at(START);
        let calendar = Calendar::new(&clock);
        clock.advance_ms(86_400_000);
        assert_eq!(calendar.read(&clock), Reading { unix_ms: START + 86_400_000, jump: None });
        clock.set_unix_ms(START + 86_400_000 - 50_000);
        assert_eq!(calendar.read(&clock).jump, None, "a small correction");
    }

    #[test]
    fn a_jump_is_not_believed_until_it_has_stood() {
        for to in [START + 86_400_000, START - 86_400_000] {
            let clock = ManualClock::at(START);
            let calendar = Calendar::new(&clock);
            clock.set_unix_ms(to);
            let reading = calendar.read(&clock);
            assert_eq!(reading.unix_ms, START);
            assert_eq!(reading.jump.unwrap().by_ms.unsigned_abs(), 86_400_000);
            clock.advance_ms(14 * MINUTE);
            let reading = calendar.read(&clock);
            assert_eq!(
                (reading.unix_ms, reading.jump.unwrap().settles_in_ms),
                (START + 14 * MINUTE, MINUTE)
            );
            clock.advance_ms(MINUTE);
            assert_eq!(calendar.read(&clock), Reading { unix_ms: to + 15 * MINUTE, jump: None });
        }
    }

    #[test]
    fn a_clock_that_is_put_right_again_is_believed_and_a_second_jump_waits_anew() {
        let clock = ManualClock::at(START);
        let calendar = Calendar::new(&clock);
        clock.set_unix_ms(START + 60 * MINUTE);
        assert!(calendar.read(&clock).jump.is_some());
        clock.set_unix_ms(START);
        assert!(calendar.read(&clock).jump.is_none());
        clock.set_unix_ms(START + 60 * MINUTE);
        calendar.read(&clock);
        clock.advance_ms(10 * MINUTE);
        clock.set_unix_ms(START + 600 * MINUTE);
        assert_eq!(calendar.read(&clock).jump.unwrap().settles_in_ms, 15 * MINUTE);
    }
}
