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
use crate::row::Report;
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
        let mut seen = Vec::new();
        let direct = Case {
            name: "direct",
            to: nginx.upstream,
            path: "/thing",
            auth: nginx.auth.clone(),
            pid: nginx.upstream_pid()?,
            kept: "none",
        };
        let proxied = Case {
            name: "nginx",
            to: nginx.proxy,
            path: "/thing",
            auth: String::new(),
            pid: nginx.proxy_pid()?,
            kept: "none",
        };
        seen.push(direct.measure(slots, options)?);
        seen.push(proxied.measure(slots, options)?);
        for kept in ["relaxed", "group"] {
            let served = Served::start(&home.path(), kept)?;
            let own = Case {
                name: "symbolon",
                to: served.listen,
                path: "/to/bench/thing",
                auth: format!("Bearer {key}"),
                pid: served.child.id(),
                kept,
            };
            seen.push(own.measure(slots, options)?);
        }
        let (direct, peer) = (seen[0].p50_us, seen[1].clone());
        for mut row in seen {
            if row.case != "direct" {
                let added = row.p50_us - direct;
                row.note = Some(if row.case == "nginx" {
                    format!("added p50 {added:.1} us")
                } else {
                    format!(
                        "added p50 {added:.1} us = {:.2} x nginx's; {:.2} x its throughput; fdatasync {floor:.0} us",
                        added / (peer.p50_us - direct).max(0.1),
                        row.per_second / peer.per_second
                    )
                });
            }
            report.row(&row);
        }
    }
    Ok(())
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
    fn measure(&self, slots: usize, options: &Options) -> Result<crate::Row, BenchError> {
        let usual = if self.kept == "group" { 300 * slots.min(40) } else { 20_000 };
        let count = options.iterations.unwrap_or(usual);
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
