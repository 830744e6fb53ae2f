//! The two ways in which a checked head leaves: sealed by TLS, or plain.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use symbolon_connector::inject::Placeholder;
use symbolon_secret::{hold, scrub_registers, with_window};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::armed::Armed;
use super::error::StreamError;
use super::tls::{Injection, RECORD_BYTES_MAX, with_injection};

/// A checked head, with as much body as goes out together with it.
pub struct Planned {
    /// As the HTTP stack wrote it, placeholder included.
    pub(super) bytes: Vec<u8>,
    /// Where the placeholder begins; `None` where there is none, and the bytes go out as they are.
    pub(super) at: Option<usize>,
    /// Bytes that have left, counted as on the wire.
    pub(super) sent: usize,
    pub(super) armed: Armed,
}

impl Planned {
    fn wire_len(&self) -> usize {
        self.armed.opener.wire_len()
    }
    /// Bytes on the wire.
    pub(super) fn total(&self) -> usize {
        match self.at {
            Some(_) => self.bytes.len() - Placeholder::LEN + self.wire_len(),
            None => self.bytes.len(),
        }
    }
}

/// Sends what has no placeholder.
fn poll_bare<S: AsyncWrite + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    planned: &mut Planned,
) -> Poll<io::Result<()>> {
    while planned.sent < planned.bytes.len() {
        let rest = &planned.bytes[planned.sent..];
        match ready!(Pin::new(&mut *stream).poll_write(cx, rest))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            n => planned.sent += n,
        }
    }
    Poll::Ready(Ok(()))
}

/// A stream that can send a head with its credential.
pub trait Link: AsyncRead + AsyncWrite + Unpin {
    /// Sends what is left of `planned`. The credential is open within one poll at most: where the
    /// peer is slow it is wiped and opened again later.
    fn poll_inject(&mut self, cx: &mut Context<'_>, planned: &mut Planned) -> Poll<io::Result<()>>;
}

/// A stream without TLS.
pub struct Plain<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Unpin> Link for Plain<S> {
    fn poll_inject(&mut self, cx: &mut Context<'_>, planned: &mut Planned) -> Poll<io::Result<()>> {
        let Some(at) = planned.at else { return poll_bare(&mut self.0, cx, planned) };
        let (wire_len, total) = (planned.wire_len(), planned.total());
        let tail = at + Placeholder::LEN;
        while planned.sent < total {
            let sent = planned.sent;
            let n = if sent >= at + wire_len {
                let rest = &planned.bytes[tail + sent - at - wire_len..];
                ready!(Pin::new(&mut self.0).poll_write(cx, rest))?
            } else {
                let written = with_window(|window| {
                    let page = window.take(total);
                    page[..at].copy_from_slice(&planned.bytes[..at]);
                    page[at + wire_len..].copy_from_slice(&planned.bytes[tail..]);
                    window.opened();
                    let place = &mut window.take(total)[at..at + wire_len];
                    if planned.armed.opener.open_into(place).map_err(StreamError::from)? != wire_len
                    {
                        return Err(StreamError::Length);
                    }
                    scrub_registers(); // a system call follows
                    hold("opened");
                    hold("record");
                    Ok(Pin::new(&mut self.0).poll_write(cx, &window.take(total)[sent..]))
                })
                .map_err(StreamError::from)??;
                ready!(written)?
            };
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            planned.sent += n;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link for TlsStream<S> {
    fn poll_inject(&mut self, cx: &mut Context<'_>, planned: &mut Planned) -> Poll<io::Result<()>> {
        let Some(at) = planned.at else { return poll_bare(self, cx, planned) };
        // An empty buffer takes the head whole, so that it is one record.
        ready!(Pin::new(&mut *self).poll_flush(cx))?;
        let injection = Injection {
            payload_len: planned.bytes.len(),
            at,
            placeholder: planned.armed.placeholder,
            opener: Arc::clone(&planned.armed.opener),
            outcome: None,
        };
        let (written, outcome) =
            with_injection(injection, || Pin::new(&mut *self).poll_write(cx, &planned.bytes));
        match (written, outcome) {
            (_, Some(Err(error))) => Poll::Ready(Err(error.into())),
            (Poll::Ready(Err(error)), _) => Poll::Ready(Err(error)),
            // Sealed: what the socket does not take now is ciphertext in rustls' buffer.
            (Poll::Ready(Ok(n)), Some(Ok(()))) if n == planned.bytes.len() => {
                planned.sent = planned.total();
                Poll::Ready(Ok(()))
            }
            // Not a refusal: a sealed record may be on its way.
            (_, Some(Ok(()))) => Poll::Ready(Err(io::Error::other("the TLS stack split a write"))),
            (Poll::Ready(Ok(_)), None) => Poll::Ready(Err(StreamError::NotSealed.into())),
            (Poll::Pending, None) => Poll::Pending,
        }
    }
}

/// What the client's connections run over.
pub(super) enum Wire {
    Plain(Plain<TcpStream>),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Link for Wire {
    fn poll_inject(&mut self, cx: &mut Context<'_>, planned: &mut Planned) -> Poll<io::Result<()>> {
        match self {
            Wire::Plain(stream) => stream.poll_inject(cx, planned),
            Wire::Tls(stream) => stream.poll_inject(cx, planned),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Wire::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Wire::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A head and its credential fit one record; the window's scratch is larger.
pub(super) fn fits_one_record(planned: &Planned) -> bool {
    planned.total() <= RECORD_BYTES_MAX && planned.bytes.len() <= RECORD_BYTES_MAX
}
