//! The server, asked over HTTP/1.1: one connection a question, since answers are kept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Where a server or a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    is_tls: bool,
    host: String,
    port: u16,
    authority: String,
}

impl Server {
    /// `https://NAME[:PORT]`, or `http` on loopback.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_tls, authority) = match text.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, if is_tls { 443 } else { 80 }),
        };
        let is_char = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        let is_name = !host.is_empty() && host.bytes().all(is_char);
        let is_safe = is_tls || host == "localhost";
        (is_name && is_safe).then(|| Self {
            is_tls,
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
        })
    }

    /// Scheme and authority.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.authority)
    }
}

/// Asks one server.
pub(crate) struct Client {
    server: Server,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// Of this server, by the system's roots.
    pub fn new(server: Server) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Some(Self { server, tls: Arc::new(tls) })
    }

    /// The body of an answer with status 200.
    pub async fn get(&self, target: &str) -> io::Result<Bytes> {
        self.ask(Method::GET, target, None).await
    }

    /// The same of a form that a service sends with its secret.
    pub async fn post_form(&self, target: &str, secret: &str, form: String) -> io::Result<Bytes> {
        self.ask(Method::POST, target, Some((secret, form))).await
    }

    async fn ask(
        &self,
        method: Method,
        target: &str,
        sent: Option<(&str, String)>,
    ) -> io::Result<Bytes> {
        timeout(WAIT, self.exchange(method, target, sent))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    async fn exchange(
        &self,
        method: Method,
        target: &str,
        sent: Option<(&str, String)>,
    ) -> io::Result<Bytes> {
        let mut request = Request::builder().method(method).uri(target);
        request = request.header(header::HOST, &self.server.authority);
        let body = match sent {
            Some((secret, form)) => {
                request = request
                    .header(header::AUTHORIZATION, format!("Bearer {secret}"))
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                form
            }
            None => String::new(),
        };
        let request = request.body(Full::new(Bytes::from(body))).map_err(io::Error::other)?;
        let tcp = TcpStream::connect((self.server.host.as_str(), self.server.port)).await?;
        tcp.set_nodelay(true)?;
        if !self.server.is_tls {
            return converse(tcp, request).await;
        }
        let name = ServerName::try_from(self.server.host.clone()).map_err(io::Error::other)?;
        let tls = TlsConnector::from(self.tls.clone()).connect(name, tcp).await?;
        converse(tls, request).await
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> io::Result<Bytes> {
    let begun = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = begun.map_err(io::Error::other)?;
    // It ends with the sender; what went wrong is said where the answer is waited for.
    drop(tokio::spawn(connection));
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| io::Error::other(error.to_string()))?;
    if status == StatusCode::OK {
        Ok(body.to_bytes())
    } else {
        Err(io::Error::other(format!("the server answered {status}")))
    }
}

const WAIT: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_secrets_go_over_tls_or_stay_on_the_machine() {
        for good in ["https://keys.example", "https://keys.example:8443", "http://localhost:7070"] {
            assert_eq!(Server::parse(good).unwrap().origin(), good);
        }
        for bad in [
            "",
            "keys.example",
            "http://keys.example",
            "http://localhost.example",
            "https://",
            "https://KEYS.example",
            "https://keys.example/",
            "https://user@keys.example",
            "https://keys.example:x",
            "https://keys.example?x",
        ] {
            assert!(Server::parse(bad).is_none(), "{bad}");
        }
    }
}
