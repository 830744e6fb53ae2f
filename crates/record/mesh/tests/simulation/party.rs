//! Who lives in a simulation: operators with their logs, and nodes with their storages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, MemoryStorage};
use symbolon_mesh::*;

pub type Storage = Arc<MemoryStorage>;

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

pub fn operator(number: u64) -> SigningKey {
    SigningKey::make(&SeededRng::new(100 + number))
}

pub fn log_name(number: u64) -> LogName {
    LogName::new("example.test/log", operator(number).verifying_key()).unwrap()
}

/// The log as its operator has it.
pub struct Source {
    pub log: Log<Storage>,
    pub entries: Vec<Vec<u8>>,
}

impl Source {
    pub fn new(number: u64) -> Self {
        let key = Arc::new(operator(number));
        let log = Log::open(Storage::default(), "example.test/log", Some(key)).unwrap();
        Self { log, entries: Vec::new() }
    }

    pub fn append(&mut self, entry: Vec<u8>) {
        self.log.append(&entry).unwrap();
        self.log.commit().unwrap();
        self.entries.push(entry);
    }
}

pub struct Node {
    pub peer: Peer,
    pub operator: u64,
    pub certificate: Certificate,
    number: u64,
    pub mesh: Mesh<Storage>,
    pub storages: BTreeMap<LogId, Storage>,
    pub source: Option<Source>,
    /// Entries that it said to be durable.
    pub reached: BTreeMap<LogId, u64>,
    pub skew_ms: i64,
    pub is_up: bool,
    pub is_liar: bool,
    /// A storage may fail.
    pub is_failing: bool,
    /// What its gossipsub had before.
    pub had: BTreeSet<Digest32>,
    /// Logs that it has evidence about.
    pub accused: BTreeSet<LogId>,
}

impl Node {
    pub fn new(operator_number: u64, number: u64, valid_ms: (u64, u64), logs: &[LogName]) -> Self {
        let operator = operator(operator_number);
        let endpoint = derive_endpoint(&operator, number);
        let public = endpoint.verifying_key();
        let certificate = Certificate::sign(&operator, public, valid_ms.0, valid_ms.1).unwrap();
        let storages = logs.iter().map(|log| (log.id(), Storage::default())).collect();
        let mesh = Mesh::new(endpoint, certificate.clone(), Forwards::Followed);
        let mut node = Self {
            peer: Peer(*public.as_bytes()),
            operator: operator_number,
            certificate,
            number,
            mesh,
            storages,
            source: None,
            reached: BTreeMap::new(),
            skew_ms: 0,
            is_up: true,
            is_liar: false,
            is_failing: false,
            had: BTreeSet::new(),
            accused: BTreeSet::new(),
        };
        node.open(logs);
        node
    }

    /// Begins anew with what is stored.
    pub fn open(&mut self, logs: &[LogName]) {
        let endpoint = derive_endpoint(&operator(self.operator), self.number);
        self.mesh = Mesh::new(endpoint, self.certificate.clone(), Forwards::Followed);
        self.had.clear();
        for log in logs {
            let storage = self.storages[&log.id()].clone();
            let is_own = *log == log_name(self.operator);
            let found = match is_own {
                true => self.mesh.own(log.clone(), storage),
                false => self.mesh.follow(log.clone(), storage),
            };
            let found = found.expect("a copy opens after any crash");
            self.accused.extend(found.iter().map(|evidence| evidence.log().id()));
            let (size, before) = (self.mesh.size(log.id()).unwrap(), self.reached.get(&log.id()));
            assert!(size >= before.copied().unwrap_or(0), "accepted entries are lost");
            if self.accused.contains(&log.id()) {
                assert!(self.mesh.is_forked(log.id()), "a fork is forgotten");
            }
        }
    }

    /// What a death leaves.
    pub fn die(&mut self, dice: &mut Dice) {
        let is_power = dice.roll(2) == 0;
        for storage in self.storages.values_mut() {
            *storage = Arc::new(match is_power {
                true => storage.after_power_cut(dice.roll(200) as usize),
                false => storage.after_kill(),
            });
        }
        self.is_failing = false;
        self.is_up = false;
    }
}
