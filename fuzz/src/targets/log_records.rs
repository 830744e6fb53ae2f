//! The file of entries as another process, or a crash, left it.

use symbolon_log::{Log, MemoryStorage, Storage};

const ORIGIN: &str = "symbolon.test/fuzz";

pub fn run(data: &[u8]) {
    let storage = MemoryStorage::new();
    storage.edit_entries(|entries| entries.extend_from_slice(data));
    let Ok(log) = Log::open(storage, ORIGIN, None) else { return };
    let size = log.written_size();
    let entries: Vec<Vec<u8>> =
        (0..size).map(|index| log.entry(index).expect("what is counted can be read")).collect();
    let ticket = log.append(b"one more").expect("a log that opened goes on");
    assert_eq!(ticket.index(), size);
    assert_eq!(log.commit().expect("memory takes it"), size + 1);
    let again = Log::open(again(log.storage()), ORIGIN, None).expect("it opens again");
    assert_eq!(again.written_size(), size + 1);
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(again.entry(index as u64).as_ref().ok(), Some(entry));
    }
}

/// The storage as a new process would find it.
fn again(storage: &MemoryStorage) -> impl Storage + use<> {
    storage.after_kill()
}
