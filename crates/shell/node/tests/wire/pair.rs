//! Two nodes that are connected: one publishes, the other takes everything as right.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use symbolon_node::{Address, Bounds, Config, Heard, Multiaddr, Order, Reach, Verdict, Wire};
use symbolon_secret::Secret;

pub const TOPIC: &str = "symbolon/test/1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Tcp,
    Quic,
}

impl Way {
    fn listen(self) -> Multiaddr {
        let text = match self {
            Self::Tcp => "/ip4/127.0.0.1/tcp/0",
            Self::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
        };
        text.parse().unwrap()
    }
}

pub fn config(number: u8, way: Way, bounds: Bounds) -> Config {
    Config {
        seed: Secret::make(|seed: &mut [u8; 32]| seed.fill(number)),
        listen: vec![way.listen()],
        reach: Reach::Loopback,
        proxy: None,
        topics: vec![TOPIC.to_owned()],
        bounds,
    }
}

/// Where a wire can be dialled, once it listens.
pub async fn address(wire: &Wire) -> Address {
    loop {
        if let Some(way) = wire.state().await.unwrap().listening.first() {
            return format!("{way}/p2p/{}", wire.peer()).parse().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub struct Pair {
    pub one: Wire,
    /// A wire ends with its last handle.
    _two: Wire,
    arrived: Arc<Mutex<HashSet<u32>>>,
    next: AtomicU32,
}

impl Pair {
    pub async fn start(way: Way, bounds: Bounds) -> Self {
        let start = |number| Wire::dangerous_start_unbounded(&config(number, way, bounds)).unwrap();
        let ((one, mut nothing, _), (two, mut heard, _)) = (start(1), start(2));
        tokio::spawn(async move { while nothing.recv().await.is_some() {} });
        let arrived = Arc::new(Mutex::new(HashSet::new()));
        let (seen, judge) = (arrived.clone(), two.clone());
        tokio::spawn(async move {
            while let Some(heard) = heard.recv().await {
                if let Heard::Gossip { bytes, token, .. } = heard {
                    seen.lock().unwrap().insert(u32::from_be_bytes(bytes[..4].try_into().unwrap()));
                    let verdict = Order::Verdict { token, verdict: Verdict::Accept };
                    if judge.order(verdict).await.is_err() {
                        return;
                    }
                }
            }
        });
        one.order(Order::Join(address(&two).await)).await.unwrap();
        let pair = Self { one, _two: two, arrived, next: AtomicU32::new(0) };
        // Until topics were exchanged.
        let until = Instant::now() + Duration::from_secs(10);
        while pair.publish(1, 1, 200).await == 0 {
            assert!(Instant::now() < until, "the two do not hear each other");
        }
        pair
    }

    /// Publishes, waits two seconds more, and gives how many arrived.
    pub async fn publish(&self, rate: u32, seconds: u32, bytes: usize) -> u32 {
        let first = self.next.fetch_add(rate * seconds, Relaxed);
        let began = Instant::now();
        for number in 0..rate * seconds {
            let due = Duration::from_secs_f64(f64::from(number) / f64::from(rate));
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
            let mut message = vec![0; bytes];
            message[..4].copy_from_slice(&(first + number).to_be_bytes());
            let order = Order::Publish { topic: TOPIC.to_owned(), bytes: message };
            self.one.order(order).await.unwrap();
        }
        let numbers = first..first + rate * seconds;
        let until = Instant::now() + Duration::from_secs(2);
        loop {
            let arrived = {
                let seen = self.arrived.lock().unwrap();
                numbers.clone().filter(|number| seen.contains(number)).count() as u32
            };
            if arrived == rate * seconds || Instant::now() > until {
                return arrived;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
