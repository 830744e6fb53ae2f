//! The peers that this node keeps up a connection with: dialled again when they are gone, ever more seldom.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

/// Whom to dial, where and when.
#[derive(Debug, Default)]
pub(crate) struct Redial {
    known: HashMap<PeerId, Known>,
}

#[derive(Debug)]
struct Known {
    ways: Vec<Multiaddr>,
    next: Instant,
    wait: Duration,
}

impl Redial {
    /// One more way to a peer, to be dialled at once.
    pub(crate) fn add(&mut self, id: PeerId, way: Multiaddr, now: Instant) {
        if self.known.len() >= PEERS_MAX && !self.known.contains_key(&id) {
            return;
        }
        let known =
            self.known.entry(id).or_insert(Known { ways: Vec::new(), next: now, wait: WAIT_FIRST });
        if !known.ways.contains(&way) && known.ways.len() < WAYS_MAX {
            known.ways.push(way);
        }
        known.next = now;
    }

    /// A connection stands: the next that breaks is dialled soon.
    pub(crate) fn connected(&mut self, id: &PeerId) {
        if let Some(known) = self.known.get_mut(id) {
            known.wait = WAIT_FIRST;
        }
    }

    /// A connection broke.
    pub(crate) fn disconnected(&mut self, id: &PeerId, now: Instant) {
        if let Some(known) = self.known.get_mut(id) {
            known.next = now + spread(id, known.wait);
        }
    }

    /// Those to dial now; each is put off until later.
    pub(crate) fn due(
        &mut self,
        now: Instant,
        is_connected: impl Fn(&PeerId) -> bool,
    ) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let mut due = Vec::new();
        for (id, known) in &mut self.known {
            if known.next > now || is_connected(id) {
                continue;
            }
            known.next = now + spread(id, known.wait);
            known.wait = (known.wait * 2).min(WAIT_MAX);
            due.push((*id, known.ways.clone()));
        }
        due
    }
}

/// Up to half as long again, by the peer's name: two that dial each other do not for ever do so at once.
fn spread(id: &PeerId, wait: Duration) -> Duration {
    let last = id.to_bytes().last().copied().unwrap_or_default();
    wait + wait * u32::from(last) / 512
}

const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
const PEERS_MAX: usize = 256;
const WAYS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_gone_is_dialled_ever_more_seldom_until_it_was_there() {
        let (mut redial, id, start) = (Redial::default(), PeerId::random(), Instant::now());
        redial.add(id, "/ip4/127.0.0.1/tcp/1".parse().unwrap(), start);
        let mut at = start;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let before = at;
            while redial.due(at, |_| false).is_empty() {
                at += Duration::from_millis(100);
            }
            waits.push(at - before);
        }
        assert!(waits.windows(2).all(|two| two[0] <= two[1]), "{waits:?}");
        assert!(*waits.last().unwrap() <= WAIT_MAX * 3 / 2 + Duration::from_millis(100));
        redial.connected(&id);
        assert!(redial.due(at + WAIT_MAX * 2, |_| true).is_empty());
        redial.disconnected(&id, at);
        assert!(redial.due(at, |_| false).is_empty());
        assert_eq!(redial.due(at + WAIT_FIRST * 2, |_| false).len(), 1);
    }
}
