//! How long a credential is in the clear over TLS, whether it is anywhere in readable memory, how
//! long a start takes and what an idle broker weighs.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_broker::{Broker, CallRequest, Context, Door};
use symbolon_secret::scan::{MASK, Needle, own_memory};
use symbolon_secret::{CLEAR, Secret};

use super::inject::Served;
use crate::child::{Role, Spawned, THING, bearer_hash, broker_here};
use crate::home::{AGENT, BenchHome, TOOL, make_credential};
use crate::meter::{Meter, rss_kib};
use crate::row::{Report, Row};
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runtime = super::runtime()?;
    let count = options.iterations.unwrap_or(5000);
    let credential = make_credential();
    let needle = needle(&credential);
    let mut upstream = Spawned::start(Role::Upstream, None)?;
    let stdin = upstream.stdin.as_mut().ok_or_else(|| BenchError::new("no input"))?;
    writeln!(stdin, "{}", bearer_hash(&credential))?;
    let port: u16 = upstream.line()?.parse().map_err(BenchError::new)?;
    let ca: String = serde_json::from_str(&upstream.line()?).map_err(BenchError::new)?;

    let home = runtime.block_on(BenchHome::make())?;
    let broker = runtime.block_on(broker_here(&home))?;
    let base = format!("https://localhost:{port}");
    runtime.block_on(BenchHome::set_up(&broker, &base, Some(ca), credential))?;
    let meter = Meter::start(std::process::id());
    CLEAR.reset();
    let correct = runtime.block_on(calls(&broker, count, &meter))?;
    let mut row = meter.row("isolation", "call over TLS", 4, "relaxed", correct);
    let clear = CLEAR.snapshot();
    report.row(&row);
    row = Row {
        case: "in the clear".to_owned(),
        p50_us: clear.p50 as f64 / 1e3,
        p95_us: clear.p95 as f64 / 1e3,
        p99_us: clear.p99 as f64 / 1e3,
        correct: correct && clear.count >= count as u64,
        note: Some(format!(
            "{} openings, longest {:.1} us; {}",
            clear.count,
            clear.max as f64 / 1e3,
            symbolon_secret::protection()
        )),
        ..row
    };
    report.row(&row);
    report.row(&search(&needle, &row)?);
    runtime.block_on(broker.close());
    drop(broker);
    for row in start(&home, &row)? {
        report.row(&row);
    }
    Ok(())
}

/// `count` calls, four at a time.
async fn calls(broker: &Arc<Broker>, count: usize, meter: &Meter) -> Result<bool, BenchError> {
    let session = broker.open_session(AGENT, Door::Http)?;
    let one = async |n: usize| {
        let mut correct = true;
        for _ in 0..n {
            let start = Instant::now();
            let request = CallRequest {
                tool: TOOL.to_owned(),
                arguments: serde_json::Map::new(),
                connection: None,
                minted: None,
            };
            let reply = broker.call(&session, &Context::Direct, request).await;
            meter.record(start);
            correct &= reply.is_ok_and(|r| r.status == 200 && r.body == THING);
        }
        correct
    };
    let n = count.div_ceil(4);
    let (a, b, c, d) = tokio::join!(one(n), one(n), one(n), one(n));
    Ok(a && b && c && d)
}

/// All that this process can read of itself, for any eight bytes of the credential; and a search
/// for eight bytes that are there, which must find them.
fn search(needle: &Needle, like: &Row) -> Result<Row, BenchError> {
    let planted = make_credential();
    // EXPOSE: put into ordinary memory on purpose, for the positive control.
    let ordinary: Vec<u8> = planted.expose().to_vec();
    let control = !own_memory(&self::needle(&planted))?.hits.is_empty();
    std::hint::black_box(&ordinary);
    let begin = Instant::now();
    let found = own_memory(needle)?;
    let us = begin.elapsed().as_secs_f64() * 1e6;
    Ok(Row {
        case: "search of readable memory".to_owned(),
        concurrency: 1,
        p50_us: us,
        p95_us: us,
        p99_us: us,
        per_second: 1e6 / us,
        cpu_us_per_op: us,
        correct: control && found.hits.is_empty(),
        note: Some(format!(
            "hits {:?} in {} MiB; control {}",
            found.hits,
            found.bytes >> 20,
            if control { "found" } else { "NOT found" }
        )),
        ..like.clone()
    })
}

fn needle(credential: &Secret<[u8]>) -> Needle {
    // EXPOSE: masked, so that the search does not find itself.
    let mut masked = credential.expose().to_vec();
    masked.iter_mut().for_each(|b| *b ^= MASK);
    Needle::masked(&masked)
}

/// From the start of `symbolon serve` until it is ready, and what it weighs when nothing happens.
fn start(home: &BenchHome, like: &Row) -> Result<[Row; 2], BenchError> {
    let meter = Meter::start(std::process::id());
    let mut weight = 0;
    for _ in 0..5 {
        let begin = Instant::now();
        let served = Served::start(&home.path(), "group")?;
        meter.record(begin);
        std::thread::sleep(Duration::from_millis(200));
        weight = rss_kib(served.child.id()).max(weight);
    }
    let mut cold = meter.row("isolation", "cold start to ready", 1, "group", true);
    cold.cpu_us_per_op = 0.0;
    cold.note = Some(format!("{:.0} ms", cold.p50_us / 1e3));
    let idle = Row {
        case: "idle memory".to_owned(),
        concurrency: 1,
        note: Some(format!("{:.1} MiB", weight as f64 / 1024.0)),
        p50_us: 0.0,
        p95_us: 0.0,
        p99_us: 0.0,
        per_second: 0.0,
        cpu_us_per_op: 0.0,
        memory_delta_kib: weight,
        durability: "group",
        correct: weight > 0,
        suite: like.suite,
    };
    Ok([cold, idle])
}
