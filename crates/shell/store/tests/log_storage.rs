//! What every storage of a log promises, held against all of them; and what PostgreSQL adds: one writer, any number of
//! readers, several logs in one database, a connection that is lost.

#[path = "log_storage/shards.rs"]
mod shards;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use symbolon_ambient::SeededRng;
use symbolon_crypto::SigningKey;
use symbolon_log::{
    Begun, Durability, Every, Follower, Log, LogError, MemoryStorage, Storage, leaf_hash,
};
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_store::{
    DatabaseAddress, Fault, Faults, FolderStorage, LogDatabaseError, LogService, LogSettings, Op,
    PostgresStorage,
};

const ORIGIN: &str = "example.test/log";

/// Ends with this process: nothing keeps a static from it.
fn server() -> &'static OwnPostgres {
    static SERVER: OnceLock<OwnPostgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = place("pglog");
        match OwnPostgres::start(&folder, Afterwards::Remove) {
            Ok(server) => server,
            Err(error) => panic!("{error}; or all that tests need: cargo xtask test --only setup"),
        }
    })
}

fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("symbolon-{name}-{}", std::process::id()))
}

fn writer(address: &DatabaseAddress, origin: &str) -> Result<PostgresStorage, LogDatabaseError> {
    PostgresStorage::open(address, origin, Faults::none())
}

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(5)))
}

/// Calls a story with each kind of storage, and what opens the same one again.
fn each(name: &str, story: impl Fn(&str, &dyn Fn() -> Arc<dyn Storage>)) {
    let memory = Arc::new(MemoryStorage::new());
    story("memory", &|| Arc::new(memory.clone()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    story("folder", &|| Arc::new(FolderStorage::open(&path).unwrap()));
    let address = server().make_database(name).unwrap();
    story("postgres", &|| Arc::new(writer(&address, ORIGIN).unwrap()));
}

fn read(storage: &dyn Storage, offset: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0xaa; count];
    let found = storage.read(offset, &mut bytes).unwrap();
    bytes.truncate(found);
    bytes
}

/// Without the zeros that a storage may have written ahead.
fn all(storage: &dyn Storage, written: usize) -> Vec<u8> {
    let mut bytes = read(storage, 0, written + 100);
    assert!(bytes.get(written..).unwrap_or_default().iter().all(|b| *b == 0));
    bytes.truncate(written);
    bytes
}

#[test]
fn entries_are_read_as_they_were_written() {
    each("entries", |kind, open| {
        let storage = open();
        let mut written = Vec::new();
        assert!(storage.is_empty().unwrap(), "{kind}");
        // Beyond one piece, to its very end, and by a byte.
        for length in [16usize, 1, 400, 65_536, 65_537, 200_000, 3] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 + 1).collect();
            storage.write(written.len() as u64, &bytes).unwrap();
            written.extend(bytes);
            assert_eq!(all(&*storage, written.len()), written, "{kind} {length}");
        }
        storage.sync().unwrap();
        for (from, count) in
            [(0, 1), (15, 3), (16, 1), (417, 65_536), (65_000, 70_000), (331_000, 9)]
        {
            let end = (from + count).min(written.len());
            assert_eq!(read(&*storage, from as u64, count), written[from..end], "{kind} {from}");
        }
        assert!(storage.len().unwrap() >= written.len() as u64);
        drop(storage);
        let storage = open();
        assert_eq!(all(&*storage, written.len()), written, "{kind}: opened again");
        assert_eq!(read(&*storage, 1 << 40, 10), [0u8; 0], "{kind}: far beyond");

        // In the middle of a piece.
        storage.cut(70_000).unwrap();
        let aside = storage.get("entries.cut", 1 << 30).unwrap().unwrap();
        assert_eq!(aside, &written[70_000..], "{kind}: set aside");
        assert_eq!(storage.len().unwrap(), 70_000, "{kind}");
        storage.write(70_000, b"goes on").unwrap();
        storage.sync().unwrap();
        let mut cut = written[..70_000].to_vec();
        cut.extend(b"goes on");
        assert_eq!(all(&*storage, cut.len()), cut, "{kind}");
    });
}

#[test]
fn named_files_are_written_read_and_replaced() {
    each("files", |kind, open| {
        let storage = open();
        let mut none = [0; 4];
        assert_eq!(storage.get("checkpoint", 10).unwrap(), None, "{kind}");
        assert_eq!(storage.read_at("hashes/0", 0, &mut none).unwrap(), 0, "{kind}");
        // As hashes grow: over the page that was begun, and over several.
        let mut file = Vec::new();
        for (at, length) in
            [(0usize, 32usize), (0, 320), (320, 8000), (8192, 20_000), (8190, 4), (28_192, 1)]
        {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7 + at) as u8).collect();
            storage.write_at("hashes/0", at as u64, &bytes).unwrap();
            file.resize(file.len().max(at + length), 0);
            file[at..at + length].copy_from_slice(&bytes);
            assert_eq!(storage.get("hashes/0", 1 << 20).unwrap().unwrap(), file, "{kind} {at}");
        }
        let mut part = [0; 5000];
        assert_eq!(storage.read_at("hashes/0", 6000, &mut part).unwrap(), 5000, "{kind}");
        assert_eq!(part[..], file[6000..11_000]);
        let rest = file.len() - 28_000;
        assert_eq!(storage.read_at("hashes/0", 28_000, &mut part).unwrap(), rest, "{kind}");
        assert_eq!(storage.get("hashes/0", 100).unwrap().unwrap(), file[..100], "{kind}");
        for text in [&[b'x'; 30_000][..], b"a shorter one", b"", b"the last"] {
            storage.publish("checkpoint", text).unwrap();
            drop(open_other(kind, open));
            assert_eq!(storage.get("checkpoint", 1 << 16).unwrap().unwrap(), text, "{kind}");
        }
        drop(storage);
        let storage = open();
        assert_eq!(storage.get("hashes/0", 1 << 20).unwrap().unwrap(), file, "{kind}: again");
        assert_eq!(storage.get("checkpoint", 3).unwrap().unwrap(), b"the", "{kind}");
    });
}

/// Another one over the same files; a database lets nobody in beside its writer.
fn open_other(kind: &str, open: &dyn Fn() -> Arc<dyn Storage>) -> Option<Arc<dyn Storage>> {
    (kind != "postgres").then(open)
}

#[test]
fn a_log_goes_on_where_it_was_and_what_is_torn_is_cut() {
    each("logs", |kind, open| {
        let log = |storage| Log::open(storage, ORIGIN, Some(key()));
        let first = log(open()).unwrap();
        for n in 0..700u32 {
            first.append(format!("entry {n}").as_bytes()).unwrap();
            if n % 90 == 0 {
                first.hand_over().unwrap();
            }
        }
        first.commit().unwrap();
        first.checkpoint().unwrap();
        drop(first);
        let again = log(open()).unwrap();
        assert_eq!((again.recovery().size, again.recovery().cut_bytes), (700, 0), "{kind}");
        assert_eq!(again.entry(513).unwrap(), b"entry 513", "{kind}");
        again.prove(699).unwrap();
        drop(again);

        let torn = open();
        let end = all_records(&*torn);
        torn.write(end, &[0, 0, 0, 9, 1, 2]).or_else(past_the_end).unwrap();
        drop(torn);
        let cut = log(open()).unwrap();
        assert_eq!((cut.recovery().size, cut.recovery().cut_bytes > 0), (700, true), "{kind}");
        cut.append(b"goes on").unwrap();
        cut.commit().unwrap();
        assert_eq!(cut.entry(700).unwrap(), b"goes on", "{kind}");
    });
}

/// Nothing here is past the end: a storage that says so has another length than its records.
fn past_the_end(error: io::Error) -> io::Result<()> {
    panic!("the storage does not end with its last record: {error}")
}

/// Where the 700 records end: the header, then each with its length and its check.
fn all_records(storage: &dyn Storage) -> u64 {
    let bytes: usize = (0..700).map(|n: u32| 20 + format!("entry {n}").len()).sum();
    let end = 16 + bytes as u64;
    assert!(storage.len().unwrap() >= end);
    end
}

#[test]
fn one_writes_others_read_and_logs_of_one_database_are_apart() {
    let address = server().make_database("apart").unwrap();
    let before = PostgresStorage::open_reader(&address, ORIGIN).unwrap();
    assert_eq!(before.len().unwrap(), 0, "there is no table yet");
    let first = writer(&address, ORIGIN).unwrap();
    let held = writer(&address, ORIGIN).err().expect("a second writer");
    assert!(matches!(held, LogDatabaseError::Held { .. }), "{held}");
    assert!(held.next().contains("symbolon status"));

    let other = writer(&address, "example.test/other").unwrap();
    let log = Log::open(first, ORIGIN, Some(key())).unwrap();
    let second = Log::open(other, "example.test/other", Some(key())).unwrap();
    for n in 0..300u32 {
        log.append(format!("one {n}").as_bytes()).unwrap();
        second.append(format!("two {n}").as_bytes()).unwrap();
    }
    log.commit().unwrap();
    second.commit().unwrap();
    log.checkpoint().unwrap();
    // The reader that was there before the log sees it now, and writes nothing.
    let mut seen = Vec::new();
    let before = Arc::new(before);
    let mut follower = Follower::open(before.clone(), ORIGIN, 290).unwrap();
    follower
        .read(u64::MAX, |_, entry, _| {
            seen.push(String::from_utf8(entry.to_vec()).unwrap());
            true
        })
        .unwrap();
    assert_eq!(seen.len(), 10);
    assert_eq!(seen.last().unwrap(), "one 299");
    for refused in [
        before.write(0, b"x"),
        before.sync(),
        before.cut(0),
        before.publish("checkpoint", b"x"),
        before.write_at("offsets", 0, b"x"),
    ] {
        let refused = refused.unwrap_err();
        let why = LogDatabaseError::within(&refused).expect("of the database");
        assert!(matches!(why, LogDatabaseError::Misplaced { .. }), "{why}");
    }
    // A write that does not continue the entries is none of a log's.
    assert!(log.storage().write(0, b"x").is_err());
    assert!(log.storage().write(1 << 30, b"x").is_err());
    let taken = PostgresStorage::open_new(&address, ORIGIN);
    assert!(matches!(taken, Err(LogDatabaseError::Held { .. })));
    drop(log);
    let taken = PostgresStorage::open_new(&address, ORIGIN);
    assert!(matches!(taken, Err(LogDatabaseError::Exists { .. })));
    drop(taken);
    writer(&address, ORIGIN).unwrap().remove().unwrap();
    PostgresStorage::open_new(&address, ORIGIN).unwrap();
    assert_eq!(second.entry(299).unwrap(), b"two 299", "the other one is untouched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_stops_the_writer_and_no_reader() {
    let folder = place("pglost");
    let server = OwnPostgres::start(&folder, Afterwards::Keep).unwrap();
    let address = server.make_database("log").unwrap();
    let log = Log::open(writer(&address, ORIGIN).unwrap(), ORIGIN, Some(key())).unwrap();
    let service = LogService::start(log, LogSettings::new(Durability::Group)).unwrap();
    let good = service.append(b"good").unwrap();
    let good_too = service.durable(good).await.unwrap();
    assert_eq!(good_too.durability(), Durability::Group);
    let relaxed = service.append(b"handed over").unwrap();
    service.handed_over(relaxed).await.unwrap();
    service.checkpoint().unwrap();
    let reader = PostgresStorage::open_reader(&address, ORIGIN).unwrap();
    assert!(reader.get("checkpoint", 1000).unwrap().is_some());

    server.crash().unwrap();
    let lost = service.append(b"lost").unwrap();
    let error = service.durable(lost).await.unwrap_err();
    assert!(matches!(error, LogError::Poisoned { .. } | LogError::Storage { .. }), "{error:?}");
    assert!(matches!(service.append(b"more"), Err(LogError::Poisoned { .. })));
    assert!(reader.len().is_err(), "there is no server");
    let gone = writer(&address, ORIGIN).err().expect("no server");
    assert!(matches!(gone, LogDatabaseError::Unreachable { .. }), "{gone}");

    let server = OwnPostgres::start(&folder, Afterwards::Remove).unwrap();
    assert!(reader.len().unwrap() > 0, "a reader connects again");
    assert!(matches!(service.append(b"more"), Err(LogError::Poisoned { .. })), "a writer does not");
    // Its lock went with its connection, so the log is opened anew beside what is left of it.
    let again = Log::open(writer(&address, ORIGIN).unwrap(), ORIGIN, Some(key())).unwrap();
    assert_eq!(again.recovery().size, 2);
    assert_eq!(again.entry(0).unwrap(), b"good");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(service.close().is_err());
    drop((again, reader, server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_sync_is_refused() {
    let folder = place("pgnosync");
    let server = OwnPostgres::start(&folder, Afterwards::Remove).unwrap();
    let address = server.make_database("log").unwrap();
    let mut plain = PgConnection::connect(&server.url("log")).await.unwrap();
    plain.execute("ALTER SYSTEM SET fsync = off").await.unwrap();
    plain.execute("SELECT pg_reload_conf()").await.unwrap();
    let mut refused = writer(&address, ORIGIN).err();
    // The server reads its settings again a moment later.
    for _ in 0..50 {
        if refused.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        refused = writer(&address, ORIGIN).err();
    }
    assert!(matches!(refused, Some(LogDatabaseError::NotDurable { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_gone_or_changed_are_found() {
    let address = server().make_database("damage").unwrap();
    let mut plain = PgConnection::connect(&server().url("damage")).await.unwrap();
    let fill = |log: &Log<PostgresStorage>| {
        for n in 0..40u32 {
            log.append(format!("entry {n}").as_bytes()).unwrap();
            log.hand_over().unwrap();
        }
        log.commit().unwrap();
        log.checkpoint().unwrap();
    };
    let open = |origin| Log::open(writer(&address, origin).unwrap(), origin, Some(key()));
    for (origin, harm) in [
        (
            "one.test",
            "DELETE FROM log_pieces WHERE log = 1 AND place = (SELECT place FROM log_pieces WHERE log = 1 ORDER BY place OFFSET 20 LIMIT 1)",
        ),
        (
            "two.test",
            "UPDATE log_pieces SET bytes = set_byte(bytes, 6, 1) WHERE log = 2 AND place = (SELECT place FROM log_pieces WHERE log = 2 ORDER BY place OFFSET 20 LIMIT 1)",
        ),
        ("three.test", "DELETE FROM log_pieces WHERE log = 3 AND place > 500"),
        (
            "four.test",
            "UPDATE log_files SET bytes = (SELECT bytes FROM log_files f WHERE f.log = 3 AND f.name = 'checkpoint') WHERE log = 4 AND name = 'checkpoint'",
        ),
        ("five.test", "UPDATE log_origins SET format = 2 WHERE id = 5"),
    ] {
        let log = open(origin).unwrap();
        fill(&log);
        drop(log);
        plain.execute(harm).await.unwrap();
        let before: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut plain).await.unwrap();
        let found = match writer(&address, origin) {
            Err(error) => error.to_string(),
            Ok(storage) => Log::open(storage, origin, Some(key())).err().expect(harm).to_string(),
        };
        let expected = match origin {
            "one.test" => "are missing",
            "two.test" => "entry 19, at byte",
            "three.test" => "the checkpoint covers 40",
            "four.test" => "checkpoint is refused",
            _ => "format 2",
        };
        assert!(found.contains(expected), "{origin}: {found}");
        let after: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut plain).await.unwrap();
        assert_eq!(before, after, "nothing is changed where damage is found");
    }
}

const COUNT: &str = "SELECT count(*) + sum(octet_length(bytes)) FROM log_pieces";
