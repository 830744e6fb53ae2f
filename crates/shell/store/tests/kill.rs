//! kill -9 at any moment: what was acknowledged is there, in both modes, and the tree verifies.
//!
//! The child is this test binary again, running `child`. A kill does not test the order of
//! syncs; `crates/record/log/tests/recovery.rs` does, with a storage that forgets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_ambient::{Rng, SeededRng, SystemRng};
use symbolon_crypto::SigningKey;
use symbolon_log::{Checkpoint, Durability, Log, leaf_hash, verify_inclusion};
use symbolon_store::{FolderStorage, LogService, LogSettings};

const ORIGIN: &str = "example.test/log";
const TASKS: u64 = 20;

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(5)))
}

fn open(folder: &Path) -> Log<FolderStorage> {
    Log::open(FolderStorage::open(folder).unwrap(), ORIGIN, Some(key())).unwrap()
}

#[test]
#[ignore = "run by the tests below, which kill it"]
fn child() {
    let (Ok(folder), Ok(mode)) = (std::env::var("KILL_FOLDER"), std::env::var("KILL_MODE")) else {
        return;
    };
    let durability = if mode == "group" { Durability::Group } else { Durability::Relaxed };
    let mut settings = LogSettings::new(durability);
    // Checkpoints so often that some kills hit one.
    settings.checkpoint_every = Duration::from_millis(5);
    let service = Arc::new(LogService::start(open(Path::new(&folder)), settings).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let service = service.clone();
            all.spawn(async move {
                for n in 0u64.. {
                    let mut entry = format!("{task}.{n}.").into_bytes();
                    entry.resize(entry.len() + (n as usize * 31) % 900, b'x');
                    let ticket = service.append(&entry).unwrap();
                    let durable = service.durable(ticket).await.unwrap();
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
    let mut acknowledged = BTreeMap::new();
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--ignored", "--nocapture"])
            .env("KILL_FOLDER", &folder)
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
        let wait = Duration::from_micros(40_000 + u64::from(a) * 600 + u64::from(b));
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(reader.join().unwrap());

        let start = Instant::now();
        let log = open(&folder);
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
