//! Limits of rate: token buckets on the monotonic clock, in bounded memory.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use symbolon_ambient::Clock;

/// So many at once, and one more after each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once; at least one.
    pub burst: u32,
    /// Nanoseconds until one more may come; at least one.
    pub interval_ns: u64,
}

impl Rate {
    /// So many at once and so many a minute after that.
    pub const fn per_minute(burst: u32, per_minute: u32) -> Self {
        Self { burst, interval_ns: 60_000_000_000 / per_minute as u64 }
    }

    /// So many at once and so many a second after that.
    pub const fn per_second(burst: u32, per_second: u32) -> Self {
        Self { burst, interval_ns: 1_000_000_000 / per_second as u64 }
    }
}

/// Buckets of one rate, one a key. A bucket is one number: the moment at which it is full again.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    most: usize,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    full_at_ns: HashMap<K, u64>,
    /// Of all keys that have no room of their own.
    rest_full_at_ns: u64,
    /// Not swept again before this.
    swept_until_ns: u64,
}

impl<K: Hash + Eq> Buckets<K> {
    /// For `most` keys at once. Where so many are in use, the others share one bucket: a crowd of new keys
    /// has one share together, and takes no memory.
    pub fn new(rate: Rate, most: usize) -> Self {
        let state = State { full_at_ns: HashMap::new(), rest_full_at_ns: 0, swept_until_ns: 0 };
        Self { rate, most, state: Mutex::new(state) }
    }

    /// Takes one from the key's bucket.
    ///
    /// # Errors
    /// Where it is empty: whole seconds until there is one, at least one.
    pub fn take(&self, key: K, clock: &dyn Clock) -> Result<(), u64> {
        self.take_many(key, 1, clock)
    }

    /// Whether the key's bucket has one; takes none.
    ///
    /// # Errors
    /// As [`Buckets::take`].
    pub fn look(&self, key: &K, clock: &dyn Clock) -> Result<(), u64> {
        let now = clock.mono_ns();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_crowded = state.full_at_ns.len() >= self.most;
        let of_rest = if is_crowded { state.rest_full_at_ns } else { now };
        let full_at = state.full_at_ns.get(key).copied().unwrap_or(of_rest);
        self.after(full_at, 1, now).map(drop)
    }

    /// Takes so many from the key's bucket, or none of them; more than the bucket holds never come.
    ///
    /// # Errors
    /// Where it has not so many: whole seconds until it has, at least one.
    pub fn take_many(&self, key: K, count: u32, clock: &dyn Clock) -> Result<(), u64> {
        let now = clock.mono_ns();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { full_at_ns, rest_full_at_ns, swept_until_ns } = &mut *state;
        if full_at_ns.len() >= self.most && !full_at_ns.contains_key(&key) && now >= *swept_until_ns
        {
            full_at_ns.retain(|_, full_at| *full_at > now);
            *swept_until_ns = now + SWEEP_NS;
        }
        let has_room = full_at_ns.len() < self.most;
        let bucket = match full_at_ns.get_mut(&key) {
            Some(bucket) => bucket,
            None if has_room => full_at_ns.entry(key).or_insert(now),
            None => rest_full_at_ns,
        };
        *bucket = self.after(*bucket, count, now)?;
        Ok(())
    }

    /// When a bucket is full again of which so many are taken.
    fn after(&self, full_at: u64, count: u32, now: u64) -> Result<u64, u64> {
        let of = |count: u32| u64::from(count) * self.rate.interval_ns;
        let (then, latest) = (full_at.max(now) + of(count), now + of(self.rate.burst));
        match then.checked_sub(latest) {
            None | Some(0) => Ok(then),
            Some(over) => Err(over.div_ceil(1_000_000_000).max(1)),
        }
    }
}

const SWEEP_NS: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use symbolon_ambient::ManualClock;

    use super::*;

    #[test]
    fn a_burst_then_one_an_interval() {
        let clock = ManualClock::at(0);
        let buckets = Buckets::new(Rate::per_minute(3, 6), 10);
        let take = |key| buckets.take(key, &clock);
        for _ in 0..3 {
            assert_eq!(take("a"), Ok(()));
        }
        assert_eq!(take("a"), Err(10));
        assert_eq!(take("b"), Ok(()), "another key has its own");
        clock.advance_ms(9_999);
        assert_eq!(take("a"), Err(1));
        clock.advance_ms(1);
        assert_eq!(take("a"), Ok(()));
        assert_eq!(take("a"), Err(10), "what was refused cost nothing");
        clock.advance_ms(3_600_000);
        for _ in 0..3 {
            assert_eq!(take("a"), Ok(()), "an hour fills it, and no more than that");
        }
        assert_eq!(take("a"), Err(10));
    }

    #[test]
    fn many_at_once_weigh_as_many_or_nothing() {
        let clock = ManualClock::at(0);
        let buckets = Buckets::new(Rate::per_second(10, 2), 10);
        let take = |count| buckets.take_many("a", count, &clock);
        assert_eq!(take(6), Ok(()));
        assert_eq!(take(5), Err(1), "four are left; the fifth comes in half a second");
        assert_eq!(take(10), Err(3));
        assert_eq!(take(4), Ok(()), "what was refused cost nothing");
        assert_eq!(take(1), Err(1));
        clock.advance_ms(3_000);
        assert_eq!(take(6), Ok(()));
        assert_eq!(take(1), Err(1));
        clock.advance_ms(3_600_000);
        assert_eq!(take(10), Ok(()));
        clock.advance_ms(3_600_000);
        assert!(take(11).is_err(), "more than it ever holds");
    }

    #[test]
    fn a_look_takes_nothing() {
        let clock = ManualClock::at(0);
        let buckets = Buckets::new(Rate::per_minute(1, 6), 1);
        assert_eq!((buckets.look(&"a", &clock), buckets.look(&"a", &clock)), (Ok(()), Ok(())));
        assert_eq!(buckets.take("a", &clock), Ok(()));
        assert_eq!(buckets.look(&"a", &clock), Err(10));
        // There is room for one key: the others share a bucket.
        assert_eq!(buckets.look(&"b", &clock), Ok(()));
        assert_eq!(buckets.take("b", &clock), Ok(()));
        assert_eq!(buckets.look(&"c", &clock), Err(10));
        clock.advance_ms(10_000);
        assert_eq!(buckets.look(&"a", &clock), Ok(()));
    }

    #[test]
    fn a_crowd_of_keys_takes_no_more_memory_and_has_one_share() {
        let clock = ManualClock::at(0);
        let buckets = Buckets::new(Rate::per_minute(1, 1), 100);
        let through = (0..10_000).filter(|key| buckets.take(*key, &clock).is_ok()).count();
        assert_eq!(through, 101);
        assert_eq!(buckets.state.lock().unwrap().full_at_ns.len(), 100);
        clock.advance_ms(60_000);
        assert_eq!(buckets.take(20_000, &clock), Ok(()), "full buckets made room");
        assert_eq!(buckets.state.lock().unwrap().full_at_ns.len(), 1);
    }

    #[test]
    fn the_calendar_has_no_say() {
        let clock = ManualClock::at(1_000_000_000_000);
        let buckets = Buckets::new(Rate::per_minute(1, 1), 10);
        assert_eq!(buckets.take("a", &clock), Ok(()));
        clock.set_unix_ms(2_000_000_000_000);
        assert_eq!(buckets.take("a", &clock), Err(60));
    }
}
