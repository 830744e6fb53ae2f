//! How far the newest checkpoint is behind what is durable, while many write.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use symbolon_ambient::SystemRng;
use symbolon_crypto::SigningKey;
use symbolon_log::{Checkpoint, Durability, Log};
use symbolon_store::{FolderStorage, LogService, LogSettings};

use super::ORIGIN;
use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

/// A hundred writers of durable receipts for some seconds, checkpoints signed meanwhile.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let folder = tempfile::tempdir()?;
    let key = Arc::new(SigningKey::make(&SystemRng));
    let log = Log::open(FolderStorage::open(folder.path())?, ORIGIN, Some(key.clone()));
    let log = log.map_err(BenchError::new)?;
    let log = LogService::start(log, LogSettings::new(Durability::Group));
    let log = Arc::new(log.map_err(BenchError::new)?);
    let each = options.iterations.map_or(EACH, |count| (count / WRITERS).max(1));
    let done = AtomicBool::new(false);
    let meter = Arc::new(Meter::start(std::process::id()));
    let runtime = super::super::runtime()?;
    let (mut correct, most) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&log, &done));
        let correct = runtime.block_on(super::write(&log, &meter, WRITERS, each));
        done.store(true, Relaxed);
        (correct, watch.join().unwrap_or(Duration::MAX))
    });
    let mut row = meter.row("log", "append-and-checkpoint", WRITERS, "group", true);
    log.close().map_err(BenchError::new)?;
    let note = log.checkpoint().map_err(BenchError::new)?;
    let last = Checkpoint::open(&note, &key.verifying_key(), ORIGIN).map_err(BenchError::new)?;
    correct &= last.size == (WRITERS * each) as u64;
    row.correct &= correct;
    row.note = Some(format!("checkpoint {} ms behind at most", most.as_millis()));
    report.row(&row);
    Ok(())
}

/// The longest time for which an entry was durable and in no checkpoint.
fn watch(log: &LogService<FolderStorage>, done: &AtomicBool) -> Duration {
    let mut seen: VecDeque<(Instant, u64)> = VecDeque::new();
    let mut most = Duration::ZERO;
    while !done.load(Relaxed) {
        let now = Instant::now();
        let size = log.log().durable_size();
        let note = log.log().latest_checkpoint();
        let covered = note
            .and_then(|note| Checkpoint::dangerous_read_unverified(&note).ok())
            .map_or(0, |checkpoint| checkpoint.size);
        if seen.back().is_none_or(|(_, before)| *before < size) {
            seen.push_back((now, size));
        }
        while seen.front().is_some_and(|(_, size)| *size <= covered) {
            seen.pop_front();
        }
        if let Some((since, _)) = seen.front() {
            most = most.max(now - *since);
        }
        std::thread::sleep(LOOK);
    }
    most
}

const WRITERS: usize = 100;
/// Of each writer: some seconds at 20,000 a second.
const EACH: usize = 1000;
/// How often it is looked: the measure is too small by so much at most.
const LOOK: Duration = Duration::from_millis(5);
