//! What is spoken to an upstream: HTTP/1.1, or HTTP/2 where an operation needs it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::client::Limits;
use super::http2::Http2Stream;
use super::link::Wire;
use super::outgoing::OutBody;
use super::stream::{Desk, SubstitutingStream};
use super::target::Upstream;

/// A version of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: for gRPC.
    Http2,
}

/// One connection's half that takes requests.
pub(super) enum Sender {
    Http1(http1::SendRequest<OutBody>),
    Http2(http2::SendRequest<OutBody>),
}

/// One connection's half that moves.
pub(super) enum Http {
    Http1(Pin<Box<Http1>>),
    /// Frames are moved by a task of its own; this one hands requests to it.
    Http2(Pin<Box<Http2>>),
}

type Http1 = http1::Connection<TokioIo<SubstitutingStream<Wire>>, OutBody>;
type Http2 = http2::Connection<TokioIo<Http2Stream<Wire>>, OutBody, TokioExecutor>;

impl Protocol {
    /// The configuration that offers this protocol and no other.
    pub(super) fn config(self, http1: Arc<ClientConfig>) -> Arc<ClientConfig> {
        match self {
            Self::Http1 => http1,
            Self::Http2 => {
                let mut config = (*http1).clone();
                config.alpn_protocols = vec![H2.to_vec()];
                Arc::new(config)
            }
        }
    }

    /// Errs where the peer did not choose it (RFC 9113, section 3.2). HTTP/1.1 need not be chosen.
    pub(super) fn chosen(self, tls: TlsStream<TcpStream>) -> io::Result<TlsStream<TcpStream>> {
        match self {
            Self::Http2 if tls.get_ref().1.alpn_protocol() != Some(H2) => {
                Err(io::Error::other("the upstream does not speak HTTP/2"))
            }
            _ => Ok(tls),
        }
    }

    /// Begins to speak it.
    pub(super) async fn begin(
        self,
        wire: Wire,
        upstream: &Upstream,
        desk: &Arc<Desk>,
        limits: &Limits,
    ) -> hyper::Result<(Sender, Http)> {
        match self {
            Self::Http1 => {
                let stream =
                    SubstitutingStream::new(wire, upstream.authority.clone(), desk.clone());
                let (send, http) = http1::Builder::new()
                    .max_header_size(limits.response_head_bytes_max)
                    .max_buf_size(limits.response_head_bytes_max.max(64 * 1024))
                    .handshake(TokioIo::new(stream))
                    .await?;
                Ok((Sender::Http1(send), Http::Http1(Box::pin(http))))
            }
            Self::Http2 => {
                let stream = Http2Stream::new(wire, desk.clone());
                let list = u32::try_from(limits.response_head_bytes_max).unwrap_or(u32::MAX);
                let (send, http) = http2::Builder::new(TokioExecutor::new())
                    .max_header_list_size(list)
                    // Nothing of an answer's head outlives it here.
                    .header_table_size(0)
                    .handshake(TokioIo::new(stream))
                    .await?;
                Ok((Sender::Http2(send), Http::Http2(Box::pin(http))))
            }
        }
    }
}

impl Sender {
    pub(super) fn try_send(
        &mut self,
        request: Request<OutBody>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<OutBody>>>> + use<>
    {
        match self {
            Self::Http1(send) => Either::Left(send.try_send_request(request)),
            Self::Http2(send) => Either::Right(send.try_send_request(request)),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(send) => send.is_ready(),
            Self::Http2(send) => send.is_ready(),
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        match self {
            Self::Http1(_) => Protocol::Http1,
            Self::Http2(_) => Protocol::Http2,
        }
    }
}

impl Http {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        match self {
            Self::Http1(http) => http.as_mut().poll(cx),
            Self::Http2(http) => http.as_mut().poll(cx),
        }
    }

    pub(super) fn into_wire(self) -> Option<(Wire, Bytes)> {
        let Self::Http1(http) = self else { return None };
        let parts = Pin::into_inner(http).into_parts();
        Some((parts.io.into_inner().into_link(), parts.read_buf))
    }
}

const H2: &[u8] = b"h2";
