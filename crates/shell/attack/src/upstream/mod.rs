//! The hostile upstream: answers as the case at hand says, and writes down all that reaches it.

mod answer;
mod encode;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::canary::{Canary, contains};
use crate::case::{Answer, Certificate};
use crate::text::Words;

pub use tls::{Identity, IdentityError};

/// Which of its faces a connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// Where the connection of the target leads.
    Main,
    /// A host that the credential is not for.
    Decoy,
}

/// All bytes of one connection, as they came out of TLS.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    connection: u64,
    pub(crate) face: Face,
    pub(crate) bytes: Vec<u8>,
    /// Where each request in them ends, as a strict reader sees it.
    pub(crate) ends: Vec<usize>,
}

/// What the upstream does at the moment.
#[derive(Debug, Clone, Default)]
struct Play {
    answers: Vec<Answer>,
    certificate: Certificate,
    words: Words,
    /// Requests answered by [`Face::Main`].
    taken: usize,
    heard: Vec<Heard>,
    /// Which play this is: what belongs to one before is not heard any more.
    number: u64,
    connections: u64,
}

impl Play {
    /// What this connection has said since the last time that it was forgotten.
    fn of(&mut self, line: &Line) -> Option<&mut Heard> {
        if self.number != line.play {
            return None;
        }
        if !self.heard.iter().any(|h| h.connection == line.connection) {
            let (connection, face) = (line.connection, line.face);
            self.heard.push(Heard { connection, face, bytes: Vec::new(), ends: Vec::new() });
        }
        self.heard.iter_mut().find(|h| h.connection == line.connection)
    }
}

/// One connection.
struct Line {
    play: u64,
    connection: u64,
    face: Face,
    /// Kept after an answer: the next request on it is of the play of its time.
    is_kept: bool,
}

/// The running upstream; its listeners end with it.
#[derive(Debug)]
pub struct Upstream {
    play: Arc<Mutex<Play>>,
    main: SocketAddr,
    decoy: SocketAddr,
    identity: Arc<Identity>,
    tasks: tokio::task::JoinSet<()>,
}

impl Upstream {
    /// Listens on `listen` (port 0 takes a free one), on the same port of 127.0.0.2 where the
    /// machine has it, and as the decoy on another port.
    ///
    /// # Errors
    /// An address that is taken, or that is not loopback.
    pub async fn start(listen: SocketAddr, identity: Identity, canary: Canary) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            let what = "the hostile upstream stays on loopback";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let main = TcpListener::bind(listen).await?;
        let address = main.local_addr()?;
        let decoy = TcpListener::bind(SocketAddr::new(listen.ip(), 0)).await?;
        let decoy_address = decoy.local_addr()?;
        let mut upstream = Self {
            play: Arc::default(),
            main: address,
            decoy: decoy_address,
            identity: Arc::new(identity),
            tasks: tokio::task::JoinSet::new(),
        };
        upstream.listen(main, Face::Main, &canary);
        upstream.listen(decoy, Face::Decoy, &canary);
        // Where a name leads that changes its mind. Without that address it leads nowhere.
        for (ip, face) in [("127.0.0.2", Face::Decoy), ("::1", Face::Main)] {
            let ip = ip.parse().map_err(io::Error::other)?;
            if let Ok(also) = TcpListener::bind(SocketAddr::new(ip, address.port())).await {
                upstream.listen(also, face, &canary);
            }
        }
        Ok(upstream)
    }

    /// Where the target's connection leads.
    pub fn port(&self) -> u16 {
        self.main.port()
    }

    /// A host that the credential is not for.
    pub(crate) fn decoy(&self) -> SocketAddr {
        self.decoy
    }

    /// The authority that the target must trust, in PEM.
    pub fn authority_pem(&self) -> &str {
        self.identity.authority_pem()
    }

    /// Behaves like this from now on, and forgets what it heard.
    pub(crate) fn set(&self, answers: &[Answer], certificate: Certificate, words: &Words) {
        let (answers, words) = (answers.to_vec(), words.clone());
        let mut play = self.play();
        play.number += 1;
        (play.answers, play.certificate, play.words) = (answers, certificate, words);
        play.taken = 0;
        play.heard.clear();
    }

    /// Forgets what it heard until now.
    pub(crate) fn forget(&self) {
        self.play().heard.clear();
    }

    /// What it heard.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.play().heard.clone()
    }

    fn play(&self) -> MutexGuard<'_, Play> {
        lock(&self.play)
    }

    fn listen(&mut self, listener: TcpListener, face: Face, canary: &Canary) {
        let (play, identity, canary) = (self.play.clone(), self.identity.clone(), canary.clone());
        self.tasks.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (play, identity, canary) = (play.clone(), identity.clone(), canary.clone());
                tokio::spawn(async move {
                    let all = converse(stream, face, &play, &identity, &canary);
                    // What is longer is over for the case that it belongs to.
                    let _ = timeout(CONNECTION_TIME, all).await;
                });
            }
        });
    }
}

async fn converse(
    mut stream: TcpStream,
    face: Face,
    play: &Mutex<Play>,
    identity: &Identity,
    canary: &Canary,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let certificate = lock(play).certificate;
    let mut first = [0];
    // 22 begins a TLS hello; everything else is plain text, which the decoy and the proxy's plain
    // requests may send.
    let is_tls = stream.peek(&mut first).await? == 1 && first[0] == 22;
    match (certificate, is_tls) {
        (Certificate::Plain, _) | (_, false) => serve(stream, face, play, canary).await,
        (Certificate::Truncated, true) => {
            let mut hello = [0; 512];
            let _ = stream.read(&mut hello).await?;
            // The head of a ServerHello that does not come.
            stream.write_all(&[22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3]).await?;
            stream.shutdown().await
        }
        (certificate, true) => {
            let config = identity.config(certificate).ok_or(io::ErrorKind::InvalidData)?;
            serve(TlsAcceptor::from(config).accept(stream).await?, face, play, canary).await
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    face: Face,
    play: &Mutex<Play>,
    canary: &Canary,
) -> io::Result<()> {
    let mut line = {
        let mut play = lock(play);
        play.connections += 1;
        Line { play: play.number, connection: play.connections, face, is_kept: false }
    };
    // The requests that are not answered yet.
    let mut bytes = Vec::new();
    let mut answered = 0;
    loop {
        while let Some(end) = request_end(&bytes) {
            let rest = bytes.split_off(end);
            let (answer, words) = {
                let mut play = lock(play);
                let Some(heard) = play.of(&line) else { return Ok(()) };
                let after = heard.bytes.len().saturating_sub(rest.len());
                heard.ends.push(after);
                bytes = rest;
                let last = play.answers.len().saturating_sub(1);
                let answer = play.answers.get(play.taken.min(last)).cloned().unwrap_or_default();
                play.taken += 1;
                (answer, play.words.clone())
            };
            answered += 1;
            let keep = answer.keep;
            answer::send(&mut stream, &answer, &words, canary).await?;
            line.is_kept = true;
            if !keep || answered > REQUESTS_MAX {
                line.is_kept = false;
                stream.flush().await?;
                stream.shutdown().await?;
                // What else the peer had to say is heard too.
                let _ =
                    timeout(AFTERWARDS, listen_on(&mut stream, play, &mut line, &mut bytes)).await;
                return Ok(());
            }
        }
        if !listen_once(&mut stream, play, &mut line, &mut bytes).await? || bytes.len() > HEARD_MAX
        {
            return Ok(());
        }
    }
}

async fn listen_on<S: AsyncRead + Unpin>(
    stream: &mut S,
    play: &Mutex<Play>,
    line: &mut Line,
    bytes: &mut Vec<u8>,
) -> io::Result<()> {
    while bytes.len() <= HEARD_MAX && listen_once(stream, play, line, bytes).await? {}
    Ok(())
}

async fn listen_once<S: AsyncRead + Unpin>(
    stream: &mut S,
    play: &Mutex<Play>,
    line: &mut Line,
    bytes: &mut Vec<u8>,
) -> io::Result<bool> {
    let from = bytes.len();
    let more = stream.read_buf(bytes).await?;
    let mut play = lock(play);
    if line.is_kept && from == 0 {
        line.play = play.number;
    }
    let Some(heard) = play.of(line) else { return Ok(false) };
    heard.bytes.extend_from_slice(&bytes[from..]);
    Ok(more > 0)
}

/// Where the first request ends; none while it is not whole. One framing is read, the first that
/// is named: the upstream is not the one to be careful.
fn request_end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let value =
        |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned());
    if value("transfer-encoding:").is_some_and(|v| v.contains("chunked")) {
        let mut at = head;
        loop {
            let line = bytes.get(at..)?.windows(2).position(|w| w == b"\r\n")?;
            let size = std::str::from_utf8(&bytes[at..at + line]).ok()?;
            let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
            at = at.checked_add(line + 2)?.checked_add(size)?.checked_add(2)?;
            if size == 0 {
                return (bytes.len() >= at).then_some(at);
            }
        }
    }
    let length = value("content-length:").and_then(|v| v.parse::<usize>().ok()).unwrap_or(0);
    let end = head.checked_add(length)?;
    (bytes.len() >= end).then_some(end)
}

/// What one conversation amounts to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Requests that were whole.
    pub(crate) requests: usize,
    /// Requests with the credential in its slot.
    pub(crate) released: usize,
    /// The credential anywhere else, by what it is.
    pub(crate) stray: Option<String>,
    /// The lines of the requests with the credential.
    pub(crate) lines: Vec<String>,
}

/// Counts what was heard. The credential's place is one `Authorization: Bearer`, on the main face.
pub(crate) fn tally(heard: &[Heard], canary: &Canary) -> Tally {
    let mut tally = Tally::default();
    for one in heard {
        let mut from = 0;
        let ends = one.ends.iter().copied().chain([one.bytes.len()]);
        for (at, end) in ends.enumerate() {
            let request = &one.bytes[from.min(end)..end];
            from = end;
            let is_whole = at < one.ends.len();
            if is_whole && one.face == Face::Main {
                tally.requests += 1;
            }
            if canary.find(request).is_none() {
                continue;
            }
            if one.face == Face::Decoy {
                tally.stray = Some("another host".to_owned());
                continue;
            }
            let rest = without_slot(request, canary);
            match rest {
                Some(rest) if canary.find(&rest).is_none() => {
                    tally.released += 1;
                    let line = request.split(|b| *b == b'\r').next().unwrap_or_default();
                    tally.lines.push(String::from_utf8_lossy(line).into_owned());
                }
                Some(_) => tally.stray = Some("a second place of the request".to_owned()),
                None => tally.stray = Some("the wrong place of the request".to_owned()),
            }
        }
    }
    tally
}

/// The request without the one line where the credential belongs.
fn without_slot(request: &[u8], canary: &Canary) -> Option<Vec<u8>> {
    let head = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(request.len());
    let mut at = 0;
    for line in request[..head].split_inclusive(|b| *b == b'\n') {
        let (from, end) = (at, at + line.len());
        at = end;
        let name = b"authorization:";
        let is_slot = line.len() > name.len()
            && line[..name.len()].eq_ignore_ascii_case(name)
            && contains(line, &[b"Bearer ", canary.bytes()].concat());
        if is_slot {
            return Some([&request[..from], &request[end..]].concat());
        }
    }
    None
}

fn lock(play: &Mutex<Play>) -> MutexGuard<'_, Play> {
    play.lock().unwrap_or_else(PoisonError::into_inner)
}

const CONNECTION_TIME: Duration = Duration::from_secs(90);
const AFTERWARDS: Duration = Duration::from_millis(300);
const REQUESTS_MAX: usize = 64;
const HEARD_MAX: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(face: Face, text: &str) -> Heard {
        let bytes = text.as_bytes().to_vec();
        let mut ends = Vec::new();
        let mut done = 0;
        while let Some(end) = request_end(&bytes[done..]) {
            done += end;
            ends.push(done);
        }
        Heard { connection: 0, face, bytes, ends }
    }

    #[test]
    fn the_credential_has_one_place() {
        let canary = Canary::new(b"cnry_0123456789abcdefghijklmn".to_vec());
        let c = "cnry_0123456789abcdefghijklmn";
        let count = |face, text: String| tally(&[heard(face, &text)], &canary);
        let good = format!("GET /a HTTP/1.1\r\nauthorization: Bearer {c}\r\n\r\n");
        let one = count(Face::Main, good.clone());
        assert_eq!((one.requests, one.released, one.stray), (1, 1, None));
        assert_eq!(one.lines, ["GET /a HTTP/1.1"]);
        let two = count(Face::Main, format!("{good}{good}"));
        assert_eq!((two.requests, two.released), (2, 2));
        for (face, text) in [
            (Face::Decoy, good.clone()),
            (Face::Main, format!("GET /{c} HTTP/1.1\r\nhost: x\r\n\r\n")),
            (Face::Main, format!("GET / HTTP/1.1\r\nx-a: {c}\r\n\r\n")),
            (Face::Main, good.replace("\r\n\r\n", &format!("\r\nx-a: {c}\r\n\r\n"))),
            (Face::Main, good.replace("\r\n\r\n", &format!("\r\ncontent-length: 29\r\n\r\n{c}"))),
            (Face::Main, format!("GET / HTTP/1.1\r\nauthorization: Basic {c}\r\n")),
        ] {
            assert!(count(face, text.clone()).stray.is_some(), "{text}");
        }
        assert_eq!(count(Face::Decoy, "GET / HTTP/1.1\r\n\r\n".into()).stray, None);
    }

    #[test]
    fn requests_end_where_they_say() {
        assert_eq!(request_end(b"GET / HTTP/1.1\r\n\r\nX"), Some(18));
        assert_eq!(request_end(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabX"), Some(40));
        assert_eq!(request_end(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na"), None);
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nX";
        assert_eq!(request_end(chunked), Some(chunked.len() - 1));
    }
}
