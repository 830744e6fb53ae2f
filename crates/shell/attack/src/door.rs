//! The doors of a target, and how a step goes through one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use crate::case::{Step, To, Who};
use crate::h2;
use crate::mcp;
use crate::reply::Reply;
use crate::text::Words;

/// A gateway: its base URL stands in place of the service's. Keys are throw-away.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    /// The paths of the connections, such as `/to/attack`: main, named, shut.
    pub paths: [String; 3],
    /// The value of `Authorization` of the agent that was granted something.
    pub mallory: String,
    /// That of another agent.
    pub trudy: Option<String>,
    /// That of the owner, who answers questions.
    pub owner: Option<String>,
}

/// An HTTPS proxy that reads what it forwards. Passwords are throw-away.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    /// The value of `Proxy-Authorization` of the run that was granted something.
    pub mallory: Option<String>,
    /// That of another run.
    pub trudy: Option<String>,
    /// The authority that signs its leaves, in PEM.
    pub ca_pem: String,
    /// What stands in place of the credential, for each connection: main, named, shut.
    pub placeholders: [String; 3],
}

/// One of the two.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Door<'a> {
    Gateway(&'a Gateway),
    Proxy(&'a Proxy),
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

impl Door<'_> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Gateway(_) => "gateway",
            Self::Proxy(_) => "proxy",
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Gateway(door) => door.address,
            Self::Proxy(door) => door.address,
        }
    }

    /// What this step can name: itself, its path, its way to say who sends it.
    pub(crate) fn words(&self, step: &Step, words: &Words) -> Words {
        let mut words = words.clone();
        words.set("door", self.address().to_string());
        let at = match step.to {
            To::Main => 0,
            To::Named => 1,
            To::Shut => 2,
        };
        let authority = words.text(["${main}", "${named}", "${shut}"][at]);
        match self {
            Self::Gateway(door) => {
                words.set("to", &door.paths[at]);
                words.set("host", self.address().to_string());
                let key = match step.who {
                    Who::Mallory => Some(door.mallory.clone()),
                    Who::Trudy => door.trudy.clone(),
                    Who::Forger => Some(FORGED_KEY.to_owned()),
                    Who::Owner => door.owner.clone(),
                    Who::Nobody => None,
                };
                words.set("auth", line("Authorization", key.as_deref()));
                words.set("proxyauth", line("Proxy-Authorization", key.as_deref()));
                words.set("placeholder", "symref_0000000000000000000000");
            }
            Self::Proxy(door) => {
                words.set("to", "");
                words.set("host", &authority);
                let bearer = format!("Bearer {}", door.placeholders[at]);
                words.set("auth", line("Authorization", Some(&bearer)));
                let password = match step.who {
                    Who::Mallory => door.mallory.clone(),
                    Who::Trudy => door.trudy.clone(),
                    Who::Forger => Some("Basic Zm9yZ2VyOmZvcmdlZA==".to_owned()),
                    Who::Owner | Who::Nobody => None,
                };
                words.set("proxyauth", line("Proxy-Authorization", password.as_deref()));
                words.set("placeholder", &door.placeholders[at]);
                for (name, placeholder) in ["main", "named", "shut"].iter().zip(&door.placeholders)
                {
                    words.set(&format!("placeholder_{name}"), placeholder);
                }
            }
        }
        words.set("authority", authority);
        words
    }

    /// Sends one copy of a step, and reads until the peer ends, falls silent or time is up.
    pub(crate) async fn send(&self, step: &Step, words: &Words, time: Duration) -> Reply {
        tokio::time::sleep(Duration::from_millis(step.wait_ms)).await;
        let words = self.words(step, words);
        let deadline = Instant::now() + time;
        let mut reply = Reply { is_mcp: step.mcp.is_some(), ..Reply::default() };
        let spoken = step.mcp.as_deref().map(|method| mcp::spoken(method, step));
        let step = spoken.as_ref().unwrap_or(step);
        let done = timeout_at(deadline, self.talk(step, &words, &mut reply)).await;
        // An error of the connection is what the attacker sees as a refusal.
        reply.timed_out |= done.is_err();
        reply
    }

    async fn talk(&self, step: &Step, words: &Words, reply: &mut Reply) -> io::Result<()> {
        let tcp = TcpStream::connect(self.address()).await?;
        tcp.set_nodelay(true)?;
        let mut stream: Box<dyn Duplex> = match self {
            Self::Proxy(door) if !step.at_door => {
                match tunnel(tcp, door, step, words, reply).await? {
                    Some(stream) => stream,
                    None => return Ok(()),
                }
            }
            _ => Box::new(tcp),
        };
        if let Some(fields) = &step.h2 {
            let fields: Vec<_> =
                fields.iter().map(|(n, v)| (words.bytes(n, None), words.bytes(v, None))).collect();
            let body = words.bytes(step.body.as_deref().unwrap_or_default(), None);
            return h2::talk(&mut stream, &h2::request(&fields, &body), reply).await;
        }
        let bytes = match &step.raw {
            Some(raw) => words.bytes(raw, None),
            None => parts(step, words),
        };
        exchange(stream, &bytes, step, reply).await
    }
}

/// CONNECT and TLS; none where the proxy answered otherwise, which is the reply then.
async fn tunnel(
    mut tcp: TcpStream,
    door: &Proxy,
    step: &Step,
    words: &Words,
    reply: &mut Reply,
) -> io::Result<Option<Box<dyn Duplex>>> {
    let authority = words.text(step.connect.as_deref().unwrap_or("${authority}"));
    let connect = format!(
        "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{}\r\n\r\n",
        words.text("${proxyauth}")
    )
    .replace("\r\n\r\n\r\n", "\r\n\r\n");
    tcp.write_all(connect.as_bytes()).await?;
    while !reply.bytes.ends_with(b"\r\n\r\n") {
        let byte = tcp.read_u8().await?;
        reply.bytes.push(byte);
        if reply.bytes.len() > HEAD_MAX {
            return Ok(None);
        }
    }
    if !reply.bytes.starts_with(b"HTTP/1.1 2") {
        let _ = timeout(SILENCE, tcp.read_to_end(&mut reply.bytes)).await;
        return Ok(None);
    }
    reply.bytes.clear();
    let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
    let name = step.sni.as_deref().map(|n| words.text(n));
    let name = name.as_deref().unwrap_or(host).trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    let config = client(&door.ca_pem, step.h2.is_some())?;
    Ok(Some(Box::new(TlsConnector::from(config).connect(name, tcp).await?)))
}

fn client(ca_pem: &str, h2: bool) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![if h2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(Arc::new(config))
}

/// A plain request of the step's parts.
fn parts(step: &Step, words: &Words) -> Vec<u8> {
    let path = step.path.as_deref().unwrap_or("/read/x");
    let path = if step.own { path.to_owned() } else { format!("${{to}}{path}") };
    let has = |name: &str| step.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let body = step.body.as_deref().map(|b| words.bytes(b, None));
    let mut head = format!("{} {path} HTTP/1.1\r\n", step.method.as_deref().unwrap_or("GET"));
    if !has("host") {
        head.push_str("Host: ${host}\r\n");
    }
    if !has("authorization") && !(step.who == Who::Nobody) {
        head.push_str("${auth}\r\n");
    }
    for (name, value) in &step.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &body {
        if !has("content-type") {
            head.push_str("Content-Type: application/json\r\n");
        }
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    if !has("connection") {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    [words.bytes(&head, None), body.unwrap_or_default()].concat()
}

async fn exchange(
    stream: Box<dyn Duplex>,
    bytes: &[u8],
    step: &Step,
    reply: &mut Reply,
) -> io::Result<()> {
    let (mut from, mut to) = tokio::io::split(stream);
    let write = async {
        let piece = if step.piece == 0 { bytes.len().max(1) } else { step.piece };
        for piece in bytes.chunks(piece) {
            if step.pace_ms > 0 {
                tokio::time::sleep(Duration::from_millis(step.pace_ms)).await;
            }
            if to.write_all(piece).await.is_err() || to.flush().await.is_err() {
                return;
            }
        }
    };
    let read = async {
        loop {
            // Behind a whole answer one more may come, of a request that was smuggled in.
            let is_whole = reply.responses().last().is_some_and(|r| r.is_whole && r.status != 101);
            let more = from.read_buf(&mut reply.bytes);
            let more = if is_whole {
                match timeout(SILENCE, more).await {
                    Ok(more) => more,
                    Err(_) => return,
                }
            } else {
                more.await
            };
            if !matches!(more, Ok(1..)) || reply.bytes.len() > REPLY_MAX {
                return;
            }
        }
    };
    tokio::pin!(write, read);
    tokio::select! {
        () = &mut read => {}
        () = &mut write => read.await,
    }
    Ok(())
}

fn line(name: &str, value: Option<&str>) -> String {
    value.map(|value| format!("{name}: {value}")).unwrap_or_default()
}

/// Of the right form, and nobody's.
const FORGED_KEY: &str = "Bearer sym_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SILENCE: Duration = Duration::from_millis(250);
const HEAD_MAX: usize = 64 * 1024;
/// More than that of a reply is not read.
pub(crate) const REPLY_MAX: usize = 12 << 20;
