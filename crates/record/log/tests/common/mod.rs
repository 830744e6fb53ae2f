//! What the tests here share.
#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::Arc;

use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, LogError, MemoryStorage, empty_root, leaf_hash, node_hash};

pub const ORIGIN: &str = "example.test/log";

pub fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(5)))
}

pub fn open(storage: MemoryStorage) -> Result<Log<MemoryStorage>, LogError> {
    Log::open(storage, ORIGIN, Some(key()))
}

/// The i-th entry of every test: lengths from 8 to some hundred bytes.
pub fn entry(i: u64) -> Vec<u8> {
    let mut e = i.to_be_bytes().to_vec();
    e.resize(8 + (i as usize * 37) % 300, i as u8);
    e
}

/// A log with this many entries, committed.
pub fn filled(count: u64) -> Log<MemoryStorage> {
    let log = open(MemoryStorage::new()).unwrap();
    for i in 0..count {
        assert_eq!(log.append(&entry(i)).unwrap().index(), i);
    }
    log.commit().unwrap();
    log
}

/// RFC 6962 section 2.1, word for word.
pub fn naive_root(leaves: &[Digest32]) -> Digest32 {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let k = (many.len() as u64).next_power_of_two() as usize / 2;
            node_hash(&naive_root(&many[..k]), &naive_root(&many[k..]))
        }
    }
}

pub fn leaves(count: u64) -> Vec<Digest32> {
    (0..count).map(|i| leaf_hash(&entry(i))).collect()
}

/// Whether the log begins with the first `count` entries of the test.
pub fn all_there(log: &Log<MemoryStorage>, count: u64) -> bool {
    let found = log.entries(0..count).unwrap();
    found.into_iter().eq((0..count).map(|i| (i, entry(i))))
}
