//! WebSockets through the broker: what goes out, what comes back, and how they end.

mod relay_common;

use std::time::Duration;

use relay_common::*;
use symbolon_broker::{RelayLimits, RelayRequest, Upgraded};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nset-cookie: a=b\r\n";

fn accepted() -> Act {
    Act::Send(format!("{ACCEPTED}\r\n").into_bytes())
}

fn talk() -> RelayRequest {
    let headers = [
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "chat"),
        ("sec-websocket-extensions", "permessage-deflate"),
        ("authorization", "Bearer symref_x"),
    ];
    RelayRequest { upgrade: true, ..request("GET", "/talk", &headers, b"") }
}

/// One frame of a server: short, not masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    [&[first, payload.len() as u8], payload].concat()
}

fn text(payload: &str) -> Act {
    Act::Send(frame(0x81, payload.as_bytes()))
}

fn close() -> Act {
    Act::Send(frame(0x88, &[3, 232]))
}

/// Reads one frame: its first byte and payload.
async fn read(socket: &mut Upgraded) -> std::io::Result<(u8, String)> {
    let mut head = [0; 2];
    timeout(SOON, socket.read_exact(&mut head)).await.expect("a frame")?;
    assert!(head[1] < 126);
    let mut payload = vec![0; head[1].into()];
    timeout(SOON, socket.read_exact(&mut payload)).await.expect("a payload")?;
    Ok((head[0], String::from_utf8_lossy(&payload).into_owned()))
}

async fn open(w: &World) -> Upgraded {
    let reply = w.relay(talk()).await.unwrap();
    assert_eq!(reply.status, 101);
    reply.upgraded.expect("a WebSocket")
}

async fn world(acts: impl Fn() -> Vec<Act> + Send + Sync + 'static) -> World {
    let limits = RelayLimits { relays_max: (8, 8), ..short() };
    World::with(limits, "{ scheme = \"bearer\" }", "", Box::new(move |_| acts())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_pass_both_ways_and_echoes_do_not() {
    let (a, b) = CREDENTIAL.split_at(9);
    let w = world(move || {
        vec![
            accepted(),
            text("hello"),
            Act::Read(11),
            text(&format!("you are {CREDENTIAL}!")),
            // One message in three frames, a ping between them.
            Act::Send(frame(0x01, format!("<{a}").as_bytes())),
            Act::Send(frame(0x89, b"ping")),
            Act::Send(frame(0x00, &b.as_bytes()[..20])),
            Act::Send(frame(0x80, format!("{}>", &b[20..]).as_bytes())),
            Act::Send(frame(0x81, b"")),
            close(),
            Act::Close,
        ]
    })
    .await;
    let reply = w.relay(talk()).await.unwrap();
    assert_eq!(reply.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    for name in ["set-cookie", "connection", "upgrade"] {
        assert!(!reply.headers.contains_key(name), "{name} is the door's");
    }
    let mut socket = reply.upgraded.expect("a WebSocket");
    assert_eq!(read(&mut socket).await.unwrap(), (0x81, "hello".into()), "before anything else");
    let masked = [&[0x81, 0x85][..], &[1, 2, 3, 4], b"abcde"].concat();
    socket.write_all(&masked).await.unwrap();
    socket.flush().await.unwrap();
    let message = read(&mut socket).await.unwrap();
    assert_eq!(message, (0x81, "you are [redacted:symbolon]!".into()));
    let (mut whole, mut pings) = (String::new(), 0);
    loop {
        match read(&mut socket).await.unwrap() {
            (0x89, ping) => {
                assert_eq!(ping, "ping");
                pings += 1;
            }
            (first, piece) => {
                assert_eq!(first & 0x7f, u8::from(whole.is_empty() && first & 0x0f != 0));
                whole.push_str(&piece);
                if first & 0x80 != 0 {
                    break;
                }
            }
        }
    }
    assert_eq!((whole.as_str(), pings), ("<[redacted:symbolon]>", 1));
    assert_eq!(read(&mut socket).await.unwrap(), (0x81, String::new()));
    assert_eq!(read(&mut socket).await.unwrap().0, 0x88);
    assert_eq!(socket.read(&mut [0; 9]).await.unwrap(), 0, "the end");
    let seen = w.seen.lock().unwrap().clone();
    assert_eq!(seen[0].header("authorization"), [format!("Bearer {CREDENTIAL}")]);
    assert_eq!(seen[0].header("connection"), ["upgrade"]);
    assert_eq!(seen[0].header("upgrade"), ["websocket"]);
    assert_eq!(seen[0].header("sec-websocket-protocol"), ["chat"]);
    assert_eq!(seen[0].header("sec-websocket-extensions"), [""; 0], "what is packed is not read");
    assert_eq!(seen[1].body, masked);
    assert_eq!(w.error().await, None);
    let p = w.newest().await.statement().predicate.clone();
    let (response, sent) = (p.response.unwrap(), p.request_body.unwrap());
    assert_eq!((response.status, sent.bytes, sent.digest), (101, 11, None));
    assert_eq!(response.redactions.iter().map(|r| r.count).sum::<u64>(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_over_several_messages_ends_the_tunnel_before_it_is_whole() {
    for size in [1, 3, 10, 15] {
        let w = world(move || {
            let mut acts = vec![accepted(), text("first")];
            acts.extend(
                CREDENTIAL.as_bytes().chunks(size).map(|piece| Act::Send(frame(0x82, piece))),
            );
            acts.extend([text("last"), close(), Act::Close]);
            acts
        })
        .await;
        let mut socket = open(&w).await;
        let mut got = String::new();
        let error = loop {
            match read(&mut socket).await {
                Ok((_, payload)) => got.push_str(&payload),
                Err(e) => break e,
            }
        };
        let leaked = got.strip_prefix("first").unwrap_or(&got);
        assert!(CREDENTIAL.starts_with(leaked) && leaked.len() < 16, "{size}: {got}");
        assert!(error.to_string().contains("several messages"), "{error}");
        assert_eq!(w.error().await.as_deref(), Some("unsearchable"), "{size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_upgrade_is_an_answer_like_any_other() {
    let w = world(|| {
        let body = format!("no, {CREDENTIAL}");
        let head = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n", body.len());
        vec![Act::Send([head, body].concat().into_bytes())]
    })
    .await;
    let reply = w.whole(talk()).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (403, "no, [redacted:symbolon]"));
    assert_eq!(w.error().await, None);
    let entries = w.broker.status().log_entries;
    let plain = RelayRequest { upgrade: false, ..talk() };
    let elsewhere = RelayRequest { path: "/things".into(), ..talk() };
    let mut old = talk();
    old.headers.insert("sec-websocket-version", "8".parse().unwrap());
    let mut other = talk();
    other.headers.insert("upgrade", "h2c".parse().unwrap());
    for request in [plain, elsewhere, old, other] {
        assert_eq!(w.relay(request).await.err().unwrap().code, "upgrade");
    }
    assert_eq!(w.broker.status().log_entries, entries, "nothing was released");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_end_of_a_tunnel_leaves_a_receipt() {
    type Case = (&'static str, &'static str, Box<dyn Fn() -> Vec<Act> + Send + Sync>);
    let bytes = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        Box::new(move || vec![accepted(), Act::Send(bytes.clone()), Act::Hang]) as Box<_>
    };
    let cases: Vec<Case> = vec![
        ("masked", "undecodable", bytes(&[0x81, 0x81, 1, 2, 3, 4, 0])),
        ("packed", "undecodable", bytes(&[0xc1, 1, b'x'])),
        ("of no kind", "undecodable", bytes(&[0x83, 1, b'x'])),
        ("goes on without a start", "undecodable", bytes(&[0x80, 1, b'x'])),
        ("starts twice", "undecodable", bytes(&[0x01, 1, b'x', 0x81, 1, b'y'])),
        ("a long ping", "undecodable", bytes(&[0x89, 126, 0, 200])),
        ("a ping in parts", "undecodable", bytes(&[0x09, 1, b'x'])),
        ("endless", "undecodable", bytes(&[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0])),
        ("silent", "upstream_timeout", bytes(&[0x81, 1, b'x'])),
        ("gone", "upstream_failed", Box::new(|| vec![accepted(), text("x"), Act::Close])),
        (
            "cut",
            "upstream_failed",
            Box::new(|| vec![accepted(), Act::Send(vec![0x81, 9, b'x']), Act::Reset]),
        ),
        (
            "long",
            "upstream_too_large",
            Box::new(|| {
                let mut acts = vec![accepted()];
                acts.extend((0..2000).map(|_| text(&"y".repeat(100))));
                acts
            }),
        ),
        (
            "a ping that tells",
            "unsearchable",
            Box::new(|| vec![accepted(), Act::Send(frame(0x89, CREDENTIAL.as_bytes())), Act::Hang]),
        ),
        (
            "a close that tells",
            "unsearchable",
            Box::new(|| vec![accepted(), Act::Send(frame(0x88, CREDENTIAL.as_bytes())), Act::Hang]),
        ),
    ];
    for (name, code, acts) in cases {
        let w = world(acts).await;
        let mut socket = open(&w).await;
        let mut all = Vec::new();
        let end = timeout(SOON, socket.read_to_end(&mut all)).await.expect("an end");
        assert!(end.is_err(), "{name}: it ended well");
        assert!(!String::from_utf8_lossy(&all).contains(&CREDENTIAL[..16]), "{name}");
        assert_eq!(w.error().await.as_deref(), Some(code), "{name}");
    }
    let w = world(|| vec![accepted(), text("x"), Act::Hang]).await;
    let mut socket = open(&w).await;
    assert_eq!(read(&mut socket).await.unwrap().1, "x");
    drop(socket);
    assert_eq!(w.error().await.as_deref(), Some("abandoned"));
    let agreed = "sec-websocket-extensions: permessage-deflate\r\n";
    let w =
        world(move || vec![Act::Send(format!("{ACCEPTED}{agreed}\r\n").into()), Act::Hang]).await;
    assert_eq!(w.relay(talk()).await.err().unwrap().code, "undecodable");
    assert_eq!(w.error().await.as_deref(), Some("undecodable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_ends_when_what_it_was_let_through_by_does() {
    for locks in [false, true] {
        let limits = RelayLimits { idle: SOON, total: SOON, ..short() };
        let acts = || vec![accepted(), text("first"), Act::Hang];
        let script: Script = Box::new(move |_| acts());
        let w = World::with(limits, "{ scheme = \"bearer\" }", "", script).await;
        let mut socket = open(&w).await;
        assert_eq!(read(&mut socket).await.unwrap().1, "first");
        let waits = timeout(Duration::from_millis(200), read(&mut socket)).await;
        assert!(waits.is_err(), "it stays open while the grant stands");
        match locks {
            true => w.broker.lock(),
            false => {
                let other = w.broker.grants().await.unwrap()[0].id + 1;
                assert!(w.broker.revoke(other).await.is_err(), "another's end is not felt");
                for grant in w.broker.grants().await.unwrap() {
                    w.broker.revoke(grant.id).await.unwrap();
                }
            }
        }
        assert!(read(&mut socket).await.is_err(), "the program sees that it is not whole");
        if locks {
            assert!(w.broker.unlock_unattended().await.unwrap());
        }
        let code = if locks { "locked" } else { "grant_ended" };
        assert_eq!(w.error().await.as_deref(), Some(code));
    }
}
