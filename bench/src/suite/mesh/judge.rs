//! A judge for the bench: a message is right where its signature is; what is lacking is asked for by number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_node::{Heard, Judge, Order, Peer, Verdict};

use super::net::Board;

/// As long as a receipt is about.
pub(super) const MESSAGE_BYTES: usize = 1024;
pub(super) const TOPIC: &str = "symbolon/bench/1";

/// A signed message with a number.
pub(super) fn message(number: u64, key: &SigningKey) -> Vec<u8> {
    let mut bytes = vec![0; MESSAGE_BYTES];
    bytes[64..72].copy_from_slice(&number.to_be_bytes());
    let signature = key.sign(&bytes[64..]);
    bytes[..64].copy_from_slice(&signature);
    bytes
}

/// The number of a message that verifies.
fn check(bytes: &[u8], key: &VerifyingKey) -> Option<u64> {
    let (signature, signed) = bytes.split_first_chunk::<64>()?;
    key.verify(signed, signature).ok()?;
    signed.first_chunk().map(|number| u64::from_be_bytes(*number))
}

pub(super) struct Counting {
    node: usize,
    key: VerifyingKey,
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
    pub(super) fn new(node: usize, key: VerifyingKey, board: Arc<Board>) -> Self {
        Self {
            node,
            key,
            board,
            kept: BTreeMap::new(),
            next: 0,
            peers: Vec::new(),
            asked: HashMap::new(),
            turn: node,
            ticks: node,
        }
    }

    /// One's own.
    pub(super) fn publish(&mut self, number: u64, bytes: Vec<u8>, orders: &mut Vec<Order>) {
        self.board.sent(number, Instant::now());
        self.keep(number, bytes.clone());
        orders.push(Order::Publish { topic: TOPIC.to_owned(), bytes });
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
                let verdict = match check(&bytes, &self.key) {
                    None => Verdict::Reject,
                    Some(number) if self.kept.contains_key(&number) => Verdict::Ignore,
                    Some(number) => {
                        self.board.arrived(number, self.node, false);
                        self.keep(number, bytes);
                        Verdict::Accept
                    }
                };
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
                let messages = bytes.chunks(MESSAGE_BYTES);
                let is_full = messages.len() == ANSWER_MAX;
                for message in messages {
                    match check(message, &self.key) {
                        Some(number) if self.kept.contains_key(&number) => {}
                        Some(number) => {
                            self.board.arrived(number, self.node, true);
                            self.keep(number, message.to_vec());
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
