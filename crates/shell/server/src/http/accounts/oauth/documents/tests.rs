use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};
use symbolon_ambient::ManualClock;
use symbolon_broker::wire::{Resolver, Resolving, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Every name is at these addresses.
struct At(Vec<SocketAddr>);

impl Resolver for At {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// A server at `app.example` that gives this answer to all; how often it was asked.
async fn server(answer: impl FnOnce(u16) -> String) -> (u16, Roots, Arc<AtomicUsize>) {
    let made = rcgen::generate_simple_self_signed(vec!["app.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, answer) = (Arc::new(AtomicUsize::new(0)), answer(port));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, Roots::with_extra(made.cert.pem().as_bytes()).unwrap(), asked)
}

const OPEN: Allow = Allow { loopback: true, private: false };

fn documents(allow: Allow, address: &str, roots: Option<Roots>) -> Documents {
    let resolver = Arc::new(At(vec![format!("{address}:1").parse().unwrap()]));
    Documents::over(Client::with_resolver(LIMITS, resolver), allow, roots)
}

fn id(port: u16) -> ClientId {
    ClientId::parse(&format!("https://app.example:{port}/client.json")).unwrap()
}

fn answer(head: &str, body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_document_is_fetched_once_for_ten_minutes() {
    let clock = ManualClock::at(0);
    let (port, roots, asked) = server(|port| {
        let whole = json!({ "client_id": id(port).as_str(), "client_name": "An assistant",
            "redirect_uris": ["https://app.example/cb"] });
        answer("200 OK", &whole)
    })
    .await;
    let whole = documents(OPEN, "127.0.0.1", Some(roots));
    for _ in 0..3 {
        let said = whole.of(&id(port), &clock).await.unwrap();
        assert_eq!(said.name.as_deref(), Some("An assistant"));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    clock.advance_ms(600_000);
    whole.of(&id(port), &clock).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    let (port, roots, asked) = server(|_| answer("200 OK", &json!({ "client_id": "x" }))).await;
    let other = documents(OPEN, "127.0.0.1", Some(roots.clone()));
    let said = other.of(&id(port), &clock).await;
    assert!(matches!(said, Err(DocumentError::Metadata(_))), "{said:?}");
    let again = other.of(&id(port), &clock).await;
    assert!(matches!(again, Err(DocumentError::Lately)), "{again:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a failure is kept too");
    clock.advance_ms(30_000);
    assert!(matches!(other.of(&id(port), &clock).await, Err(DocumentError::Metadata(_))));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn only_a_whole_document_of_this_client_is_taken() {
    let clock = ManualClock::at(0);
    for (wanted, said) in [
        ("Status(302)", answer("302 Found\r\nlocation: https://app.example/x", &json!({}))),
        ("Status(404)", answer("404 Not Found", &json!({}))),
        ("Json", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\":1,}x".to_owned()),
        (
            "Fetch",
            "HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n".to_owned() + &"x".repeat(70_000),
        ),
        ("Metadata(Shape", answer("200 OK", &json!([]))),
    ] {
        let (port, roots, _) = server(|_| said).await;
        let got = documents(OPEN, "127.0.0.1", Some(roots)).of(&id(port), &clock).await;
        assert!(format!("{:?}", got.as_ref().unwrap_err()).starts_with(wanted), "{got:?}");
    }
}

#[tokio::test]
async fn nothing_inside_is_asked_and_no_certificate_of_nobody_is_believed() {
    let clock = ManualClock::at(0);
    let (port, roots, asked) = server(|_| answer("200 OK", &json!({}))).await;
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
    ] {
        let said =
            documents(Allow::default(), address, Some(roots.clone())).of(&id(port), &clock).await;
        let blocked =
            matches!(said, Err(DocumentError::Fetch(PostError::Wire(WireError::Blocked { .. }))));
        assert!(blocked, "{address}: {said:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing was connected to");
    let said = documents(OPEN, "127.0.0.1", None).of(&id(port), &clock).await;
    let untrusted =
        matches!(said, Err(DocumentError::Fetch(PostError::Wire(WireError::Tls { .. }))));
    assert!(untrusted, "{said:?}");
}
