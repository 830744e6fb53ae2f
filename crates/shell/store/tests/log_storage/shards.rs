//! Storages of a log that is divided, and of which parts are given up.

use super::*;

/// 2026-11-23, and the first days of the two months after it.
const MONTHS: [u64; 3] = [1_795_392_000_000, 1_796_083_200_000, 1_798_761_600_000];

fn entry(at: u64) -> Vec<u8> {
    format!("entry {at} {}", "x".repeat((at % 300) as usize)).into_bytes()
}

fn filled<S: Storage>(log: &Log<S>, to: u64) {
    for at in log.appended_size()..to {
        log.append(&entry(at)).unwrap();
    }
    log.commit().unwrap();
}

fn is_there<S: Storage>(log: &Log<S>, from: u64, to: u64) -> bool {
    let found = log.entries(from..to).unwrap();
    found.into_iter().eq((from..to).map(|at| (at, entry(at))))
}

/// 700 entries in November, 400 in December, 300 in January.
fn divided<S: Storage>(storage: S) -> Log<S> {
    let log = Log::open(storage, ORIGIN, Some(key())).unwrap();
    log.set_every(Every::Month, MONTHS[0]).unwrap();
    filled(&log, 700);
    assert!(log.turn_if_due(MONTHS[1]).unwrap());
    filled(&log, 1100);
    assert!(log.turn_if_due(MONTHS[2]).unwrap());
    filled(&log, 1400);
    log.checkpoint().unwrap();
    log
}

#[test]
fn a_log_is_divided_and_parts_of_it_are_given_up() {
    each("shards", |kind, open| {
        let log = divided(open());
        assert!(is_there(&log, 0, 1400), "{kind}");
        drop(log);
        let log = Log::open(open(), ORIGIN, Some(key())).unwrap();
        assert!(is_there(&log, 0, 1400), "{kind}");
        assert_eq!(log.shards().all().len(), 3, "{kind}");
        let root = log.root(1400).unwrap();

        assert_eq!(log.give_up(0).unwrap().first, 512, "{kind}");
        assert!(is_there(&log, 512, 1400), "{kind}");
        drop(log);
        let log = Log::open(open(), ORIGIN, Some(key())).unwrap();
        assert!(is_there(&log, 512, 1400), "{kind}");
        assert!(matches!(log.entry(511), Err(LogError::TakenAway { .. })), "{kind}");
        assert_eq!(log.give_up(1).unwrap().first, 1024, "{kind}");
        filled(&log, 2000);
        let note = log.checkpoint().unwrap();
        drop(log);
        let log = Log::open(open(), ORIGIN, Some(key())).unwrap();
        assert!(is_there(&log, 1024, 2000), "{kind}");
        assert_eq!((log.root(1400).unwrap(), log.checkpoint().unwrap()), (root, note), "{kind}");
        assert_eq!(log.prove(5).unwrap().index, 5, "{kind}: hashes stay");
        log.audit().unwrap();
        drop(log);
        let storage = open();
        let mut follower = Follower::open(&storage, ORIGIN, 1030).unwrap();
        let mut seen = 1030;
        follower
            .read(u64::MAX, |at, bytes, _| {
                assert_eq!((at, bytes), (seen, &*entry(seen)), "{kind}");
                seen += 1;
                true
            })
            .unwrap();
        assert_eq!(seen, 2000, "{kind}");
    });
}

#[test]
fn a_shard_for_which_there_is_no_room_stays_and_the_log_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = divided(FolderStorage::open(&path).unwrap());
    // Something else stands where what is left would go.
    let taken = path.join("shard/512.kept");
    std::fs::create_dir(&taken).unwrap();
    assert!(matches!(log.give_up(0), Err(LogError::Storage { .. })));
    filled(&log, 1450);
    assert!(is_there(&log, 0, 1450));
    std::fs::remove_dir(&taken).unwrap();
    assert_eq!(log.give_up(0).unwrap().first, 512);
    assert!(is_there(&log, 512, 1450));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_shard_are_taken_away_some_at_a_time_and_those_left_by_whoever_opens_next() {
    let address = server().make_database("rows").unwrap();
    let mut beside = PgConnection::connect(&server().url("rows")).await.unwrap();
    let mut rows = async || -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM log_pieces");
        count.fetch_one(&mut beside).await.unwrap()
    };
    let open = || {
        let storage = writer(&address, ORIGIN).unwrap();
        Log::open(storage, ORIGIN, Some(key())).unwrap()
    };
    let log = open();
    log.set_every(Every::Month, MONTHS[0]).unwrap();
    // A row for each time that something is handed over: more than one statement takes away.
    for at in 0..2100 {
        log.append(&entry(at)).unwrap();
        log.hand_over().unwrap();
    }
    log.turn_if_due(MONTHS[1]).unwrap();
    filled(&log, 2200);
    log.checkpoint().unwrap();
    let before = rows().await;
    assert!(before > 2048, "{before}");
    log.give_up(0).unwrap();
    let left = rows().await;
    assert!(left < 100, "{left} of {before}");
    assert!(is_there(&log, 2048, 2200));
    drop(log);
    // As after a crash between the list and the rows.
    let put = "INSERT INTO log_pieces SELECT id, 0, 'old'::bytea FROM log_origins";
    let mut again = PgConnection::connect(&server().url("rows")).await.unwrap();
    again.execute(put).await.unwrap();
    assert_eq!(rows().await, left + 1);
    let log = open();
    assert_eq!(rows().await, left);
    assert!(is_there(&log, 2048, 2200));
}

#[test]
fn a_log_is_written_again_as_it_was_divided() {
    let of = MemoryStorage::new();
    let log = divided(&of);
    for given_up in [None, Some(0), Some(1)] {
        given_up.map(|at| log.give_up(at).unwrap());
        let shards = log.shards();
        let from = shards.kept().map_or(0, |kept| kept.first);
        let mut last = [0; 16];
        shards.kept().map(|kept| of.read(kept.stays_from(), &mut last).unwrap());
        each(&format!("again{from}"), |kind, open| {
            let storage = open();
            if shards.kept().is_some() {
                let mut begun = Begun::new(&storage);
                (0..from).try_for_each(|at| begun.push(leaf_hash(&entry(at)))).unwrap();
                begun.finish(&shards.until(from), &last).unwrap();
            } else {
                storage.publish("shards", shards.until(0).encode().as_bytes()).unwrap();
            }
            let again = Log::open(&storage, ORIGIN, None).unwrap();
            for at in from..1400 {
                again.turn_as(&shards).unwrap();
                again.append(&entry(at)).unwrap();
            }
            again.commit().unwrap();
            drop(again);
            storage.publish("checkpoint", log.checkpoint().unwrap().as_bytes()).unwrap();
            drop(storage);
            let again = Log::open(open(), ORIGIN, Some(key())).unwrap();
            assert!(is_there(&again, from, 1400), "{kind}");
            assert_eq!(*again.shards(), *shards, "{kind}");
            assert_eq!(again.prove(3).unwrap(), log.prove(3).unwrap(), "{kind}");
        });
    }
}

#[test]
fn who_reads_a_folder_goes_on_over_turns_and_what_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let storage = FolderStorage::open(&path).unwrap();
    let log = Log::open(&storage, ORIGIN, Some(key())).unwrap();
    log.set_every(Every::Month, MONTHS[0]).unwrap();
    let reader = FolderStorage::open_reader(&path).unwrap();
    let mut follower = Follower::open(&reader, ORIGIN, 0).unwrap();
    let mut read = |to| {
        let mut found = 0;
        let next = follower.read(u64::MAX, |at, bytes, _| {
            assert_eq!(bytes, entry(at));
            found += 1;
            true
        });
        assert_eq!(next.unwrap(), to);
        found
    };
    assert_eq!(read(0), 0);
    filled(&log, 300);
    assert_eq!(read(300), 300);
    log.turn_if_due(MONTHS[1]).unwrap();
    filled(&log, 600);
    log.turn_if_due(MONTHS[2]).unwrap();
    filled(&log, 650);
    assert_eq!(read(650), 350, "two turns at once");
    log.checkpoint().unwrap();
    log.give_up(1).unwrap();
    filled(&log, 700);
    assert_eq!(read(700), 50);
    let files: Vec<_> = std::fs::read_dir(path.join("shard")).unwrap().flatten().collect();
    let mut files: Vec<_> =
        files.into_iter().map(|f| f.file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["512.kept", "600"], "what was given up is gone");
    assert!(!path.join("entries").exists());
    // As after a crash between the list and the files: the next writer takes away what nobody asks for.
    std::fs::write(path.join("entries"), b"old").unwrap();
    std::fs::write(path.join("shard/300"), b"old").unwrap();
    std::fs::write(path.join("shard/256.kept"), b"old").unwrap();
    drop(FolderStorage::open_reader(&path).unwrap());
    assert!(path.join("entries").exists(), "who reads takes nothing away");
    drop((log, FolderStorage::open(&path).unwrap()));
    assert_eq!(std::fs::read_dir(path.join("shard")).unwrap().count(), 2);
    assert!(!path.join("entries").exists());
}

#[test]
fn a_turn_that_fails_or_is_cut_off_loses_nothing() {
    for (op, skip) in
        [(Op::Publish, 0), (Op::Publish, 1), (Op::Put, 0), (Op::Sync, 0), (Op::Write, 0)]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let faults = Faults::none();
        let storage = FolderStorage::open_with(&path, faults.clone()).unwrap();
        let log = Log::open(&storage, ORIGIN, Some(key())).unwrap();
        log.set_every(Every::Month, MONTHS[0]).unwrap();
        filled(&log, 300);
        for at in 300..310 {
            log.append(&entry(at)).unwrap();
        }
        faults.fail(op, skip, Fault::NoSpace);
        assert!(log.turn_if_due(MONTHS[1]).is_err(), "{op:?} {skip}");
        drop(log);
        drop(storage);
        let log = Log::open(FolderStorage::open(&path).unwrap(), ORIGIN, Some(key())).unwrap();
        assert!(log.durable_size() >= 300 && is_there(&log, 0, log.durable_size()), "{op:?}");
        filled(&log, 310);
        log.turn_if_due(MONTHS[1]).unwrap();
        filled(&log, 400);
        assert_eq!(log.shards().all().len(), 2);
        drop(log);
        let log = Log::open(FolderStorage::open(&path).unwrap(), ORIGIN, Some(key())).unwrap();
        assert!(is_there(&log, 0, 400), "{op:?} {skip}");
    }
}

#[test]
fn what_does_not_fit_the_list_is_refused_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    drop(divided(FolderStorage::open(&path).unwrap()));
    let list = std::fs::read_to_string(path.join("shards")).unwrap();
    let opens =
        || Log::open(FolderStorage::open(&path)?, ORIGIN, Some(key())).map_err(io::Error::other);
    let read = |name: &str| std::fs::read(path.join(name)).unwrap();
    assert!(opens().is_ok());
    let before = [read("entries"), read("shard/700"), read("shard/1100")];
    let lines: Vec<_> = list.lines().collect();
    let offset: u64 = lines[3].split(' ').nth(3).unwrap().parse().unwrap();
    let moved = |by: i64| {
        let to = offset.checked_add_signed(by).unwrap();
        list.replace(&format!("700 {offset}"), &format!("700 {to}"))
    };
    let put_back = format!("{}\n", lines[..4].join("\n"));
    for bad in
        [moved(1), moved(-1), moved(40), put_back, String::new(), list.replace("1100", "1101")]
    {
        std::fs::write(path.join("shards"), &bad).unwrap();
        assert!(opens().is_err(), "{bad}");
        assert_eq!([read("entries"), read("shard/700"), read("shard/1100")], before, "{bad}");
    }
    std::fs::remove_file(path.join("shards")).unwrap();
    assert!(opens().is_err(), "without the list");
    std::fs::write(path.join("shards"), &list).unwrap();
    assert!(opens().is_ok());
    let swap = || {
        std::fs::rename(path.join("shard/700"), path.join("x")).unwrap();
        std::fs::rename(path.join("shard/1100"), path.join("shard/700")).unwrap();
        std::fs::rename(path.join("x"), path.join("shard/1100")).unwrap();
    };
    swap();
    assert!(opens().is_err(), "one in another's place");
    swap();
    std::fs::rename(path.join("shard/700"), path.join("x")).unwrap();
    assert!(opens().is_err(), "one is missing");
    std::fs::rename(path.join("x"), path.join("shard/700")).unwrap();
    assert!(opens().is_ok());
}
