//! What the tests of the wire share: an opener, an upstream that speaks raw bytes, a client.
#![allow(dead_code)] // each test binary uses its part

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use symbolon_broker::wire::OutBody;
use symbolon_broker::wire::{
    Armed, Client, Limits, OpenCredential, OpenError, Resolver, Resolving, Roots, Target,
};
use symbolon_connector::inject::{Placeholder, Slot};
use symbolon_connector::ssrf::{Allow, base_url};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const CREDENTIAL: &[u8] = b"ghp_a-credential-that-is-longer-than-its-placeholder";

/// Opens a fixed credential, or fails.
pub struct Plainly(pub &'static [u8]);
impl OpenCredential for Plainly {
    fn wire_len(&self) -> usize {
        self.0.len()
    }
    fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
        out[..self.0.len()].copy_from_slice(self.0);
        Ok(self.0.len())
    }
}

pub struct Broken;
impl OpenCredential for Broken {
    fn wire_len(&self) -> usize {
        40
    }
    fn open_into(&self, _: &mut [u8]) -> Result<usize, OpenError> {
        Err(OpenError { reason: "damaged" })
    }
}

pub fn placeholder() -> Placeholder {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut entropy = [0; 16];
    entropy[..8].copy_from_slice(&n.to_le_bytes());
    entropy[8..].copy_from_slice(&n.rotate_left(29).to_le_bytes());
    Placeholder::from_entropy(entropy)
}

pub fn bearer(opener: Arc<dyn OpenCredential>) -> Armed {
    Armed { placeholder: placeholder(), slot: Arc::new(Slot::bearer()), opener }
}

pub fn armed() -> Armed {
    bearer(Arc::new(Plainly(CREDENTIAL)))
}

/// A request with the bearer placeholder in its place.
pub fn request(armed: &Armed, method: &str, path: &str, body: &[u8]) -> Request<OutBody> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", armed.placeholder.as_str()))
        .header("accept", "*/*")
        .body(OutBody::from(Bytes::copy_from_slice(body)))
        .expect("a request")
}

/// A self-signed certificate for localhost and 127.0.0.1.
pub struct Identity {
    pub pem: String,
    pub der: Vec<u8>,
    pub key: Vec<u8>,
}

impl Identity {
    pub fn make() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "api.test".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("certificate");
        Identity {
            pem: made.cert.pem(),
            der: made.cert.der().to_vec(),
            key: made.signing_key.serialize_der(),
        }
    }

    /// A server configuration of the stock provider with one version and, if named, one suite.
    pub fn server(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        suite: Option<rustls::CipherSuite>,
    ) -> Arc<rustls::ServerConfig> {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        if let Some(suite) = suite {
            provider.cipher_suites.retain(|s| s.suite() == suite);
            assert_eq!(provider.cipher_suites.len(), 1, "{suite:?}");
        }
        let mut config = rustls::ServerConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[version])
            .expect("version")
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(self.der.clone())],
                PrivateKeyDer::try_from(self.key.clone()).expect("key"),
            )
            .expect("certificate");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    pub fn roots(&self) -> Roots {
        Roots::with_extra(self.pem.as_bytes()).expect("roots")
    }
}

/// One request as an upstream saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub connection: usize,
    pub head: String,
    pub body: Vec<u8>,
}

/// An upstream that answers each request by `answer` and writes down what it got.
pub struct Server {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

/// Bytes to answer with, and whether to close after.
pub type Answer = (Vec<u8>, bool);

pub fn ok(body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    ([head.as_bytes(), body].concat(), false)
}

impl Server {
    pub async fn start(
        tls: Option<Arc<rustls::ServerConfig>>,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer) = (seen.clone(), Arc::new(answer));
        tokio::spawn(async move {
            for connection in 0.. {
                let (tcp, _) = listener.accept().await.expect("accept");
                tcp.set_nodelay(true).expect("nodelay");
                let (tls, log, answer) = (tls.clone(), log.clone(), answer.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(tcp, connection, log, answer).await,
                        Some(tls) => {
                            let tls = tokio_rustls::TlsAcceptor::from(tls);
                            if let Ok(stream) = tls.accept(tcp).await {
                                serve(stream, connection, log, answer).await;
                            }
                        }
                    }
                });
            }
        });
        Server { address, seen }
    }

    pub fn heads(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    connection: usize,
    log: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<impl Fn(&Seen) -> Answer>,
) {
    let mut buffer = Vec::new();
    while let Ok(Some(seen)) = read_request(&mut stream, connection, &mut buffer).await {
        let (bytes, close) = answer(&seen);
        log.lock().expect("no panic").push(seen);
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() || close {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    connection: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Seen>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).expect("ascii");
    let length = head
        .lines()
        .find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned))
        .map_or(0, |l| l.trim().parse::<usize>().expect("a length"));
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Seen { connection, head, body: buffer.drain(..length).collect() }))
}

pub const LOOPBACK: Allow = Allow { loopback: true, private: false };

pub fn target(url: &str, roots: Option<Roots>) -> Target {
    let base = base_url(url, Allow { loopback: true, private: true }).expect("url");
    let authority = base.authority().clone();
    match roots {
        Some(roots) => Target::with_roots(authority, LOOPBACK, roots),
        None => Target::new(authority, LOOPBACK),
    }
    .expect("target")
}

/// Limits short enough for a test.
pub fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(3),
        head: Duration::from_millis(400),
        total: Duration::from_millis(800),
        response_head_bytes_max: 16 * 1024,
        response_body_bytes_max: 1 << 20,
    }
}

pub fn client() -> Client {
    Client::new(Limits {
        head: Duration::from_secs(10),
        total: Duration::from_secs(20),
        ..limits()
    })
}

/// Answers every name with the given addresses.
pub struct Fixed(pub Vec<SocketAddr>);
impl Resolver for Fixed {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// A connection that does what it is told, for upstreams that misbehave.
pub async fn raw_server<F, G>(handle: F) -> SocketAddr
where
    F: Fn(TcpStream) -> G + Send + 'static,
    G: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(handle(tcp));
        }
    });
    address
}
