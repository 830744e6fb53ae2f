//! An entry until it is durable, beside the disk's own fdatasync; checkpoints, proofs and receipts.

mod behind;
mod proof;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Instant;

use symbolon_log::{Durability, Log};
use symbolon_store::{FolderStorage, LogService, LogSettings};

use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let floor = fdatasync_us(options, report)?;
    for (durability, name) in [(Durability::Relaxed, "relaxed"), (Durability::Group, "group")] {
        for &tasks in &options.concurrency {
            let folder = tempfile::tempdir()?;
            let log = Log::open(FolderStorage::open(folder.path())?, ORIGIN, None);
            let log =
                LogService::start(log.map_err(BenchError::new)?, LogSettings::new(durability));
            let log = Arc::new(log.map_err(BenchError::new)?);
            let usual = if durability == Durability::Group { 300 * tasks.min(20) } else { 100_000 };
            let each = (options.iterations.unwrap_or(usual) / tasks).max(1);
            let meter = Arc::new(Meter::start(std::process::id()));
            let mut correct = super::runtime()?.block_on(write(&log, &meter, tasks, each));
            let mut row = meter.row("log", "append-until-durable", tasks, name, true);
            log.close().map_err(BenchError::new)?;
            correct &= log.size() == (tasks * each) as u64;
            row.correct &= correct;
            if durability == Durability::Group {
                row.note = Some(format!("p50 {:.2} x fdatasync", row.p50_us / floor));
            }
            report.row(&row);
        }
    }
    behind::run(options, report)?;
    proof::run(options, report)
}

async fn write(
    log: &Arc<LogService<FolderStorage>>,
    meter: &Arc<Meter>,
    tasks: usize,
    each: usize,
) -> bool {
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (log, meter) = (log.clone(), meter.clone());
            tokio::spawn(async move {
                for _ in 0..each {
                    let start = Instant::now();
                    let Ok(ticket) = log.append(&[b'i'; 300]) else { return false };
                    let Ok(durable) = log.durable(ticket).await else { return false };
                    meter.record(start);
                    if durable.index() != ticket.index() {
                        return false;
                    }
                }
                true
            })
        })
        .collect();
    let mut correct = true;
    for task in tasks {
        correct &= task.await.unwrap_or(false);
    }
    correct
}

/// What one write of 300 bytes and its fdatasync take here; the half of them.
pub(crate) fn fdatasync_us(options: &Options, report: &mut Report) -> Result<f64, BenchError> {
    let folder = tempfile::tempdir()?;
    let file = File::options().create_new(true).write(true).open(folder.path().join("probe"))?;
    file.write_all_at(&vec![0; 1 << 20], 0)?;
    file.sync_all()?;
    let meter = Meter::start(std::process::id());
    for i in 0..options.iterations.unwrap_or(300).min(1000) as u64 {
        let start = Instant::now();
        file.write_all_at(&[b'i'; 300], i * 300)?;
        file.sync_data()?;
        meter.record(start);
    }
    report.row(&meter.row("log", "fdatasync", 1, "group", true));
    Ok(meter.latencies().p50 as f64 / 1e3)
}

/// The name of the logs that are measured.
const ORIGIN: &str = "symbolon.local/log/bench";
