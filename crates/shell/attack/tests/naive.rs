//! Every case can fail: a gateway and proxy that inject and do not check hold almost nothing.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use symbolon_attack::{
    Canary, Case, Gateway, Identity, Inside, Need, Proxy, Row, Runner, Target, Upstream, Where, all,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const CANARY: &str = "cnry_ABCDEF/hijklm+opqrst&vwxyz~0123456789";
const PLACEHOLDERS: [&str; 3] = [
    "symref_0000000000000000000000",
    "symref_1111111111111111111111",
    "symref_2222222222222222222222",
];

/// Tried side by side, each with an upstream of its own: most of a case is waiting.
const WORKERS: usize = 12;

/// What a naive broker knows.
struct Naive {
    upstream: u16,
    acceptor: TlsAcceptor,
    names: Arc<Names>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_check_falls_at_most_of_all_cases() {
    let cases = all().unwrap();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let share: Vec<_> = cases.iter().skip(worker).step_by(WORKERS).cloned().collect();
        workers.spawn(async move { attack(share).await });
    }
    let rows: Vec<Row> = workers.join_all().await.into_iter().flatten().collect();
    assert_eq!(rows.len(), cases.len());
    let fell: Vec<_> = rows.iter().filter(|row| shows_a_fault(row)).collect();
    let shown = |row: &Row| format!("{} ({}): {}", row.case, row.expected, row.observed);
    let rest: Vec<_> = rows.iter().filter(|row| !shows_a_fault(row)).map(shown).collect();
    println!("{} of {} fell; the rest:\n{}", fell.len(), cases.len(), rest.join("\n"));
    // Whether a case can fail is known of so many.
    assert!(fell.len() * 10 >= cases.len() * 6, "{} of {} fell", fell.len(), cases.len());
    // Whole classes that no broker without checks can hold.
    for class in ["echo", "path", "placeholder", "swap", "rebinding", "certificate"] {
        let in_class = rows.iter().filter(|row| row.class == class);
        let (all, fell) = in_class
            .fold((0, 0), |(all, fell), row| (all + 1, fell + usize::from(shows_a_fault(row))));
        assert!(fell * 10 >= all * 7, "{class}: {fell} of {all} fell");
    }
}

/// Whether what was seen is what the case is there to see: a case whose preparation failed, or whose
/// target ended, shows nothing.
fn shows_a_fault(row: &Row) -> bool {
    let faults = [
        "the credential",
        "reached the upstream",
        "copies succeeded",
        "not refused",
        ": released (",
    ];
    row.held == Some(false) && faults.iter().any(|fault| row.observed.contains(fault))
}

/// Runs these cases against a naive broker, at both of its doors.
async fn attack(cases: Vec<Case>) -> Vec<Row> {
    let canary = Canary::new(CANARY.into());
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let upstream = Upstream::start(any, Identity::make().unwrap(), canary.clone()).await.unwrap();
    let (acceptor, ca_pem) = interception();
    let listener = TcpListener::bind(any).await.unwrap();
    let address = listener.local_addr().unwrap();
    let names = Arc::new(Names::default());
    let naive = Arc::new(Naive { upstream: upstream.port(), acceptor, names: names.clone() });
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
        placeholders: PLACEHOLDERS.map(str::to_owned),
    };
    let target = Target {
        gateway: Some(gateway),
        proxy: Some(proxy),
        inside: Some(Box::new(Inner(names, AtomicU64::new(0)))),
        ..Target::default()
    };
    let runner = Runner::new(&target, &upstream, &canary);
    let mut rows = Vec::new();
    for mut case in cases {
        // Slow ones wait for a limit that a naive broker has not.
        case.seconds = case.seconds.min(2);
        rows.push(runner.run(&case).await);
    }
    rows
}

/// What a name resolves to, as the case at hand says.
#[derive(Default)]
struct Names(Mutex<VecDeque<Vec<IpAddr>>>);

impl Names {
    /// Where a connection goes. Every address but 127.0.0.1 is somebody else's: the decoy's.
    fn next(&self) -> Ipv4Addr {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        match answer.as_deref() {
            None | Some([]) => Ipv4Addr::LOCALHOST,
            Some([first, ..]) if *first == IpAddr::from(Ipv4Addr::LOCALHOST) => Ipv4Addr::LOCALHOST,
            Some(_) => Ipv4Addr::new(127, 0, 0, 2),
        }
    }
}

/// A resolver, and a log in which everything is written that one may ask for.
struct Inner(Arc<Names>, AtomicU64);

impl Inside for Inner {
    fn resolve(&self, answers: &[Vec<IpAddr>]) {
        *self.0.0.lock().unwrap() = answers.to_vec().into();
    }

    fn ledger(&self) -> (u64, u64) {
        (self.1.fetch_add(1 << 20, Ordering::Relaxed), 0)
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
        for placeholder in PLACEHOLDERS {
            bytes = bytes.replace(placeholder, CANARY);
        }
        bytes = bytes.replace("sym_mallory", CANARY);
        bytes = bytes
            .replace("sym_trudy", CANARY)
            .replace("sym_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", CANARY);
        if !bytes.contains(CANARY) {
            bytes = bytes.replacen("\r\n", &format!("\r\nAuthorization: Bearer {CANARY}\r\n"), 1);
        }
        let ip = self.names.next();
        let tcp = TcpStream::connect((ip, port)).await.ok()?;
        let name = ServerName::try_from("localhost").ok()?;
        let tls = TlsConnector::from(Arc::new(trusting())).connect(name, tcp).await;
        let mut to: Box<dyn Both> = match tls {
            Ok(tls) => Box::new(tls),
            Err(_) => Box::new(TcpStream::connect((ip, port)).await.ok()?),
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
