//! When a step that failed is tried again.

use std::time::Duration;

use symbolon_ambient::Rng;

/// How the pause grows from one attempt to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// It doubles.
    #[default]
    Exponential,
    /// It grows by the first each time.
    Linear,
    /// It stays.
    Fixed,
}

/// How often, and after which pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after the first.
    pub times: u32,
    /// How the pause grows.
    pub backoff: Backoff,
    /// The first pause.
    pub delay: Duration,
    /// No pause is longer.
    pub max: Duration,
    /// Draw each pause evenly from nothing up to itself, so that steps that failed together do not
    /// come back together.
    pub jitter: bool,
}

impl Retry {
    /// No second attempt.
    pub const NONE: Self = Self {
        times: 0,
        backoff: Backoff::Exponential,
        delay: Duration::from_secs(1),
        max: Duration::from_secs(60),
        jitter: true,
    };

    /// The pause after this attempt, from 1. `at_least` is what the upstream or a rule asked for;
    /// jitter goes on top of it.
    #[must_use]
    pub fn pause(&self, attempt: u32, at_least: Duration, rng: &dyn Rng) -> Duration {
        let factor = match self.backoff {
            Backoff::Exponential => {
                1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX)
            }
            Backoff::Linear => attempt.max(1),
            Backoff::Fixed => 1,
        };
        let whole = self.delay.saturating_mul(factor).min(self.max);
        if !self.jitter {
            return whole.max(at_least);
        }
        let mut random = [0; 8];
        rng.fill(&mut random);
        let most = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
        let drawn = u64::from_le_bytes(random) % most.saturating_add(1).max(1);
        at_least.saturating_add(Duration::from_millis(drawn))
    }
}

/// The most attempts after the first.
pub(crate) const TIMES_MAX: u64 = 20;

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;

    use super::*;

    fn pauses(backoff: Backoff) -> Vec<u64> {
        let (delay, max) = (Duration::from_millis(100), Duration::from_millis(500));
        let retry = Retry { times: 9, backoff, delay, max, jitter: false };
        let rng = SeededRng::new(1);
        let pause = |attempt| retry.pause(attempt, Duration::ZERO, &rng).as_millis() as u64;
        (1..=5).map(pause).collect()
    }

    #[test]
    fn pauses_grow_as_they_say_and_not_beyond() {
        assert_eq!(pauses(Backoff::Exponential), [100, 200, 400, 500, 500]);
        assert_eq!(pauses(Backoff::Linear), [100, 200, 300, 400, 500]);
        assert_eq!(pauses(Backoff::Fixed), [100; 5]);
        let far = Retry { jitter: false, ..Retry::NONE };
        assert_eq!(far.pause(u32::MAX, Duration::ZERO, &SeededRng::new(1)), far.max);
    }

    #[test]
    fn jitter_spreads_and_keeps_what_was_asked_for() {
        let (rng, least) = (SeededRng::new(7), Duration::from_secs(3));
        let drawn: Vec<Duration> = (0..200).map(|_| Retry::NONE.pause(1, least, &rng)).collect();
        assert!(drawn.iter().all(|p| (least..=least + Retry::NONE.delay).contains(p)));
        let (low, high) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(*high - *low > Duration::from_millis(800), "{low:?} {high:?}");
    }
}
