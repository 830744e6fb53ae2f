//! What a suite runs beside itself, in a process of its own: this program again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use clap::ValueEnum;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use symbolon_broker::{Answer, Broker, Lanes, Options, Outgoing, Upstream, UpstreamError};
use symbolon_codec::Digest32;
use symbolon_crypto::sha256;
use symbolon_log::Durability;
use tokio::net::TcpListener;

use crate::BenchError;
use crate::home::{AGENT, BenchHome};

/// A child's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// An HTTPS upstream that checks the credential's hash.
    Upstream,
    /// MCP on standard input and output, relaxed.
    McpRelaxed,
    /// MCP on standard input and output, group.
    McpGroup,
    /// MCP on standard input and output by rmcp alone: one tool that does nothing.
    McpBare,
}

/// A running child, killed when dropped.
pub(crate) struct Spawned {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: BufReader<ChildStdout>,
}

impl Spawned {
    /// Starts this program again in `role`, with the home where the role needs one.
    pub(crate) fn start(role: Role, home: Option<PathBuf>) -> Result<Self, BenchError> {
        let name = role.to_possible_value().ok_or_else(|| BenchError::new("no such role"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "--child", name.get_name()]);
        if let Some(home) = home {
            command.env("SYMBOLON_HOME", home);
        }
        Self::of(&mut command)
    }

    /// Starts any program with pipes on both sides.
    pub(crate) fn of(command: &mut Command) -> Result<Self, BenchError> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| BenchError::new("no output"))?;
        Ok(Self {
            stdin: child.stdin.take(),
            stdout: BufReader::with_capacity(1 << 16, stdout),
            child,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for output without sleeping, so that what is measured is the child, and not how long
    /// this core takes to wake.
    pub(crate) fn watch(&self) -> Result<(), BenchError> {
        if !self.stdout.buffer().is_empty() {
            return Ok(());
        }
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let output = PollFd::new(self.stdout.get_ref(), PollFlags::IN);
        while poll(&mut [output.clone()], Some(&at_once)).map_err(std::io::Error::from)? == 0 {
            std::hint::spin_loop();
        }
        Ok(())
    }

    pub(crate) fn line(&mut self) -> Result<String, BenchError> {
        let mut line = String::new();
        match self.stdout.read_line(&mut line)? {
            0 => Err(BenchError::new("a child of the suite ended early")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This process is a child: plays its part until its input ends.
pub(crate) fn run(role: Role) -> Result<(), BenchError> {
    let runtime = crate::suite::runtime()?;
    match role {
        Role::Upstream => runtime.block_on(upstream()),
        Role::McpRelaxed => runtime.block_on(mcp(Durability::Relaxed)),
        Role::McpGroup => runtime.block_on(mcp(Durability::Group)),
        Role::McpBare => crate::bare::serve(),
    }
}

async fn mcp(durability: Durability) -> Result<(), BenchError> {
    let home = symbolon_store::Home::locate().map_err(BenchError::new)?;
    let options = Options { durability, upstream: Some(Arc::new(NoOp)), ..Options::default() };
    let broker = BenchHome::open(&home, options).await?;
    // The descriptors themselves, as `symbolon mcp` hands them over: no reader or lock between.
    let take =
        |fd: std::os::fd::BorrowedFd<'_>| -> std::io::Result<OwnedFd> { fd.try_clone_to_owned() };
    let read = take(std::os::fd::AsFd::as_fd(&std::io::stdin()))?;
    let write = take(std::os::fd::AsFd::as_fd(&std::io::stdout()))?;
    let lanes = Lanes::start()?;
    let served = broker.clone();
    let session = lanes
        .spawn(move || async move { symbolon_mcp::serve_io(served, AGENT, read, write).await });
    session.await.map_err(BenchError::new)?.map_err(BenchError::new)?;
    broker.close().await;
    Ok(())
}

/// Opens the credential as the wire does, for an upstream that is none; `false` where it does not open.
pub(crate) fn is_opened(outgoing: &Outgoing<'_>) -> bool {
    let release = outgoing.release();
    let opened = symbolon_secret::with_window(|w| {
        w.opened();
        let n = release.open_into(w.take(release.wire_len()));
        w.sealed();
        n.is_ok_and(|n| n == release.wire_len())
    });
    opened.unwrap_or(false)
}

/// Opens the credential where the wire would, and answers.
struct NoOp;

impl Upstream for NoOp {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'a>> {
        let answer = if is_opened(&outgoing) {
            Answer::text(200, "ok")
        } else {
            Answer::text(500, "not opened")
        };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// Reads the SHA-256 of the only right `Authorization` from its input, says its port and its
/// certificate, and answers until its input ends.
async fn upstream() -> Result<(), BenchError> {
    let mut input = std::io::stdin().lock();
    let mut hash = String::new();
    input.read_line(&mut hash)?;
    let right = Digest32::from_hex(hash.trim_end()).map_err(BenchError::new)?;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
        .map_err(BenchError::new)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|c| c.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
        .map_err(BenchError::new)?;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?.port());
    println!("{}", serde_json::Value::from(made.cert.pem()));
    std::io::stdout().flush()?;
    tokio::spawn(serve(listener, acceptor, right));
    tokio::task::block_in_place(|| input.read_to_end(&mut Vec::new()))?;
    Ok(())
}

/// What [`Role::Upstream`] answers to who has the credential.
pub(crate) const THING: &str = "the thing that only the right credential gets, in a body of about the size of a small \
    JSON answer: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

async fn serve(listener: TcpListener, acceptor: tokio_rustls::TlsAcceptor, right: Digest32) {
    while let Ok((tcp, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        // Every case has the same upstream; a delay of its own would hide what a peer costs.
        let _ = tcp.set_nodelay(true);
        tokio::spawn(async move {
            let Ok(tls) = acceptor.accept(tcp).await else { return };
            let service = service_fn(move |request: Request<hyper::body::Incoming>| async move {
                let given =
                    request.headers().get("authorization").map_or(&b""[..], |v| v.as_bytes());
                let mut answer = Response::new(Full::new(Bytes::from_static(THING.as_bytes())));
                // A kind that every peer searches for echoes.
                let kind = http::HeaderValue::from_static("text/plain");
                answer.headers_mut().insert(http::header::CONTENT_TYPE, kind);
                if sha256(given) != right {
                    *answer.body_mut() = Full::default();
                    *answer.status_mut() = StatusCode::UNAUTHORIZED;
                }
                Ok::<_, std::convert::Infallible>(answer)
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(tls), service)
                .await;
        });
    }
}

/// The hash that [`Role::Upstream`] wants for a bearer credential.
pub(crate) fn bearer_hash(credential: &symbolon_secret::Secret<[u8]>) -> Digest32 {
    // EXPOSE: hashed.
    symbolon_crypto::sha256_parts(&[b"Bearer ", credential.expose()])
}

/// The broker of a suite, in this process, with the network.
pub(crate) async fn broker_here(home: &BenchHome) -> Result<Arc<Broker>, BenchError> {
    BenchHome::open(&home.path(), Options { durability: Durability::Relaxed, ..Options::default() })
        .await
}
