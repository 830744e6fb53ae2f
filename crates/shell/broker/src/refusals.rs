//! How many refusals of one agent are written down: a refusal costs its agent nothing, and an entry
//! of the log costs disk that every agent needs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use symbolon_capability::catalog::Rate;
use symbolon_capability::rate::Bucket;

/// A bucket for each agent; agents beyond the bound share one.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<String, Bucket>>);

const BURST: u32 = 200;
const PER_SECOND: f64 = 2.0;
const AGENTS_MAX: usize = 1024;

impl Refusals {
    /// Whether one more refusal of this agent gets a receipt.
    pub(crate) fn admits(&self, agent: &str, now_ns: u64) -> bool {
        let Some(rate) = Rate::new(BURST, PER_SECOND) else { return false };
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = buckets.len() >= AGENTS_MAX && !buckets.contains_key(agent);
        let name = if shared { "" } else { agent };
        if !buckets.contains_key(name) {
            buckets.insert(name.to_owned(), Bucket::new(rate, now_ns));
        }
        buckets.get(name).is_some_and(|b| b.take(now_ns).is_ok())
    }
}
