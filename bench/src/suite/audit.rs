//! The audit of a million calls: how small, how fast to search, and what it costs an authorization.

mod calls;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Instant;

use symbolon_audit::{Filter, Glob, Row as Found, Word};
use symbolon_store::audit::{Archive, lower_priority};
use symbolon_store::{Audit, Home};

use crate::meter::{Meter, rss_kib};
use crate::row::{Report, Row};
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let count = options.iterations.unwrap_or(1_000_000);
    let runtime = super::runtime()?;
    let made = runtime.block_on(calls::make(count))?;
    report.row(&made.row);
    let home = Home::open(&made.path()).map_err(BenchError::new)?;
    let audit = Audit::open(&home).map_err(BenchError::new)?;
    let silent = |_: u64, _: u64| {};
    // What the broker has written meanwhile is written again, and timed.
    std::fs::remove_dir_all(audit.folder()).or_else(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(e),
    })?;

    let meter = Meter::start(std::process::id());
    let begin = Instant::now();
    let mut lines = 0;
    loop {
        match audit.follow(&silent).map_err(BenchError::new)? {
            0 => break,
            more => lines += more,
        }
    }
    meter.record(begin);
    let sizes = Sizes::of(audit.folder())?;
    report.row(&per_entry(
        meter.row("audit", "lines", 1, "none", lines > 0),
        lines,
        format!(
            "{lines} lines, {} MB, {} of them receipts in {} MB",
            sizes.all >> 20,
            sizes.receipts,
            sizes.receipt_bytes >> 20,
        ),
    ));

    let meter = Meter::start(std::process::id());
    let begin = Instant::now();
    let compacted = audit.compact(&silent).map_err(BenchError::new)?;
    meter.record(begin);
    let small: u64 = compacted.iter().map(|it| it.bytes).sum();
    let smaller = |of: u64| 100.0 - 100.0 * small as f64 / of.max(1) as f64;
    let is_small = smaller(sizes.receipt_bytes) >= 85.0;
    report.row(&per_entry(meter.row("audit", "compact", 1, "none", is_small), lines, format!(
        "{} MB in {} files: {:.1} % smaller than the lines, {:.1} % than those of receipts alone; \
         {:.0} bytes a receipt",
        small >> 20,
        compacted.len(),
        smaller(sizes.all),
        smaller(sizes.receipt_bytes),
        small as f64 / sizes.receipts.max(1) as f64,
    )));

    let meter = Meter::start(std::process::id());
    let begin = Instant::now();
    let proof = audit.verify(&silent).map_err(BenchError::new)?;
    meter.record(begin);
    let whole = proof.checkpoint.is_some_and(|c| c.size == lines) && proof.next == lines;
    report.row(&per_entry(
        meter.row("audit", "verify", 1, "none", whole),
        lines,
        format!("{:.1} s", begin.elapsed().as_secs_f64()),
    ));
    queries(&audit, count, report)?;
    beside(&audit, options, report)
}

/// A row of one long piece of work, as time for each entry.
fn per_entry(mut row: Row, entries: u64, note: String) -> Row {
    let each = entries.max(1) as f64;
    for value in [&mut row.p50_us, &mut row.p95_us, &mut row.p99_us, &mut row.cpu_us_per_op] {
        *value /= each;
    }
    row.per_second *= each;
    row.note = Some(format!("{note}; memory {:+} MiB", row.memory_delta_kib >> 10));
    row
}

struct Sizes {
    all: u64,
    receipts: u64,
    receipt_bytes: u64,
}

impl Sizes {
    fn of(folder: &Path) -> Result<Self, BenchError> {
        let mut sizes = Self { all: 0, receipts: 0, receipt_bytes: 0 };
        for file in std::fs::read_dir(folder)? {
            let path = file?.path();
            if path.extension().is_none_or(|end| end != "jsonl") {
                continue;
            }
            let (mut lines, mut line) = (BufReader::new(std::fs::File::open(path)?), Vec::new());
            while lines.read_until(b'\n', &mut line)? > 0 {
                let head = &line[..line.len().min(200)];
                let is_receipt = head.windows(16).any(|w| w == b"\"kind\":\"receipt\"");
                sizes.all += line.len() as u64;
                sizes.receipts += u64::from(is_receipt);
                sizes.receipt_bytes += if is_receipt { line.len() as u64 } else { 0 };
                line.clear();
            }
        }
        Ok(sizes)
    }
}

/// Questions to files that are open, each kind 500 times; and the first of all, with everything closed.
fn queries(audit: &Audit, count: usize, report: &mut Report) -> Result<(), BenchError> {
    let meter = Meter::start(std::process::id());
    let begin = Instant::now();
    let answer = audit.query(&newest(), 50, &|_, _| {}).map_err(BenchError::new)?;
    meter.record(begin);
    let is_right = answer.rows.len() == 50.min(count);
    report.row(&meter.row("audit", "cold: newest 50, proven", 1, "none", is_right));
    let agent = Filter { agent: Some("agent-07".into()), ..newest() };
    let meter = Meter::start(std::process::id());
    let begin = Instant::now();
    let answer = audit.query(&agent, 50, &|_, _| {}).map_err(BenchError::new)?;
    meter.record(begin);
    let is_right = !answer.rows.is_empty();
    report.row(&meter.row("audit", "cold: an agent's 50, proven", 1, "none", is_right));

    let archive = audit.archive(&|_| true, &|_, _| {}).map_err(BenchError::new)?;
    let all = archive.find(&newest(), count).map_err(BenchError::new)?;
    let (Some(last), Some(first)) = (all.first(), all.last()) else {
        return Err(BenchError::new("no receipts"));
    };
    let times = (first.entry.unix_ms().unwrap_or(0), last.entry.unix_ms().unwrap_or(0));
    let numbers: Vec<u64> = all.iter().map(|row| row.index).collect();
    drop(all);
    let mut dice = Dice(7);
    let number = |dice: &mut Dice| Filter {
        index: Some(numbers[dice.below(numbers.len() as u64) as usize]),
        ..newest()
    };
    let agents = |dice: &mut Dice| Filter {
        agent: Some(format!("agent-{:02}", dice.below(50))),
        ..newest()
    };
    let tools = |dice: &mut Dice| Filter {
        tools: vec![vec![Glob::new(format!("bench.n{:02}.*", dice.below(12)))]],
        ..newest()
    };
    let window = |dice: &mut Dice| {
        let from = times.0 + dice.below((times.1 - times.0).max(1));
        Filter { since: Some(from), until: Some(from + 1000), ..newest() }
    };
    let refused = |dice: &mut Dice| Filter {
        outcomes: Some(vec![Word::Refused]),
        agent: Some(format!("agent-{:02}", dice.below(50))),
        ..newest()
    };
    measure(report, &archive, &mut dice, "point: a receipt by number", 1, &number)?;
    measure(report, &archive, &mut dice, "point: an agent's newest", 1, &agents)?;
    measure(report, &archive, &mut dice, "range: an agent's newest 50", 50, &agents)?;
    measure(report, &archive, &mut dice, "range: a tool's newest 50", 50, &tools)?;
    measure(report, &archive, &mut dice, "range: 50 of a second", 50, &window)?;
    measure(report, &archive, &mut dice, "rare: an agent's refusals", 50, &refused)?;
    Ok(())
}

fn newest() -> Filter {
    let answered = [Word::Allowed, Word::Refused, Word::Failed, Word::Shadowed];
    Filter { outcomes: Some(answered.to_vec()), ..Filter::default() }
}

fn measure(
    report: &mut Report,
    archive: &Archive,
    dice: &mut Dice,
    case: &str,
    limit: usize,
    filter: &dyn Fn(&mut Dice) -> Filter,
) -> Result<(), BenchError> {
    let (mut correct, mut rows) = (true, 0);
    // What each file holds is learnt by the first questions.
    for _ in 0..100 {
        archive.find(&filter(dice), limit).map_err(BenchError::new)?;
    }
    let meter = Meter::start(std::process::id());
    for _ in 0..500 {
        let filter = filter(dice);
        let begin = Instant::now();
        let found = archive.find(&filter, limit).map_err(BenchError::new)?;
        meter.record(begin);
        rows += found.len();
        let fits = |row: &Found| filter.finds(row, |_| false);
        correct &= found.iter().all(fits) && (filter.index.is_none() || found.len() == 1);
    }
    let mut row = meter.row("audit", case, 1, "none", correct && rows > 0);
    row.note = Some(format!("{:.1} rows each", rows as f64 / 500.0));
    report.row(&row);
    Ok(())
}

/// An authorization alone, and while the same million is written and compacted on a thread of the lowest priority.
fn beside(audit: &Audit, options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let calls = options.iterations.unwrap_or(400_000).min(400_000);
    let mut alone = super::authorize::measure(1, calls)?;
    (alone.suite, alone.case) = ("audit", "authorize, alone".to_owned());
    std::fs::remove_dir_all(audit.folder())?;
    let (other, stopper) = (audit.clone(), audit.clone());
    let work = std::thread::spawn(move || {
        lower_priority();
        other.compact(&|_, _| {}).map(drop)
    });
    let mut beside = super::authorize::measure(1, calls)?;
    let still = !work.is_finished();
    stopper.stop();
    let _ = work.join();
    (beside.suite, beside.case) = ("audit", "authorize, beside compaction".to_owned());
    let tail = |row: &Row| (row.p50_us, row.p99_us);
    let ((p50, p99), (p50_alone, p99_alone)) = (tail(&beside), tail(&alone));
    beside.note = Some(format!(
        "p50 x {:.2}, p99 x {:.2} of alone{}; resident {} MiB",
        p50 / p50_alone,
        p99 / p99_alone,
        if still { "" } else { "; the compaction was over before" },
        rss_kib(std::process::id()) >> 10,
    ));
    report.row(&alone);
    report.row(&beside);
    Ok(())
}

/// The same questions each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
