//! JSON over HTTP/1.1 with one server, one connection for one command.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_account::signature::{self, Message};
use symbolon_ambient::{Clock, SystemClock, SystemRng};
use symbolon_crypto::SigningKey;
use symbolon_secret::Secret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::{ClientError, Refusal};
use super::sign_in::Session;
use super::url::ServerUrl;

/// A client of one server. Answers are bounded, waited for so long, and lead nowhere else.
#[derive(Debug)]
pub struct Client {
    url: ServerUrl,
    connection: Option<SendRequest<Full<Bytes>>>,
    channel: Option<[u8; 32]>,
}

/// Who asks.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// Nobody yet.
    Nobody,
    /// Who signed in.
    Session(&'a Session),
    /// This device: the public half in base64url, and the key.
    Device(&'a str, &'a SigningKey),
    /// A service, with the secret that it shows.
    Service(&'a Secret<[u8]>),
}

/// An answer of the server's that is not a refusal.
pub(super) struct Answer {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    /// Of this server. Nothing is sent yet.
    pub const fn new(url: ServerUrl) -> Self {
        Self { url, connection: None, channel: None }
    }

    /// The server.
    pub const fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// As if this were the exporter of its connection.
    #[cfg(test)]
    pub(super) const fn on_channel(mut self, channel: Option<[u8; 32]>) -> Self {
        self.channel = channel;
        self
    }

    /// The exporter of the connection that is open (RFC 9266); none over TLS 1.2, or without TLS.
    pub(super) const fn channel(&self) -> Option<[u8; 32]> {
        self.channel
    }

    /// Asks, and reads the answer's JSON.
    pub(super) async fn get<T: DeserializeOwned>(
        &mut self,
        by: By<'_>,
        target: &str,
    ) -> Result<T, ClientError> {
        let answer = self.ask(by, Method::GET, target, None).await?;
        self.json(&answer)
    }

    /// Sends JSON.
    pub(super) async fn send(
        &mut self,
        by: By<'_>,
        method: Method,
        target: &str,
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        let body = serde_json::to_vec(body).map_err(|e| self.other(e.to_string()))?;
        self.ask(by, method, target, Some(("application/json", body))).await
    }

    pub(super) fn json<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, ClientError> {
        // serde's words can hold pieces of the answer; where it went wrong is enough.
        serde_json::from_slice(&answer.body).map_err(|error| {
            self.other(format!("JSON at line {}, column {}", error.line(), error.column()))
        })
    }

    /// `body` is its media type and its bytes.
    pub(super) async fn ask(
        &mut self,
        by: By<'_>,
        method: Method,
        target: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Answer, ClientError> {
        let request = self.request(by, method, target, body)?;
        let exchange = self.exchange(request);
        let late = timeout(ANSWER_WAIT, exchange).await;
        let (status, answer) = late.map_err(|_| self.late(ANSWER_WAIT))??;
        if status.is_success() {
            return Ok(answer);
        }
        let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
        match refusal {
            Some(refusal) if !status.is_redirection() => {
                Err(ClientError::Refused(Refusal { status: status.as_u16(), ..refusal }))
            }
            _ => Err(self.other(format!("status {}", status.as_u16()))),
        }
    }

    fn request(
        &self,
        by: By<'_>,
        method: Method,
        target: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let authority = self.url.authority();
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: &str, secret: bool| {
            // INFALLIBLE: each value is ASCII of ours: base64, digits, a host that was parsed.
            let mut value = HeaderValue::from_str(value).expect("an ASCII header");
            value.set_sensitive(secret);
            headers.insert(name, value);
        };
        put(header::HOST, &authority, false);
        put(header::USER_AGENT, concat!("symbolon/", env!("CARGO_PKG_VERSION")), false);
        put(header::ACCEPT, "application/json", false);
        let digest = body.as_ref().map(|(_, body)| signature::digest_of(body));
        if let Some((media_type, _)) = &body {
            put(header::CONTENT_TYPE, media_type, false);
        }
        match by {
            By::Nobody => {}
            By::Service(secret) => {
                // EXPOSE: the secret goes to the server that gave it, in the header that is for it.
                let text = std::str::from_utf8(secret.expose()).unwrap_or_default();
                let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
                put(
                    header::AUTHORIZATION,
                    &format!("Bearer {}", if is_plain { text } else { "" }),
                    true,
                );
            }
            By::Session(session) => {
                put(header::COOKIE, &session.cookie(), true);
                put(header::ORIGIN, &self.url.to_string(), false);
                put(CSRF, &session.csrf(), true);
            }
            By::Device(key_id, key) => {
                let (path, query) = match target.split_once('?') {
                    Some((path, query)) => (path, Some(query)),
                    None => (target, None),
                };
                let fields: Vec<(&str, &str)> =
                    digest.iter().map(|digest| ("content-digest", digest.as_str())).collect();
                let message = Message {
                    method: method.as_str(),
                    authority: &authority,
                    scheme: self.url.scheme(),
                    path,
                    query,
                    fields: &fields,
                };
                let created = SystemClock.unix_ms() / 1000;
                let signed = signature::sign(&message, key_id, key, created, &SystemRng)?;
                put(SIGNATURE_INPUT, &signed.input, false);
                put(SIGNATURE, &signed.signature, false);
                if let Some(digest) = &digest {
                    put(CONTENT_DIGEST, digest, false);
                }
            }
        }
        let mut request =
            Request::new(Full::new(body.map(|(_, body)| Bytes::from(body)).unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().map_err(|_| self.other("a target".into()))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Answer), ClientError> {
        let gone = |url: &ServerUrl, error: hyper::Error| ClientError::Unreachable {
            server: url.to_string(),
            source: io::Error::other(error),
        };
        let mut kept = self.connection.take();
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let answer = sender.send_request(request).await.map_err(|e| gone(&self.url, e))?;
        let (parts, body) = answer.into_parts();
        let body =
            Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| match error
                .downcast::<hyper::Error>(
            ) {
                Ok(error) => gone(&self.url, *error),
                Err(_) => self.other("an answer that is too long".into()),
            })?;
        self.connection = Some(sender);
        Ok((parts.status, Answer { headers: parts.headers, body: body.to_bytes() }))
    }

    async fn connect(&mut self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        self.channel = None;
        let server = self.url.to_string();
        let unreachable = |source| ClientError::Unreachable { server: server.clone(), source };
        let dialled = timeout(CONNECT_WAIT, TcpStream::connect((self.url.host(), self.url.port())));
        let tcp = dialled.await.map_err(|_| self.late(CONNECT_WAIT))?.map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        if !self.url.is_tls() {
            return self.begin(tcp).await;
        }
        let config = trust().map_err(|error| self.other(format!("TLS: {error}")))?;
        let name = ServerName::try_from(self.url.host().to_owned())
            .map_err(|_| self.other("a name".into()))?;
        let greeted = timeout(CONNECT_WAIT, TlsConnector::from(config).connect(name, tcp)).await;
        let tls = greeted.map_err(|_| self.late(CONNECT_WAIT))?.map_err(|source| {
            match source.kind() {
                io::ErrorKind::InvalidData => {
                    ClientError::Certificate { server: self.url.to_string(), source }
                }
                _ => unreachable(source),
            }
        })?;
        let session = tls.get_ref().1;
        if session.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3) {
            let exported = session.export_keying_material([0; 32], CHANNEL, Some(&[]));
            self.channel = exported.ok();
        }
        self.begin(tls).await
    }

    async fn begin<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
    ) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let begun =
            http1::Builder::new().max_headers(HEADERS_MAX).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| ClientError::Unreachable {
            server: self.url.to_string(),
            source: io::Error::other(error),
        })?;
        // It ends with the sender; what went wrong is said where the answer is waited for.
        drop(tokio::spawn(connection));
        Ok(sender)
    }

    pub(super) fn other(&self, what: String) -> ClientError {
        ClientError::Other { server: self.url.to_string(), what }
    }

    fn late(&self, waited: Duration) -> ClientError {
        ClientError::Late { server: self.url.to_string(), seconds: waited.as_secs() }
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

const CHANNEL: &[u8] = b"EXPORTER-Channel-Binding";
const CSRF: HeaderName = HeaderName::from_static("x-symbolon-csrf");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const CONNECT_WAIT: Duration = Duration::from_secs(5);
const ANSWER_WAIT: Duration = Duration::from_secs(60);
const HEADERS_MAX: usize = 64;
/// A page of changes is 4 MiB and one commit of 8 MiB, a third longer in base64url.
const ANSWER_BYTES_MAX: usize = 24 << 20;
