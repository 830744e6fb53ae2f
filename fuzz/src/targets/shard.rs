//! The list of a log's shards, and a shard's file; after an odd first byte places in a file of ours that are changed.

use std::sync::{Arc, LazyLock};

use symbolon_ambient::SeededRng;
use symbolon_crypto::SigningKey;
use symbolon_log::{
    Checkpoint, Every, Log, MemoryStorage, ShardFile, Shards, read_shard, write_shard,
};

const ORIGIN: &str = "example.test/log";

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 3 {
        0 => list(rest),
        1 => drop(read(rest)),
        _ => {
            let mut bytes = OURS.bytes.clone();
            for change in rest.chunks_exact(3).take(8) {
                let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
                bytes[at] ^= change[2];
            }
            // What stands under a signature of the log's is what the log has, and every entry of it.
            if let Some((file, entries)) = read(&bytes) {
                assert_eq!(file.next - file.first, entries.len() as u64);
                assert_eq!(entries, OURS.entries[file.first as usize..file.next as usize]);
            }
        }
    }
}

/// What is read is written the same.
fn list(bytes: &[u8]) {
    let Ok(shards) = Shards::parse(bytes) else { return };
    assert_eq!(shards.encode().as_bytes(), bytes);
    let first = shards.first();
    assert!(shards.until(first).all().iter().all(|shard| shard.first <= first));
}

fn read(bytes: &[u8]) -> Option<(ShardFile, Vec<Vec<u8>>)> {
    let mut entries = Vec::new();
    let key = OURS.key.verifying_key();
    let open = |note: &str, origin: &str| Checkpoint::open(note, &key, origin);
    let file = read_shard(&mut &*bytes, open, |_, entry| entries.push(entry.to_vec()));
    Some((file.ok()?, entries))
}

struct Ours {
    key: Arc<SigningKey>,
    entries: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

static OURS: LazyLock<Ours> = LazyLock::new(|| {
    let key = Arc::new(SigningKey::make(&SeededRng::new(1)));
    let entries: Vec<Vec<u8>> = (0u8..60).map(|at| vec![at; 1 + usize::from(at)]).collect();
    let storage = MemoryStorage::new();
    let made = || {
        let log = Log::open(&storage, ORIGIN, Some(key.clone()))?;
        for (at, entry) in entries.iter().enumerate() {
            if [20, 50].contains(&at) {
                log.turn(1_795_392_000_000)?;
            }
            log.append(entry)?;
        }
        log.set_every(Every::Month, 1_795_392_000_000)?;
        log.commit()?;
        log.checkpoint()
    };
    // INFALLIBLE: memory takes it.
    let note = made().expect("a log in memory");
    let mut bytes = Vec::new();
    let wrote = write_shard(&storage, (ORIGIN, 1), &note, &mut bytes, &mut |_| ());
    // INFALLIBLE: as above.
    wrote.expect("a shard that is over");
    Ours { key, entries, bytes }
});
