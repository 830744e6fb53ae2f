//! Requests of the broker's own, to where tokens are issued: secret both ways.
//!
//! What is sent is one record, sealed out of a secret page as any credential is; what comes back is
//! read into a secret page and taken apart there ([`super::reply`]). No HTTP stack is between, so
//! none has a copy. One connection for each request; nothing is sent again, and a redirect is an
//! answer like any other: nobody follows it.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_ambient::BatchedRng;
use symbolon_connector::inject::{Placeholder, Slot};
use symbolon_secret::{MemoryError, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::armed::{Armed, OpenCredential, OpenError};
use super::client::Client;
use super::error::{Phase, StreamError, WireError};
use super::link::{Link, Plain, Planned, Wire, fits_one_record};
use super::pool::{tcp, timed};
use super::reply::{NotHttp, Reply, read_reply};
use super::resolve::resolve;
use super::target::Target;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostError {
    /// The wire.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// What came back is not HTTP/1.1, or more than 64 KiB of it.
    #[error(transparent)]
    NotHttp(#[from] NotHttp),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] std::io::Error),
    /// There is no secret memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl Client {
    /// Posts to `path` at `target`. `tail` is all that follows the headers which are the same for
    /// everybody: the request's own header lines, an empty line, the body.
    ///
    /// # Errors
    /// [`PostError`].
    pub async fn post(
        &self,
        target: &Target,
        path: &str,
        tail: Secret<[u8]>,
    ) -> Result<Reply, PostError> {
        let end = Instant::now() + self.limits().total.min(POST_TIME_MAX);
        let mut wire = self.dial(target, end).await?;
        let placeholder = Placeholder::make(&BatchedRng);
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: symbolon/{}\r\naccept-encoding: identity\r\nconnection: close\r\n",
            target.authority().as_str(),
            env!("CARGO_PKG_VERSION"),
        )
        .into_bytes();
        let at = bytes.len();
        bytes.extend_from_slice(placeholder.as_bytes());
        let slot = Arc::new(Slot::Nowhere);
        let armed = Armed { placeholder, slot, opener: Arc::new(Tail(tail)) };
        let mut planned = Planned { bytes, at: Some(at), sent: 0, armed };
        if !fits_one_record(&planned) {
            let source = StreamError::RecordTooLong;
            return Err(WireError::Refused { source, released: false }.into());
        }
        let exchange = async {
            poll_fn(|cx| wire.poll_inject(cx, &mut planned)).await.map_err(PostError::Broken)?;
            wire.flush().await.map_err(PostError::Broken)?;
            read(&mut wire).await
        };
        let late = WireError::Timeout { phase: Phase::Head, released: true };
        tokio::time::timeout_at(end.into(), exchange).await.map_err(|_| late)?
    }

    /// Gets `path` at `target`, as anybody could: no credential, no cookie, no redirect. The answer is bounded as
    /// that of a post is; of a time it has what [`Limits::total`](super::Limits) gives.
    ///
    /// # Errors
    /// [`PostError`]; [`NotHttp`] where the path is no path.
    pub async fn get(&self, target: &Target, path: &str, accept: &str) -> Result<Reply, PostError> {
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !path.starts_with('/') || !is_plain(path) || !is_plain(accept) {
            return Err(NotHttp("the path that was asked for").into());
        }
        let end = Instant::now() + self.limits().total.min(POST_TIME_MAX);
        let mut wire = self.dial(target, end).await?;
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: symbolon/{}\r\naccept: {accept}\r\naccept-encoding: identity\r\nconnection: close\r\n\r\n",
            target.authority().as_str(),
            env!("CARGO_PKG_VERSION"),
        );
        let exchange = async {
            wire.write_all(head.as_bytes()).await.map_err(PostError::Broken)?;
            wire.flush().await.map_err(PostError::Broken)?;
            read(&mut wire).await
        };
        let late = WireError::Timeout { phase: Phase::Head, released: false };
        tokio::time::timeout_at(end.into(), exchange).await.map_err(|_| late)?
    }

    async fn dial(&self, target: &Target, end: Instant) -> Result<Wire, WireError> {
        let upstream = target.upstream();
        let deadline = end.min(Instant::now() + self.limits().connect);
        let (authority, allow) = (&upstream.authority, upstream.allow);
        let addresses = resolve(self.resolver(), authority, allow);
        let addresses = timed(deadline, Phase::Resolve, addresses).await?;
        let tcp = timed(deadline, Phase::Connect, tcp(&addresses)).await?;
        if !upstream.is_tls() {
            return Ok(Wire::Plain(Plain(tcp)));
        }
        let mut config = (*upstream.roots().map_err(WireError::Roots)?.config()).clone();
        // What is written here is HTTP/1.1, whatever calls may speak.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = upstream.server_name.clone();
        let connector = TlsConnector::from(Arc::new(config));
        let shaken = timed(deadline, Phase::Tls, async {
            let shaken = connector.connect(name, tcp).await;
            shaken.map_err(|source| WireError::from_tls(upstream.authority.host(), source))
        });
        Ok(Wire::Tls(Box::new(shaken.await?)))
    }
}

/// Reads one answer into a secret page.
async fn read(wire: &mut Wire) -> Result<Reply, PostError> {
    let mut page =
        Secret::<[u8]>::try_make_slice(REPLY_BYTES_MAX, |_| Ok::<_, MemoryError>(REPLY_BYTES_MAX))?;
    let mut len = 0;
    loop {
        // EXPOSE: filled from the connection, in place.
        let room = &mut page.expose_mut()[len..];
        if room.is_empty() {
            return Err(NotHttp("it is longer than 64 KiB").into());
        }
        let n = wire.read(room).await.map_err(PostError::Broken)?;
        len += n;
        // EXPOSE: taken apart from one secret page into another.
        if let Some(reply) = read_reply(&page.expose()[..len], n == 0)? {
            return Ok(reply);
        }
        if n == 0 {
            return Err(NotHttp("it is cut off").into());
        }
    }
}

/// The secret part of a request, in its page until it is sealed.
struct Tail(Secret<[u8]>);

impl OpenCredential for Tail {
    fn wire_len(&self) -> usize {
        self.0.len()
    }
    fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
        // EXPOSE: copied from a secret page into the window, on the secret stack.
        out[..self.0.len()].copy_from_slice(self.0.expose());
        Ok(self.0.len())
    }
}

/// A token endpoint that takes longer is down.
const POST_TIME_MAX: Duration = Duration::from_secs(20);
const REPLY_BYTES_MAX: usize = 64 * 1024;
