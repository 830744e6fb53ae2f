use std::{os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::{Instant, timeout},
};

use crate::http::{ServeError, ServeOptions, Serving, Tls, double::Double, serve};

async fn start(change: impl FnOnce(&mut ServeOptions)) -> (Double, Serving, oneshot::Sender<()>) {
    let double = Double::default();
    double.grant("claude", "");
    let mut options = ServeOptions::on("127.0.0.1:0".parse().unwrap());
    change(&mut options);
    let (stop, stopped) = oneshot::channel();
    let serving = serve(double.clone(), options, async { drop(stopped.await) }).await.unwrap();
    (double, serving, stop)
}

async fn connect(serving: &Serving) -> TcpStream {
    TcpStream::connect(serving.address()).await.unwrap()
}

fn request(serving: &Serving, target: &str, more: &str) -> String {
    let host = serving.address();
    format!(
        "GET {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer sym_claude\r\n{more}\r\n"
    )
}

/// Reads until the other side closes or `millis` have passed.
async fn rest(stream: &mut TcpStream, millis: u64) -> (String, bool) {
    let mut seen = Vec::new();
    let closed = timeout(Duration::from_millis(millis), async {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            seen.extend_from_slice(&buffer[..n]);
        }
    });
    let closed = closed.await.is_ok();
    (String::from_utf8_lossy(&seen).into_owned(), closed)
}

#[tokio::test]
async fn a_free_port_is_told_and_served() {
    let (_, serving, _stop) = start(|_| {}).await;
    assert_ne!(serving.address().port(), 0);
    assert_eq!(serving.url(), format!("http://{}", serving.address()));
    let mut stream = connect(&serving).await;
    for _ in 0..3 {
        stream.write_all(request(&serving, "/api/status", "").as_bytes()).await.unwrap();
        let (seen, closed) = rest(&mut stream, 100).await;
        assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
        assert!(!closed, "connections are kept");
    }
}

#[tokio::test]
async fn off_loopback_without_tls_is_refused_with_the_flags() {
    for listen in ["0.0.0.0:7070", "[::]:0", "192.0.2.1:7070"] {
        let options = ServeOptions::on(listen.parse().unwrap());
        let refused = serve(Double::default(), options, std::future::pending()).await.unwrap_err();
        assert!(matches!(refused, ServeError::NeedsTls { .. }), "{listen}");
        assert!(refused.next().contains("--tls-cert cert.pem --tls-key key.pem"), "{listen}");
    }
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let (_, serving, _stop) = start(|_| {}).await;
    let options = ServeOptions::on(serving.address());
    let refused = serve(Double::default(), options, std::future::pending()).await.unwrap_err();
    assert!(matches!(refused, ServeError::Listen { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let (_, serving, _stop) =
        start(|options| options.bounds.head = Duration::from_millis(150)).await;
    let mut stream = connect(&serving).await;
    let begun = Instant::now();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
    let (_, closed) = rest(&mut stream, 3000).await;
    assert!(closed, "the connection stayed open");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let (_, serving, _stop) =
        start(|options| options.bounds.head = Duration::from_millis(150)).await;
    let mut silent = connect(&serving).await;
    assert!(rest(&mut silent, 2000).await.1, "a connection that says nothing stayed open");
    let mut kept = connect(&serving).await;
    kept.write_all(request(&serving, "/healthz", "").as_bytes()).await.unwrap();
    let (seen, closed) = rest(&mut kept, 2000).await;
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    assert!(closed, "a connection that was answered stayed open");
}

#[tokio::test]
async fn a_slow_body_is_cut_off() {
    let (_, serving, _stop) =
        start(|options| options.bounds.body = Duration::from_millis(150)).await;
    let mut stream = connect(&serving).await;
    let head = request(&serving, "/api/call", "content-length: 10\r\n").replace("GET", "POST");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (seen, _) = rest(&mut stream, 1000).await;
    assert!(seen.starts_with("HTTP/1.1 408"), "{seen}");
}

/// Three hundred of these held 318 MB once.
#[tokio::test]
async fn without_a_key_no_byte_of_a_body_is_waited_for() {
    let (_, serving, _stop) = start(|_| {}).await;
    for key in ["", "authorization: Bearer sym_stranger\r\n"] {
        for target in ["/mcp", "/to/echo/x", "/api/call", "/api/capability/redeem", "/api/nowhere"]
        {
            let mut stream = connect(&serving).await;
            let head = format!(
                "POST {target} HTTP/1.1\r\nhost: {}\r\n{key}content-length: 1048576\r\n\r\n{{",
                serving.address()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let (seen, closed) = rest(&mut stream, 2000).await;
            assert!(seen.starts_with("HTTP/1.1 401"), "{target}: {seen}");
            assert!(seen.to_lowercase().contains("connection: close\r\n"), "{target}: {seen}");
            assert!(closed, "{target}: the connection stayed open");
        }
    }
}

#[tokio::test]
async fn bodies_that_do_not_end_are_bounded_for_an_agent() {
    let (_, serving, _stop) = start(|options| options.bounds.bodies_bytes_max = 400_000).await;
    let send = async |who: &str| {
        let mut stream = connect(&serving).await;
        let more = "content-type: application/json\r\ncontent-length: 60001\r\n";
        let head = request(&serving, "/api/call", more).replace("GET", "POST");
        let head = head.replace("sym_claude", who);
        stream.write_all(format!("{head}{}", "x".repeat(60_000)).as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream
    };
    let mut first = send("sym_claude").await;
    assert_eq!(rest(&mut first, 100).await, (String::new(), false), "it waits for the last byte");
    let (seen, closed) = rest(&mut send("sym_claude").await, 1000).await;
    assert!(seen.starts_with("HTTP/1.1 429") && closed, "{seen}");
    assert!(seen.contains("retry-after: 1"), "{seen}");
    let mut other = send("sym_cursor").await;
    assert_eq!(rest(&mut other, 100).await, (String::new(), false), "another agent has its share");
    drop(first);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut again = send("sym_claude").await;
    assert_eq!(rest(&mut again, 100).await, (String::new(), false), "the share came back");
}

#[tokio::test]
async fn one_agent_does_not_have_all_connections() {
    let (_, serving, _stop) = start(|options| options.bounds.agent_connections_max = 2).await;
    let ask = async |stream: &mut TcpStream, who: &str| {
        let asked = request(&serving, "/api/status", "").replace("sym_claude", who);
        stream.write_all(asked.as_bytes()).await.unwrap();
        rest(stream, 150).await
    };
    let (mut first, mut second) = (connect(&serving).await, connect(&serving).await);
    for stream in [&mut first, &mut second] {
        assert!(stream_ok(ask(stream, "sym_claude").await));
        assert!(stream_ok(ask(stream, "sym_claude").await));
    }
    let (seen, closed) = ask(&mut connect(&serving).await, "sym_claude").await;
    assert!(seen.starts_with("HTTP/1.1 429") && seen.contains("retry-after: 1"), "{seen}");
    assert!(closed, "a refused connection must not take a place either");
    assert!(stream_ok(ask(&mut connect(&serving).await, "sym_cursor").await));
    // A connection that speaks for another agent gives its place back.
    assert!(stream_ok(ask(&mut second, "sym_bench").await));
    assert!(stream_ok(ask(&mut connect(&serving).await, "sym_claude").await));
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(stream_ok(ask(&mut connect(&serving).await, "sym_claude").await));
}

fn stream_ok((seen, closed): (String, bool)) -> bool {
    seen.starts_with("HTTP/1.1 200") && !closed
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let (_, serving, _stop) = start(|options| options.bounds.body_bytes_max = 100).await;
    let mut stream = connect(&serving).await;
    let head =
        request(&serving, "/api/call", "transfer-encoding: chunked\r\n").replace("GET", "POST");
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("c8\r\n{}\r\n", "x".repeat(200));
    stream.write_all(chunk.as_bytes()).await.unwrap();
    let (seen, _) = rest(&mut stream, 1000).await;
    assert!(seen.starts_with("HTTP/1.1 413"), "{seen}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_and_goes_on() {
    let (double, serving, _stop) =
        start(|options| options.bounds.answer = Duration::from_millis(100)).await;
    let mut stream = connect(&serving).await;
    let body = r#"{"tool":"slow.wait"}"#;
    let more = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let head = request(&serving, "/api/call", &more).replace("GET", "POST");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let (seen, _) = rest(&mut stream, 600).await;
    assert!(seen.starts_with("HTTP/1.1 504"), "{seen}");
    drop(stream);
    double.open_gate();
    for _ in 0..100 {
        if double.receipts() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the call was dropped half way");
}

#[tokio::test]
async fn connections_above_the_bound_wait() {
    let (_, serving, _stop) = start(|options| options.bounds.connections_max = 1).await;
    let first = connect(&serving).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let mut second = connect(&serving).await;
    second.write_all(request(&serving, "/healthz", "").as_bytes()).await.unwrap();
    assert_eq!(rest(&mut second, 100).await.0, "", "it was served above the bound");
    drop(first);
    assert!(rest(&mut second, 500).await.0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_running_call_ends_before_the_server_does() {
    let (double, serving, stop) = start(|_| {}).await;
    let mut stream = connect(&serving).await;
    let body = r#"{"tool":"slow.wait"}"#;
    let more = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let head = request(&serving, "/api/call", &more).replace("GET", "POST");
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let address = serving.address();
    drop(stop);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(address).await.is_err(), "no new connections");
    double.open_gate();
    let (seen, closed) = rest(&mut stream, 2000).await;
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    assert!(closed);
    timeout(Duration::from_secs(2), serving.stopped()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let (_, serving, _stop) = start(|_| {}).await;
    for bytes in [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET / HTTP/9.9\r\n\r\n", b"nonsense\r\n\r\n"]
    {
        let mut stream = connect(&serving).await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let (seen, closed) = rest(&mut stream, 1000).await;
        assert!(closed && (seen.is_empty() || seen.starts_with("HTTP/1.1 4")), "{seen}");
    }
    let mut stream = connect(&serving).await;
    let huge = format!("x-huge: {}\r\n", "x".repeat(300_000));
    let _ = stream.write_all(request(&serving, "/healthz", &huge).as_bytes()).await;
    let (seen, _) = rest(&mut stream, 1000).await;
    assert!(seen.is_empty() || seen.starts_with("HTTP/1.1 431"), "{seen}");
}

#[tokio::test]
async fn tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let files = Tls { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let with = |files: &Tls| {
        let mut options = ServeOptions::on("127.0.0.1:0".parse().unwrap());
        options.tls = Some(files.clone());
        serve(Double::default(), options, std::future::pending())
    };
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = with(&files).await.unwrap_err();
    assert!(matches!(refused, ServeError::OpenKey { .. }), "{refused:?}");
    assert!(refused.next().starts_with("chmod 600 '"), "{}", refused.next());
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let missing = Tls { cert: folder.path().join("none.pem"), key: files.key.clone() };
    assert!(matches!(with(&missing).await.unwrap_err(), ServeError::Pem { .. }));
    let swapped = Tls { cert: files.key.clone(), key: files.key.clone() };
    assert!(matches!(with(&swapped).await.unwrap_err(), ServeError::Pem { .. }));

    let serving = with(&files).await.unwrap();
    assert!(serving.url().starts_with("https://"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, connect(&serving).await).await.unwrap();
    stream
        .write_all(request(&serving, "/healthz", "connection: close\r\n").as_bytes())
        .await
        .unwrap();
    let mut seen = String::new();
    stream.read_to_string(&mut seen).await.unwrap();
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    assert!(seen.contains("strict-transport-security: max-age=31536000"), "{seen}");
}

#[cfg(feature = "conformance")]
#[tokio::test]
async fn the_open_door_of_the_conformance_build_is_on_loopback_and_asked_for() {
    let mut options = ServeOptions::on("0.0.0.0:0".parse().unwrap());
    options.conformance = true;
    options.tls = Some(Tls { cert: "cert.pem".into(), key: "key.pem".into() });
    let refused = serve(Double::default(), options, std::future::pending()).await.unwrap_err();
    assert!(matches!(refused, ServeError::NeedsLoopback { .. }), "{refused:?}");
    for (open, status) in [(false, "401"), (true, "200")] {
        let (_, serving, _stop) = start(|options| options.conformance = open).await;
        let mut stream = connect(&serving).await;
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"0"}}}"#;
        let head = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n",
            serving.address(),
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let (seen, _) = rest(&mut stream, 300).await;
        assert!(seen.starts_with(&format!("HTTP/1.1 {status}")), "{open}: {seen}");
    }
}
