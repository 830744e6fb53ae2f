//! Every split of writes, with partial writes and backpressure below, gives the same bytes.

mod wire_common;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use symbolon_broker::wire::testing::{Desk, Plain, SubstitutingStream};
use symbolon_broker::wire::{Armed, StreamError};
use symbolon_connector::inject::{InjectError, Slot};
use symbolon_connector::ssrf::{Authority, base_url};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wire_common::{Broken, CREDENTIAL, LOOPBACK, Plainly, armed, bearer, placeholder};

struct Dice(u64);
impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// Takes what it is given, in a difficult mood a bit at a time.
struct Sink {
    out: Arc<Mutex<Vec<u8>>>,
    dice: Dice,
    is_hard: bool,
}

impl AsyncWrite for Sink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let n = match self.is_hard {
            false => bytes.len(),
            true => match self.dice.below(4) {
                0 => return Poll::Pending,
                1 => 1,
                _ => 1 + self.dice.below(40),
            },
        };
        let n = n.min(bytes.len());
        self.out.lock().unwrap().extend_from_slice(&bytes[..n]);
        Poll::Ready(Ok(n))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Sink {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

type Stream = SubstitutingStream<Plain<Sink>>;

fn authority() -> Authority {
    base_url("http://127.0.0.1:8080", LOOPBACK).unwrap().authority().clone()
}

fn stream(is_hard: bool, seed: u64) -> (Stream, Arc<Desk>, Arc<Mutex<Vec<u8>>>) {
    let (desk, out) = (Arc::new(Desk::default()), Arc::new(Mutex::new(Vec::new())));
    let sink = Sink { out: out.clone(), dice: Dice(seed), is_hard };
    (SubstitutingStream::new(Plain(sink), authority(), desk.clone()), desk, out)
}

/// `bytes` with the first placeholder (the head's) replaced.
fn replaced(bytes: &[u8], armed: &Armed) -> Vec<u8> {
    let placeholder = armed.placeholder.as_bytes();
    let at = bytes.windows(32).position(|w| w == placeholder).unwrap();
    [&bytes[..at], CREDENTIAL, &bytes[at + 32..]].concat()
}

fn feed(stream: &mut Stream, mut bytes: &[u8], dice: &mut Dice, max: usize) -> std::io::Result<()> {
    let mut cx = Context::from_waker(Waker::noop());
    while !bytes.is_empty() {
        let n = (1 + dice.below(max)).min(bytes.len());
        if let Poll::Ready(n) = Pin::new(&mut *stream).poll_write(&mut cx, &bytes[..n]) {
            bytes = &bytes[n?..];
        }
    }
    while Pin::new(&mut *stream).poll_flush(&mut cx)?.is_pending() {}
    Ok(())
}

fn stream_error(error: &std::io::Error) -> StreamError {
    *error.get_ref().and_then(|e| e.downcast_ref()).expect("the stream's own error")
}

#[test]
fn any_split_gives_the_same_bytes_and_bodies_stay() {
    for seed in 1..1500u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mut stream, desk, out) = stream(seed % 3 != 0, seed * 77 + 1);
        let mut want = Vec::new();
        for k in 0..6 {
            let mut armed = armed();
            let p = armed.placeholder.as_str().to_owned();
            let decoy = format!("host: 127.0.0.1:8080\r\nauthorization: Bearer {p}\r\n\r\n{p}");
            let message = match k {
                0 => format!(
                    "GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nAuthorization: Bearer {p}\r\naccept: */*\r\n\r\n"
                ),
                1 => format!(
                    "POST / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer {p}\r\ncontent-length: {}\r\n\r\n{decoy}",
                    decoy.len()
                ),
                2 => format!(
                    "POST / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer {p}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{decoy}\r\n5;x=y\r\nabcde\r\n0\r\nx-t: {p}\r\n\r\n",
                    decoy.len()
                ),
                3 => {
                    armed.slot = Arc::new(Slot::cookie("sid").unwrap());
                    format!(
                        "GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\ncookie: a=b; sid={p}; c=d\r\n\r\n"
                    )
                }
                4 => {
                    armed.slot = Arc::new(Slot::form("token").unwrap());
                    form(&format!("token={p}&a={}", "b".repeat(dice.below(300))))
                }
                _ => {
                    armed.slot = Arc::new(Slot::query("key").unwrap());
                    format!("GET /a?x=1&key={p}&y=2 HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n\r\n")
                }
            };
            match k {
                4 => {
                    let (_, body) = message.split_once("\r\n\r\n").unwrap();
                    let body = body.replace(&p, std::str::from_utf8(CREDENTIAL).unwrap());
                    want.extend(form(&body).into_bytes());
                }
                _ => want.extend(replaced(message.as_bytes(), &armed)),
            }
            let before = out.lock().unwrap().len();
            desk.arm(armed);
            let max = [3, 40, 4000][dice.below(3)];
            feed(&mut stream, message.as_bytes(), &mut dice, max).unwrap();
            assert!(desk.released());
            assert_eq!(desk.sent_bytes() as usize, out.lock().unwrap().len() - before, "{seed}");
        }
        assert_eq!(*out.lock().unwrap(), want, "seed {seed}");
    }
}

/// A form with the length of its body.
fn form(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn large_bodies_follow_their_head_unchanged() {
    for size in [0, 1, 15_000, 16_384, 100_000] {
        let (mut stream, desk, out) = stream(true, 9);
        let armed = armed();
        let body = vec![b'B'; size];
        let head = format!(
            "POST / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer {}\r\ncontent-length: {size}\r\n\r\n",
            armed.placeholder.as_str()
        );
        let message = [head.as_bytes(), &body].concat();
        let want = replaced(&message, &armed);
        desk.arm(armed);
        feed(&mut stream, &message, &mut Dice(5), 200_000).unwrap();
        assert_eq!(*out.lock().unwrap(), want);
    }
}

#[test]
fn what_is_not_exactly_right_is_refused_and_nothing_goes_out() {
    let p = placeholder();
    let t = p.as_str();
    let host = "host: 127.0.0.1:8080\r\n";
    let cases = [
        (
            format!("GET /{t} HTTP/1.1\r\n{host}authorization: Bearer x\r\n\r\n"),
            InjectError::PlaceholderElsewhere,
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}x-other: Bearer {t}\r\n\r\n"),
            InjectError::PlaceholderElsewhere,
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}authorization: Bearer {t}\r\nx-other: {t}\r\n\r\n"),
            InjectError::PlaceholderTwice,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\n{host}authorization: Bearer {t}\r\nauthorization: Bearer x\r\n\r\n"
            ),
            InjectError::SlotTwice,
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}authorization: Bearer x\r\n\r\n"),
            InjectError::PlaceholderMissing,
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: evil.test\r\nauthorization: Bearer {t}\r\n\r\n"),
            InjectError::HostMismatch,
        ),
        (
            format!(
                "POST / HTTP/1.1\r\n{host}authorization: Bearer {t}\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
            ),
            InjectError::TwoFramings,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\n{host}authorization: Bearer {t}\r\nupgrade: websocket\r\n\r\n"
            ),
            InjectError::Upgrade,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\n{host}authorization: Bearer {t}\r\nx: {}\r\n\r\n",
                "y".repeat(20_000)
            ),
            InjectError::HeadTooLong,
        ),
    ];
    for (head, expected) in cases {
        for max in [1, 7, 30_000] {
            let (mut stream, desk, out) = stream(false, 5);
            desk.arm(Armed { placeholder: p, ..armed() });
            let error = feed(&mut stream, head.as_bytes(), &mut Dice(9), max).unwrap_err();
            assert_eq!(stream_error(&error), StreamError::Inject(expected), "{head:.80}");
            assert!(out.lock().unwrap().is_empty());
            assert!(!desk.released(), "{head:.80}");
            let error = feed(&mut stream, b"x", &mut Dice(9), 10).unwrap_err();
            assert_eq!(stream_error(&error), StreamError::Poisoned);
        }
    }
}

#[test]
fn a_request_without_a_credential_does_not_go_out() {
    let (mut stream, desk, out) = stream(false, 5);
    let head = b"GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n\r\n";
    let error = feed(&mut stream, head, &mut Dice(9), 100).unwrap_err();
    assert_eq!(stream_error(&error), StreamError::NotArmed);
    // A second head in one write is not smuggled out behind the first.
    let (mut stream, desk2, out2) = self::stream(false, 5);
    let armed = armed();
    let first = format!(
        "GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer {}\r\n\r\n",
        armed.placeholder.as_str()
    );
    desk2.arm(armed.clone());
    let two = [first.as_bytes(), head].concat();
    assert!(feed(&mut stream, &two, &mut Dice(9), 1000).is_err());
    assert_eq!(*out2.lock().unwrap(), replaced(first.as_bytes(), &armed), "only the first");
    assert!(out.lock().unwrap().is_empty() && !desk.released());
}

#[test]
fn a_credential_that_does_not_open_sends_nothing() {
    let (mut stream, desk, out) = stream(false, 5);
    let armed = bearer(Arc::new(Broken));
    let head = format!(
        "GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer {}\r\n\r\n",
        armed.placeholder.as_str()
    );
    desk.arm(armed);
    let error = feed(&mut stream, head.as_bytes(), &mut Dice(9), 1000).unwrap_err();
    assert!(matches!(stream_error(&error), StreamError::Open(_)));
    assert!(out.lock().unwrap().is_empty() && !desk.released());
    assert!(feed(&mut stream, b"x", &mut Dice(9), 10).is_err());
}

#[test]
fn a_credential_too_long_for_one_record_is_refused() {
    static LONG: [u8; 16_384] = [b'x'; 16_384];
    let (mut stream, desk, out) = stream(false, 5);
    let armed = bearer(Arc::new(Plainly(&LONG)));
    let head = format!(
        "GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer {}\r\n\r\n",
        armed.placeholder.as_str()
    );
    desk.arm(armed);
    let error = feed(&mut stream, head.as_bytes(), &mut Dice(9), 1000).unwrap_err();
    assert_eq!(stream_error(&error), StreamError::RecordTooLong);
    assert!(out.lock().unwrap().is_empty());
}

#[test]
fn a_body_that_breaks_its_framing_ends_the_connection() {
    let (mut stream, desk, out) = stream(false, 5);
    let armed = armed();
    let message = format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcdeXX",
        armed.placeholder.as_str()
    );
    desk.arm(armed);
    let error = feed(&mut stream, message.as_bytes(), &mut Dice(9), 3).unwrap_err();
    assert!(matches!(stream_error(&error), StreamError::Framing(_)));
    assert!(!out.lock().unwrap().ends_with(b"XX"));
}
