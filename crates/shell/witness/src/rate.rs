//! How often one address may ask.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use symbolon_account::rate::{Buckets, Rate};
use symbolon_ambient::SystemClock;

/// A bucket for each address (of IPv6: each network of 64 bits) that has asked lately, and the connections that each has.
#[derive(Debug)]
pub(crate) struct Rates {
    requests: Buckets<IpAddr>,
    connections_each: usize,
    /// Of those that have one.
    connections: Mutex<HashMap<IpAddr, usize>>,
}

impl Rates {
    pub(crate) fn new(per_second: u32, connections_each: usize) -> Self {
        let rate = Rate::per_second(per_second * 10, per_second);
        let requests = Buckets::new(rate, KNOWN_MAX);
        Self { requests, connections_each, connections: Mutex::default() }
    }

    /// Whether one more request is taken.
    pub(crate) fn take(&self, from: IpAddr) -> bool {
        self.requests.take(network(from), &SystemClock).is_ok()
    }

    /// A place for one more connection, until it is dropped.
    pub(crate) fn seat(&self, from: IpAddr) -> Option<Seat<'_>> {
        let from = network(from);
        let mut connections = self.connections();
        let taken = connections.get(&from).copied().unwrap_or(0);
        if taken >= self.connections_each {
            return None;
        }
        connections.insert(from, taken + 1);
        Some(Seat { rates: self, from })
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut connections = self.rates.connections();
        if let Some(taken) = connections.get_mut(&self.from) {
            *taken -= 1;
            if *taken == 0 {
                connections.remove(&self.from);
            }
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
