//! A token bucket on the monotonic clock, as one number: the generic cell rate algorithm (ITU-T
//! I.371, virtual scheduling). Threads never wait for each other.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::catalog::Rate;
use crate::pool::Pools;

/// The bucket of one scope on one connection.
#[derive(Debug)]
pub struct Bucket {
    /// When the bucket will be full again, in nanoseconds: each call moves it one interval on.
    full_at_ns: AtomicU64,
    /// Between two calls in the long run.
    interval_ns: AtomicU64,
    /// From empty to full.
    depth_ns: AtomicU64,
    /// Tokens for its calls that were made ahead.
    pub(crate) pools: Pools,
}

impl Bucket {
    /// A full bucket.
    pub fn new(rate: Rate, now_ns: u64) -> Self {
        let (interval, depth) = times(rate);
        Self {
            full_at_ns: now_ns.into(),
            interval_ns: interval.into(),
            depth_ns: depth.into(),
            pools: Pools::new(),
        }
    }

    /// Takes one call, or says after how many nanoseconds there will be one.
    ///
    /// # Errors
    /// The wait, in nanoseconds; at least 1.
    pub fn take(&self, now_ns: u64) -> Result<(), u64> {
        let (interval, depth) = (self.interval_ns.load(Relaxed), self.depth_ns.load(Relaxed));
        let mut full_at = self.full_at_ns.load(Relaxed);
        loop {
            let next = full_at.max(now_ns).saturating_add(interval);
            let over = next.saturating_sub(now_ns.saturating_add(depth));
            if over > 0 {
                return Err(over);
            }
            match self.full_at_ns.compare_exchange_weak(full_at, next, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(seen) => full_at = seen,
            }
        }
    }

    /// Whether there is a call now; takes none.
    ///
    /// # Errors
    /// The wait, in nanoseconds.
    pub fn look(&self, now_ns: u64) -> Result<(), u64> {
        let (interval, depth) = (self.interval_ns.load(Relaxed), self.depth_ns.load(Relaxed));
        let next = self.full_at_ns.load(Relaxed).max(now_ns).saturating_add(interval);
        match next.saturating_sub(now_ns.saturating_add(depth)) {
            0 => Ok(()),
            over => Err(over),
        }
    }

    /// Changes the rate. What was used stays used; a smaller burst narrows at once.
    pub fn set_rate(&self, rate: Rate) {
        let (interval, depth) = times(rate);
        self.interval_ns.store(interval, Relaxed);
        self.depth_ns.store(depth, Relaxed);
    }
}

/// Interval and depth in nanoseconds. An interval is never zero, so no rate is without bound.
fn times(rate: Rate) -> (u64, u64) {
    let interval = ((1e9 / rate.per_second()).round() as u64).max(1);
    (interval, interval.saturating_mul(u64::from(rate.burst())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_then_a_full_bucket_again() {
        let b = Bucket::new(Rate::new(3, 2.0).unwrap(), 0);
        assert_eq!((0..5).filter(|_| b.take(0).is_ok()).count(), 3);
        assert_eq!(b.take(0), Err(500_000_000));
        assert_eq!(b.take(499_999_999), Err(1));
        assert_eq!(b.take(500_000_000), Ok(()));
        assert_eq!((0..9).filter(|_| b.take(60_000_000_000).is_ok()).count(), 3);
    }

    #[test]
    fn time_that_goes_back_gives_nothing() {
        let b = Bucket::new(Rate::new(1, 1.0).unwrap(), 5_000_000_000);
        assert!(b.take(5_000_000_000).is_ok());
        assert!(b.take(1_000_000_000).is_err());
        assert!(b.take(5_000_000_000).is_err());
    }

    #[test]
    fn a_lower_rate_narrows_at_once() {
        let b = Bucket::new(Rate::new(100, 1.0).unwrap(), 0);
        b.set_rate(Rate::new(2, 1.0).unwrap());
        assert_eq!((0..9).filter(|_| b.take(0).is_ok()).count(), 2);
    }
}
