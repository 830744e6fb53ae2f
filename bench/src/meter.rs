//! Time, processor time and memory of a case.

use std::time::{Duration, Instant};

use symbolon_secret::{Histogram, Snapshot};

use crate::row::Row;

/// Measures one case: latencies come in from any thread, the rest is read at start and end.
pub(crate) struct Meter {
    pid: u32,
    latencies: Histogram,
    start: Instant,
    cpu: Duration,
    rss_kib: i64,
}

impl Meter {
    /// Of the process `pid`, from now on.
    pub(crate) fn start(pid: u32) -> Self {
        Self {
            pid,
            latencies: Histogram::new(),
            rss_kib: rss_kib(pid),
            cpu: cpu(pid),
            start: Instant::now(),
        }
    }

    pub(crate) fn record(&self, since: Instant) {
        self.latencies.record(since.elapsed());
    }

    pub(crate) fn record_for(&self, latency: Duration) {
        self.latencies.record(latency);
    }

    /// Processor time since the start.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(self.pid).saturating_sub(self.cpu)
    }

    pub(crate) fn latencies(&self) -> Snapshot {
        self.latencies.snapshot()
    }

    /// The case is over.
    pub(crate) fn row(
        &self,
        suite: &'static str,
        case: &str,
        concurrency: usize,
        durability: &'static str,
        correct: bool,
    ) -> Row {
        let wall = self.start.elapsed().as_secs_f64();
        let l = self.latencies.snapshot();
        let count = l.count.max(1) as f64;
        Row {
            suite,
            case: case.to_owned(),
            concurrency,
            p50_us: l.p50 as f64 / 1e3,
            p95_us: l.p95 as f64 / 1e3,
            p99_us: l.p99 as f64 / 1e3,
            per_second: l.count as f64 / wall,
            cpu_us_per_op: cpu(self.pid).saturating_sub(self.cpu).as_secs_f64() * 1e6 / count,
            durability,
            correct: correct && l.count > 0,
            memory_delta_kib: rss_kib(self.pid) - self.rss_kib,
            note: None,
        }
    }
}

/// Resident memory of a process.
pub(crate) fn rss_kib(pid: u32) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// User and system time of a process, of threads that have ended too, in ticks of 10 ms.
fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th after it.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|v| v.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}
