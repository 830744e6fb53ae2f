//! A program behind a proxy: `CONNECT`, TLS to whom the proxy shows, then requests.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::child::THING;
use crate::exchange::{Asked, drive};
use crate::meter::Meter;
use crate::{BenchError, Options, Row};

/// A way to the upstream on `localhost`.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) port: u16,
    pub(super) via: Option<Via>,
    /// Who may vouch for `localhost`.
    pub(super) ca_pem: String,
    /// The bearer credential, or what stands for it.
    pub(super) credential: String,
    /// Whose processor time is counted.
    pub(super) pid: u32,
    pub(super) kept: &'static str,
}

/// A proxy, and `USER:PASSWORD` where it wants one.
pub(super) struct Via {
    pub(super) proxy: SocketAddr,
    pub(super) password: Option<String>,
}

impl Case {
    /// Times `usual` requests, or as many as the options say, over `slots` connections whose
    /// handshakes are over, after a tenth as many that are not timed.
    pub(super) fn measure(
        &self,
        slots: usize,
        usual: usize,
        options: &Options,
    ) -> Result<Row, BenchError> {
        let count = options.iterations.unwrap_or(usual);
        let request = format!(
            "GET /thing HTTP/1.1\r\nhost: localhost:{}\r\nauthorization: Bearer {}\r\n\r\n",
            self.port, self.credential
        );
        let asked = Arc::new(Asked { request, body: THING });
        // One thread drives, so that it costs every case the same.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let warm = self.connect(slots).await?;
            drive(warm, asked.clone(), (count / 10).max(slots), None).await?;
            let streams = self.connect(slots).await?;
            let meter = Arc::new(Meter::start(self.pid));
            let correct = drive(streams, asked, count, Some(meter.clone())).await?;
            Ok(meter.row("proxy", self.name, slots, self.kept, correct))
        })
    }

    async fn connect(&self, slots: usize) -> Result<Vec<TlsStream<TcpStream>>, BenchError> {
        let mut roots = rustls::RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(self.ca_pem.as_bytes()) {
            // One of the system's that cannot be read vouches for nobody.
            roots.add_parsable_certificates(root);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(BenchError::new)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").map_err(BenchError::new)?;
        let mut streams = Vec::with_capacity(slots);
        for _ in 0..slots {
            let tcp = match &self.via {
                Some(via) => via.tunnel(self.port).await?,
                None => TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, self.port)).await?,
            };
            tcp.set_nodelay(true)?;
            streams.push(connector.connect(name.clone(), tcp).await?);
        }
        Ok(streams)
    }
}

impl Via {
    /// RFC 9110, section 9.3.6.
    async fn tunnel(&self, port: u16) -> Result<TcpStream, BenchError> {
        let mut tcp = TcpStream::connect(self.proxy).await?;
        let password = self.password.as_ref().map_or_else(String::new, |pair| {
            format!("proxy-authorization: Basic {}\r\n", STANDARD.encode(pair))
        });
        let head = format!(
            "CONNECT localhost:{port} HTTP/1.1\r\nhost: localhost:{port}\r\n{password}\r\n"
        );
        tcp.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(BenchError::new("the proxy's answer to CONNECT does not end"));
            }
            // Byte by byte: what follows the head is the tunnel's.
            answer.push(tcp.read_u8().await?);
        }
        if !answer.starts_with(b"HTTP/1.1 200") {
            let line = String::from_utf8_lossy(&answer);
            let line = line.lines().next().unwrap_or_default();
            return Err(BenchError::new(format!("the proxy answers CONNECT with `{line}`")));
        }
        Ok(tcp)
    }
}

const ANSWER_BYTES_MAX: usize = 8192;
