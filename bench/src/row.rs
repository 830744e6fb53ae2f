//! One measured case, and how it is shown.

use serde::Serialize;
use symbolon_bench_proofs::ProofRow;

/// One case of one suite.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Which suite.
    pub suite: &'static str,
    /// Which case in it, such as `nginx` or `symbolon`.
    pub case: String,
    /// Calls at once.
    pub concurrency: usize,
    /// Half were faster, in microseconds.
    pub p50_us: f64,
    /// 95 of 100 were faster.
    pub p95_us: f64,
    /// 99 of 100 were faster.
    pub p99_us: f64,
    /// Calls a second.
    pub per_second: f64,
    /// Processor time of the measured process for each call, user and system.
    pub cpu_us_per_op: f64,
    /// `group`, `relaxed`, or `none` where nothing is kept.
    pub durability: &'static str,
    /// Every answer was what it had to be.
    pub correct: bool,
    /// Growth of the measured process's resident memory over the case, in KiB.
    pub memory_delta_kib: i64,
    /// What else there is to say, such as a ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Shows rows as they come.
pub(crate) struct Report {
    json: bool,
    headed: bool,
    proofs_headed: bool,
    correct: bool,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, headed: false, proofs_headed: false, correct: true }
    }

    pub(crate) fn row(&mut self, row: &Row) {
        self.correct &= row.correct;
        if self.json {
            // A row of numbers and words always serializes.
            println!("{}", serde_json::to_string(row).unwrap_or_default());
            return;
        }
        if !std::mem::replace(&mut self.headed, true) {
            println!(
                "{:<10} {:<28} {:>4} {:>9} {:>9} {:>9} {:>10} {:>8} {:<8} {:<7} note",
                "suite",
                "case",
                "c",
                "p50 us",
                "p95 us",
                "p99 us",
                "per s",
                "cpu us",
                "kept",
                "correct"
            );
        }
        println!(
            "{:<10} {:<28} {:>4} {:>9.2} {:>9.2} {:>9.2} {:>10.0} {:>8.2} {:<8} {:<7} {}",
            row.suite,
            row.case,
            row.concurrency,
            row.p50_us,
            row.p95_us,
            row.p99_us,
            row.per_second,
            row.cpu_us_per_op,
            row.durability,
            if row.correct { "yes" } else { "NO" },
            row.note.as_deref().unwrap_or_default()
        );
    }

    pub(crate) fn proof(&mut self, row: &ProofRow) {
        self.correct &= row.correct;
        if self.json {
            // A row of numbers and words always serializes.
            println!("{}", serde_json::to_string(row).unwrap_or_default());
            return;
        }
        if !std::mem::replace(&mut self.proofs_headed, true) {
            println!(
                "{:<10} {:<12} {:>9} {:>9} {:>9} {:>10} {:>6} {:>9} {:>9} correct",
                "suite",
                "case",
                "prove ms",
                "least",
                "verify ms",
                "of 128 ms",
                "bytes",
                "key ms",
                "read ms"
            );
        }
        println!(
            "{:<10} {:<12} {:>9.1} {:>9.1} {:>9.2} {:>10.2} {:>6} {:>9.0} {:>9.1} {}",
            row.suite,
            row.case,
            row.prove_ms,
            row.prove_min_ms,
            row.verify_ms,
            row.verify_batched_ms,
            row.proof_bytes,
            row.key_make_ms,
            row.key_read_ms,
            if row.correct { "yes" } else { "NO" }
        );
    }

    pub(crate) fn correct(&self) -> bool {
        self.correct
    }
}
