//! Crashes, damage and failing disks.

mod common;

use common::*;
use proptest::prelude::*;
use symbolon_log::{Checkpoint, Durability, Log, LogError, LogOptions, MemoryStorage, Storage};

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes() {
    for torn in [0, 1, 3, 4, 19, 20, 30, 150, 10_000] {
        let log = filled(700);
        log.checkpoint().unwrap();
        let kept: Vec<_> = (700..720).map(|i| log.append(&entry(i)).unwrap()).collect();
        log.commit().unwrap();
        assert!(kept.iter().all(|t| log.durable(t, Durability::Group).is_some()));
        let lost: Vec<_> = (720..740).map(|i| log.append(&entry(i)).unwrap()).collect();
        log.hand_over().unwrap();
        assert!(log.durable(&lost[0], Durability::Group).is_none());
        assert!(log.durable(&lost[0], Durability::Relaxed).is_some());

        let again = open(log.storage().after_power_cut(torn)).unwrap();
        let size = again.recovery().size;
        assert!((720..=740).contains(&size), "{size} with {torn} torn bytes");
        assert!(all_there(&again, size));
        assert_eq!(again.root(size).unwrap(), naive_root(&leaves(size)));
        // It goes on as if nothing had happened.
        for i in size..900 {
            again.append(&entry(i)).unwrap();
        }
        again.prove(899).unwrap();
        assert_eq!(
            open(again.storage().after_kill()).unwrap().root(900).unwrap(),
            naive_root(&leaves(900))
        );
    }
}

#[test]
fn relaxed_entries_survive_a_kill() {
    let log = filled(10);
    let ticket = log.append(b"relaxed").unwrap();
    assert!(log.durable(&ticket, Durability::Relaxed).is_none());
    log.hand_over().unwrap();
    let evidence = log.durable(&ticket, Durability::Relaxed).unwrap();
    assert_eq!((evidence.index(), evidence.durability()), (10, Durability::Relaxed));
    assert_eq!(open(log.storage().after_kill()).unwrap().entry(10).unwrap(), b"relaxed");
}

#[test]
fn a_ticket_of_another_log_is_no_evidence() {
    let (a, b) = (filled(5), filled(50));
    let ticket = a.append(b"x").unwrap();
    a.commit().unwrap();
    assert!(a.durable(&ticket, Durability::Group).is_some());
    assert!(b.durable(&ticket, Durability::Group).is_none());
}

#[test]
fn damage_under_the_checkpoint_names_the_entry_and_changes_nothing() {
    let log = filled(400);
    log.checkpoint().unwrap();
    // Records 0, 200 and 399, in the length, the entry and the check.
    let mut offset = 16;
    for index in 0..400u64 {
        let length = entry(index).len();
        for at in [0, 3, 4, 4 + length / 2, 4 + length, 4 + length + 15] {
            if ![0, 200, 399].contains(&index) {
                continue;
            }
            let storage = log.storage().after_kill();
            storage.edit_entries(|e| e[offset + at] ^= 0x40);
            let before = storage.after_kill();
            match open(storage.after_kill()) {
                Err(LogError::Damaged { index: found, covered: 400, .. }) => {
                    assert_eq!(found, index)
                }
                other => panic!("{index} {at}: {:?}", other.map(|l| l.recovery().clone())),
            }
            assert_eq!(before.len().unwrap(), storage.len().unwrap());
        }
        offset += length + 20;
    }
}

#[test]
fn dropped_doubled_and_swapped_records_are_found() {
    let log = filled(400);
    log.checkpoint().unwrap();
    let starts: Vec<usize> = (0..400)
        .scan(16, |at, i| {
            let start = *at;
            *at += entry(i).len() + 20;
            Some(start)
        })
        .collect();
    type Edit = fn(&mut Vec<u8>, &[usize]);
    let edits: [Edit; 4] = [
        |e, s| drop(e.drain(s[100]..s[101])),
        |e, s| {
            let one = e[s[100]..s[101]].to_vec();
            e.splice(s[101]..s[101], one).for_each(drop);
        },
        |e, s| {
            let two = e[s[100]..s[102]].to_vec();
            let at = s[101] - s[100];
            e[s[100]..s[102]].copy_from_slice(&[&two[at..], &two[..at]].concat());
        },
        |e, s| e.truncate(s[300]),
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let storage = log.storage().after_kill();
        storage.edit_entries(|e| edit(e, &starts));
        match (n, open(storage).map(|_| ())) {
            (3, Err(LogError::Truncated { found: 300, covered: 400 })) => {}
            (0 | 2, Err(LogError::Damaged { index: 100, .. })) => {}
            (1, Err(LogError::Damaged { index: 101, .. })) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_file_written_anew_with_right_checks_has_another_root() {
    let real = filled(50);
    real.checkpoint().unwrap();
    let forged = open(MemoryStorage::new()).unwrap();
    for i in 0..50 {
        forged.append(&entry(if i == 20 { 999 } else { i })).unwrap();
    }
    forged.commit().unwrap();
    let storage = forged.storage().after_kill();
    storage.edit_files(|f| {
        drop(f.insert("checkpoint".into(), real.storage().files()["checkpoint"].clone()))
    });
    assert!(matches!(open(storage).map(|_| ()), Err(LogError::Root { size: 50 })));
}

#[test]
fn entries_of_another_log_do_not_pass() {
    let log = filled(5);
    log.checkpoint().unwrap();
    let storage = log.storage().after_kill();
    storage.edit_files(|f| f.clear());
    let other = Log::open(storage, "other.test/log", None).unwrap();
    assert_eq!(other.recovery().size, 0);
    assert!(other.recovery().cut_bytes > 0, "set aside, not gone");
    assert!(!other.storage().files()["entries.cut"].is_empty());
}

#[test]
fn a_log_without_a_key_is_guarded_too() {
    let log = Log::open(MemoryStorage::new(), ORIGIN, None).unwrap();
    for i in 0..30 {
        log.append(&entry(i)).unwrap();
    }
    log.commit().unwrap();
    assert!(log.checkpoint_due());
    assert!(matches!(log.checkpoint(), Err(LogError::NoKey)));
    assert!(!log.checkpoint_due());
    let storage = log.storage().after_kill();
    storage.edit_entries(|e| e[40] ^= 1);
    assert!(matches!(open(storage).map(|_| ()), Err(LogError::Damaged { .. })));
    // The key comes with the unlocking of the home.
    log.set_signer(Some(key()));
    assert!(log.checkpoint_due());
    assert!(log.checkpoint().unwrap().starts_with("example.test/log\n30\n"));
    assert!(!log.checkpoint_due());
}

#[test]
fn a_checkpoint_by_another_key_or_of_another_log_refuses() {
    let log = filled(5);
    log.checkpoint().unwrap();
    let other = symbolon_crypto::SigningKey::make(&symbolon_ambient::SeededRng::new(6));
    let opened = Log::open(log.storage().after_kill(), ORIGIN, Some(std::sync::Arc::new(other)));
    assert!(matches!(opened.map(|_| ()), Err(LogError::Checkpoint(_))));
    let opened = Log::open(log.storage().after_kill(), "other.test/log", None);
    assert!(matches!(opened.map(|_| ()), Err(LogError::Checkpoint(_))));
    // While the home is locked the public key alone does.
    let options =
        LogOptions { origin: ORIGIN.into(), signer: None, verifier: Some(key().verifying_key()) };
    let opened = Log::open_with(log.storage().after_kill(), options).unwrap();
    assert!(opened.prove(4).is_ok(), "the stored note still serves");
}

#[test]
fn a_stored_note_that_the_new_signer_did_not_make_is_not_handed_out() {
    let log = filled(5);
    log.checkpoint().unwrap();
    let storage = log.storage().after_kill();
    let other = symbolon_crypto::SigningKey::make(&symbolon_ambient::SeededRng::new(6));
    let forged =
        Checkpoint::open(&log.latest_checkpoint().unwrap(), &key().verifying_key(), ORIGIN)
            .unwrap()
            .sign(&other);
    storage.edit_files(|f| drop(f.insert("checkpoint".into(), forged.into_bytes())));
    let locked = Log::open(storage, ORIGIN, None).unwrap();
    locked.set_signer(Some(key()));
    let note = locked.checkpoint().unwrap();
    Checkpoint::open(&note, &key().verifying_key(), ORIGIN).unwrap();
}

#[test]
fn each_write_and_sync_that_fails_stops_the_log_and_loses_nothing() {
    let mut reached = 0;
    for n in 0..40 {
        let storage = MemoryStorage::new();
        let log = open(storage).unwrap();
        log.storage().fail_after(n);
        let mut acknowledged = 0;
        let mut failed = false;
        for i in 0..10 {
            let Ok(ticket) = log.append(&entry(i)) else { break };
            if log.commit().is_err() {
                failed = true;
                assert!(log.durable(&ticket, Durability::Group).is_none());
                assert!(matches!(log.append(b"x"), Err(LogError::Poisoned { .. })));
                assert!(matches!(log.commit(), Err(LogError::Poisoned { .. })));
                assert!(matches!(log.checkpoint(), Err(LogError::Poisoned { .. })));
                break;
            }
            acknowledged = i + 1;
            // A checkpoint that cannot be written is no reason to stop.
            let _ = log.checkpoint();
        }
        reached += usize::from(failed);
        let again = open(log.storage().after_power_cut(5)).unwrap();
        assert!(again.recovery().size >= acknowledged, "n {n}");
        assert!(all_there(&again, acknowledged));
    }
    assert!(reached > 5);
}

#[test]
fn lengths_and_backlog_are_bounded() {
    let log = open(MemoryStorage::new()).unwrap();
    assert!(matches!(log.append(b""), Err(LogError::EntryLength { found: 0 })));
    assert!(matches!(log.append(&[0; 65_536]), Err(LogError::EntryLength { .. })));
    let big = [7; 65_535];
    let mut taken = 0;
    while log.append(&big).is_ok() {
        taken += 1;
        assert!(taken < 1000, "no bound");
    }
    assert!(matches!(log.append(&big), Err(LogError::Backlog { .. })));
    log.commit().unwrap();
    log.append(&big).unwrap();
    assert_eq!(log.entry(0).unwrap(), big);
}

#[test]
fn only_the_end_of_a_large_log_is_read_and_audit_reads_the_rest() {
    let log = open(MemoryStorage::new()).unwrap();
    let big = |i: u64| [&i.to_be_bytes()[..], &[1; 20_000]].concat();
    for i in 0..4000 {
        log.append(&big(i)).unwrap();
        if i % 100 == 0 {
            log.commit().unwrap();
        }
    }
    log.commit().unwrap();
    log.checkpoint().unwrap();
    let again = open(log.storage().after_kill()).unwrap();
    let unread = again.recovery().unread_before;
    assert!((1..4000).contains(&unread) && !again.recovery().rebuilt, "{unread}");
    assert_eq!(again.audit().unwrap(), unread);
    assert_eq!(again.entry(3).unwrap(), big(3));
    assert_eq!(again.prove(3).unwrap(), log.prove(3).unwrap());
    again.append(b"more").unwrap();
    again.commit().unwrap();
    again.checkpoint().unwrap();
    assert_eq!(open(again.storage().after_kill()).unwrap().recovery().size, 4001);

    // Caches that are gone or wrong cost time, nothing else.
    for name in ["hashes/0", "offsets"] {
        let storage = log.storage().after_kill();
        storage.edit_files(|f| drop(f.remove(name)));
        assert_eq!(open(storage).unwrap().recovery().unread_before, 0, "{name}");
    }
    let storage = log.storage().after_kill();
    storage.edit_files(|f| f.get_mut("hashes/0").unwrap()[256 * 32] ^= 1);
    let healed = open(storage).unwrap();
    assert!(healed.recovery().rebuilt);
    healed.prove(300).unwrap();

    // Old damage is found by the audit, and when it is read.
    let storage = log.storage().after_kill();
    storage.edit_entries(|e| e[20_100] ^= 1);
    let log = open(storage).unwrap();
    assert!(matches!(log.entry(1), Err(LogError::Damaged { index: 1, .. })));
    assert!(matches!(log.audit(), Err(LogError::Damaged { index: 1, .. })));
    assert!(matches!(log.append(b"x"), Err(LogError::Poisoned { .. })));
}

#[test]
fn a_hundred_threads_get_each_place_once() {
    let log = open(MemoryStorage::new()).unwrap();
    std::thread::scope(|s| {
        let handles: Vec<_> = (0..100u64)
            .map(|t| {
                let log = &log;
                s.spawn(move || {
                    (0..50u64)
                        .map(|i| {
                            let bytes = [t.to_be_bytes(), i.to_be_bytes()].concat();
                            let ticket = log.append(&bytes).unwrap();
                            match i % 10 {
                                0 => log.commit().map(drop).unwrap(),
                                5 => log.hand_over().map(drop).unwrap(),
                                _ => {}
                            }
                            (ticket.index(), bytes)
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        log.checkpoint().unwrap();
        let mut all: Vec<_> = handles.into_iter().flat_map(|h| h.join().unwrap()).collect();
        all.sort();
        log.commit().unwrap();
        assert_eq!(log.durable_size(), 5000);
        let read: Vec<_> = log.entries(0..5000).unwrap();
        assert_eq!(read, all);
    });
    let again = open(log.storage().after_power_cut(0)).unwrap();
    assert_eq!(again.root(5000).unwrap(), log.root(5000).unwrap());
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Zero(usize, usize),
}

fn arb_damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 1u8..).prop_map(|(a, b)| Damage::Flip(a, b)),
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), proptest::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(a, b)| Damage::Insert(a, b)),
        (any::<usize>(), 1usize..5000).prop_map(|(a, b)| Damage::Zero(a, b)),
    ]
}

fn apply(damage: &Damage, bytes: &mut Vec<u8>) {
    let at = |a: usize, len: usize| if len == 0 { 0 } else { a % len };
    match damage {
        Damage::Flip(a, b) => {
            let i = at(*a, bytes.len());
            if let Some(byte) = bytes.get_mut(i) {
                *byte ^= b;
            }
        }
        Damage::Cut(a) => bytes.truncate(at(*a, bytes.len())),
        Damage::Insert(a, b) => {
            let i = at(*a, bytes.len());
            bytes.splice(i..i, b.iter().copied()).for_each(drop);
        }
        Damage::Zero(a, n) => {
            let i = at(*a, bytes.len());
            let end = (i + n).min(bytes.len());
            bytes[i..end].fill(0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever happens to the files: no panic, and either all that the checkpoint covers is
    /// there, or opening refuses.
    #[test]
    fn damage_never_panics_and_never_loses_what_a_checkpoint_covers(
        what in 0usize..5,
        damages in proptest::collection::vec(arb_damage(), 1..4),
    ) {
        let log = filled(530);
        log.checkpoint().unwrap();
        for i in 530..560 {
            log.append(&entry(i)).unwrap();
        }
        log.commit().unwrap();
        let storage = log.storage().after_kill();
        let name = ["hashes/0", "hashes/1", "offsets", "checkpoint"];
        match what.checked_sub(1) {
            None => storage.edit_entries(|e| damages.iter().for_each(|d| apply(d, e))),
            Some(n) => storage.edit_files(|f| {
                damages.iter().for_each(|d| apply(d, f.get_mut(name[n]).unwrap()));
            }),
        }
        if let Ok(again) = open(storage) {
            let size = again.recovery().size;
            prop_assert!(size >= 530);
            prop_assert!(all_there(&again, 530));
            again.append(b"goes on").unwrap();
            again.commit().unwrap();
            again.prove(size).unwrap();
            again.prove(100).unwrap();
        }
    }

    /// The same with no checkpoint at all: no panic, and what is read is a beginning of what was
    /// written.
    #[test]
    fn damage_without_a_checkpoint_never_panics(
        damages in proptest::collection::vec(arb_damage(), 1..4),
    ) {
        let log = filled(60);
        let storage = log.storage().after_kill();
        storage.edit_entries(|e| damages.iter().for_each(|d| apply(d, e)));
        if let Ok(again) = open(storage) {
            let size = again.recovery().size;
            prop_assert!(all_there(&again, size));
        }
    }

    /// Bytes from anywhere.
    #[test]
    fn any_file_of_entries(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for head in [&b""[..], b"symbolon/log/v1\n"] {
            let storage = MemoryStorage::new();
            storage.edit_entries(|e| *e = [head, &bytes].concat());
            let _ = open(storage);
        }
    }
}
