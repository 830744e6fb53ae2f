//! The log service: waiting, failing, closing; over a folder and over PostgreSQL, where it is the same.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_crypto::SigningKey;
use symbolon_log::{Checkpoint, Durability, Every, Log, LogError, Storage, verify_inclusion};
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_store::{
    DatabaseAddress, Fault, Faults, FolderStorage, LogService, LogSettings, LogStorage, Op,
    PostgresStorage,
};
use tokio::time::timeout;

const ORIGIN: &str = "example.test/log";
const SOON: Duration = Duration::from_secs(10);

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(5)))
}

/// Where a log of a test is.
enum Place {
    Folder(PathBuf),
    Postgres(Box<DatabaseAddress>),
}

impl From<PathBuf> for Place {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl Place {
    /// A new one of each kind.
    fn both(dir: &tempfile::TempDir) -> [Self; 2] {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("s{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let address = server().make_database(&name).unwrap();
        [Self::Folder(dir.path().join(name)), Self::Postgres(Box::new(address))]
    }

    fn open(&self, faults: &Faults) -> LogStorage {
        match self {
            Self::Folder(folder) => {
                FolderStorage::open_with(folder, faults.clone()).unwrap().into()
            }
            Self::Postgres(address) => {
                PostgresStorage::open(address, ORIGIN, faults.clone()).unwrap().into()
            }
        }
    }
}

/// Ends with this process: nothing keeps a static from it.
fn server() -> &'static OwnPostgres {
    static SERVER: OnceLock<OwnPostgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("symbolon-pgsv-{}", std::process::id()));
        match OwnPostgres::start(&folder, Afterwards::Remove) {
            Ok(server) => server,
            Err(error) => panic!("{error}; or all that tests need: cargo xtask test --only setup"),
        }
    })
}

fn start(place: &Place, durability: Durability, faults: &Faults) -> LogService {
    let log = Log::open(place.open(faults), ORIGIN, Some(key())).unwrap();
    LogService::start(log, LogSettings::new(durability)).unwrap()
}

fn has_file(service: &LogService, name: &str) -> bool {
    service.log().storage().get(name, 1).unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sync_serves_all_who_wait() {
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        let faults = Faults::none();
        let service = Arc::new(start(&place, Durability::Group, &faults));
        let before = faults.count(Op::Sync);
        let tasks: Vec<_> = (0..50u32)
            .map(|task| {
                let service = service.clone();
                tokio::spawn(async move {
                    for n in 0..40u32 {
                        let ticket = service.append(format!("{task} {n}").as_bytes()).unwrap();
                        let durable = service.durable(ticket).await.unwrap();
                        assert_eq!(durable.index(), ticket.index());
                        assert_eq!(durable.durability(), Durability::Group);
                    }
                })
            })
            .collect();
        for task in tasks {
            timeout(SOON, task).await.unwrap().unwrap();
        }
        let syncs = faults.count(Op::Sync) - before;
        assert_eq!(service.size(), 2000);
        assert!(syncs < 1000, "{syncs} syncs for 2000 entries");
        service.close().unwrap();
    }
}

#[tokio::test]
async fn one_write_serves_the_tasks_of_a_thread() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let service = Arc::new(start(&dir.path().join("log").into(), Durability::Relaxed, &faults));
    let before = faults.count(Op::Write);
    let task = |n: u32| {
        let service = service.clone();
        async move {
            let ticket = service.append(format!("entry {n}").as_bytes()).unwrap();
            let durable = service.durable(ticket).await.unwrap();
            assert!(service.log().written_size() > durable.index());
        }
    };
    let tasks: Vec<_> = (0..12).map(|n| tokio::spawn(task(n))).collect();
    for task in tasks {
        timeout(SOON, task).await.expect("left waiting").unwrap();
    }
    let writes = faults.count(Op::Write) - before;
    // One of ours; the committer may have been first with a part.
    assert!((1..=2).contains(&writes), "{writes} writes for 12 entries");
    service.close().unwrap();
}

/// A thread counts its own tasks, so each case has one of its own.
fn on_a_thread_with(tasks: usize, then: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        symbolon_store::count_tasks(Arc::new(tasks.into()));
        then();
    });
    thread.join().unwrap();
}

#[test]
fn a_thread_with_one_task_syncs_by_itself_and_one_with_more_waits_for_the_committer() {
    // In memory: a slow disk is left to the committer.
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let faults = Faults::none();
    let open =
        |name: &str| Arc::new(start(&dir.path().join(name).into(), Durability::Group, &faults));
    let service = open("log");
    let twice = |service: &LogService| {
        let ticket = service.append(b"entry").unwrap();
        let mut wait = std::pin::pin!(service.durable(ticket));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(cx).is_pending(), "it steps back behind other tasks once");
        wait.as_mut().poll(cx)
    };
    let alone = service.clone();
    on_a_thread_with(1, move || {
        for _ in 0..20 {
            let Poll::Ready(durable) = twice(&alone) else { panic!("it did not sync") };
            assert!(alone.log().durable_size() > durable.unwrap().index());
        }
    });
    let busy = service.clone();
    on_a_thread_with(2, move || {
        // The committer may be quick, but not each time.
        let waits = (0..20).filter(|_| twice(&busy).is_pending()).count();
        assert!(waits > 0, "two tasks, and one blocked the other");
    });
    drop(service);
    let (failing, faults) = (open("failing"), faults.clone());
    on_a_thread_with(1, move || {
        faults.fail(Op::Sync, 0, Fault::Io);
        let failed = twice(&failing);
        assert!(matches!(failed, Poll::Ready(Err(LogError::Storage { .. }))), "{failed:?}");
        assert!(failing.append(b"more").is_err());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_durable_before_the_sync() {
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        for fault in [Fault::Io, Fault::NoSpace] {
            let faults = Faults::none();
            let service = start(&place, Durability::Group, &faults);
            let good = service.append(b"good").unwrap();
            service.durable(good).await.unwrap();
            faults.fail(Op::Sync, 0, fault);
            let bad = service.append(b"bad").unwrap();
            let error = timeout(SOON, service.durable(bad)).await.unwrap().unwrap_err();
            assert!(matches!(error, LogError::Poisoned { .. }), "{error:?}");
            assert!(matches!(service.append(b"more"), Err(LogError::Poisoned { .. })));
            assert!(service.durable(good).await.is_ok(), "what was durable stays so");
            assert!(matches!(service.close(), Err(LogError::Poisoned { .. })));
            drop(service);
            let again = start(&place, Durability::Group, &Faults::none());
            assert_eq!(again.entry(0).unwrap(), b"good");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_write_that_fails_or_is_cut_short_is_told_and_recovered_from() {
    let dir = tempfile::tempdir().unwrap();
    for durability in [Durability::Group, Durability::Relaxed] {
        for fault in [Fault::NoSpace, Fault::Io, Fault::Short(1), Fault::Short(7), Fault::Short(22)]
        {
            for place in Place::both(&dir) {
                let faults = Faults::none();
                let service = start(&place, durability, &faults);
                let mut kept = 0;
                for i in 0..5u8 {
                    let ticket = service.append(&[i; 9]).unwrap();
                    service.durable(ticket).await.unwrap();
                    kept += 1;
                }
                faults.fail(Op::Write, 0, fault);
                let ticket = service.append(&[9; 9]).unwrap();
                let waited = timeout(SOON, service.durable(ticket)).await.unwrap();
                assert!(waited.is_err(), "{durability} {fault:?}");
                assert!(service.append(b"x").is_err());
                drop(service);
                let again = start(&place, durability, &Faults::none());
                assert_eq!(again.size(), kept, "{durability} {fault:?}");
                // One byte of the length is a zero: nothing to see yet.
                // A statement is whole or was never made.
                let torn = matches!((&place, fault), (Place::Folder(_), Fault::Short(7 | 22)));
                assert_eq!(again.log().recovery().cut_bytes > 0, torn);
                assert_eq!(has_file(&again, "entries.cut"), torn);
                let ticket = again.append(b"goes on").unwrap();
                again.durable(ticket).await.unwrap();
                assert_eq!(again.entry(kept).unwrap(), b"goes on");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_cannot_be_written_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        let faults = Faults::none();
        let log = Log::open(place.open(&faults), ORIGIN, Some(key())).unwrap();
        let mut settings = LogSettings::new(Durability::Group);
        settings.checkpoint_every = Duration::from_millis(30);
        faults.fail(Op::Publish, 0, Fault::NoSpace);
        faults.fail(Op::Put, 1, Fault::NoSpace);
        let service = LogService::start(log, settings).unwrap();
        let ticket = service.append(b"entry").unwrap();
        service.durable(ticket).await.unwrap();
        let start = Instant::now();
        while service.log().latest_checkpoint().is_none() {
            assert!(start.elapsed() < SOON);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(faults.count(Op::Publish) >= 2);
        assert!(service.append(b"still open").is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_nobody_waits_for_are_synced_and_checkpointed_soon() {
    let dir = tempfile::tempdir().unwrap();
    for durability in [Durability::Group, Durability::Relaxed] {
        for place in Place::both(&dir) {
            let service = start(&place, durability, &Faults::none());
            let ticket = service.append(b"receipt").unwrap();
            if durability == Durability::Relaxed {
                let durable = service.durable(ticket).await.unwrap();
                assert_eq!(durable.durability(), Durability::Relaxed);
            }
            let start = Instant::now();
            while service.log().durable_size() == 0 {
                assert!(start.elapsed() < SOON);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
            while service.log().latest_checkpoint().is_none() {
                assert!(start.elapsed() < SOON);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(has_file(&service, "checkpoint") && has_file(&service, "hashes/0"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proofs_come_at_once_and_verify() {
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        let service = start(&place, Durability::Group, &Faults::none());
        for i in 0..300u32 {
            service.append(&i.to_be_bytes()).unwrap();
        }
        for index in [0, 255, 256, 299] {
            let proof = service.proof(index).unwrap();
            let checkpoint =
                Checkpoint::open(&proof.checkpoint, &key().verifying_key(), ORIGIN).unwrap();
            verify_inclusion(
                &proof.leaf_hash,
                index,
                checkpoint.size,
                &proof.path,
                &checkpoint.root,
            )
            .unwrap();
        }
        assert!(matches!(service.proof(300), Err(LogError::NoEntry { .. })));
        let tail = service.tail(None, 3).unwrap();
        assert!(tail.iter().map(|(i, _)| *i).eq([299, 298, 297]));
        assert_eq!(service.entries(10..12).unwrap().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_keeps_everything_and_refuses_more() {
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        for durability in [Durability::Group, Durability::Relaxed] {
            let service = start(&place, durability, &Faults::none());
            let before = service.size();
            for i in 0..100u32 {
                service.append(&i.to_be_bytes()).unwrap();
            }
            service.close().unwrap();
            assert!(matches!(service.append(b"x"), Err(LogError::Closed)));
            let note = service.log().latest_checkpoint().unwrap();
            assert!(note.starts_with(&format!("{ORIGIN}\n{}\n", before + 100)));
            drop(service);
            let length = place.open(&Faults::none()).len().unwrap();
            assert_eq!(length, 16 + (before + 100) * 24, "no zeros are left");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_stops_waiting_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        let service = Arc::new(start(&place, Durability::Group, &Faults::none()));
        for i in 0..200u32 {
            let ticket = service.append(&i.to_be_bytes()).unwrap();
            let wait = service.durable(ticket);
            if i % 2 == 0 {
                // Polled once, then dropped.
                let _ = timeout(Duration::ZERO, wait).await;
            } else {
                wait.await.unwrap();
            }
        }
        service.close().unwrap();
        assert_eq!(service.log().durable_size(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_by_others_wake_those_who_wait() {
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        let service = Arc::new(start(&place, Durability::Group, &Faults::none()));
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let other = std::thread::spawn({
            let (service, stop) = (service.clone(), stop.clone());
            move || {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    service.log().commit().unwrap();
                }
            }
        });
        let count = if matches!(place, Place::Folder(_)) { 3000 } else { 300 };
        for i in 0..count {
            let ticket = service.append(&u32::to_be_bytes(i)).unwrap();
            timeout(SOON, service.durable(ticket)).await.expect("left waiting").unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        other.join().unwrap();
    }
}

#[tokio::test]
async fn a_ticket_of_another_log_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let one = start(&dir.path().join("one").into(), Durability::Group, &Faults::none());
    let two = start(&dir.path().join("two").into(), Durability::Group, &Faults::none());
    let ticket = one.append(b"entry").unwrap();
    let waited = timeout(SOON, two.durable(ticket)).await.unwrap();
    assert!(matches!(waited, Err(LogError::NoEntry { .. })));
}

#[test]
fn every_file_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("log");
    let service = start(&folder.clone().into(), Durability::Group, &Faults::none());
    for i in 0..600u32 {
        service.append(&i.to_be_bytes()).unwrap();
    }
    service.close().unwrap();
    let mut folders = vec![folder];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.metadata().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                files += 1;
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", entry.path().display());
            }
        }
    }
    assert_eq!(files, 5, "entries, offsets, two levels of hashes, the checkpoint");
}

#[tokio::test]
async fn a_shard_begins_with_its_period_beside_the_calls() {
    // 2026-11-23, and days after it.
    let day = |plus: u64| 1_795_392_000_000 + plus * 86_400_000;
    let dir = tempfile::tempdir().unwrap();
    for place in Place::both(&dir) {
        let clock = Arc::new(ManualClock::at(day(0)));
        let start = || {
            let log = Log::open(place.open(&Faults::none()), ORIGIN, Some(key())).unwrap();
            let settings = LogSettings::new(Durability::Group);
            LogService::start_with(log, settings, clock.clone()).unwrap()
        };
        let shards = |service: &LogService| {
            let shards = service.log().shards();
            shards.all().iter().map(symbolon_log::Shard::name).collect::<Vec<_>>()
        };
        let write = async |service: &LogService, count: usize| {
            for _ in 0..count {
                let ticket = service.append(b"entry").unwrap();
                service.durable(ticket).await.unwrap();
            }
        };
        let service = start();
        service.set_every(Every::Month).unwrap();
        write(&service, 3).await;
        assert_eq!(shards(&service), ["2026-11.0"]);
        clock.set_unix_ms(day(9));
        let began = Instant::now();
        while shards(&service).len() < 2 && began.elapsed() < SOON {
            write(&service, 1).await;
        }
        let names = shards(&service);
        assert!(names.len() == 2 && names[1].starts_with("2026-12."), "{names:?}");
        // One without an entry would get the next period instead.
        write(&service, 1).await;
        service.close().unwrap();
        drop(service);
        // What ended while nothing ran is noticed at once.
        clock.set_unix_ms(day(40));
        let service = start();
        let began = Instant::now();
        while shards(&service).len() < 3 && began.elapsed() < SOON {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(shards(&service)[2].starts_with("2027-01."), "{:?}", shards(&service));
        write(&service, 2).await;
        let size = service.size();
        assert_eq!(service.entries(0..size).unwrap().len() as u64, size);
        let proof = service.proof(0).unwrap();
        let checkpoint =
            Checkpoint::open(&proof.checkpoint, &key().verifying_key(), ORIGIN).unwrap();
        verify_inclusion(&proof.leaf_hash, 0, checkpoint.size, &proof.path, &checkpoint.root)
            .unwrap();
        service.close().unwrap();
    }
}
