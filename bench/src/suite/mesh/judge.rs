//! A judge for the bench: receipts come as the mesh's own messages, several in each; what is lacking is asked for by
//! number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use symbolon_ambient::SeededRng;
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_mesh::certificate::VALIDITY_MS_MAX;
use symbolon_mesh::{Batch, Certificate, LogName, RawBatch, derive_endpoint};
use symbolon_node::{Heard, Judge, Order, Peer, Verdict};

use super::net::Board;
use crate::BenchError;

/// As long as a receipt is about.
pub(super) const RECEIPT_BYTES: usize = 1024;
pub(super) const TOPIC: &str = "symbolon/bench/1";

/// Nodes that publish: receipt `n` is entry `n / PUBLISHERS` of the log of node `n % PUBLISHERS`.
pub(super) const PUBLISHERS: usize = 10;

/// What signs a log of the bench and its messages.
pub(super) struct Publisher {
    log: LogName,
    certificate: Certificate,
    endpoint: SigningKey,
}

impl Publisher {
    pub(super) fn new(rng: &SeededRng) -> Result<Self, BenchError> {
        let operator = SigningKey::make(rng);
        let endpoint = derive_endpoint(&operator, 0);
        let public = endpoint.verifying_key();
        let certificate = Certificate::sign(&operator, public, 0, VALIDITY_MS_MAX);
        Ok(Self {
            log: LogName::new("bench.test/log", operator.verifying_key())
                .map_err(BenchError::new)?,
            certificate: certificate.map_err(BenchError::new)?,
            endpoint,
        })
    }

    fn message(&self, first: u64, entries: Vec<Vec<u8>>) -> Vec<u8> {
        let (log, certificate) = (self.log.clone(), self.certificate.clone());
        Batch::sign(log, first, entries, certificate, &self.endpoint).to_bytes()
    }
}

/// The logs of those who publish, as every node follows them.
pub(super) struct Logs {
    certificates: Vec<Certificate>,
    names: Vec<LogName>,
}

impl Logs {
    pub(super) fn of(publishers: &[Arc<Publisher>]) -> Self {
        Self {
            certificates: publishers.iter().map(|it| it.certificate.clone()).collect(),
            names: publishers.iter().map(|it| it.log.clone()).collect(),
        }
    }

    /// The receipts of a message that verifies, with their numbers.
    fn open(&self, bytes: &[u8]) -> Option<Vec<(u64, Vec<u8>)>> {
        let raw = RawBatch::parse(bytes).ok()?;
        let of = self.names.iter().position(|name| name.text() == raw.log)?;
        let batch = Batch::open_of(&raw, self.names[of].clone(), &self.certificates).ok()?;
        let number = |index: u64| index * PUBLISHERS as u64 + of as u64;
        Some(batch.into_entries().map(|it| (number(it.claim.index()), it.entry)).collect())
    }
}

/// A signed receipt with a number.
pub(super) fn receipt(number: u64, key: &SigningKey) -> Vec<u8> {
    let mut bytes = vec![0; RECEIPT_BYTES];
    bytes[64..72].copy_from_slice(&number.to_be_bytes());
    let signature = key.sign(&bytes[64..]);
    bytes[..64].copy_from_slice(&signature);
    bytes
}

/// The number of a receipt that verifies.
fn check(bytes: &[u8], key: &VerifyingKey) -> Option<u64> {
    let (signature, signed) = bytes.split_first_chunk::<64>()?;
    key.verify(signed, signature).ok()?;
    signed.first_chunk().map(|number| u64::from_be_bytes(*number))
}

pub(super) struct Counting {
    node: usize,
    key: VerifyingKey,
    logs: Arc<Logs>,
    board: Arc<Board>,
    kept: BTreeMap<u64, Vec<u8>>,
    /// The lowest that is lacking.
    next: u64,
    peers: Vec<Peer>,
    asked: HashMap<u64, Peer>,
    turn: usize,
    ticks: usize,
}

impl Counting {
    pub(super) fn new(node: usize, key: VerifyingKey, logs: Arc<Logs>, board: Arc<Board>) -> Self {
        Self {
            node,
            key,
            logs,
            board,
            kept: BTreeMap::new(),
            next: 0,
            peers: Vec::new(),
            asked: HashMap::new(),
            turn: node,
            ticks: node,
        }
    }

    /// One's own, which follow each other in its log.
    pub(super) fn publish(
        &mut self,
        by: &Publisher,
        receipts: Vec<(u64, Vec<u8>)>,
        orders: &mut Vec<Order>,
    ) {
        let first = receipts.first().map_or(0, |(number, _)| number / PUBLISHERS as u64);
        let entries = receipts.iter().map(|(_, bytes)| bytes.clone()).collect();
        let bytes = by.message(first, entries);
        receipts.into_iter().for_each(|(number, bytes)| self.keep(number, bytes));
        orders.push(Order::Publish { topic: TOPIC.to_owned(), bytes });
    }

    /// Receipts of a message: they are signed as one.
    fn gossip(&mut self, bytes: &[u8]) -> Verdict {
        let Some(receipts) = self.logs.open(bytes) else { return Verdict::Reject };
        let mut verdict = Verdict::Ignore;
        for (number, bytes) in receipts {
            if !self.kept.contains_key(&number) {
                self.board.arrived(number, self.node, false);
                self.keep(number, bytes);
                verdict = Verdict::Accept;
            }
        }
        verdict
    }

    fn keep(&mut self, number: u64, bytes: Vec<u8>) {
        self.kept.insert(number, bytes);
        while self.kept.contains_key(&self.next) {
            self.next += 1;
        }
    }

    fn ask(&mut self, orders: &mut Vec<Order>) {
        let Some(peer) = self.peers.get(self.turn % self.peers.len().max(1)).copied() else {
            return;
        };
        self.turn += 1;
        let last = self.kept.last_key_value().map_or(0, |(number, _)| number + 1);
        let lacking = (self.next..last).filter(|number| !self.kept.contains_key(number));
        // The last number says: everything from here on.
        let wanted = lacking.take(ASK_MAX).chain([last]);
        let bytes = wanted.flat_map(u64::to_be_bytes).collect();
        let id = self.turn as u64;
        self.asked.insert(id, peer);
        orders.push(Order::Ask { peer, id, bytes });
    }

    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let (numbers, _) = request.as_chunks::<8>();
        let Some((last, wanted)) = numbers.split_last() else { return Vec::new() };
        let wanted = wanted.iter().filter_map(|n| self.kept.get(&u64::from_be_bytes(*n)));
        let later = self.kept.range(u64::from_be_bytes(*last)..).map(|(_, bytes)| bytes);
        wanted.chain(later).take(ANSWER_MAX).flatten().copied().collect()
    }
}

impl Judge for Counting {
    fn hear(&mut self, heard: Heard, orders: &mut Vec<Order>) {
        match heard {
            Heard::Connected { peer } => self.peers.push(peer),
            Heard::Disconnected { peer } => self.peers.retain(|it| *it != peer),
            Heard::Gossip { peer, bytes, token, .. } => {
                let verdict = self.gossip(&bytes);
                orders.push(Order::Verdict { token, verdict });
                if verdict == Verdict::Reject {
                    orders.push(Order::Cut { peer });
                }
            }
            Heard::Request { bytes, token, .. } => {
                orders.push(Order::Answer { token, bytes: self.answer(&bytes) });
            }
            Heard::Response { peer, id, bytes } => {
                if self.asked.remove(&id) != Some(peer) {
                    return;
                }
                let receipts = bytes.chunks(RECEIPT_BYTES);
                let is_full = receipts.len() == ANSWER_MAX;
                for receipt in receipts {
                    match check(receipt, &self.key) {
                        Some(number) if self.kept.contains_key(&number) => {}
                        Some(number) => {
                            self.board.arrived(number, self.node, true);
                            self.keep(number, receipt.to_vec());
                        }
                        None => return orders.push(Order::Cut { peer }),
                    }
                }
                if is_full {
                    self.ask(orders);
                }
            }
            Heard::Failed { id, .. } => {
                self.asked.remove(&id);
            }
        }
    }

    fn tick(&mut self, orders: &mut Vec<Order>) {
        self.ticks += 1;
        if self.ticks.is_multiple_of(TICKS_BETWEEN_ASKS) {
            self.ask(orders);
        }
    }
}

/// Ticks are a quarter of a second.
const TICKS_BETWEEN_ASKS: usize = 8;
const ASK_MAX: usize = 1000;
const ANSWER_MAX: usize = 512;
