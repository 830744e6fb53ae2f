//! What is known of a node: whose it is, what it did, and how much it may ask.

use symbolon_crypto::VerifyingKey;

use crate::fault::{CUT_POINTS, Fault};

/// So many tokens at most, and so many new ones a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    tokens: f64,
    at_ms: u64,
    full: f64,
    a_second: f64,
}

impl Bucket {
    fn new(full: f64, a_second: f64) -> Self {
        Self { tokens: full, at_ms: 0, full, a_second }
    }

    /// Takes a token, if there is one. A clock that went back fills nothing.
    pub fn take(&mut self, now_ms: u64) -> bool {
        let passed = now_ms.saturating_sub(self.at_ms) as f64 / 1000.0;
        self.at_ms = now_ms;
        self.tokens = (self.tokens + passed * self.a_second).min(self.full);
        let is_there = self.tokens >= 1.0;
        if is_there {
            self.tokens -= 1.0;
        }
        is_there
    }
}

#[derive(Debug)]
pub(crate) struct Remote {
    pub is_connected: bool,
    pub operator: Option<VerifyingKey>,
    /// Messages that it forwards.
    pub gossip: Bucket,
    /// What it asks.
    pub requests: Bucket,
    /// What it is asked: fewer than it answers.
    pub asked: Bucket,
    /// Questions that it has not answered.
    pub waiting: usize,
    pub asked_at: u64,
    points: f64,
    points_at_ms: u64,
    cut_until_ms: Option<u64>,
}

impl Default for Remote {
    fn default() -> Self {
        Self {
            is_connected: false,
            operator: None,
            gossip: Bucket::new(GOSSIP_AT_ONCE, GOSSIP_A_SECOND),
            requests: Bucket::new(REQUESTS_AT_ONCE, REQUESTS_A_SECOND),
            asked: Bucket::new(REQUESTS_AT_ONCE / 4.0, REQUESTS_A_SECOND / 2.0),
            waiting: 0,
            asked_at: 0,
            points: 0.0,
            points_at_ms: 0,
            cut_until_ms: None,
        }
    }
}

impl Remote {
    /// Counts a fault. Gives the moment until which it is cut off, where that was too many.
    pub fn count(&mut self, fault: &Fault, now_ms: u64) -> Option<u64> {
        self.points = self.points(now_ms) + fault.points();
        self.points_at_ms = now_ms;
        if self.points < CUT_POINTS {
            return None;
        }
        self.points = 0.0;
        let until_ms = now_ms.saturating_add(CUT_MS);
        self.cut_until_ms = Some(until_ms);
        Some(until_ms)
    }

    /// Points that are left: one is forgotten a second.
    pub fn points(&self, now_ms: u64) -> f64 {
        let passed = now_ms.saturating_sub(self.points_at_ms) as f64 / 1000.0;
        (self.points - passed).max(0.0)
    }

    pub fn is_cut(&self, now_ms: u64) -> bool {
        self.cut_until_ms.is_some_and(|until_ms| now_ms < until_ms)
    }

    /// Whether one may be asked more.
    pub fn is_free(&self, now_ms: u64) -> bool {
        self.is_connected && !self.is_cut(now_ms) && self.waiting < WAITING_MAX
    }

    /// Whether nothing is lost by forgetting it.
    pub fn is_plain(&self, now_ms: u64) -> bool {
        !self.is_connected && !self.is_cut(now_ms) && self.points(now_ms) == 0.0
    }
}

const GOSSIP_AT_ONCE: f64 = 8192.0;
const GOSSIP_A_SECOND: f64 = 4096.0;
const REQUESTS_AT_ONCE: f64 = 200.0;
const REQUESTS_A_SECOND: f64 = 100.0;
/// Questions that one node is asked at once.
const WAITING_MAX: usize = 4;
/// How long a node is cut off: ten minutes.
const CUT_MS: u64 = 10 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_forgotten_and_too_many_cut_off() {
        let mut remote = Remote::default();
        assert_eq!(remote.count(&Fault::Kind, 1000), None);
        assert_eq!(remote.points(1000), 50.0);
        assert_eq!(remote.points(11_000), 40.0);
        assert_eq!(remote.count(&Fault::Kind, 11_000), None);
        assert_eq!(remote.count(&Fault::Kind, 11_000), Some(11_000 + CUT_MS));
        assert!(remote.is_cut(10_999 + CUT_MS) && !remote.is_cut(11_000 + CUT_MS));
    }

    #[test]
    fn a_bucket_gives_what_its_rate_says_even_where_the_clock_goes_back() {
        let mut bucket = Bucket::new(3.0, 2.0);
        let mut taken = |now, times: usize| (0..times).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(10_000, 5), 3);
        assert_eq!(taken(11_000, 5), 2);
        assert_eq!(taken(5_000, 5), 0);
        assert_eq!(taken(5_500, 5), 1);
    }
}
