//! Every case can fail: a gateway and proxy that inject and do not check hold almost nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use symbolon_attack::{
    Canary, Expected, Gateway, Identity, Need, Proxy, Row, Runner, Target, Upstream, Where, all,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const CANARY: &str = "cnry_ABCDEF/hijklm+opqrst&vwxyz~0123456789";
const PLACEHOLDER: &str = "symref_0000000000000000000000";

/// What a naive broker knows.
struct Naive {
    upstream: u16,
    acceptor: TlsAcceptor,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_check_holds_almost_nothing() {
    let canary = Canary::new(CANARY.into());
    let identity = Identity::make().unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let upstream = Upstream::start(any, identity, canary.clone()).await.unwrap();
    let (acceptor, ca_pem) = interception();
    let listener = TcpListener::bind(any).await.unwrap();
    let address = listener.local_addr().unwrap();
    let naive = Arc::new(Naive { upstream: upstream.port(), acceptor });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let naive = naive.clone();
            tokio::spawn(async move { naive.serve(stream).await });
        }
    });
    let gateway = Gateway {
        address,
        paths: ["attack", "named", "shut"].map(|name| format!("/to/{name}")),
        mallory: "Bearer sym_mallory".into(),
        trudy: Some("Bearer sym_trudy".into()),
        owner: None,
    };
    let proxy = Proxy {
        address,
        mallory: Some("Basic bWFsbG9yeTpw".into()),
        trudy: Some("Basic dHJ1ZHk6cA==".into()),
        ca_pem,
        placeholders: [(); 3].map(|()| PLACEHOLDER.into()),
    };
    let doors = [
        Target { gateway: Some(gateway), ..Target::default() },
        Target { proxy: Some(proxy), ..Target::default() },
    ];
    let (mut tried, mut fell, mut held) = (0, 0, Vec::new());
    for (door, target) in doors.iter().enumerate() {
        let runner = Runner::new(target, &upstream, &canary);
        // A fifth of the cases on each door: all of them take minutes.
        for mut case in all().unwrap().into_iter().skip(door).step_by(5) {
            // Slow ones wait for a limit that a naive broker has not.
            case.seconds = case.seconds.min(1);
            let row: Row = runner.run(&case).await;
            let Some(is_held) = row.held else { continue };
            if case.expected == Expected::Harmless && is_held {
                continue; // what a broker may pass, a naive one may pass too
            }
            tried += 1;
            if is_held {
                held.push(format!("{}: {}", row.case, row.observed));
            } else {
                fell += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
    assert!(fell * 10 >= tried * 7, "{fell} of {tried} fell; held:\n{}", held.join("\n"));
    // Whole classes that no broker without checks can hold.
    for class in ["echo-", "path-", "certificate-"] {
        let some: Vec<_> = held.iter().filter(|row| row.starts_with(class)).collect();
        assert!(some.len() <= 3, "{some:#?}");
    }
}

#[test]
fn what_a_target_cannot_do_is_skipped_with_the_reason() {
    let cases = all().unwrap();
    let needs = |need: Need| cases.iter().filter(|c| c.needs.contains(&need)).count();
    assert!(needs(Need::Resolver) > 5 && needs(Need::Api) > 5 && needs(Need::H2) > 3);
    assert!(cases.iter().any(|c| c.door == Where::Proxy));
}

impl Naive {
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut first = [0; 8];
        stream.peek(&mut first).await.ok()?;
        if !first.starts_with(b"CONNECT") {
            return self.forward(stream).await;
        }
        let head = head(&mut stream).await?;
        let authority = head.split(' ').nth(1)?.to_owned();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
        stream.peek(&mut first).await.ok()?;
        if first[0] != 22 {
            // Not TLS: it dials where it was told.
            let mut to = TcpStream::connect(authority).await.ok()?;
            copy_bidirectional(&mut stream, &mut to).await.ok()?;
            return Some(());
        }
        self.forward(self.acceptor.accept(stream).await.ok()?).await
    }

    /// Puts the credential wherever its placeholder or a key stands, and copies the rest.
    async fn forward<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) -> Option<()> {
        let mut bytes = head(&mut stream).await?;
        let line = bytes.lines().next()?.to_owned();
        let mut target = line.split(' ').nth(1)?.to_owned();
        for prefix in ["/to/attack", "/to/named", "/to/shut"] {
            target = target.strip_prefix(prefix).unwrap_or(&target).to_owned();
        }
        let mut port = self.upstream;
        if let Some(rest) = target.split_once("://").map(|(_, rest)| rest.to_owned()) {
            // Absolute form goes where it says.
            let authority = rest.split('/').next()?;
            port = authority.rsplit(':').next()?.parse().ok()?;
            target = rest[authority.len()..].to_owned();
        } else if let Some(host) = value(&bytes, "host:")
            && let Some(named) = host.rsplit(':').next().and_then(|p| p.parse().ok())
            && line.contains(" /read")
        {
            port = named;
        }
        let method = line.split(' ').next()?;
        bytes = bytes.replacen(&line, &format!("{method} {target} HTTP/1.1"), 1);
        bytes = bytes.replace(PLACEHOLDER, CANARY).replace("sym_mallory", CANARY);
        bytes = bytes
            .replace("sym_trudy", CANARY)
            .replace("sym_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", CANARY);
        if !bytes.contains(CANARY) {
            bytes = bytes.replacen("\r\n", &format!("\r\nAuthorization: Bearer {CANARY}\r\n"), 1);
        }
        let tcp = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let name = ServerName::try_from("localhost").ok()?;
        let tls = TlsConnector::from(Arc::new(trusting())).connect(name, tcp).await;
        let mut to: Box<dyn Both> = match tls {
            Ok(tls) => Box::new(tls),
            Err(_) => Box::new(TcpStream::connect(("127.0.0.1", port)).await.ok()?),
        };
        to.write_all(bytes.as_bytes()).await.ok()?;
        copy_bidirectional(&mut stream, &mut to).await.ok()?;
        Some(())
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}

async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find(|l| l.to_ascii_lowercase().starts_with(name)).map(|l| l[name.len()..].trim())
}

/// A certificate that the attacker's client takes for any of the names.
fn interception() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let names =
        ["localhost", "127.0.0.1", "evil.example", "named.attack.example", "shut.attack.example"];
    let leaf = CertificateParams::new(names.map(str::to_owned)).unwrap();
    let key = KeyPair::generate().unwrap();
    let chain = vec![leaf.signed_by(&key, &issuer).unwrap().der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), pem)
}

/// Takes every certificate.
fn trusting() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth()
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
