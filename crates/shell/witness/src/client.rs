//! Bounded requests to one log or witness, over one connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::url::PeerUrl;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection, or it broke.
    #[error("{peer} cannot be reached: {source}")]
    Unreachable {
        /// Who was asked.
        peer: String,
        /// What the system said.
        source: io::Error,
    },
    /// It took too long.
    #[error("{peer} did not answer within {seconds} seconds")]
    Late {
        /// Who was asked.
        peer: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// More bytes than such an answer can have.
    #[error("{peer} answered with more than {max} bytes")]
    Long {
        /// Who was asked.
        peer: String,
        /// The bound.
        max: usize,
    },
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status, redirections included: none is followed.
    pub status: StatusCode,
    /// `Content-Type`, where it is ASCII.
    pub media_type: String,
    /// The whole body.
    pub body: Bytes,
}

/// A client of one peer.
#[derive(Debug)]
pub struct Client {
    url: PeerUrl,
    wait: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// Of this peer; each answer, with connecting, may take so long. Nothing is sent yet.
    pub const fn new(url: PeerUrl, wait: Duration) -> Self {
        Self { url, wait, connection: None }
    }

    /// Gets what is under the address, `max` bytes at most.
    ///
    /// # Errors
    /// [`ClientError`]; a status is none.
    pub async fn get(&mut self, below: &str, max: usize) -> Result<Answer, ClientError> {
        self.ask(Method::GET, below, Bytes::new(), max).await
    }

    /// Sends text to what is under the address.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post(
        &mut self,
        below: &str,
        body: String,
        max: usize,
    ) -> Result<Answer, ClientError> {
        self.ask(Method::POST, below, body.into(), max).await
    }

    async fn ask(
        &mut self,
        method: Method,
        below: &str,
        body: Bytes,
        max: usize,
    ) -> Result<Answer, ClientError> {
        let mut request = Request::new(Full::new(body));
        let target = self.url.target(below).parse();
        *request.uri_mut() = target.map_err(|_| self.broken("a target that is none"))?;
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(&self.url.authority());
        headers.insert(header::HOST, host.map_err(|_| self.broken("a name that is none"))?);
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        if method == Method::POST {
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, text);
        }
        *request.method_mut() = method;
        // A connection that is half read is no good for the next: it is put back after the whole answer alone.
        let kept = self.connection.take();
        let answered = timeout(self.wait, self.exchange(kept, request, max)).await;
        let late = |_| ClientError::Late { peer: self.peer(), seconds: self.wait.as_secs() };
        let (answer, connection) = answered.map_err(late)??;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn exchange(
        &self,
        mut kept: Option<SendRequest<Full<Bytes>>>,
        request: Request<Full<Bytes>>,
        max: usize,
    ) -> Result<(Answer, SendRequest<Full<Bytes>>), ClientError> {
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let gone = |error: hyper::Error| self.unreachable(io::Error::other(error));
        let (parts, body) = sender.send_request(request).await.map_err(gone)?.into_parts();
        let read = Limited::new(body, max).collect().await;
        let body = read.map_err(|error| match error.downcast::<hyper::Error>() {
            Ok(error) => gone(*error),
            Err(_) => ClientError::Long { peer: self.peer(), max },
        })?;
        let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        Ok((Answer { status: parts.status, media_type, body: body.to_bytes() }, sender))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let dialled = TcpStream::connect((self.url.host(), self.url.port())).await;
        let tcp = dialled.map_err(|e| self.unreachable(e))?;
        tcp.set_nodelay(true).map_err(|e| self.unreachable(e))?;
        if !self.url.is_tls() {
            return self.begin(tcp).await;
        }
        let config = trust().map_err(|e| self.unreachable(io::Error::other(e)))?;
        let name = ServerName::try_from(self.url.host().to_owned());
        let name = name.map_err(|_| self.broken("a name that no certificate has"))?;
        let greeted = TlsConnector::from(config).connect(name, tcp).await;
        self.begin(greeted.map_err(|e| self.unreachable(e))?).await
    }

    async fn begin<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
    ) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let begun = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_buf_size(BUFFER_BYTES)
            .handshake(TokioIo::new(stream));
        let begun = begun.await;
        let (sender, connection) = begun.map_err(|e| self.unreachable(io::Error::other(e)))?;
        // It ends with the sender; what went wrong is said where the answer is waited for.
        drop(tokio::spawn(connection));
        Ok(sender)
    }

    fn peer(&self) -> String {
        self.url.to_string()
    }

    fn unreachable(&self, source: io::Error) -> ClientError {
        ClientError::Unreachable { peer: self.peer(), source }
    }

    fn broken(&self, what: &str) -> ClientError {
        self.unreachable(io::Error::new(io::ErrorKind::InvalidInput, what))
    }
}

/// The system's roots, or Mozilla's where the system has none.
fn trust() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

const AGENT: &str = concat!("symbolon/", env!("CARGO_PKG_VERSION"));
const HEADERS_MAX: usize = 64;
const BUFFER_BYTES: usize = 32 * 1024;
