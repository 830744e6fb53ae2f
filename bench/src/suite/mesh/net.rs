//! Nodes on loopback, and the board on which they say what they have.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use symbolon_ambient::{Rng, SeededRng};
use symbolon_crypto::SigningKey;
use symbolon_node::{Address, Bounds, Config, Order, Reach, Wire, WireState, Work, drive};
use symbolon_secret::{Histogram, Secret, Snapshot};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::judge::{Counting, Logs, PUBLISHERS, Publisher, RECEIPT_BYTES, TOPIC, receipt};
use crate::BenchError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Quic,
    Tcp,
}

/// When what was sent, and when it arrived where.
pub(super) struct Board {
    began: Instant,
    sent: Vec<AtomicU64>,
    /// Nanoseconds from sending to arriving, by message and node; nothing where it did not arrive.
    arrived: Mutex<Vec<Vec<(usize, u64)>>>,
    by_range: AtomicU64,
}

impl Board {
    fn new(total: u64) -> Self {
        Self {
            began: Instant::now(),
            sent: (0..total).map(|_| AtomicU64::new(0)).collect(),
            arrived: Mutex::new(vec![Vec::new(); total as usize]),
            by_range: AtomicU64::new(0),
        }
    }

    pub(super) fn sent(&self, number: u64, at: Instant) {
        let at = at.duration_since(self.began).as_nanos() as u64;
        self.sent[number as usize].store(at, Relaxed);
    }

    pub(super) fn arrived(&self, number: u64, node: usize, by_range: bool) {
        let now = self.began.elapsed().as_nanos() as u64;
        let took = now.saturating_sub(self.sent[number as usize].load(Relaxed));
        self.by_range.fetch_add(by_range.into(), Relaxed);
        self.lock()[number as usize].push((node, took));
    }

    pub(super) fn by_range(&self) -> u64 {
        self.by_range.load(Relaxed)
    }

    pub(super) fn latencies(&self, mut each: impl FnMut(Duration)) {
        for (_, took) in self.lock().iter().flatten() {
            each(Duration::from_nanos(*took));
        }
    }

    /// How long each message took to the last of those nodes that live.
    pub(super) fn to_all(&self, nodes: usize, killed: usize) -> Snapshot {
        let times = Histogram::new();
        for arrived in self.lock().iter() {
            let living = arrived.iter().filter(|(node, _)| *node < nodes - killed);
            times.record_ns(living.map(|(_, took)| *took).max().unwrap_or(u64::MAX));
        }
        times.snapshot()
    }

    /// Deliveries to nodes that live which did not happen.
    pub(super) fn lost(&self, nodes: usize, killed: usize) -> u64 {
        let living = nodes - killed;
        let arrived = self.lock();
        let lost = arrived.iter().map(|arrived| {
            let has = arrived.iter().filter(|(node, _)| *node < living).count();
            // The first ten publish, and live.
            (living - 1 - has.min(living - 1)) as u64
        });
        lost.sum()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<(usize, u64)>>> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Node {
    wire: Wire,
    own: mpsc::Sender<Work<Counting>>,
    tasks: [AbortHandle; 2],
}

impl Node {
    fn end(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

pub(super) struct Net {
    nodes: Vec<Node>,
    board: Arc<Board>,
    key: SigningKey,
    publishers: Vec<Arc<Publisher>>,
    logs: Arc<Logs>,
    /// Of each that publishes: what waits to go in one message, and when the last went.
    waiting: Vec<Waiting>,
}

/// Receipts by their numbers, and when the message before them went.
type Waiting = (Vec<(u64, Vec<u8>)>, Option<Instant>);

impl Net {
    /// Each dials three that are there.
    pub(super) async fn start(way: Way, count: usize, total: u64) -> Result<Self, BenchError> {
        let rng = SeededRng::new(count as u64);
        let key = SigningKey::make(&rng);
        let board = Arc::new(Board::new(total));
        let publishers = (0..PUBLISHERS).map(|_| Publisher::new(&rng).map(Arc::new));
        let publishers = publishers.collect::<Result<Vec<_>, _>>()?;
        let logs = Arc::new(Logs::of(&publishers));
        let waiting = vec![(Vec::new(), None); PUBLISHERS];
        let mut net = Self { nodes: Vec::new(), board, key, publishers, logs, waiting };
        let mut addresses: Vec<Address> = Vec::new();
        for number in 0..count {
            let node = net.node(way, number, &rng)?;
            addresses.push(address(&node.wire).await?);
            let mut at = 0;
            for _ in 0..DIALS.min(number) {
                let mut random = [0; 8];
                rng.fill(&mut random);
                at = (at + 1 + u64::from_be_bytes(random) as usize % number) % number;
                let join = Order::Join(addresses[at].clone());
                node.wire.order(join).await.map_err(BenchError::new)?;
            }
            net.nodes.push(node);
        }
        // Until the heartbeats have made a mesh.
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(net)
    }

    fn node(&self, way: Way, number: usize, rng: &SeededRng) -> Result<Node, BenchError> {
        let listen = match way {
            Way::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
            Way::Tcp => "/ip4/127.0.0.1/tcp/0",
        };
        let config = Config {
            seed: Secret::make(|seed: &mut [u8; 32]| rng.fill(seed)),
            listen: vec![listen.parse().map_err(BenchError::new)?],
            reach: Reach::Loopback,
            proxy: None,
            topics: vec![TOPIC.to_owned()],
            bounds: Bounds::default(),
        };
        let (wire, heard, task) = Wire::start(&config).map_err(BenchError::new)?;
        let (own, work) = mpsc::channel(1024);
        let judge =
            Counting::new(number, self.key.verifying_key(), self.logs.clone(), self.board.clone());
        let judged = tokio::spawn(drive(wire.clone(), heard, judge, work));
        Ok(Node { wire, own, tasks: [task.abort_handle(), judged.abort_handle()] })
    }

    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    /// A receipt is there: it goes at once where its node sent nothing for a while, and else with those that come
    /// until then.
    pub(super) async fn publish(&mut self, number: u64) -> Result<(), BenchError> {
        let now = Instant::now();
        self.board.sent(number, now);
        let (waiting, _) = &mut self.waiting[number as usize % PUBLISHERS];
        waiting.push((number, receipt(number, &self.key)));
        self.flush(now).await
    }

    /// Sends what has waited long enough.
    async fn flush(&mut self, now: Instant) -> Result<(), BenchError> {
        for (at, (waiting, last)) in self.waiting.iter_mut().enumerate() {
            let is_due = last.is_none_or(|last| now.duration_since(last) >= WINDOW);
            if waiting.is_empty() || !is_due {
                continue;
            }
            *last = Some(now);
            let (receipts, by) = (std::mem::take(waiting), self.publishers[at].clone());
            let work: Work<Counting> =
                Box::new(move |judge, orders| judge.publish(&by, receipts, orders));
            let node = &self.nodes[at % self.nodes.len()];
            node.own.send(work).await.map_err(|_| BenchError::new("a node has ended"))?;
        }
        Ok(())
    }

    /// Sends all that waits.
    pub(super) async fn finish(&mut self) -> Result<(), BenchError> {
        tokio::time::sleep(WINDOW).await;
        self.flush(Instant::now()).await
    }

    /// The first node sends what nobody signed.
    pub(super) async fn send_garbage(&self, number: u64) -> Result<(), BenchError> {
        let mut bytes = vec![0; RECEIPT_BYTES];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let order = Order::Publish { topic: TOPIC.to_owned(), bytes };
        self.nodes[0].wire.order(order).await.map_err(BenchError::new)
    }

    /// The last nodes end without a word.
    pub(super) fn kill(&mut self, count: usize) {
        let living = self.nodes.len().saturating_sub(count);
        self.nodes.drain(living..).for_each(|node| node.end());
    }

    pub(super) fn stop(&self) {
        self.nodes.iter().for_each(Node::end);
    }

    /// How long it takes until nothing is lacking, at most `limit`.
    pub(super) async fn settled(&self, limit: Duration) -> Duration {
        let began = Instant::now();
        let (all, living) = (self.board.sent.len(), self.nodes.len());
        while began.elapsed() < limit {
            let lost = self.board.lost(living, 0);
            if lost == 0 && all > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        began.elapsed()
    }

    async fn sum(&self, of: impl Fn(&WireState) -> u64) -> u64 {
        let mut sum = 0;
        for node in &self.nodes {
            sum += node.wire.state().await.as_ref().map_or(0, &of);
        }
        sum
    }

    pub(super) async fn slow(&self) -> u64 {
        self.sum(|state| state.slow).await
    }

    pub(super) async fn shed(&self) -> u64 {
        self.sum(|state| state.shed).await
    }

    pub(super) async fn rejected(&self) -> u64 {
        self.sum(|state| state.rejected).await
    }

    /// How many have cut the first off, or were never connected with it.
    pub(super) async fn cut_by(&self) -> u64 {
        let first = self.nodes[0].wire.peer();
        self.sum(|state| !state.links.iter().any(|link| link.peer == first) as u64).await - 1
    }
}

/// Where a wire can be dialled, once it listens.
async fn address(wire: &Wire) -> Result<Address, BenchError> {
    for _ in 0..1000 {
        let state = wire.state().await.map_err(BenchError::new)?;
        if let Some(way) = state.listening.first() {
            return format!("{way}/p2p/{}", wire.peer()).parse().map_err(BenchError::new);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(BenchError::new("a node does not listen"))
}

const DIALS: usize = 3;
/// As often as this a node sends what it has, at most: with a checkpoint's interval it would be longer.
const WINDOW: Duration = Duration::from_millis(50);
