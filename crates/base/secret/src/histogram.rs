//! Counts of durations that many threads record into without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Log-linear: sixteen steps for each power of two of nanoseconds, from 0 to about 18 minutes; an
/// answer is at most 1/16 above the truth.
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
    max_ns: AtomicU64,
}

/// What a [`Histogram`] held at one moment, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Durations recorded.
    pub count: u64,
    /// Median.
    pub p50: u64,
    /// 95th percentile.
    pub p95: u64,
    /// 99th percentile.
    pub p99: u64,
    /// The longest, exactly.
    pub max: u64,
}

impl Histogram {
    /// Empty.
    pub const fn new() -> Self {
        Histogram { counts: [const { AtomicU64::new(0) }; BUCKETS], max_ns: AtomicU64::new(0) }
    }

    /// Adds one duration. One or two atomic operations, no order among threads.
    #[inline]
    pub fn record(&self, duration: Duration) {
        self.record_ns(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds one duration in nanoseconds.
    #[inline]
    pub fn record_ns(&self, ns: u64) {
        self.counts[bucket(ns)].fetch_add(1, Relaxed);
        if ns > self.max_ns.load(Relaxed) {
            self.max_ns.fetch_max(ns, Relaxed);
        }
    }

    /// Forgets everything.
    pub fn reset(&self) {
        self.counts.iter().for_each(|count| count.store(0, Relaxed));
        self.max_ns.store(0, Relaxed);
    }

    /// The percentiles now. What is recorded meanwhile may or may not be in it.
    pub fn snapshot(&self) -> Snapshot {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        let max = self.max_ns.load(Relaxed);
        let at = |per_cent: u64| {
            let mut left = (count * per_cent).div_ceil(100);
            for (i, n) in counts.iter().enumerate() {
                if *n >= left && *n > 0 {
                    return upper(i).min(max);
                }
                left = left.saturating_sub(*n);
            }
            max
        };
        match count {
            0 => Snapshot::default(),
            _ => Snapshot { count, p50: at(50), p95: at(95), p99: at(99), max },
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.snapshot().fmt(f)
    }
}

#[inline]
fn bucket(ns: u64) -> usize {
    if ns < 16 {
        return ns as usize;
    }
    let power = ns.ilog2() as usize;
    ((power - 3) * 16 + ((ns >> (power - 4)) & 15) as usize).min(BUCKETS - 1)
}

/// The largest value that falls into a bucket.
fn upper(bucket: usize) -> u64 {
    if bucket < 16 {
        return bucket as u64;
    }
    let shift = bucket / 16 - 1;
    ((16 + bucket as u64 % 16 + 1) << shift) - 1
}

const BUCKETS: usize = 16 * 38;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for ns in (0..5000).chain((0..40).flat_map(|p| [1u64 << p, (1 << p) + 1, (2 << p) - 1])) {
            let b = bucket(ns);
            assert!(ns <= upper(b), "{ns}");
            assert!(b == 0 || ns > upper(b - 1), "{ns}");
        }
    }

    #[test]
    fn percentiles_are_within_a_sixteenth() {
        let h = Histogram::new();
        assert_eq!(h.snapshot(), Snapshot::default());
        for ns in 1..=10_000u64 {
            h.record_ns(ns);
        }
        let s = h.snapshot();
        assert_eq!((s.count, s.max), (10_000, 10_000));
        for (got, want) in [(s.p50, 5000), (s.p95, 9500), (s.p99, 9900)] {
            assert!((want..=want + want / 16 + 1).contains(&got), "{got} for {want}");
        }
        h.record_ns(u64::MAX);
        assert_eq!(h.snapshot().max, u64::MAX);
        h.reset();
        assert_eq!(h.snapshot().count, 0);
    }
}
