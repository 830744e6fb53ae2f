//! What a flow adds to its calls: one step after another beside the same calls by themselves, and a burst
//! beside the same requests made without a broker.

use std::fmt::Write as _;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Map;
use symbolon_broker::{
    Answer, Broker, CallRequest, Context, Door, FlowRequest, Options as BrokerOptions, Outgoing,
    Upstream, UpstreamError,
};
use symbolon_log::Durability;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::exchange::{Asked, drive};
use crate::home::{AGENT, BenchHome, TOOL, make_credential};
use crate::meter::Meter;
use crate::row::{Report, Row};
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let steps = options.iterations.unwrap_or(STEPS).clamp(1, 10_000);
    let runtime = super::runtime()?;
    runtime.block_on(in_order(steps, report))?;
    for &at_once in options.concurrency.iter().filter(|n| **n > 1) {
        runtime.block_on(burst(steps, at_once, report))?;
    }
    Ok(())
}

/// An upstream that answers at once: what is left is the broker, with and without a flow around.
async fn in_order(steps: usize, report: &mut Report) -> Result<(), BenchError> {
    let home = BenchHome::make().await?;
    let options = BrokerOptions {
        durability: Durability::Relaxed,
        upstream: Some(Arc::new(AtOnce)),
        ..BrokerOptions::default()
    };
    let broker = BenchHome::open(&home.path(), options).await?;
    BenchHome::set_up(&broker, "http://127.0.0.1:1", None, make_credential()).await?;
    // The first of each warms up.
    calls(&broker, steps.min(200)).await?;
    flow(&broker, &definition("pipeline", steps.min(200), 1)).await?;
    let (meter, begun) = (Meter::start(std::process::id()), Instant::now());
    let correct = calls(&broker, steps).await?;
    let alone = begun.elapsed();
    report.row(&row(&meter, "calls", (1, steps), alone, correct));
    for _ in 0..ROUNDS {
        let (meter, begun) = (Meter::start(std::process::id()), Instant::now());
        let correct = flow(&broker, &definition("pipeline", steps, 1)).await?;
        let whole = begun.elapsed();
        let added = (whole.as_secs_f64() - alone.as_secs_f64()) * 1e6 / steps as f64;
        let mut row = row(&meter, "pipeline", (1, steps), whole, correct);
        row.note = Some(format!("added {added:.1} us a step"));
        report.row(&row);
    }
    broker.close().await;
    Ok(())
}

/// A burst against an upstream on loopback that takes its time, beside the same requests without us.
async fn burst(steps: usize, at_once: usize, report: &mut Report) -> Result<(), BenchError> {
    let upstream = TcpListener::bind("127.0.0.1:0").await?;
    let address = upstream.local_addr()?;
    let serving = tokio::spawn(serve(upstream));
    let (meter, begun) = (Meter::start(std::process::id()), Instant::now());
    let correct = direct(address, steps, at_once).await?;
    let own = begun.elapsed();
    report.row(&row(&meter, "upstream-alone", (at_once, steps), own, correct));
    for durability in [Durability::Relaxed, Durability::Group] {
        let home = BenchHome::make().await?;
        let options = BrokerOptions { durability, ..BrokerOptions::default() };
        let broker = BenchHome::open(&home.path(), options).await?;
        let base = format!("http://{address}");
        BenchHome::set_up(&broker, &base, None, make_credential()).await?;
        // Connections to the upstream are there already, as they were for the requests without us.
        flow(&broker, &definition("radial_burst", at_once, at_once)).await?;
        let (meter, begun) = (Meter::start(std::process::id()), Instant::now());
        let correct = flow(&broker, &definition("radial_burst", steps, at_once)).await?;
        let whole = begun.elapsed();
        let mut row = row(&meter, "radial-burst", (at_once, steps), whole, correct);
        row.durability = if durability == Durability::Group { "group" } else { "relaxed" };
        let ratio = whole.as_secs_f64() / own.as_secs_f64();
        row.note = Some(format!("{ratio:.2} x the upstream's own time ({own:.0?})"));
        report.row(&row);
        broker.close().await;
    }
    serving.abort();
    Ok(())
}

/// A row of `steps` that took so long together; a flow does not tell how long each took.
fn row(
    meter: &Meter,
    case: &str,
    (at_once, steps): (usize, usize),
    whole: Duration,
    correct: bool,
) -> Row {
    let each = whole.as_secs_f64() * 1e6 / steps as f64;
    let row = meter.row("flow", case, at_once, "relaxed", true);
    // Processor time was divided by the latencies that were recorded: none, so by one.
    let cpu_us_per_op = row.cpu_us_per_op / steps as f64;
    let per_second = steps as f64 / whole.as_secs_f64();
    Row { p50_us: each, p95_us: each, p99_us: each, per_second, cpu_us_per_op, correct, ..row }
}

async fn calls(broker: &Broker, count: usize) -> Result<bool, BenchError> {
    let session = broker.open_session(AGENT, Door::Cli)?;
    for _ in 0..count {
        let request = CallRequest {
            tool: TOOL.to_owned(),
            arguments: Map::new(),
            connection: None,
            minted: None,
        };
        if broker.call(&session, &Context::Direct, request).await?.status != 200 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether every step was done.
async fn flow(broker: &Arc<Broker>, definition: &str) -> Result<bool, BenchError> {
    let request = FlowRequest {
        agent: AGENT.to_owned(),
        definition: definition.to_owned(),
        inputs: Map::new(),
    };
    let run = broker.flow_run(request).await?.row.run;
    let mut after = 0;
    loop {
        let progress = broker.flow_progress(&run, after).await?;
        after = progress.next;
        if progress.is_over {
            return Ok(progress.state == "done" && progress.over == progress.total);
        }
    }
}

fn definition(kind: &str, steps: usize, at_once: usize) -> String {
    let mut text = format!("flow: bench\nkind: {kind}\n");
    if at_once > 1 {
        let _ = writeln!(text, "concurrency: {at_once}");
    }
    text.push_str("steps:\n");
    for n in 0..steps {
        let _ = writeln!(text, "- {{id: s{n}, call: {TOOL}}}");
    }
    text
}

async fn direct(address: SocketAddr, count: usize, at_once: usize) -> Result<bool, BenchError> {
    let mut streams = Vec::new();
    for _ in 0..at_once {
        streams.push(TcpStream::connect(address).await?);
    }
    let request = format!("GET /thing HTTP/1.1\r\nhost: {address}\r\n\r\n");
    drive(streams, Arc::new(Asked { request, body: BODY }), count, None).await
}

/// Answers each request after [`TAKES`].
async fn serve(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = Vec::new();
            while stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
                if !head.ends_with(b"\r\n\r\n") {
                    continue;
                }
                head.clear();
                tokio::time::sleep(TAKES).await;
                let length = BODY.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{BODY}"
                );
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

struct AtOnce;

impl Upstream for AtOnce {
    fn send<'a>(
        &'a self,
        _: Outgoing<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'a>> {
        Box::pin(async { Ok(Answer::text(200, BODY)) })
    }
}

const STEPS: usize = 1000;
const ROUNDS: usize = 3;
/// What a service takes that is near and quick.
const TAKES: Duration = Duration::from_millis(20);
const BODY: &str = r#"{"thing":"that there is"}"#;
