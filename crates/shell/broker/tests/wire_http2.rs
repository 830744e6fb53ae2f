//! HTTP/2 towards an upstream: another's server reads what leaves, over TLS and over plain TCP.

mod wire_common;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use symbolon_broker::wire::{
    Armed, BoxError, OutBody, Pace, Protocol, StreamError, Streamed, Tally, Target, WireError,
};
use symbolon_connector::inject::{InjectError, Slot};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use wire_common::*;

/// What an upstream read.
#[derive(Debug)]
struct Read {
    connection: usize,
    request: http::request::Parts,
}

type Log = Arc<Mutex<Vec<Read>>>;

/// Echoes each body as it comes, and says how it went in trailers.
async fn echo(tls: Option<Arc<rustls::ServerConfig>>) -> (u16, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Log::default();
    let noted = log.clone();
    tokio::spawn(async move {
        for connection in 0.. {
            let (tcp, _) = listener.accept().await.unwrap();
            let (tls, noted) = (tls.clone(), noted.clone());
            tokio::spawn(async move {
                match tls {
                    None => serve(tcp, connection, noted).await,
                    Some(tls) => {
                        if let Ok(tls) = tokio_rustls::TlsAcceptor::from(tls).accept(tcp).await {
                            serve(tls, connection, noted).await;
                        }
                    }
                }
            });
        }
    });
    (port, log)
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: usize,
    log: Log,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (request, mut body) = request.into_parts();
        log.lock().unwrap().push(Read { connection, request });
        let (send, frames) = mpsc::channel(4);
        tokio::spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                if let Ok(data) = frame.into_data()
                    && send.send(Frame::data(data)).await.is_err()
                {
                    return;
                }
            }
            let trailers =
                HeaderMap::from_iter([("x-over".parse().unwrap(), "1".parse().unwrap())]);
            let _ = send.send(Frame::trailers(trailers)).await;
        });
        async move { Ok::<_, Infallible>(Response::new(Frames(frames))) }
    });
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A body of what is sent to it.
struct Frames(mpsc::Receiver<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}

fn pace() -> Pace {
    let seconds = Duration::from_secs(20);
    Pace { head: seconds, idle: None, total: seconds, response_body_bytes_max: 64 << 20 }
}

async fn send(
    target: &Target,
    armed: Armed,
    request: Request<OutBody>,
) -> Result<(http::response::Parts, symbolon_broker::wire::LimitedBody), WireError> {
    let sent = client().send_at(target, Protocol::Http2, armed, request, pace()).await;
    sent.map(|(parts, body, _)| (parts, body))
}

async fn upstreams() -> Vec<(Target, Log)> {
    let identity = Identity::make();
    let mut upstreams = Vec::new();
    for version in [Some(&rustls::version::TLS13), Some(&rustls::version::TLS12), None] {
        let config = version.map(|version| {
            let mut config = (*identity.server(version, None)).clone();
            config.alpn_protocols = vec![b"h2".to_vec()];
            Arc::new(config)
        });
        let (port, log) = echo(config).await;
        let target = match version {
            Some(_) => target(&format!("https://localhost:{port}"), Some(identity.roots())),
            None => target(&format!("http://127.0.0.1:{port}"), None),
        };
        upstreams.push((target, log));
    }
    upstreams
}

#[tokio::test]
async fn the_credential_takes_its_place_and_no_table_keeps_it() {
    for (target, log) in upstreams().await {
        let mut seen = Vec::new();
        for n in 0..3 {
            let armed = armed();
            seen.push(armed.placeholder.as_str().to_owned());
            let body = vec![b'x'; n * 70_000];
            let mut request = request(&armed, "POST", "/a/b?c=d", &body);
            request.headers_mut().insert("x-more", "e\u{e9}".parse().unwrap());
            let (parts, mut answer) = send(&target, armed, request).await.unwrap();
            assert_eq!((parts.status.as_u16(), parts.version), (200, Version::HTTP_2));
            let (mut echoed, mut trailers) = (Vec::new(), None);
            while let Some(frame) = answer.frame().await {
                match frame.unwrap().into_data() {
                    Ok(data) => echoed.extend_from_slice(&data),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                }
            }
            assert!(echoed == body, "{} of {} bytes came back", echoed.len(), body.len());
            assert_eq!(trailers.unwrap()["x-over"], "1");
            answer.take_spent().keep();
        }
        let log = log.lock().unwrap();
        assert_eq!(log.len(), 3);
        for read in log.iter() {
            let (head, headers) = (&read.request, &read.request.headers);
            assert_eq!(read.connection, 0, "one connection for all three");
            assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/a/b"));
            assert_eq!(head.uri.query(), Some("c=d"));
            assert_eq!(head.uri.authority().unwrap().as_str(), target.authority().as_str());
            let value = [b"Bearer ", CREDENTIAL].concat();
            assert_eq!(headers["authorization"].as_bytes(), value);
            assert_eq!(headers["te"], "trailers");
            assert_eq!(headers["x-more"].as_bytes(), "e\u{e9}".as_bytes());
            let text = format!("{head:?}");
            assert!(!seen.iter().any(|placeholder| text.contains(placeholder)), "{text}");
        }
    }
}

#[tokio::test]
async fn both_sides_speak_while_neither_is_done() {
    for (target, _) in upstreams().await {
        let armed = armed();
        let mut request = request(&armed, "POST", "/talk", b"");
        let (say, frames) = mpsc::channel(1);
        let (body, tally) = (Frames(frames).boxed_unsync(), Arc::<Tally>::default());
        *request.body_mut() =
            OutBody::Streamed(Box::new(Streamed::new(body, 1 << 20, tally.clone())));
        let (_, mut answer) = send(&target, armed, request).await.unwrap();
        for word in ["one", "two", "three"] {
            say.send(Frame::data(Bytes::from_static(word.as_bytes()))).await.unwrap();
            let heard = answer.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(heard, word);
        }
        drop(say);
        let trailers = answer.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["x-over"], "1");
        assert_eq!(tally.sent().0, 11);
    }
}

#[tokio::test]
async fn what_is_not_as_it_was_armed_does_not_leave() {
    let (port, log) = echo(None).await;
    let target = target(&format!("http://127.0.0.1:{port}"), None);
    let refused = async |change: fn(&mut Request<OutBody>, &Armed)| {
        let armed = armed();
        let mut request = request(&armed, "GET", "/", b"");
        change(&mut request, &armed);
        match send(&target, armed, request).await {
            Err(WireError::Refused { source: StreamError::Inject(e), released: false }) => e,
            other => panic!("{:?}", other.map(|(parts, _)| parts)),
        }
    };
    let copy = |request: &mut Request<OutBody>, armed: &Armed| {
        request.headers_mut().insert("x-copy", armed.placeholder.as_str().parse().unwrap());
    };
    assert_eq!(refused(copy).await, InjectError::PlaceholderTwice);
    let without = |request: &mut Request<OutBody>, _: &Armed| {
        request.headers_mut().remove("authorization");
    };
    assert_eq!(refused(without).await, InjectError::PlaceholderMissing);
    let elsewhere = |request: &mut Request<OutBody>, _: &Armed| {
        let value = request.headers_mut().remove("authorization").unwrap();
        request.headers_mut().insert("x-other", value);
    };
    assert_eq!(refused(elsewhere).await, InjectError::PlaceholderElsewhere);
    let long = |request: &mut Request<OutBody>, _: &Armed| {
        request.headers_mut().insert("x-long", "x".repeat(12 * 1024).parse().unwrap());
    };
    assert_eq!(refused(long).await, InjectError::HeadTooLong);
    // A credential that does not open.
    let armed = bearer(Arc::new(Broken));
    let request = request(&armed, "GET", "/", b"");
    match send(&target, armed, request).await {
        Err(WireError::Refused { source: StreamError::Open(_), released: false }) => {}
        other => panic!("{:?}", other.map(|(parts, _)| parts)),
    }
    // A form's credential has no place in a head.
    let armed = Armed { slot: Arc::new(Slot::form("key").unwrap()), ..wire_common::armed() };
    let request = Request::builder().method("POST").uri("/").body(OutBody::default()).unwrap();
    assert!(matches!(send(&target, armed, request).await, Err(WireError::Refused { .. })));
    assert!(log.lock().unwrap().is_empty(), "nothing came to the upstream");
}

#[tokio::test]
async fn an_upstream_that_does_not_choose_http2_gets_nothing() {
    let identity = Identity::make();
    let server =
        Server::start(Some(identity.server(&rustls::version::TLS13, None)), |_| ok(b"")).await;
    let url = format!("https://localhost:{}", server.address.port());
    let target = target(&url, Some(identity.roots()));
    let armed = armed();
    let request = request(&armed, "GET", "/", b"");
    assert!(matches!(send(&target, armed, request).await, Err(WireError::Tls { .. })));
    assert!(server.heads().is_empty());
}
