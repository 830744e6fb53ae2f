//! kill -9 at any moment, of the writer and of the database's server: what was acknowledged is there, in both modes and
//! both storages, and the tree verifies.
//!
//! The child is this test binary again, running `child`. A kill does not test the order of
//! syncs; `crates/record/log/tests/recovery.rs` does, with a storage that forgets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_ambient::{Rng, SeededRng, SystemRng};
use symbolon_crypto::SigningKey;
use symbolon_log::{Checkpoint, Durability, Log, leaf_hash, verify_inclusion};
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_store::{
    DatabaseAddress, Faults, FolderStorage, LogService, LogSettings, LogStorage, PostgresStorage,
};

const ORIGIN: &str = "example.test/log";
const TASKS: u64 = 20;

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(5)))
}

/// A folder, or a database by its URL.
fn open(place: &str) -> Log<LogStorage> {
    let storage: LogStorage = if DatabaseAddress::is_one(place) {
        let address = DatabaseAddress::parse(place).unwrap();
        PostgresStorage::open(&address, ORIGIN, Faults::none()).unwrap().into()
    } else {
        FolderStorage::open(place.as_ref()).unwrap().into()
    };
    Log::open(storage, ORIGIN, Some(key())).unwrap()
}

fn postgres(name: &str) -> (std::path::PathBuf, OwnPostgres, String) {
    let folder = std::env::temp_dir().join(format!("symbolon-{name}-{}", std::process::id()));
    let server = OwnPostgres::start(&folder, Afterwards::Keep).unwrap();
    server.make_database("log").unwrap();
    let url = server.url("log");
    (folder, server, url)
}

#[test]
#[ignore = "run by the tests below, which kill it"]
fn child() {
    let (Ok(place), Ok(mode)) = (std::env::var("KILL_PLACE"), std::env::var("KILL_MODE")) else {
        return;
    };
    let durability = if mode == "group" { Durability::Group } else { Durability::Relaxed };
    let mut settings = LogSettings::new(durability);
    // Checkpoints so often that some kills hit one.
    settings.checkpoint_every = Duration::from_millis(5);
    let service = Arc::new(LogService::start(open(&place), settings).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let service = service.clone();
            all.spawn(async move {
                for n in 0u64.. {
                    let mut entry = format!("{task}.{n}.").into_bytes();
                    entry.resize(entry.len() + (n as usize * 31) % 900, b'x');
                    let Ok(ticket) = service.append(&entry) else { std::process::exit(3) };
                    let Ok(durable) = service.durable(ticket).await else { std::process::exit(3) };
                    // The line goes out in one write, past the test harness's capture.
                    let line = format!("\nACK {} {}\n", durable.index(), durable.leaf_hash());
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
        while all.join_next().await.is_some() {}
    });
}

fn kill_rounds(mode: &str, rounds: u32) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("log");
    rounds_on(folder.to_str().unwrap(), mode, rounds, &mut |child| child.kill().unwrap());
}

/// Each round begins the child, lets it work for a while, ends it so, and looks for what it was told.
fn rounds_on(place: &str, mode: &str, rounds: u32, end: &mut dyn FnMut(&mut Child)) {
    let mut acknowledged = BTreeMap::new();
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--ignored", "--nocapture"])
            .env("KILL_PLACE", place)
            .env("KILL_MODE", mode)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let mut found = Vec::new();
            for line in stdout.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8(line).unwrap();
                let mut words = line.split(' ');
                if let (Some("ACK"), Some(index), Some(hash)) =
                    (words.next(), words.next(), words.next())
                    && hash.len() == 64
                {
                    found.push((index.parse::<u64>().unwrap(), hash.to_owned()));
                }
            }
            found
        });
        let [a, b] = SystemRng.bytes::<2>();
        // A database takes a moment to be connected to.
        let least = if DatabaseAddress::is_one(place) { 300_000 } else { 40_000 };
        let wait = Duration::from_micros(least + u64::from(a) * 600 + u64::from(b));
        std::thread::sleep(wait);
        end(&mut child);
        child.wait().unwrap();
        acknowledged.extend(reader.join().unwrap());

        let start = Instant::now();
        let log = open(place);
        let (size, took) = (log.recovery().size, start.elapsed());
        assert!(!log.recovery().rebuilt, "round {round}: the tiles did not fit the checkpoint");
        let mut at = 0;
        let mut hashes = Vec::new();
        while at < size {
            let part = log.entries(at..size).unwrap();
            at += part.len() as u64;
            hashes.extend(part.iter().map(|(_, e)| leaf_hash(e)));
        }
        for (index, hash) in &acknowledged {
            let found = hashes.get(*index as usize);
            assert_eq!(
                found.map(ToString::to_string).as_ref(),
                Some(hash),
                "{mode} {round} {index}"
            );
        }
        if let Some((index, _)) = acknowledged.last_key_value() {
            let proof = log.prove(*index).unwrap();
            let note = Checkpoint::open(&proof.checkpoint, &key().verifying_key(), ORIGIN).unwrap();
            let leaf = &hashes[*index as usize];
            verify_inclusion(leaf, *index, note.size, &proof.path, &note.root).unwrap();
        }
        println!(
            "{mode} {round}: {} acknowledged, {size} there, opened in {took:?}",
            acknowledged.len()
        );
    }
    assert!(acknowledged.len() > 100, "the child hardly ran");
}

#[test]
fn group_survives_kill_9() {
    kill_rounds("group", 15);
}

#[test]
fn relaxed_survives_kill_9() {
    kill_rounds("relaxed", 15);
}

#[test]
fn both_survive_kill_9_in_postgres() {
    let (folder, server, url) = postgres("kill");
    for mode in ["group", "relaxed"] {
        rounds_on(&url, mode, 8, &mut |child| child.kill().unwrap());
    }
    drop(server);
    std::fs::remove_dir_all(folder).unwrap();
}

/// As a power cut of the database's machine: nothing is written that was not on its disk, and the
/// writer that is still there says no more.
#[test]
fn group_survives_the_loss_of_the_server() {
    let (folder, server, url) = postgres("lost");
    let mut running = Some(server);
    rounds_on(&url, "group", 5, &mut |child| {
        running.take().unwrap().crash().unwrap();
        let said = child.wait().unwrap();
        // 3 where it worked, another where it had not begun.
        assert!(!said.success(), "it went on without its database");
        running = Some(OwnPostgres::start(&folder, Afterwards::Keep).unwrap());
    });
    drop(running);
    std::fs::remove_dir_all(folder).unwrap();
}
