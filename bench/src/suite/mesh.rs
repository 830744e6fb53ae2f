//! A receipt until every node of a network has it: nodes of one process on loopback, each with its own sockets. Each
//! checks the mesh's own messages, as many receipts in one as come within 50 ms, before it sends them on, and asks for
//! ranges of what it lacks.

mod judge;
mod net;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::meter::Meter;
use crate::row::{Report, Row};
use crate::{BenchError, Options};

use net::{Net, Way};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runtime = super::runtime()?;
    let seconds = options.iterations.map_or(SECONDS, |n| (n as u64).clamp(1, 600));
    let case = |name, way, nodes, rate| Case { name, way, nodes, rate, kill: 0, starve: false };
    let cases = [
        case("10 nodes 1000/s", Way::Quic, 10, 1000),
        case("10 nodes 1000/s tcp", Way::Tcp, 10, 1000),
        case("50 nodes 100/s", Way::Quic, 50, 100),
        Case { kill: 10, ..case("50 nodes 100/s 10 die", Way::Quic, 50, 100) },
        Case { kill: 10, starve: true, ..case("50 nodes 10 die starved", Way::Quic, 50, 100) },
    ];
    for case in cases {
        let row = runtime.block_on(spread(&case, seconds))?;
        report.row(&row);
    }
    let row = runtime.block_on(garbage(seconds))?;
    report.row(&row);
    Ok(())
}

struct Case {
    name: &'static str,
    way: Way,
    nodes: usize,
    /// Receipts a second of all together; the first ten nodes publish in turn.
    rate: u64,
    /// So many end without a word when half is published.
    kill: usize,
    /// Twice as many threads as cores do nothing but run.
    starve: bool,
}

async fn spread(case: &Case, seconds: u64) -> Result<Row, BenchError> {
    let total = case.rate * seconds;
    let mut net = Net::start(case.way, case.nodes, total).await?;
    let hogs = case.starve.then(Hogs::start);
    let meter = Meter::start(std::process::id());
    let began = Instant::now();
    for number in 0..total {
        let due = Duration::from_secs_f64(number as f64 / case.rate as f64);
        // A sleep takes a millisecond at least: who is late does not sleep.
        if let Some(early) = due.checked_sub(began.elapsed()) {
            tokio::time::sleep(early).await;
        }
        if case.kill > 0 && number == total / 2 {
            net.kill(case.kill);
        }
        net.publish(number).await?;
    }
    let took = began.elapsed();
    net.finish().await?;
    let all = net.settled(Duration::from_secs(10)).await;
    drop(hogs);
    let board = net.board();
    board.latencies(|latency| meter.record_for(latency));
    let lost = board.lost(case.nodes, case.kill);
    let mut row = meter.row("mesh", case.name, case.nodes, "none", lost == 0);
    let to_all = board.to_all(case.nodes, case.kill);
    row.per_second = total as f64 / took.as_secs_f64();
    if case.starve {
        // The time of the threads that starve it is not told apart.
        row.cpu_us_per_op = 0.0;
    }
    row.note = Some(format!(
        "to all p50 {:.1} ms p99 {:.1} ms, longest {:.0} ms; lost {lost}; {} by range; slow {}, shed {}; \
         all there {:.1} s after the last",
        to_all.p50 as f64 / 1e6,
        to_all.p99 as f64 / 1e6,
        to_all.max as f64 / 1e6,
        board.by_range(),
        net.slow().await,
        net.shed().await,
        all.as_secs_f64(),
    ));
    net.stop();
    Ok(row)
}

/// What a node that sends nothing but garbage costs nine others: processor time of the whole process with it, its own
/// included, beside that without it.
async fn garbage(seconds: u64) -> Result<Row, BenchError> {
    let net = Net::start(Way::Quic, 10, 1).await?;
    let quiet = Meter::start(std::process::id());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let quiet = quiet.cpu().as_secs_f64() / seconds as f64;
    let meter = Meter::start(std::process::id());
    let began = Instant::now();
    let mut sent = 0u64;
    while began.elapsed() < Duration::from_secs(seconds) {
        net.send_garbage(sent).await?;
        sent += 1;
        meter.record(began);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let noisy = meter.cpu().as_secs_f64() / seconds as f64;
    let (rejected, cut_by) = (net.rejected().await, net.cut_by().await);
    let each = (noisy - quiet).max(0.0) * 100.0 / 9.0;
    let mut row = meter.row("mesh", "garbage", 10, "none", cut_by == 9 && each < 1.0);
    (row.p50_us, row.p95_us, row.p99_us) = (0.0, 0.0, 0.0);
    row.note = Some(format!(
        "{sent} sent, {rejected} refused, cut off by {cut_by} of 9; {each:.2} % of a core for each node, \
         its sender's own work included"
    ));
    net.stop();
    Ok(row)
}

/// Threads that leave others little of the processor.
struct Hogs {
    threads: Vec<thread::JoinHandle<()>>,
}

static STOP: AtomicBool = AtomicBool::new(false);

impl Hogs {
    fn start() -> Self {
        STOP.store(false, Relaxed);
        let count = thread::available_parallelism().map_or(4, |n| n.get() * 2);
        let spin = || {
            while !STOP.load(Relaxed) {
                std::hint::spin_loop();
            }
        };
        Self { threads: (0..count).map(|_| thread::spawn(spin)).collect() }
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        STOP.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            // A loop cannot fail.
            let _ = thread.join();
        }
    }
}

const SECONDS: u64 = 10;
