//! Two readings of time: the calendar for people, the monotonic clock for limits.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
#[cfg(not(target_family = "wasm"))]
use std::time::{SystemTime, UNIX_EPOCH};

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01 UTC. Can jump; never decides how long something lives.
    fn unix_ms(&self) -> u64;
    /// Nanoseconds since some fixed moment; never goes back, and goes on while the machine sleeps.
    fn mono_ns(&self) -> u64;
}

/// The machine's clocks. A WebAssembly module has none: its host hands one in.
#[cfg(not(target_family = "wasm"))]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(not(target_family = "wasm"))]
impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
    }

    fn mono_ns(&self) -> u64 {
        // Unlike CLOCK_MONOTONIC of Linux this one counts sleep: a grant of 15 minutes ends in them
        // also where the lid was closed. Elsewhere the monotonic clock counts sleep itself.
        #[cfg(target_os = "linux")]
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        #[cfg(not(target_os = "linux"))]
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
    }
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock {
    unix_ms: AtomicU64,
    mono_ns: AtomicU64,
}

impl ManualClock {
    /// Starts at this moment of the calendar; the monotonic clock starts at one second.
    pub fn at(unix_ms: u64) -> Self {
        Self { unix_ms: unix_ms.into(), mono_ns: 1_000_000_000.into() }
    }

    /// Moves both clocks forward.
    pub fn advance_ms(&self, ms: u64) {
        self.unix_ms.fetch_add(ms, Relaxed);
        self.mono_ns.fetch_add(ms * 1_000_000, Relaxed);
    }

    /// Sets the calendar alone, as an administrator or an attacker can.
    pub fn set_unix_ms(&self, unix_ms: u64) {
        self.unix_ms.store(unix_ms, Relaxed);
    }
}

impl Clock for ManualClock {
    fn unix_ms(&self) -> u64 {
        self.unix_ms.load(Relaxed)
    }
    fn mono_ns(&self) -> u64 {
        self.mono_ns.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_goes_forward_and_is_this_century() {
        let (a, b) = (SystemClock.mono_ns(), SystemClock.mono_ns());
        assert!(b >= a);
        assert!(SystemClock.unix_ms() > 1_700_000_000_000);
    }
}
