//! An HTTPS request that a proxy decrypts, gives its credential and encrypts again, beside npm's
//! `varlock` doing the same to the same upstream, and the upstream without a proxy.

mod client;
mod started;

use std::io::Write;

use symbolon_broker::Options as BrokerOptions;

use self::client::{Case, Via};
use self::started::{Started, symbolon_run, varlock_run};
use super::inject::Served;
use crate::child::{Role, Spawned, bearer_hash};
use crate::home::{BenchHome, make_credential};
use crate::row::{Report, Row};
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runtime = super::runtime()?;
    let credential = make_credential();
    let mut upstream = Spawned::start(Role::Upstream, None)?;
    let stdin = upstream.stdin.as_mut().ok_or_else(|| BenchError::new("no input"))?;
    writeln!(stdin, "{}", bearer_hash(&credential))?;
    let port: u16 = upstream.line()?.parse().map_err(BenchError::new)?;
    let ca: String = serde_json::from_str(&upstream.line()?).map_err(BenchError::new)?;
    // EXPOSE: a random credential of this benchmark, which the peer reads from its configuration and
    // the direct case sends itself.
    let plain = String::from_utf8_lossy(credential.expose()).into_owned();
    let peer = varlock_run(options.varlock.as_deref(), &ca, &plain)?;
    if peer.is_none() {
        eprintln!(
            "notice: the peer `varlock` is not installed, so nothing is compared with it\n\
             next:   cargo xtask test --only setup, or npm install varlock and --varlock PATH"
        );
    }
    let home = runtime.block_on(async {
        let home = BenchHome::make().await?;
        let broker = BenchHome::open(&home.path(), BrokerOptions::default()).await?;
        let base = format!("https://localhost:{port}");
        BenchHome::set_up(&broker, &base, Some(ca.clone()), credential).await?;
        broker.close().await;
        Ok::<_, BenchError>(home)
    })?;
    for &slots in &options.concurrency {
        let direct = Case {
            name: "direct",
            port,
            via: None,
            ca_pem: ca.clone(),
            credential: plain.clone(),
            pid: upstream.pid(),
            kept: "none",
        };
        let direct = direct.measure(slots, 20_000, options)?;
        let peer = match &peer {
            Some(peer) => {
                let pid = peer.program.pid();
                Some(through("varlock", peer, pid, port, "none").measure(
                    slots,
                    20 * slots.max(15),
                    options,
                )?)
            }
            None => None,
        };
        let mut own = Vec::new();
        for (kept, usual) in [("relaxed", 20_000), ("group", 300 * slots.min(40))] {
            let served = Served::start(&home.path(), kept)?;
            let run = symbolon_run(&home.path())?;
            let case = through("symbolon", &run, served.child.id(), port, kept);
            own.push(case.measure(slots, usual, options)?);
        }
        for row in own.iter_mut().chain(&mut peer.clone()) {
            row.note = Some(compared(row, &direct, peer.as_ref()));
        }
        for row in [direct].iter().chain(&peer).chain(&own) {
            report.row(row);
        }
    }
    Ok(())
}

/// The case of a program whose environment names this proxy.
fn through(name: &'static str, run: &Started, pid: u32, port: u16, kept: &'static str) -> Case {
    Case {
        name,
        port,
        via: Some(Via { proxy: run.proxy, password: run.password.clone() }),
        ca_pem: run.ca_pem.clone(),
        credential: run.placeholder.clone(),
        pid,
        kept,
    }
}

fn compared(row: &Row, direct: &Row, peer: Option<&Row>) -> String {
    let times = row.p50_us / direct.p50_us;
    let direct = format!("p50 {times:.2} x direct");
    match peer {
        Some(peer) if row.case == peer.case => direct,
        Some(peer) => format!(
            "{direct}; {:.1} x varlock's throughput, p50 1/{:.0} of its",
            row.per_second / peer.per_second,
            peer.p50_us / row.p50_us
        ),
        None => format!("{direct}; varlock is not installed"),
    }
}
