//! A program's requests through the broker: what the upstream gets, what the program gets back, and
//! that every way out leaves a receipt.

mod relay_common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use relay_common::*;
use symbolon_broker::{RelayLimits, RelayRequest};
use symbolon_receipt::{Outcome, Salt};
use tokio::sync::Notify;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_headers_go_on_and_no_other_credential_or_meaning_does() {
    let w = World::new(|_| answer("{}")).await;
    let headers = [
        ("authorization", "Bearer symref_placeholder"),
        ("cookie", "session=mine"),
        ("user-agent", "git/2.39"),
        ("accept", "text/plain"),
        ("accept-encoding", "br, gzip"),
        ("x-custom", "one"),
        ("x-custom", "two"),
        ("x-shop-version", "3"),
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("proxy-authorization", "Basic secret-of-the-proxy"),
        ("upgrade", "h2c"),
        ("host", "evil.example"),
        ("x-http-method-override", "DELETE"),
        ("x-http_method_override", "DELETE"),
        ("x-original-url", "/admin"),
        ("x-forwarded-host", "evil.example"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-md5", "of other bytes"),
        ("expect", "100-continue"),
    ];
    let reply = w.whole(request("POST", "/things?q=", &headers, b"{ \"name\" : \"a\" }")).await;
    assert_eq!(reply.err().map(|e| e.code), Some("invalid_arguments".into()), "no such parameter");
    let reply =
        w.whole(request("POST", "/things", &headers, b"{ \"name\" : \"a\" }")).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
    let seen = w.last_seen();
    assert!(seen.head.starts_with("POST /things HTTP/1.1\r\n"), "{}", seen.head);
    assert_eq!(seen.header("authorization"), [format!("Bearer {CREDENTIAL}")]);
    assert_eq!(seen.header("host"), [format!("localhost:{}", w.port)]);
    assert_eq!(seen.header("user-agent"), ["git/2.39"]);
    assert_eq!(seen.header("accept"), ["text/plain"]);
    assert_eq!(seen.header("x-custom"), ["one", "two"]);
    assert_eq!(seen.header("x-shop-version"), ["3"], "the program's own where it has one");
    assert_eq!(seen.header("content-type"), ["application/json"]);
    assert_eq!(seen.body, br#"{"name":"a"}"#, "built from what was checked");
    for name in [
        "cookie",
        "x-hop",
        "te",
        "transfer-encoding",
        "proxy-authorization",
        "upgrade",
        "expect",
        "x-http-method-override",
        "x-http_method_override",
        "x-original-url",
        "x-forwarded-host",
        "content-md5",
        "connection",
    ] {
        assert_eq!(seen.header(name), [""; 0], "{name} stays");
    }
    let receipt = w.newest().await;
    let p = &receipt.statement().predicate;
    assert_eq!((p.decision.outcome, &*p.tool), (Outcome::Allowed, "shop.things.add"));
    assert_eq!(p.response.as_ref().unwrap().bytes_out, 2);
    assert!(p.request_body.is_none(), "its digest is in the request's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_the_query_replaces_the_programs_placeholder_below_a_prefix() {
    let auth = "{ scheme = \"query\", name = \"api_key\" }";
    let script = Box::new(|_: &Seen| answer("{}"));
    let w = World::with(RelayLimits::default(), auth, "/api/v3", script).await;
    let path = "/api/v3/things?api%5Fkey=symref_x&q=a%20b&api_key=symref_x";
    assert_eq!(w.whole(get(path)).await.unwrap().status, 200);
    let seen = w.last_seen();
    let line = format!("GET /api/v3/things?q=a%20b&api_key={CREDENTIAL} HTTP/1.1");
    assert_eq!(seen.head.lines().next(), Some(&*line));
    for path in ["/things", "/api/v3", "/api/v33/things", "/api/v3/../v3/things", "/other/things"] {
        let e = w.whole(get(path)).await.err().unwrap();
        assert!(["not_listed", "path"].contains(&e.code.as_str()), "{path}: {}", e.code);
    }
    assert_eq!(w.requests(), 1, "what is refused never left");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_as_they_come() {
    let next = Arc::new(Notify::new());
    let gate = next.clone();
    let w = World::new(move |_| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let event = |n: u32| Act::Send(format!("data: {n}\n\n").into_bytes());
        vec![
            Act::Send(head.into()),
            event(1),
            Act::Wait(gate.clone()),
            event(2),
            Act::Wait(gate.clone()),
            event(3),
            Act::Close,
        ]
    })
    .await;
    let mut reply = w.relay(get("/things")).await.unwrap();
    assert_eq!(reply.headers["content-type"], "text/event-stream");
    for n in 1..=3 {
        let mut text = Vec::new();
        let want = format!("data: {n}\n\n");
        while text.len() < want.len() {
            let frame = timeout(SOON, reply.body.frame()).await.expect("the event is not held");
            text.extend_from_slice(&frame.unwrap().unwrap().into_data().unwrap());
        }
        assert_eq!(text, want.as_bytes());
        next.notify_one();
    }
    assert!(reply.body.frame().await.is_none());
    assert_eq!(w.error().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn echoes_are_taken_out_of_head_body_and_trailers_wherever_they_are_cut() {
    let text = format!("before {CREDENTIAL} after");
    for cut in [8, 15, 30, 6 + CREDENTIAL.len()] {
        let body = text.clone();
        let w = World::new(move |_| {
            let (a, b) = body.as_bytes().split_at(cut);
            let (b, c) = b.split_at(1);
            let trailers = format!("x-last: {CREDENTIAL}\r\nx-sum: 7\r\nset-cookie: a=b\r\n");
            let mut acts = chunked(&[a, b, c], &trailers);
            let head = format!(
                "HTTP/1.1 200 OK\r\nx-echo: see {CREDENTIAL}\r\nlocation: https://a.example/?t={CREDENTIAL}\r\n\
                 set-cookie: session=minted\r\nconnection: x-mine\r\nx-mine: 1\r\ncontent-type: text/plain\r\n\
                 transfer-encoding: chunked\r\n\r\n"
            );
            acts[0] = Act::Send(head.into_bytes());
            acts
        })
        .await;
        let reply = w.whole(get("/things")).await.unwrap();
        assert_eq!(reply.body, "before [redacted:symbolon] after", "cut at {cut}");
        assert_eq!(reply.headers["x-echo"], "see [redacted:symbolon]");
        assert_eq!(reply.headers["location"], "https://a.example/?t=[redacted:symbolon]");
        for name in ["set-cookie", "x-mine", "transfer-encoding", "connection"] {
            assert!(!reply.headers.contains_key(name), "{name}");
        }
        assert_eq!(reply.trailers["x-last"], "[redacted:symbolon]");
        assert_eq!(reply.trailers["x-sum"], "7");
        assert!(!reply.trailers.contains_key("set-cookie"));
        let receipt = w.newest().await;
        let response = receipt.statement().predicate.response.clone().unwrap();
        let raw: u64 =
            response.redactions.iter().filter(|r| r.form == "raw").map(|r| r.count).sum();
        assert_eq!((raw, response.bytes_in), (4, text.len() as u64));
        assert_eq!(response.bytes_out, reply.body.len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_and_bodiless_answers_pass_as_they_are() {
    let w = World::new(|seen| {
        vec![Act::Send(match seen.head.split(' ').next() {
            Some("HEAD") => b"HTTP/1.1 200 OK\r\ncontent-length: 4321\r\n\r\n".to_vec(),
            _ => b"HTTP/1.1 307 Temporary Redirect\r\nlocation: https://other.example/x\r\ncontent-length: 0\r\n\r\n".to_vec(),
        })]
    })
    .await;
    let reply = w.whole(get("/things")).await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (307, ""));
    assert_eq!(reply.headers["location"], "https://other.example/x");
    let reply = w.whole(request("HEAD", "/things", &[], b"")).await.unwrap();
    assert_eq!((reply.status, &reply.headers["content-length"]), (200, &"4321".parse().unwrap()));
    assert_eq!(w.requests(), 2, "nobody followed");
    assert_eq!(w.error().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_way_out_leaves_a_receipt() {
    let head = |more: &str| Act::Send(format!("HTTP/1.1 200 OK\r\n{more}\r\n").into_bytes());
    type Case = (&'static str, &'static str, Box<dyn Fn() -> Vec<Act> + Send + Sync>);
    let big = || vec![b'x'; 150_000];
    let cases: Vec<Case> = vec![
        ("closes without an answer", "upstream_failed", Box::new(|| vec![Act::Close])),
        ("resets", "upstream_failed", Box::new(|| vec![Act::Reset])),
        ("says nothing", "upstream_timeout", Box::new(|| vec![Act::Hang])),
        (
            "closes mid-body",
            "upstream_failed",
            Box::new(move || {
                vec![head("content-length: 100\r\n"), Act::Send(b"some\n".to_vec()), Act::Close]
            }),
        ),
        (
            "resets mid-chunk",
            "upstream_failed",
            Box::new(move || {
                vec![
                    head("transfer-encoding: chunked\r\n"),
                    Act::Send(b"9\r\nsome\n".to_vec()),
                    Act::Reset,
                ]
            }),
        ),
        (
            "hangs mid-body",
            "upstream_timeout",
            Box::new(move || {
                vec![head("content-length: 100\r\n"), Act::Send(b"some\n".to_vec()), Act::Hang]
            }),
        ),
        (
            "is too long and says so",
            "upstream_too_large",
            Box::new(move || vec![head("content-length: 150000\r\n"), Act::Send(big())]),
        ),
        (
            "is too long and does not say so",
            "upstream_too_large",
            Box::new(move || vec![head(""), Act::Send(big()), Act::Close]),
        ),
        (
            "is no HTTP",
            "upstream_failed",
            Box::new(|| vec![Act::Send(b"SSH-2.0\r\n\r\n".to_vec())]),
        ),
        (
            "has a huge head",
            "upstream_too_large",
            Box::new(move || vec![head(&format!("x: {}\r\n", "y".repeat(100_000)))]),
        ),
        (
            "changes the protocol",
            "undecodable",
            Box::new(|| {
                vec![Act::Send(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec())]
            }),
        ),
        (
            "spells it out",
            "unsearchable",
            Box::new(move || {
                vec![
                    head("content-length: 90000\r\n"),
                    Act::Send(CREDENTIAL.repeat(2090).into_bytes()),
                ]
            }),
        ),
    ];
    for (name, code, acts) in cases {
        let w =
            World::with(short(), "{ scheme = \"bearer\" }", "", Box::new(move |_| acts())).await;
        let outcome = timeout(SOON, w.whole(get("/things"))).await.expect("an end");
        let e = outcome.err().unwrap_or_else(|| panic!("{name}: it went well"));
        assert_eq!(e.code, code, "{name}: {e}");
        assert_eq!(w.error().await.as_deref(), Some(code), "{name}");
        assert!(e.receipt.is_some(), "{name}");
        let p = w.newest().await;
        assert!(p.statement().predicate.times.released.is_some(), "{name}: it was released");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_goes_away_leaves_a_receipt() {
    let w = World::new(|_| {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome of it.\n";
        vec![Act::Send(head.into()), Act::Hang]
    })
    .await;
    let mut reply = w.relay(get("/things")).await.unwrap();
    let data = reply.body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(&data[..], b"some of it.\n");
    drop(reply);
    assert_eq!(w.error().await.as_deref(), Some("abandoned"));
    let receipt = w.newest().await;
    let response = receipt.statement().predicate.response.clone().unwrap();
    assert_eq!((response.status, response.bytes_in, response.bytes_out), (200, 12, 12));
    // And one that does not even wait for the head.
    let w = World::new(|_| vec![Act::Hang]).await;
    let relayed = timeout(Duration::from_millis(500), w.relay(get("/things"))).await;
    assert!(relayed.is_err() && w.requests() == 1);
    assert_eq!(w.error().await.as_deref(), Some("abandoned"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_slow_broken_or_too_many_is_refused_before_anything_is_released() {
    let next = Arc::new(Notify::new());
    let gate = next.clone();
    let script = Box::new(move |_: &Seen| {
        [vec![Act::Wait(gate.clone())], answer("{}")].into_iter().flatten().collect()
    });
    let w = World::with(short(), "{ scheme = \"bearer\" }", "", script).await;
    let json = [("content-type", "application/json")];
    let entries = w.broker.status().log_entries;
    let refused = async |request: RelayRequest| w.whole(request).await.err().expect("refused");
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(10_000));
    let e = refused(request("POST", "/things", &json, long.as_bytes())).await;
    assert_eq!((e.code.as_str(), e.http_status), ("too_large", 413));
    let (send, body) = piecewise();
    let feed = tokio::spawn(async move {
        for _ in 0..200 {
            if send.send(Ok(Bytes::from_static(&[b'x'; 100]))).await.is_err() {
                return;
            }
        }
    });
    let e = refused(RelayRequest { body, ..request("POST", "/things", &json, b"") }).await;
    assert_eq!((e.code.as_str(), e.http_status), ("too_large", 413), "without a length too");
    feed.await.unwrap();
    let (send, body) = piecewise();
    send.send(Ok(Bytes::from_static(b"{"))).await.unwrap();
    let e = refused(RelayRequest { body, ..request("POST", "/things", &json, b"") }).await;
    assert_eq!((e.code.as_str(), e.http_status), ("slow_body", 408));
    let (send, body) = piecewise();
    send.send(Err(std::io::ErrorKind::ConnectionReset.into())).await.unwrap();
    let e = refused(RelayRequest { body, ..request("POST", "/things", &json, b"") }).await;
    assert_eq!(e.code, "broken_body");
    let zipped = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let e = refused(request("POST", "/things", &zipped, b"{\"name\":\"a\"}")).await;
    assert_eq!((e.code.as_str(), e.http_status), ("content_encoding", 415));
    let long = "y".repeat(13_000);
    let e = refused(request("GET", "/things", &[("x-long", &long)], b"")).await;
    assert_eq!((e.code.as_str(), e.http_status), ("headers_too_large", 431));
    let e = refused(RelayRequest { connection: "other".into(), ..get("/things") }).await;
    assert_eq!(e.code, "no_connection");
    let e = refused(get("/unlisted")).await;
    assert_eq!(e.code, "not_listed");
    assert_eq!((w.requests(), w.broker.status().log_entries), (0, entries));
    let e = refused(request("DELETE", "/things/1", &[], b"")).await;
    assert!(e.code == "no_grant" && e.receipt.is_some(), "a gate's refusal has a receipt");

    // Three of one agent at once, and a place again when one is over.
    let w = Arc::new(w);
    let three: Vec<_> = (0..3)
        .map(|_| {
            let w = w.clone();
            tokio::spawn(async move { w.whole(get("/things")).await.map(|r| r.status) })
        })
        .collect();
    while w.requests() < 3 {
        tokio::task::yield_now().await;
    }
    let e = w.whole(get("/things")).await.err().expect("refused");
    assert_eq!((e.code.as_str(), e.http_status), ("too_many_relays", 429));
    next.notify_waiters();
    for one in three {
        one.await.unwrap().unwrap();
    }
    next.notify_one();
    assert_eq!(w.whole(get("/things")).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_goes_out_as_it_came_and_its_encoding_with_it() {
    let w = World::new(|_| answer("pack")).await;
    let headers = [
        ("content-type", "application/x-pack"),
        ("content-encoding", "gzip"),
        ("git-protocol", "version=2"),
    ];
    let bytes = b"\x1f\x8b\x08 not looked into \0\xff";
    assert_eq!(w.whole(request("POST", "/packs", &headers, bytes)).await.unwrap().body, "pack");
    let seen = w.last_seen();
    assert_eq!(seen.body, bytes);
    assert_eq!(seen.header("content-encoding"), ["gzip"]);
    assert_eq!(seen.header("git-protocol"), ["version=2"]);
    let other = [("content-type", "application/json")];
    let e = w.whole(request("POST", "/packs", &other, bytes)).await.err().unwrap();
    assert_eq!(e.code, "invalid_arguments", "{e}");
    let big = vec![0; 9 << 20];
    let e = w.whole(request("POST", "/packs", &headers, &big)).await.err().unwrap();
    assert_eq!((e.code.as_str(), e.http_status, w.requests()), ("too_large", 413, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_streams_and_the_receipt_has_its_digest() {
    let w = World::new(|seen| answer(&format!("{} {}", seen.body.len(), seen.whole))).await;
    let (send, body) = piecewise();
    let feed = tokio::spawn(async move {
        for piece in 0..400u32 {
            let bytes = piece.to_be_bytes().repeat(25_000);
            send.send(Ok(bytes.into())).await.unwrap();
        }
    });
    let headers = [("content-type", "application/octet-stream")];
    let request = RelayRequest { body, ..request("PUT", "/packs", &headers, b"") };
    let reply = w.whole(request).await.unwrap();
    assert_eq!(reply.body, "40000000 true", "five times what is held in memory");
    feed.await.unwrap();
    let seen = w.last_seen();
    assert_eq!(seen.header("content-type"), ["application/octet-stream"]);
    let p = w.newest().await.statement().predicate.clone();
    let sent = p.request_body.expect("what left");
    assert_eq!(sent.bytes, 40_000_000);
    // The salt is the vault's: nobody confirms a guess with the plain digest.
    let plain = symbolon_crypto::sha256(&seen.body);
    assert_ne!(sent.digest, Some(plain));
    assert_ne!(sent.digest, Some(Salt::from_bytes([0; 32]).body(&plain)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_or_is_too_long_ends_with_a_receipt() {
    for (name, code) in [("breaks off", "program_gone"), ("is too long", "too_large")] {
        let script =
            Box::new(|seen: &Seen| if seen.whole { answer("all of it") } else { vec![Act::Hang] });
        let w = World::with(short(), "{ scheme = \"bearer\" }", "", script).await;
        let (send, body) = piecewise();
        let feed = tokio::spawn(async move {
            for piece in 0..100 {
                let bytes = Bytes::from_static(&[7; 100_000]);
                let failed = name == "breaks off" && piece == 20;
                let one =
                    if failed { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes) };
                if send.send(one).await.is_err() {
                    return;
                }
            }
        });
        let one = RelayRequest { body, ..request("PUT", "/packs", &[], b"") };
        let e = timeout(SOON, w.whole(one)).await.expect("an end").err().expect("no answer");
        feed.await.unwrap();
        assert_eq!(e.code, code, "{name}: {e}");
        assert_eq!(w.error().await.as_deref(), Some(code), "{name}");
        let sent = w.newest().await.statement().predicate.request_body.expect("what left");
        assert_eq!(sent.bytes, if name == "breaks off" { 2_000_000 } else { 5_000_000 });
        assert!(w.seen.lock().unwrap().iter().all(|s| !s.whole), "never a whole body");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_used_again_unless_they_saw_an_echo() {
    let w =
        World::new(|seen| answer(if seen.head.contains("q=echo") { CREDENTIAL } else { "fine" }))
            .await;
    for path in ["/things", "/things", "/things?q=echo", "/things"] {
        let reply = w.whole(get(path)).await.unwrap();
        assert!(!reply.body.contains("canary"));
    }
    assert_eq!(w.error().await, None);
    let out = w.broker.metrics();
    assert!(out.contains("symbolon_calls_total{outcome=\"answered\"} 4"), "{out}");
    assert!(out.contains("symbolon_redactions_total 1"), "{out}");
}
