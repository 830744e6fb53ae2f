//! A log that is divided by periods: one tree over shards that can be taken away, and files that show what was in them.

mod common;

use std::sync::Arc;

use common::*;
use proptest::prelude::*;
use symbolon_log::*;

/// 2026-11-23 and the first days of months after it.
const NOVEMBER: u64 = 1_795_392_000_000;
const DECEMBER: u64 = 1_796_083_200_000;
const JANUARY: u64 = 1_798_761_600_000;

fn append(log: &Log<MemoryStorage>, to: u64) {
    for i in log.appended_size()..to {
        log.append(&entry(i)).unwrap();
    }
    log.commit().unwrap();
}

/// November has 700 entries, December 400, January 100.
fn divided() -> Log<MemoryStorage> {
    let log = filled(0);
    log.set_every(Every::Month, NOVEMBER).unwrap();
    append(&log, 700);
    assert!(!log.turn_if_due(NOVEMBER).unwrap());
    assert!(log.turn_if_due(DECEMBER).unwrap());
    assert!(!log.turn_if_due(DECEMBER).unwrap(), "once");
    append(&log, 1100);
    assert!(log.turn_if_due(JANUARY).unwrap());
    assert!(!log.turn_if_due(NOVEMBER).unwrap(), "a clock that went back");
    append(&log, 1200);
    log.checkpoint().unwrap();
    log
}

fn names(log: &Log<MemoryStorage>) -> Vec<String> {
    log.shards().all().iter().map(Shard::name).collect()
}

fn file(log: &Log<MemoryStorage>, at: usize) -> Vec<u8> {
    let note = log.latest_checkpoint().unwrap();
    let mut bytes = Vec::new();
    write_shard(log.storage(), (ORIGIN, at), &note, &mut bytes, &mut |_| ()).unwrap();
    bytes
}

type Entries = Vec<(u64, Vec<u8>)>;

fn read(bytes: &[u8]) -> Result<(ShardFile, Entries), ShardFileError> {
    let mut entries = Vec::new();
    let key = key().verifying_key();
    let open = |note: &str, origin: &str| Checkpoint::open(note, &key, origin);
    let read = read_shard(&mut &*bytes, open, |at, entry| entries.push((at, entry.to_vec())))?;
    Ok((read, entries))
}

fn reopened(log: &Log<MemoryStorage>) -> Log<MemoryStorage> {
    open(log.storage().after_kill()).unwrap()
}

#[test]
fn one_tree_stands_over_all_shards() {
    let log = divided();
    assert_eq!(names(&log), ["2026-11.0", "2026-12.700", "2027-01.1100"]);
    let plain = filled(1200);
    assert_eq!(log.root(1200).unwrap(), plain.root(1200).unwrap());
    assert_eq!(log.checkpoint().unwrap(), plain.checkpoint().unwrap());
    let again = reopened(&log);
    assert_eq!((names(&again), again.root(1200).unwrap()), (names(&log), log.root(1200).unwrap()));
    assert!(all_there(&again, 1200));
    // Only a turn by hand divides a month, and only where there is something to divide.
    assert!(again.turn(JANUARY).unwrap());
    assert!(!again.turn(JANUARY).unwrap());
    assert_eq!(names(&again)[3], "2027-01.1200");
}

#[test]
fn a_shards_file_shows_that_its_entries_are_the_logs() {
    let log = divided();
    for (at, (first, next)) in [(0, 700), (700, 1100)].into_iter().enumerate() {
        let bytes = file(&log, at);
        let (read, entries) = read(&bytes).unwrap();
        assert_eq!((read.first, read.next, &*read.origin), (first, next, ORIGIN));
        assert_eq!(read.shard, names(&log)[at]);
        assert!(entries.into_iter().eq((first..next).map(|i| (i, entry(i)))));
    }
    let note = log.latest_checkpoint().unwrap();
    let still = write_shard(log.storage(), (ORIGIN, 2), &note, &mut Vec::new(), &mut |_| ());
    assert!(matches!(still, Err(ShardFileError::Log(LogError::Shard { .. }))));
    // A checkpoint from before its end says nothing of it.
    let early = filled(900).checkpoint().unwrap();
    let early = write_shard(log.storage(), (ORIGIN, 1), &early, &mut Vec::new(), &mut |_| ());
    assert!(matches!(early, Err(ShardFileError::Uncovered { size: 900, next: 1100 })));
}

#[test]
fn a_shards_file_is_refused_where_any_byte_of_it_is_another() {
    let log = divided();
    let bytes = file(&log, 1);
    let header = u32::from_be_bytes(bytes[22..26].try_into().unwrap()) as usize;
    let text: serde_json::Value = serde_json::from_slice(&bytes[26..26 + header]).unwrap();
    let records = &bytes[26 + header..];
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut text = text.clone();
        change(&mut text);
        let text = serde_json::to_vec(&text).unwrap();
        [b"symbolon/log-shard/v1\n", &(text.len() as u32).to_be_bytes()[..], &text, records]
            .concat()
    };
    assert!(read(&with(&|_| ())).is_ok());
    for at in (0..26).chain((26 + header..bytes.len()).step_by(7)).chain([bytes.len() - 1]) {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert!(read(&bad).is_err(), "byte {at}");
    }
    assert!(matches!(read(&[&*bytes, b"x"].concat()), Err(ShardFileError::Form(_))));
    assert!(matches!(
        read(&bytes[..bytes.len() - 1]),
        Err(ShardFileError::Damaged { index: 1099 })
    ));
    let swapped = |name: &'static str, at: usize| {
        with(&move |text| {
            let (a, b) = (text[name][at].clone(), text[name][at + 1].clone());
            (text[name][at], text[name][at + 1]) = (b, a);
        })
    };
    for bad in [swapped("before", 0), swapped("behind", 0)] {
        assert!(matches!(read(&bad), Err(ShardFileError::Root { size: 1200 })));
    }
    let cut = with(&|text| drop(text["before"].as_array_mut().unwrap().pop()));
    assert!(matches!(read(&cut), Err(ShardFileError::Root { .. })));
    let moved = with(&|text| {
        (text["first"], text["shard"]) = (701.into(), "2026-12.701".into());
    });
    assert!(read(&moved).is_err());
    let renamed = with(&|text| text["origin"] = "example.test/other".into());
    assert!(matches!(read(&renamed), Err(ShardFileError::Checkpoint(_))));
    for name in ["now.0", "2026-13.0", "2026-11\nwitness  north.0"] {
        let named = with(&|text| text["shard"] = name.into());
        assert!(matches!(read(&named), Err(ShardFileError::Form(_))), "{name}");
    }
    let more = with(&|text| text["x"] = 1.into());
    assert!(matches!(read(&more), Err(ShardFileError::Form(_))));
    // Of a log of the same entries under another key.
    let other = SigningKeyOf(9).verifying_key();
    let open = |note: &str, origin: &str| Checkpoint::open(note, &other, origin);
    assert!(read_shard(&mut &*bytes, open, |_, _| ()).is_err());
    // Of another log by the same key, to whoever opens any.
    let open = |note: &str, _: &str| Checkpoint::open(note, &key().verifying_key(), ORIGIN);
    assert!(matches!(read_shard(&mut &*renamed, open, |_, _| ()), Err(ShardFileError::Form(_))));
}

#[allow(non_snake_case, reason = "reads as what it makes")]
fn SigningKeyOf(seed: u64) -> symbolon_crypto::SigningKey {
    symbolon_crypto::SigningKey::make(&symbolon_ambient::SeededRng::new(seed))
}

#[test]
fn a_log_goes_on_without_a_shard_and_still_proves_what_was_in_it() {
    let log = divided();
    let before = log.prove(3).unwrap();
    let kept = log.give_up(0).unwrap();
    assert_eq!(kept.first, 512, "the bundle that December begins in stays whole");
    for log in [&log, &reopened(&log)] {
        let gone = log.entry(3).unwrap_err();
        let says = gone.to_string();
        assert!(matches!(gone, LogError::TakenAway { index: 3, first: 512, .. }), "{says}");
        assert!(says.contains("2026-11.0"), "{says}");
        assert!(matches!(log.entries(511..600), Err(LogError::TakenAway { .. })));
        assert!(log.entries(512..600).unwrap().into_iter().eq((512..600).map(|i| (i, entry(i)))));
        assert_eq!(log.tail(None, u64::MAX).unwrap().last().unwrap().0, 512);
        assert_eq!(log.prove(3).unwrap().path, before.path);
        assert_eq!(log.consistency(600, 1200).unwrap(), divided().consistency(600, 1200).unwrap());
        log.audit().unwrap();
        let follows = |from| Follower::open(log.storage(), ORIGIN, from).map(|f| f.next());
        assert_eq!(follows(512).unwrap(), 512);
        assert_eq!(follows(1150).unwrap(), 1150);
        assert!(matches!(follows(511), Err(LogError::TakenAway { .. })));
    }
    let again = reopened(&log);
    append(&again, 3000);
    assert_eq!(again.root(3000).unwrap(), naive_root(&leaves(3000)));
    assert_eq!(reopened(&again).root(3000).unwrap(), naive_root(&leaves(3000)));
    // The next one in turn, from what is there.
    let bytes = file(&again, 1);
    assert_eq!(read(&bytes).unwrap().1.len(), 400);
    assert_eq!(again.give_up(1).unwrap().first, 1024);
    assert!(matches!(again.give_up(1), Err(LogError::Shard { .. })), "it is gone already");
    assert!(matches!(again.give_up(2), Err(LogError::Shard { .. })), "it is written to");
    assert_eq!(reopened(&again).root(3000).unwrap(), naive_root(&leaves(3000)));
}

#[test]
fn nothing_is_given_up_that_no_signed_checkpoint_covers() {
    let storage = MemoryStorage::new();
    let log = Log::open(storage, ORIGIN, None).unwrap();
    log.set_every(Every::Month, NOVEMBER).unwrap();
    append(&log, 700);
    assert!(log.turn_if_due(DECEMBER).unwrap());
    assert!(matches!(log.give_up(0), Err(LogError::Shard { .. })));
    log.set_signer(Some(key()));
    log.checkpoint().unwrap();
    log.give_up(0).unwrap();
}

#[test]
fn hashes_that_are_gone_with_their_entries_refuse() {
    let log = divided();
    log.give_up(0).unwrap();
    let damaged = |edit: &dyn Fn(&mut Vec<u8>)| {
        let storage = log.storage().after_kill();
        storage.edit_files(|files| edit(files.get_mut("hashes/0").unwrap()));
        open(storage).map(drop)
    };
    assert!(damaged(&|_| ()).is_ok());
    assert!(matches!(damaged(&|hashes| hashes[40] ^= 1), Err(LogError::Root { .. })));
    assert!(matches!(
        damaged(&|hashes| hashes.truncate(8000)),
        Err(LogError::Hashes { before: 512 })
    ));
    // The index is a cache, for what is there as for what is not.
    let storage = log.storage().after_kill();
    storage.edit_files(|files| drop(files.remove("offsets")));
    let again = open(storage).unwrap();
    assert!(again.entries(512..1200).unwrap().len() == 688);
    // And a list that is gone leaves a log that does not begin.
    let storage = log.storage().after_kill();
    storage.edit_files(|files| drop(files.remove("shards")));
    assert!(open(storage).is_err());
}

#[test]
fn hashes_that_are_wrong_are_made_again_before_their_entries_go() {
    let whole = divided();
    let hashes = |log: &Log<MemoryStorage>| log.storage().files()["hashes/0"].clone();
    for damage in [
        |hashes: &mut Vec<u8>| hashes[40] ^= 1,
        |hashes: &mut Vec<u8>| hashes[511 * 32] ^= 1,
        |hashes: &mut Vec<u8>| hashes[..8192].fill(0),
    ] {
        let log = divided();
        log.storage().edit_files(|files| damage(files.get_mut("hashes/0").unwrap()));
        assert_ne!(hashes(&log), hashes(&whole));
        log.give_up(0).unwrap();
        assert_eq!(hashes(&log), hashes(&whole));
        assert_eq!(log.prove(3).unwrap(), whole.prove(3).unwrap());
        assert_eq!(reopened(&log).prove(511).unwrap(), whole.prove(511).unwrap());
    }
    // The second time the hashes of before are needed, and nothing makes them again.
    let log = divided();
    log.give_up(0).unwrap();
    log.storage().edit_files(|files| files.get_mut("hashes/0").unwrap()[40] ^= 1);
    assert!(matches!(log.give_up(1), Err(LogError::Root { size: 1200 })));
    // The index may say another place: what it says is not asked.
    let log = divided();
    log.storage().edit_files(|files| files.get_mut("offsets").unwrap()[23] ^= 1);
    let kept = log.give_up(0).unwrap();
    assert_eq!(kept, whole.give_up(0).unwrap());
}

#[test]
fn entries_that_are_not_under_the_checkpoint_are_not_given_up() {
    let log = divided();
    log.storage().edit_entries(|bytes| bytes[60] ^= 1);
    assert!(matches!(log.give_up(0), Err(LogError::Damaged { covered: 1200, .. })));
    // Of hashes that stay with their entries, one is wrong: opening makes it again.
    let log = divided();
    log.storage().edit_files(|files| files.get_mut("hashes/0").unwrap()[1150 * 32] ^= 1);
    assert!(matches!(log.give_up(0), Err(LogError::Root { size: 1200 })));
    assert_eq!(log.shards().kept(), None);
    append(&log, 1300);
    assert!(log.entries(0..1300).unwrap().len() == 1300, "it goes on, and all is there");
}

#[test]
fn a_log_is_begun_again_from_hashes_and_what_is_left() {
    let log = divided();
    log.give_up(1).unwrap();
    let shards = log.shards();
    let kept = shards.kept().unwrap();
    assert_eq!(kept.first, 1024);
    let mut last = [0; 16];
    Storage::read(log.storage(), kept.stays_from(), &mut last).unwrap();
    let storage = Arc::new(MemoryStorage::new());
    let mut begun = Begun::new(&storage);
    for leaf in leaves(1024) {
        begun.push(leaf).unwrap();
    }
    begun.finish(&shards, &last).unwrap();
    let made = Log::open(storage.clone(), ORIGIN, None).unwrap();
    assert_eq!(made.appended_size(), 1024);
    for (_, entry) in log.entries(1024..1200).unwrap() {
        made.append(&entry).unwrap();
    }
    made.commit().unwrap();
    drop(made);
    storage.publish("checkpoint", log.checkpoint().unwrap().as_bytes()).unwrap();
    let again = Log::open(storage, ORIGIN, Some(key())).unwrap();
    assert_eq!(again.root(1200).unwrap(), naive_root(&leaves(1200)));
    assert_eq!(again.prove(5).unwrap(), log.prove(5).unwrap());
    assert_eq!(again.shards(), log.shards());

    let storage = MemoryStorage::new();
    let mut short = Begun::new(&storage);
    leaves(1000).into_iter().try_for_each(|leaf| short.push(leaf)).unwrap();
    assert!(matches!(short.finish(&shards, &last), Err(LogError::Shards(_))));
}

#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Relaxed(u64),
    Turn(u64),
    Every(usize),
    GiveUp(usize),
    Fail(u32),
    Kill,
    Cut(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..400).prop_map(Step::Append),
        2 => (1u64..50).prop_map(Step::Relaxed),
        3 => (0u64..12).prop_map(Step::Turn),
        1 => (0usize..4).prop_map(Step::Every),
        2 => (0usize..4).prop_map(Step::GiveUp),
        2 => (0u32..6).prop_map(Step::Fail),
        1 => Just(Step::Kill),
        2 => (0usize..600).prop_map(Step::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever fails or dies at whichever write: what was accepted is there or was given up, and one root is over all.
    #[test]
    fn nothing_accepted_is_lost_however_a_log_is_divided(steps in prop::collection::vec(step(), 1..25)) {
        let mut log = open(MemoryStorage::new()).unwrap();
        let mut accepted = 0;
        let mut given_up = 0;
        for step in steps {
            match step {
                Step::Append(count) => {
                    let to = log.appended_size() + count;
                    let took = (log.appended_size()..to).all(|i| log.append(&entry(i)).is_ok());
                    if took && log.commit().is_ok() {
                        accepted = to;
                    }
                }
                Step::Relaxed(count) => {
                    let to = log.appended_size() + count;
                    let _ = (log.appended_size()..to).all(|i| log.append(&entry(i)).is_ok());
                    let _ = log.hand_over();
                }
                Step::Turn(months) => drop(log.turn_if_due(NOVEMBER + months * 31 * 86_400_000)),
                Step::Every(at) => drop(log.set_every(Every::ALL[at], NOVEMBER)),
                Step::GiveUp(at) => {
                    given_up = log.shards().end(at).unwrap_or(0).max(given_up);
                    let _ = log.give_up(at);
                }
                Step::Fail(count) => log.storage().fail_after(count),
                Step::Kill => log = open(log.storage().after_kill()).unwrap(),
                Step::Cut(torn) => log = open(log.storage().after_power_cut(torn)).unwrap(),
            }
            if log.check_poison().is_err() {
                log = open(log.storage().after_power_cut(0)).unwrap();
            }
            let size = log.written_size();
            accepted = accepted.max(log.durable_size());
            prop_assert!(size >= accepted, "{size} {accepted}");
            let from = log.shards().kept().map_or(0, |kept| kept.first);
            prop_assert!(from <= given_up);
            let found = log.entries(from..size).unwrap();
            prop_assert!(found.into_iter().enumerate().all(|(n, (at, e))| at == from + n as u64 && e == entry(at)));
            let durable = log.durable_size();
            prop_assert_eq!(log.root(durable).unwrap(), naive_root(&leaves(durable)));
        }
    }
}
