//! Time, which a module of WebAssembly has none of: the Worker hands it in.

use symbolon_ambient::Clock;

/// One moment of the browser's calendar. Nothing in here measures how long something took.
#[derive(Debug, Clone, Copy)]
pub struct Moment(u64);

impl Moment {
    /// What `Date.now()` says. Anything that is no time counts as 1970.
    pub fn at(unix_ms: f64) -> Self {
        // A cast saturates, and makes zero of what is no number.
        Self(unix_ms as u64)
    }
}

impl Clock for Moment {
    fn unix_ms(&self) -> u64 {
        self.0
    }

    fn mono_ns(&self) -> u64 {
        self.0.saturating_mul(1_000_000)
    }
}
