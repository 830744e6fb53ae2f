//! Calls to upstreams that close, hang or say too much.

mod wire_common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use symbolon_broker::wire::{Client, Limits, Phase, Target, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire_common::*;

async fn get(client: &Client, target: &Target, path: &str) -> Result<Vec<u8>, WireError> {
    let armed = armed();
    let request = request(&armed, "GET", path, b"");
    let (parts, body, _) = client.send(target, armed, request).await?;
    assert_eq!(parts.status, 200);
    Ok(body.collect_bytes().await?.to_vec())
}

#[tokio::test]
async fn a_stale_connection_is_seen_before_use_even_for_a_post() {
    let server = Server::start(None, |seen| {
        let (bytes, _) = ok(b"");
        (bytes, seen.head.contains("/close"))
    })
    .await;
    let target = target(&format!("http://127.0.0.1:{}", server.address.port()), None);
    let client = client();
    for round in 0..5 {
        get(&client, &target, "/close").await.expect("answer");
        tokio::time::sleep(Duration::from_millis(30)).await;
        let armed = armed();
        let post = request(&armed, "POST", "/post", b"once");
        client.send(&target, armed, post).await.expect("a new connection");
        let posts = server.heads().iter().filter(|s| s.head.starts_with("POST")).count();
        assert_eq!(posts, round + 1);
    }
}

#[tokio::test]
async fn what_was_written_is_never_sent_again() {
    // The second request on a connection is read and then answered by a reset.
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = reads.clone();
    let address = raw_server(move |mut tcp| {
        let reads = counted.clone();
        async move {
            let mut buffer = [0; 4096];
            for turn in 0.. {
                if tcp.read(&mut buffer).await.unwrap_or(0) == 0 {
                    return;
                }
                reads.fetch_add(1, Ordering::SeqCst);
                if turn == 1 {
                    return; // dropped
                }
                let _ = tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    })
    .await;
    let target = target(&format!("http://127.0.0.1:{}", address.port()), None);
    let client = client();
    get(&client, &target, "/").await.expect("answer");
    let error = get(&client, &target, "/").await.expect_err("dropped");
    assert!(matches!(error, WireError::Reset { released: true, .. }), "{error:?}");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(reads.load(Ordering::SeqCst), 2, "no replay, not even of a GET");
}

#[tokio::test]
async fn upstreams_that_misbehave_end_in_their_own_error() {
    enum Expect {
        Reset,
        Protocol,
        Head,
        TooLarge,
        Timeout(Phase),
    }
    let endless_headers = "HTTP/1.1 200 OK\r\n".to_owned()
        + &"x-a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"
            .repeat(90_000);
    let long_header = format!("HTTP/1.1 200 OK\r\nx-a: {}", "b".repeat(3 << 20));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000);
    let huge = format!("HTTP/1.1 200 OK\r\n\r\n{}", "b".repeat(3 << 20));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
        + &format!("10000\r\n{}\r\n", "b".repeat(0x10000)).repeat(40);
    for (what, say, then_hang, expect) in [
        ("nothing", "", true, Expect::Timeout(Phase::Head)),
        ("half a head", "HTTP/1.1 200 OK\r\ncont", true, Expect::Timeout(Phase::Head)),
        ("interim answers for ever", &interim, true, Expect::Timeout(Phase::Head)),
        ("an end at once", "", false, Expect::Reset),
        ("an end in the head", "HTTP/1.1 200 OK\r\n", false, Expect::Reset),
        (
            "an end in the body",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
            false,
            Expect::Reset,
        ),
        (
            "a body that stops",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
            true,
            Expect::Timeout(Phase::Body),
        ),
        ("not HTTP", "SSH-2.0-OpenSSH_9.9\r\n\r\n", false, Expect::Protocol),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            false,
            Expect::Protocol,
        ),
        ("headers for ever", &endless_headers, true, Expect::Head),
        ("a header for ever", &long_header, true, Expect::Head),
        (
            "a declared huge body",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\nabc",
            true,
            Expect::TooLarge,
        ),
        ("a huge body until the end", &huge, false, Expect::TooLarge),
        ("a huge chunked body", &chunked, true, Expect::TooLarge),
    ] {
        let say = Arc::new(say.to_owned());
        let address = raw_server(move |mut tcp| {
            let say = say.clone();
            async move {
                let mut buffer = [0; 4096];
                let _ = tcp.read(&mut buffer).await;
                let _ = tcp.write_all(say.as_bytes()).await;
                if then_hang {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        })
        .await;
        let target = target(&format!("http://127.0.0.1:{}", address.port()), None);
        let start = Instant::now();
        let error = get(&Client::new(limits()), &target, "/").await.expect_err(what);
        assert!(start.elapsed() < Duration::from_secs(2), "{what} took {:?}", start.elapsed());
        assert!(error.released(), "{what}: the credential had gone out");
        let fits = match expect {
            Expect::Reset => matches!(error, WireError::Reset { .. }),
            Expect::Protocol => matches!(error, WireError::Protocol { .. }),
            Expect::Head => matches!(error, WireError::HeadTooLarge { .. }),
            Expect::TooLarge => matches!(error, WireError::BodyTooLarge { limit_bytes: 1_048_576 }),
            Expect::Timeout(wanted) => {
                matches!(error, WireError::Timeout { phase, .. } if phase == wanted)
            }
        };
        assert!(fits, "{what}: {error:?}");
        assert_eq!(target.idle(), 0, "{what}: the connection is not kept");
    }
}

#[tokio::test]
async fn upstreams_that_never_get_so_far_cost_no_credential() {
    // Nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = listener.local_addr().expect("address").port();
    drop(listener);
    let closed = target(&format!("http://127.0.0.1:{port}"), None);
    let error = get(&Client::new(limits()), &closed, "/").await.expect_err("closed");
    assert!(matches!(error, WireError::Connect { .. }) && !error.released(), "{error:?}");
    // A TLS handshake that hangs.
    let address = raw_server(|tcp| async move {
        tokio::time::sleep(Duration::from_secs(9)).await;
        drop(tcp);
    })
    .await;
    let limits = Limits { connect: Duration::from_millis(200), ..limits() };
    let hung =
        target(&format!("https://127.0.0.1:{}", address.port()), Some(Identity::make().roots()));
    let error = get(&Client::new(limits), &hung, "/").await.expect_err("hung");
    assert!(
        matches!(error, WireError::Timeout { phase: Phase::Tls, released: false }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_dropped_early_closes_its_connection() {
    let server = Server::start(None, |_| ok(&vec![b'x'; 500_000])).await;
    let target = target(&format!("http://127.0.0.1:{}", server.address.port()), None);
    let client = client();
    for round in 0..3 {
        let armed = armed();
        let get = request(&armed, "GET", "/", b"");
        let (_, body, _) = client.send(&target, armed, get).await.expect("answer");
        drop(body);
        assert_eq!(target.idle(), 0);
        assert_eq!(server.heads().last().map(|s| s.connection), Some(round));
    }
}
