//! A request that gets its credential on the way, beside nginx doing the same to the same upstream.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_broker::Options as BrokerOptions;
use symbolon_secret::Secret;
use tokio::net::TcpStream;

use crate::exchange::{Asked, drive};
use crate::home::{BenchHome, make_credential};
use crate::meter::Meter;
use crate::row::{Report, Row};
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runtime = super::runtime()?;
    let credential = make_credential();
    let nginx = Nginx::start(&credential)?;
    let floor = super::log::fdatasync_us(options, report)?;
    let (home, key) = runtime.block_on(async {
        let home = BenchHome::make().await?;
        let broker = BenchHome::open(&home.path(), BrokerOptions::default()).await?;
        let base = format!("http://127.0.0.1:{}", nginx.upstream.port());
        let key = BenchHome::set_up(&broker, &base, None, credential).await?;
        broker.close().await;
        Ok::<_, BenchError>((home, key))
    })?;
    // EXPOSE: the agent's own key, which a caller holds in the clear; the home is thrown away.
    let key = String::from_utf8_lossy(key.expose()).into_owned();
    for &slots in &options.concurrency {
        for kept in ["relaxed", "group"] {
            let served = Served::start(&home.path(), kept)?;
            let cases = [
                Case {
                    name: "direct",
                    to: nginx.upstream,
                    path: "/thing",
                    auth: nginx.auth.clone(),
                    pid: nginx.upstream_pid()?,
                    kept: "none",
                },
                Case {
                    name: "nginx",
                    to: nginx.proxy,
                    path: "/thing",
                    auth: String::new(),
                    pid: nginx.proxy_pid()?,
                    kept: "none",
                },
                Case {
                    name: "symbolon",
                    to: served.listen,
                    path: "/to/bench/thing",
                    auth: format!("Bearer {key}"),
                    pid: served.child.id(),
                    kept,
                },
            ];
            for row in in_turns(&cases, kept, slots, options, floor)? {
                report.row(&row);
            }
        }
    }
    Ok(())
}

/// Turns that the cases take: what a machine does from second to second is then no case's advantage.
const TURNS: usize = 5;

/// Measures the cases in turns, and gives the medians of each; of its ratios to nginx, the medians of
/// those of one turn.
fn in_turns(
    cases: &[Case; 3],
    kept: &str,
    slots: usize,
    options: &Options,
    floor: f64,
) -> Result<Vec<Row>, BenchError> {
    let usual = if kept == "group" { 300 * slots.min(40) } else { 50_000 };
    let count = options.iterations.unwrap_or(usual).div_ceil(TURNS);
    let turns = (0..TURNS).map(|_| {
        cases.iter().map(|case| case.measure(slots, count)).collect::<Result<Vec<_>, _>>()
    });
    let turns = turns.collect::<Result<Vec<_>, _>>()?;
    let of = |at: usize| turns.iter().map(|turn| turn[at].clone()).collect::<Vec<_>>();
    let mut rows: Vec<_> = (0..cases.len()).filter_map(|at| median_row(&of(at))).collect();
    let added = |at: usize| move |turn: &Vec<Row>| turn[at].p50_us - turn[0].p50_us;
    let ratio = |turn: &Vec<Row>| added(2)(turn) / added(1)(turn).max(0.1);
    let throughput = |turn: &Vec<Row>| turn[2].per_second / turn[1].per_second;
    rows[1].note = Some(format!("added p50 {:.1} us", median(turns.iter().map(added(1)))));
    rows[2].note = Some(format!(
        "added p50 {:.1} us = {:.2} x nginx's; {:.2} x its throughput; fdatasync {floor:.0} us",
        median(turns.iter().map(added(2))),
        median(turns.iter().map(ratio)),
        median(turns.iter().map(throughput)),
    ));
    Ok(rows)
}

/// Medians of what several turns of one case gave; right only where all were.
fn median_row(turns: &[Row]) -> Option<Row> {
    let of = |value: fn(&Row) -> f64| median(turns.iter().map(value));
    Some(Row {
        p50_us: of(|r| r.p50_us),
        p95_us: of(|r| r.p95_us),
        p99_us: of(|r| r.p99_us),
        per_second: of(|r| r.per_second),
        // Counted in ticks of 10 ms, so of all turns together.
        cpu_us_per_op: turns.iter().map(|r| r.cpu_us_per_op).sum::<f64>() / turns.len() as f64,
        correct: turns.iter().all(|r| r.correct),
        memory_delta_kib: turns.iter().map(|r| r.memory_delta_kib).sum(),
        ..turns.first()?.clone()
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// One place to send the same request to.
struct Case {
    name: &'static str,
    to: SocketAddr,
    path: &'static str,
    auth: String,
    pid: u32,
    kept: &'static str,
}

impl Case {
    fn measure(&self, slots: usize, count: usize) -> Result<Row, BenchError> {
        // One thread drives, as wrk -t1 does, so that it costs every case the same.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            self.drive(slots, (count / 10).max(slots), None).await?;
            let meter = Arc::new(Meter::start(self.pid));
            let correct = self.drive(slots, count, Some(meter.clone())).await?;
            Ok(meter.row("inject", self.name, slots, self.kept, correct))
        })
    }

    async fn drive(
        &self,
        slots: usize,
        count: usize,
        meter: Option<Arc<Meter>>,
    ) -> Result<bool, BenchError> {
        let auth = if self.auth.is_empty() {
            String::new()
        } else {
            format!("authorization: {}\r\n", self.auth)
        };
        let request = format!("GET {} HTTP/1.1\r\nhost: {}\r\n{auth}\r\n", self.path, self.to);
        let mut connections = Vec::new();
        for _ in 0..slots {
            let tcp = TcpStream::connect(self.to).await?;
            tcp.set_nodelay(true)?;
            connections.push(tcp);
        }
        drive(connections, Arc::new(Asked { request, body: BODY }), count, meter).await
    }
}

const BODY: &str = "the thing that only the right credential gets, in a body of about the size of a small JSON answer: \
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// `symbolon serve` on a home, killed when dropped.
pub(super) struct Served {
    pub(super) child: Child,
    pub(super) listen: SocketAddr,
}

impl Served {
    pub(super) fn start(home: &Path, durability: &str) -> Result<Self, BenchError> {
        let listen = free_address()?;
        let child = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", &listen.to_string(), "--durability", durability])
            .env("SYMBOLON_HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let served = Self { child, listen };
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            if ready(listen).unwrap_or(false) {
                return Ok(served);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(BenchError::new("symbolon serve did not get ready"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn ready(at: SocketAddr) -> std::io::Result<bool> {
    use std::io::{Read, Write};
    let mut tcp = std::net::TcpStream::connect(at)?;
    tcp.set_read_timeout(Some(Duration::from_secs(2)))?;
    tcp.write_all(
        format!("GET /healthz HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut head = [0; 12];
    tcp.read_exact(&mut head)?;
    Ok(&head == b"HTTP/1.1 200")
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Two nginx of one worker each: the upstream, and the peer.
struct Nginx {
    upstream: SocketAddr,
    proxy: SocketAddr,
    auth: String,
    children: Vec<Child>,
    _folder: tempfile::TempDir,
}

impl Nginx {
    fn start(credential: &Secret<[u8]>) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("symbolon-nginx-").tempdir()?;
        let (upstream, proxy) = (free_address()?, free_address()?);
        // EXPOSE: a random credential of this benchmark, which nginx keeps in its configuration.
        let auth = format!("Bearer {}", String::from_utf8_lossy(credential.expose()));
        let mut nginx =
            Self { upstream, proxy, auth: auth.clone(), children: Vec::new(), _folder: folder };
        nginx.spawn("upstream", &format!(
            "server {{ listen {upstream}; location / {{ if ($http_authorization != \"{auth}\") {{ return 401; }} return 200 \"{BODY}\"; }} }}"
        ))?;
        nginx.spawn(
            "proxy",
            &format!(
                "upstream u {{ server {upstream}; keepalive 128; keepalive_requests 1000000000; }} \
             server {{ listen {proxy}; location / {{ proxy_pass http://u; proxy_http_version 1.1; \
             proxy_set_header Connection \"\"; proxy_set_header Authorization \"{auth}\"; }} }}"
            ),
        )?;
        std::thread::sleep(Duration::from_millis(300));
        Ok(nginx)
    }

    fn spawn(&mut self, name: &str, servers: &str) -> Result<(), BenchError> {
        let folder = self._folder.path();
        let at = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
        let user = if Path::new("/proc/self")
            .metadata()
            .is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
        {
            "user root;"
        } else {
            ""
        };
        let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|t| format!("{t}_temp_path {};", at(t)))
            .concat();
        let text = format!(
            "{user} worker_processes 1; daemon off; pid {}; error_log {} crit; events {{ worker_connections 1024; }} \
             http {{ access_log off; keepalive_requests 1000000000; {temp} {servers} }}",
            at("pid"),
            at("err")
        );
        std::fs::write(at("conf"), text)?;
        let child = Command::new("nginx")
            .args(["-c", &at("conf"), "-p", &folder.display().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| {
                BenchError::new(format!("nginx does not start: {e}"))
                    .next("apt-get install nginx-light")
            })?;
        self.children.push(child);
        Ok(())
    }

    fn upstream_pid(&self) -> Result<u32, BenchError> {
        worker(self.children[0].id())
    }

    fn proxy_pid(&self) -> Result<u32, BenchError> {
        worker(self.children[1].id())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

/// The worker is what serves; the process that was started only watches it.
fn worker(master: u32) -> Result<u32, BenchError> {
    let children = std::fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
    let first = children.split_whitespace().next().and_then(|p| p.parse().ok());
    first.ok_or_else(|| BenchError::new("nginx has no worker").next("nginx -t"))
}
