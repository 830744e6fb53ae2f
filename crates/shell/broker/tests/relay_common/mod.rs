//! A broker in front of a real TLS upstream that does what a test tells it.
#![allow(dead_code)] // each test binary uses its part

#[path = "../wire_common/mod.rs"]
mod wire_common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Full};
use symbolon_broker::{
    Broker, CallError, Context, Door, NewConnection, NewGrant, Options, ReceiptFilter, RelayBody,
    RelayLimits, RelayReply, RelayRequest, Session,
};
use symbolon_log::Durability;
use symbolon_receipt::{OperatorKey, VerifiedReceipt, verify};
use symbolon_secret::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::server::TlsStream;
pub use wire_common::Identity;

pub const CREDENTIAL: &str = "canary-of-the-relay-tests-0123456789-abcdef";

const SERVICE: &str = r#"
[service]
id = "shop"
name = "Shop"
base_url = "https://shop.example"
self_hosted = true
docs = "https://shop.example"
auth = AUTH
verify = "things.list"
rate = { burst = 5000, per_second = 5000.0 }
headers = { x-shop-version = "2" }

[[operation]]
id = "things.list"
title = "List things"
description = "Lists all things."
method = "GET"
path = "/things"
scope = "shop.things.read"
effect = "read"
[operation.query]
q = { type = "string" }

[[operation]]
id = "things.head"
title = "Look"
description = "Looks at all things."
method = "HEAD"
path = "/things"
scope = "shop.things.read"
effect = "read"

[[operation]]
id = "things.add"
title = "Add a thing"
description = "Adds one thing."
method = "POST"
path = "/things"
scope = "shop.things.write"
effect = "write"
[operation.body]
name = { type = "string", required = true }

[[operation]]
id = "things.delete"
title = "Delete a thing"
description = "Deletes one thing for good."
method = "DELETE"
path = "/things/{id:int}"
scope = "shop.things.admin"
effect = "destructive"

[[operation]]
id = "keys.make"
title = "Make a key"
description = "Answers with a new key."
method = "POST"
path = "/keys"
scope = "shop.things.write"
effect = "write"
mints = [{ at = "/key", expires_at = "/until" }]

[[operation]]
id = "talk.open"
title = "Talk"
description = "Opens a WebSocket."
method = "GET"
path = "/talk"
scope = "shop.talk.write"
effect = "write"
websocket = true

[[operation]]
id = "images.get"
title = "Show an image"
description = "Returns one image."
method = "GET"
path = "/images/{id:int}"
scope = "shop.things.read"
effect = "read"
binary = { types = ["image/png", "application/zip"], max_bytes = 50000 }

[[operation]]
id = "packs.fetch"
title = "Fetch a pack"
description = "Asks for a pack."
method = "POST"
path = "/packs"
scope = "shop.packs.read"
effect = "read"
body_encoding = "bytes"
content_type = "application/x-pack"

[[operation]]
id = "packs.push"
title = "Push a pack"
description = "Sends a pack of any length."
method = "PUT"
path = "/packs"
scope = "shop.packs.write"
effect = "write"
body_encoding = "bytes"
streams = true
content_type = "*/*"
"#;

/// What an upstream does after it read a request.
pub enum Act {
    Send(Vec<u8>),
    Wait(Arc<Notify>),
    /// So many bytes more, written down as a request of their own.
    Read(usize),
    Hang,
    Close,
    Reset,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub head: String,
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Seen {
    pub fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|l| l.split_once(": "));
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v).collect()
    }
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub broker: Arc<Broker>,
    pub session: Arc<Session>,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    pub port: u16,
}

pub type Script = Box<dyn Fn(&Seen) -> Vec<Act> + Send + Sync>;

pub fn answer(text: &str) -> Vec<Act> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
    vec![Act::Send(head.into_bytes())]
}

/// A response in chunks, each written on its own.
pub fn chunked(chunks: &[&[u8]], trailers: &str) -> Vec<Act> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut acts = vec![Act::Send(head.into())];
    for chunk in chunks {
        let size = format!("{:x}\r\n", chunk.len());
        acts.push(Act::Send([size.as_bytes(), chunk, b"\r\n"].concat()));
    }
    acts.push(Act::Send(format!("0\r\n{trailers}\r\n").into_bytes()));
    acts
}

impl World {
    pub async fn new(script: impl Fn(&Seen) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::with(RelayLimits::default(), "{ scheme = \"bearer\" }", "", Box::new(script)).await
    }

    pub async fn with(limits: RelayLimits, auth: &str, prefix: &str, script: Script) -> Self {
        let identity = Identity::make();
        let tls = identity.server(&rustls::version::TLS13, None);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, script) = (seen.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (tls, log, script) = (tls.clone(), log.clone(), script.clone());
                tokio::spawn(async move {
                    let _ = tcp.set_nodelay(true);
                    if let Ok(stream) = tokio_rustls::TlsAcceptor::from(tls).accept(tcp).await {
                        serve(stream, &log, &**script).await;
                    }
                });
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        Broker::init(&home, symbolon_broker::Method::Device, None).await.unwrap();
        let options = Options {
            durability: Durability::Relaxed,
            services: vec![SERVICE.replace("AUTH", auth)],
            relay: limits,
            ..Options::default()
        };
        let broker = Broker::start(&home, options).await.unwrap();
        assert!(broker.unlock_unattended().await.unwrap());
        let connection = NewConnection {
            base_url: Some(format!("https://localhost:{port}{prefix}")),
            allow_loopback: true,
            ca_pem: Some(identity.pem.clone()),
            ..NewConnection::of("shop")
        };
        let credential = Secret::<[u8]>::make_slice(CREDENTIAL.len(), |o| {
            o.copy_from_slice(CREDENTIAL.as_bytes())
        });
        broker.connect(connection, credential).await.unwrap();
        let grant = NewGrant {
            agent: "claude".into(),
            scopes: ["things.read", "things.write", "packs.read", "packs.write", "talk.write"]
                .map(|s| format!("shop.{s}"))
                .to_vec(),
            for_seconds: 900,
            connection: None,
            limits: Vec::new(),
            ..NewGrant::default()
        };
        broker.grant(grant).await.unwrap();
        let session = broker.open_session("claude", Door::Http).unwrap();
        Self { folder, broker, session, seen, port }
    }

    pub async fn relay(&self, request: RelayRequest) -> Result<RelayReply, CallError> {
        self.broker.relay(&self.session, &Context::Direct, request).await
    }

    /// Sends it and reads all of the answer.
    pub async fn whole(&self, request: RelayRequest) -> Result<Whole, CallError> {
        let reply = self.relay(request).await?;
        let (status, headers) = (reply.status.as_u16(), reply.headers);
        let collected = reply.body.collect().await?;
        let trailers = collected.trailers().cloned().unwrap_or_default();
        let body = String::from_utf8_lossy(&collected.to_bytes()).into_owned();
        Ok(Whole { status, headers, body, trailers })
    }

    /// The newest receipt, verified.
    pub async fn newest(&self) -> VerifiedReceipt {
        let rows = self.broker.receipts(ReceiptFilter::default()).await.unwrap();
        let bundle = self.broker.receipt(rows[0].number).await.unwrap();
        let key = OperatorKey::parse(&self.broker.operator_vkey()).unwrap();
        verify(&serde_json::to_vec(&bundle).unwrap(), &key).unwrap()
    }

    /// The newest receipt's error, and that no intent stands alone.
    pub async fn error(&self) -> Option<String> {
        assert_eq!(self.broker.status().open_intents, 0, "every intent has its receipt");
        let receipt = self.newest().await;
        receipt.statement().predicate.error.as_ref().map(ToString::to_string)
    }

    pub fn last_seen(&self) -> Seen {
        self.seen.lock().unwrap().last().expect("a request arrived").clone()
    }

    pub fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

pub struct Whole {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    pub trailers: HeaderMap,
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> RelayRequest {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    RelayRequest {
        connection: "shop".into(),
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        path: path.into(),
        query: query.map(Into::into),
        headers: map,
        body: RelayBody::new(Full::new(Bytes::copy_from_slice(body)).map_err(Into::into)),
        upgrade: false,
        minted: None,
    }
}

pub fn get(path: &str) -> RelayRequest {
    request("GET", path, &[], b"")
}

/// A body in pieces, from a channel: `Err` breaks it off.
pub fn piecewise() -> (tokio::sync::mpsc::Sender<Result<Bytes, std::io::Error>>, RelayBody) {
    let (send, mut receive) = tokio::sync::mpsc::channel(1);
    let frames = futures_like(move |cx| {
        receive.poll_recv(cx).map(|piece: Option<Result<Bytes, std::io::Error>>| {
            piece.map(|p| p.map(http_body::Frame::data).map_err(Into::into))
        })
    });
    (send, frames)
}

type Piece = Option<Result<http_body::Frame<Bytes>, symbolon_broker::wire::BoxError>>;

fn futures_like(
    poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Piece> + Send + 'static,
) -> RelayBody {
    struct Pieces<F>(F);
    impl<F: FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Piece> + Unpin> http_body::Body
        for Pieces<F>
    {
        type Data = Bytes;
        type Error = symbolon_broker::wire::BoxError;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Piece> {
            (self.0)(cx)
        }
    }
    RelayBody::new(Pieces(Box::new(poll)))
}

async fn serve(
    mut stream: TlsStream<TcpStream>,
    log: &Mutex<Vec<Seen>>,
    script: &(dyn Fn(&Seen) -> Vec<Act> + Send + Sync),
) {
    let mut buffer = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut buffer).await {
        let whole = seen.whole;
        let acts = script(&seen);
        log.lock().unwrap().push(seen);
        for act in acts {
            match act {
                Act::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                }
                Act::Wait(notify) => notify.notified().await,
                Act::Read(n) => {
                    let mut body = std::mem::take(&mut buffer);
                    while body.len() < n {
                        if stream.read_buf(&mut body).await.unwrap_or(0) == 0 {
                            break;
                        }
                    }
                    log.lock().unwrap().push(Seen { head: String::new(), body, whole: true });
                }
                Act::Hang => std::future::pending().await,
                Act::Close => {
                    let _ = stream.shutdown().await;
                    return;
                }
                Act::Reset => {
                    let _ = stream.get_ref().0.set_zero_linger();
                    return;
                }
            }
        }
        if !whole {
            return;
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end).collect()).expect("ascii");
    let mut seen = Seen { head, body: Vec::new(), whole: false };
    if seen.header("transfer-encoding").contains(&"chunked") {
        loop {
            let line = loop {
                match find(buffer, b"\r\n") {
                    Some(at) => break at,
                    None if stream.read_buf(buffer).await.unwrap_or(0) == 0 => return Some(seen),
                    None => {}
                }
            };
            let size = std::str::from_utf8(&buffer[..line]).expect("a size");
            let size = usize::from_str_radix(size, 16).expect("a size");
            while buffer.len() < line + 2 + size + 2 {
                if stream.read_buf(buffer).await.unwrap_or(0) == 0 {
                    return Some(seen);
                }
            }
            seen.body.extend_from_slice(&buffer[line + 2..line + 2 + size]);
            buffer.drain(..line + 2 + size + 2);
            if size == 0 {
                seen.whole = true;
                return Some(seen);
            }
        }
    }
    let length = seen.header("content-length").first().map_or(0, |l| l.parse().expect("a length"));
    while buffer.len() < length {
        if stream.read_buf(buffer).await.unwrap_or(0) == 0 {
            seen.body = std::mem::take(buffer);
            return Some(seen);
        }
    }
    seen.body = buffer.drain(..length).collect();
    seen.whole = true;
    Some(seen)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

pub fn short() -> RelayLimits {
    RelayLimits {
        head: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        body: Duration::from_millis(300),
        total: Duration::from_secs(5),
        response_bytes_max: 100_000,
        body_bytes_max: 10_000,
        streamed_body_bytes_max: 5_000_000,
        relays_max: (3, 5),
        ..RelayLimits::default()
    }
}
