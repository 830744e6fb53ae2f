//! How often one address may ask.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A bucket for each address (of IPv6: each network of 64 bits) that has asked lately, and the connections that it has.
#[derive(Debug)]
pub(crate) struct Rates {
    per_second: f64,
    burst: f64,
    connections_each: usize,
    known: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
    connections: usize,
}

impl Rates {
    pub(crate) fn new(per_second: u32, connections_each: usize) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, burst: per_second * 10.0, connections_each, known: Mutex::default() }
    }

    /// Whether one more request is taken.
    pub(crate) fn take(&self, from: IpAddr) -> bool {
        let mut known = self.lock();
        let bucket = self.bucket(&mut known, from);
        let is_room = bucket.left >= 1.0;
        if is_room {
            bucket.left -= 1.0;
        }
        is_room
    }

    /// A place for one more connection, until it is dropped.
    pub(crate) fn seat(&self, from: IpAddr) -> Option<Seat<'_>> {
        let mut known = self.lock();
        let bucket = self.bucket(&mut known, from);
        let is_room = bucket.connections < self.connections_each;
        if is_room {
            bucket.connections += 1;
        }
        is_room.then(|| Seat { rates: self, from: network(from) })
    }

    fn bucket<'a>(
        &self,
        known: &'a mut MutexGuard<'_, HashMap<IpAddr, Bucket>>,
        from: IpAddr,
    ) -> &'a mut Bucket {
        let now = Instant::now();
        let refilled = |bucket: &Bucket| {
            let waited = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.left + waited * self.per_second).min(self.burst)
        };
        if known.len() >= KNOWN_MAX {
            // Who has not asked for long is as good as new.
            known.retain(|_, bucket| bucket.connections > 0 || refilled(bucket) < self.burst);
        }
        let fresh = Bucket { left: self.burst, at: now, connections: 0 };
        let bucket = known.entry(network(from)).or_insert(fresh);
        (bucket.left, bucket.at) = (refilled(bucket), now);
        bucket
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Bucket>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place.
#[derive(Debug)]
pub(crate) struct Seat<'a> {
    rates: &'a Rates,
    from: IpAddr,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if let Some(bucket) = self.rates.lock().get_mut(&self.from) {
            bucket.connections = bucket.connections.saturating_sub(1);
        }
    }
}

fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

const KNOWN_MAX: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_use_up_what_others_have() {
        let rates = Rates::new(1, 2);
        let (one, two): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), [192, 0, 2, 2].into());
        assert_eq!((0..50).filter(|_| rates.take(one)).count(), 10);
        assert!(rates.take(two));
        let _seats = [rates.seat(one).unwrap(), rates.seat(one).unwrap()];
        assert!(rates.seat(one).is_none() && rates.seat(two).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let rates = Rates::new(1, 1);
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let _seat = rates.seat(at("2001:db8::1")).unwrap();
        assert!(rates.seat(at("2001:db8::2")).is_none());
        assert!(rates.seat(at("2001:db8:0:1::1")).is_some());
        assert!(rates.seat(at("::ffff:192.0.2.1")).is_some());
    }
}
