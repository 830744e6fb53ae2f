//! Whole calls over sockets: what the upstream receives, and what happens when it misbehaves.

mod wire_common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::CipherSuite;
use symbolon_broker::wire::{Armed, Client, Sent, StreamError, Target, WireError};
use symbolon_connector::inject::Slot;
use symbolon_connector::ssrf::{Allow, base_url};
use wire_common::*;

async fn get(client: &Client, target: &Target, path: &str) -> Result<Vec<u8>, WireError> {
    let armed = armed();
    let request = request(&armed, "GET", path, b"");
    let (parts, body, _) = client.send(target, armed, request).await?;
    assert_eq!(parts.status, 200);
    Ok(body.collect_bytes().await?.to_vec())
}

fn header<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .filter_map(|l| l.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)))
        .map(|(_, v)| v)
        .collect()
}

fn credential() -> &'static str {
    std::str::from_utf8(CREDENTIAL).expect("ascii")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tls_version_and_cipher_delivers_exactly_the_request() {
    use rustls::version::{TLS12, TLS13};
    let identity = Identity::make();
    for (version, suite) in [
        (&TLS13, CipherSuite::TLS13_AES_128_GCM_SHA256),
        (&TLS13, CipherSuite::TLS13_AES_256_GCM_SHA384),
        (&TLS13, CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
        (&TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        (&TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        (&TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ] {
        let tls = identity.server(version, Some(suite));
        let server = Server::start(Some(tls), |seen| ok(seen.body.as_slice())).await;
        let url = format!("https://localhost:{}", server.address.port());
        let target = target(&url, Some(identity.roots()));
        let client = client();
        for size in [0usize, 1, 5000, 16_000, 16_384, 70_000, 300_000] {
            let armed = armed();
            // The body has the placeholder in it, which stays.
            let mut body = vec![b'B'; size];
            if size >= 32 {
                body[..32].copy_from_slice(armed.placeholder.as_bytes());
            }
            let method = if size == 0 { "GET" } else { "POST" };
            let request = request(&armed, method, "/a/b?c=d", &body);
            let (parts, reply, sent) = client.send(&target, armed, request).await.expect("answer");
            assert_eq!(parts.status, 200);
            assert_eq!(reply.collect_bytes().await.expect("body"), body);
            let seen = server.heads().pop().expect("a request");
            assert_eq!(seen.body, body);
            assert!(seen.head.starts_with(&format!("{method} /a/b?c=d HTTP/1.1\r\n")));
            assert_eq!(header(&seen.head, "authorization"), [format!("Bearer {}", credential())]);
            assert_eq!(
                header(&seen.head, "host"),
                [format!("localhost:{}", server.address.port())]
            );
            assert_eq!(seen.head.matches(credential()).count(), 1);
            assert_eq!(sent, Sent { bytes: (seen.head.len() + size) as u64 }, "{suite:?} {size}");
        }
        let seen = server.heads();
        assert!(
            seen.iter().all(|s| s.connection == seen[0].connection),
            "one connection {suite:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_in_turn_and_two_hundred_at_once_over_kept_connections() {
    let identity = Identity::make();
    for tls in [None, Some(identity.server(&rustls::version::TLS13, None))] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server =
            Server::start(tls, |seen| ok(seen.head.split(' ').nth(1).expect("a path").as_bytes()))
                .await;
        let url = format!("{scheme}://127.0.0.1:{}", server.address.port());
        let target = target(&url, Some(identity.roots()));
        let client = Arc::new(client());
        for i in 0..200 {
            let path = format!("/{i}");
            assert_eq!(get(&client, &target, &path).await.expect("answer"), path.as_bytes());
        }
        assert!(server.heads().iter().all(|s| s.connection == 0), "one connection for all");
        assert_eq!(target.idle(), 1);
        let mut tasks = Vec::new();
        for i in 0..20 {
            let (client, target) = (client.clone(), target.clone());
            tasks.push(tokio::spawn(async move {
                for j in 0..10 {
                    let path = format!("/{i}/{j}");
                    assert_eq!(
                        get(&client, &target, &path).await.expect("answer"),
                        path.as_bytes()
                    );
                }
            }));
        }
        for task in tasks {
            task.await.expect("no panic");
        }
        let seen = server.heads();
        assert_eq!(seen.len(), 400);
        let want = [format!("Bearer {}", credential())];
        assert!(seen.iter().all(|s| header(&s.head, "authorization") == want));
        assert!(seen.iter().map(|s| s.connection).max() < Some(20), "connections are used again");
        target.close_idle();
        assert_eq!(target.idle(), 0);
    }
}

#[tokio::test]
async fn basic_header_and_query_slots_go_where_they_belong() {
    let server = Server::start(None, |_| ok(b"")).await;
    let target = target(&format!("http://127.0.0.1:{}", server.address.port()), None);
    let client = client();
    let opener: Arc<dyn symbolon_broker::wire::OpenCredential> = Arc::new(Plainly(CREDENTIAL));
    let key = Slot::header("X-Api-Key", "").expect("slot");
    for slot in [Slot::Basic, key, Slot::query("key").expect("slot")] {
        let armed = Armed {
            placeholder: placeholder(),
            slot: Arc::new(slot.clone()),
            opener: opener.clone(),
        };
        let p = armed.placeholder.as_str();
        let request = http::Request::builder();
        let request = match slot.carrier() {
            Some((name, prefix)) => request.uri("/x").header(name, format!("{prefix}{p}")),
            None => request.uri(format!("/x?a=1&key={p}")),
        };
        let request = request.body(Default::default()).expect("request");
        client.send(&target, armed, request).await.expect("answer");
    }
    let seen = server.heads();
    assert_eq!(header(&seen[0].head, "authorization"), [format!("Basic {}", credential())]);
    assert_eq!(header(&seen[1].head, "x-api-key"), [credential()]);
    assert!(seen[2].head.starts_with(&format!("GET /x?a=1&key={} HTTP/1.1\r\n", credential())));
}

#[tokio::test]
async fn hop_by_hop_headers_and_another_host_do_not_survive() {
    let server = Server::start(None, |_| ok(b"")).await;
    let target = target(&format!("http://127.0.0.1:{}", server.address.port()), None);
    let armed = armed();
    let mut request = request(&armed, "POST", "http://evil.test/p?q=1", b"body");
    for (name, value) in [
        ("host", "evil.test"),
        ("connection", "authorization"),
        ("transfer-encoding", "chunked"),
        ("content-length", "999"),
        ("upgrade", "websocket"),
        ("expect", "100-continue"),
        ("te", "trailers"),
    ] {
        request.headers_mut().insert(name, value.parse().expect("value"));
    }
    client().send(&target, armed, request).await.expect("answer");
    let seen = server.heads().pop().expect("seen");
    assert!(seen.head.starts_with("POST /p?q=1 HTTP/1.1\r\n"), "{}", seen.head);
    assert_eq!(seen.body, b"body");
    assert_eq!(header(&seen.head, "host"), [format!("127.0.0.1:{}", server.address.port())]);
    for name in ["connection", "transfer-encoding", "upgrade", "expect", "te"] {
        assert!(header(&seen.head, name).is_empty(), "{name}");
    }
    assert!(!seen.head.contains("evil"));
}

#[tokio::test]
async fn a_refusal_or_a_sealed_credential_that_does_not_open_leaves_nothing_at_the_upstream() {
    let identity = Identity::make();
    for tls in [
        None,
        Some(identity.server(&rustls::version::TLS13, None)),
        Some(identity.server(&rustls::version::TLS12, None)),
    ] {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Server::start(tls, |_| ok(b"")).await;
        let target = target(
            &format!("{scheme}://localhost:{}", server.address.port()),
            Some(identity.roots()),
        );
        let client = client();
        get(&client, &target, "/first").await.expect("answer");

        let broken = bearer(Arc::new(Broken));
        let error = client
            .send(&target, broken.clone(), request(&broken, "GET", "/broken", b""))
            .await
            .expect_err("it does not open");
        let WireError::Refused { source: StreamError::Open(_), released: false } = error else {
            panic!("{error:?}");
        };

        let armed = armed();
        let other = request(&wire_common::armed(), "GET", "/other", b"");
        let error = client.send(&target, armed, other).await.expect_err("another placeholder");
        assert!(
            matches!(error, WireError::Refused { source: StreamError::Inject(_), released: false }),
            "{error:?}"
        );

        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.heads().len(), 1, "nothing but the first request arrived");
        get(&client, &target, "/again").await.expect("a new connection works");
        assert_eq!(server.heads().len(), 2);
    }
}

#[tokio::test]
async fn certificates_names_and_roots_are_checked_before_anything_is_said() {
    let (identity, other) = (Identity::make(), Identity::make());
    let server =
        Server::start(Some(identity.server(&rustls::version::TLS13, None)), |_| ok(b"")).await;
    let port = server.address.port();
    let client = client();
    for roots in [None, Some(other.roots())] {
        let target = target(&format!("https://localhost:{port}"), roots);
        let error = get(&client, &target, "/").await.expect_err("unknown certificate");
        assert!(matches!(error, WireError::Tls { .. }) && !error.released(), "{error:?}");
    }
    // The right certificate, another name.
    let client = Client::with_resolver(*client.limits(), Arc::new(Fixed(vec![server.address])));
    let base = base_url(&format!("https://api.elsewhere.com:{port}"), LOOPBACK).expect("url");
    let target =
        Target::with_roots(base.authority().clone(), LOOPBACK, identity.roots()).expect("target");
    let error = get(&client, &target, "/").await.expect_err("another name");
    assert!(matches!(error, WireError::Tls { .. }), "{error:?}");
    assert!(server.heads().is_empty());
    // An upstream without TLS where TLS is wanted.
    let plain = Server::start(None, |_| ok(b"")).await;
    let target = wire_common::target(
        &format!("https://localhost:{}", plain.address.port()),
        Some(identity.roots()),
    );
    let error = get(&wire_common::client(), &target, "/").await.expect_err("no TLS there");
    assert!(!error.released(), "{error:?}");
    assert!(plain.heads().is_empty());
}

#[tokio::test]
async fn addresses_are_checked_all_of_them_and_pinned() {
    let server = Server::start(None, |_| ok(b"")).await;
    let port = server.address.port();
    let at = |ip: &str| SocketAddr::new(ip.parse().expect("ip"), 1);
    let send = async |addresses: Vec<SocketAddr>, url: &str, allow: Allow| {
        let client = Client::with_resolver(limits(), Arc::new(Fixed(addresses)));
        let base = base_url(url, Allow { loopback: true, private: true }).expect("url");
        let target = Target::new(base.authority().clone(), allow).expect("target");
        get(&client, &target, "/").await
    };
    let url = format!("https://api.example.com:{port}");
    for ip in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"]
    {
        for addresses in [vec![at(ip)], vec![at("8.8.8.8"), at(ip)], vec![at(ip), at("8.8.8.8")]] {
            let error = send(addresses, &url, Allow::default()).await.expect_err(ip);
            assert!(matches!(error, WireError::Blocked { .. }) && !error.released(), "{error:?}");
        }
    }
    let error = send(vec![], &url, Allow::default()).await.expect_err("no address");
    assert!(matches!(error, WireError::Resolve { .. }), "{error:?}");
    let error = send(vec![at("127.0.0.1")], "https://127.0.0.1", Allow::default()).await;
    assert!(matches!(error, Err(WireError::Host { .. })), "{error:?}");
    // `localhost` that resolves elsewhere does not get the credential in plain text.
    let url = format!("http://localhost:{port}");
    let error = send(vec![at("8.8.8.8")], &url, LOOPBACK).await.expect_err("plain text");
    assert!(matches!(error, WireError::Plaintext { .. }), "{error:?}");
    assert!(server.heads().is_empty());
    // The port is the target's, not the resolver's.
    send(vec![at("127.0.0.1")], &url, LOOPBACK).await.expect("answer");
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn a_name_is_resolved_once_for_a_kept_connection() {
    struct Turncoat(SocketAddr, AtomicUsize);
    impl symbolon_broker::wire::Resolver for Turncoat {
        fn resolve<'a>(&'a self, _: &'a str, port: u16) -> symbolon_broker::wire::Resolving<'a> {
            let first = self.1.fetch_add(1, Ordering::SeqCst) == 0;
            let private = SocketAddr::new("10.0.0.1".parse().expect("ip"), port);
            Box::pin(async move { Ok(vec![if first { self.0 } else { private }]) })
        }
    }
    let server = Server::start(None, |seen| {
        let (bytes, _) = ok(b"");
        (bytes, seen.head.contains("/last"))
    })
    .await;
    let resolver = Arc::new(Turncoat(server.address, AtomicUsize::new(0)));
    let client = Client::with_resolver(limits(), resolver.clone());
    let target = target(&format!("http://localhost:{}", server.address.port()), None);
    for _ in 0..5 {
        get(&client, &target, "/").await.expect("answer");
    }
    assert_eq!(resolver.1.load(Ordering::SeqCst), 1);
    get(&client, &target, "/last").await.expect("answer");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = get(&client, &target, "/").await.expect_err("it changed its mind");
    assert!(matches!(error, WireError::Blocked { .. }), "{error:?}");
}

#[tokio::test]
async fn a_slow_reader_upstream_gets_everything() {
    // The socket buffers fill, so the body and the end of the head wait for room.
    let identity = Identity::make();
    let server = Server::start(Some(identity.server(&rustls::version::TLS13, None)), |seen| {
        ok(format!("{}", seen.body.len()).as_bytes())
    })
    .await;
    let target =
        target(&format!("https://localhost:{}", server.address.port()), Some(identity.roots()));
    let client = client();
    for _ in 0..3 {
        let armed = armed();
        let body = vec![b'z'; 8 << 20];
        let post = request(&armed, "POST", "/", &body);
        let (_, reply, sent) = client.send(&target, armed, post).await.expect("answer");
        assert_eq!(reply.collect_bytes().await.expect("body"), "8388608");
        assert!(sent.bytes > 8 << 20);
    }
}
