//! Messages that were taken, so that none is checked twice.

use std::collections::HashSet;

use symbolon_codec::Digest32;
use symbolon_crypto::sha256_parts;

use crate::Topic;

/// The last messages, at least [`GENERATION`] and at most twice as many.
#[derive(Default)]
pub(crate) struct Seen {
    new: HashSet<Digest32>,
    old: HashSet<Digest32>,
}

impl Seen {
    pub fn digest(topic: Topic, bytes: &[u8]) -> Digest32 {
        sha256_parts(&[topic.name().as_bytes(), &[0], bytes])
    }

    pub fn has(&self, message: &Digest32) -> bool {
        self.new.contains(message) || self.old.contains(message)
    }

    pub fn add(&mut self, message: Digest32) {
        if self.new.len() >= GENERATION {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(message);
    }
}

const GENERATION: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_the_oldest_and_does_not_grow() {
        let mut seen = Seen::default();
        let message = |at: u64| Seen::digest(Topic::Entries, &at.to_be_bytes());
        let count = 3 * GENERATION as u64;
        for at in 0..count {
            seen.add(message(at));
            assert!(seen.has(&message(at)));
        }
        assert!(!seen.has(&message(0)) && seen.has(&message(count - GENERATION as u64)));
        assert!(seen.new.len() + seen.old.len() <= 2 * GENERATION);
        assert!(!seen.has(&Seen::digest(Topic::Checkpoints, &(count - 1).to_be_bytes())));
    }
}
