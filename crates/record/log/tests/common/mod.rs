//! What the tests here share.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;
use symbolon_log::*;

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

/// A witness's memory.
#[derive(Default)]
pub struct Heads(Mutex<BTreeMap<String, Head>>, Mutex<Option<Succession>>);

impl WitnessStore for Heads {
    fn latest(&self, origin: &str) -> io::Result<Option<Head>> {
        Ok(self.0.lock().unwrap().get(origin).copied())
    }
    fn advance(&self, origin: &str, from: Option<&Head>, to: &Head) -> io::Result<bool> {
        let mut heads = self.0.lock().unwrap();
        let is_same = heads.get(origin) == from;
        if is_same {
            heads.insert(origin.to_owned(), *to);
        }
        Ok(is_same)
    }
    fn keys(&self, _: &str) -> io::Result<Option<Succession>> {
        Ok(self.1.lock().unwrap().clone())
    }
    fn follow(&self, keys: &Succession) -> io::Result<bool> {
        let mut known = self.1.lock().unwrap();
        let goes_on = known.as_ref().is_none_or(|known| keys.goes_on_from(known));
        if goes_on {
            *known = Some(keys.clone());
        }
        Ok(goes_on)
    }
}
