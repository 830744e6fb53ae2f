//! What stands between a program's bytes and the HTTP stack: requests that two readers could take
//! for two things go no further. `specs/relay.md`, "Edge".

mod message;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use message::{Messages, Verdict};

/// A program's HTTP/1.1 stream, read along (RFC 9112). A head with two framings, or with a fragment
/// in its target, is spoilt before its end, so that the HTTP stack behind answers 400 and closes; a
/// body whose chunks are not formed as the RFC says ends the stream.
#[derive(Debug)]
pub struct Strict<S> {
    stream: S,
    messages: Messages,
    watch: Watch,
    is_over: bool,
}

/// Tells whether the stream may have stopped being HTTP.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<AtomicBool>);

impl Watch {
    /// A request wants the connection for something else than HTTP (`CONNECT`, WebSocket). What
    /// comes after it is not read along, so a connection whose request did not get that is to be
    /// closed.
    pub fn is_open_ended(&self) -> bool {
        self.0.load(Relaxed)
    }
}

impl<S> Strict<S> {
    /// A stream on which requests alone come.
    pub fn requests(stream: S) -> Self {
        Self { stream, messages: Messages::new(false), watch: Watch::default(), is_over: false }
    }

    /// A stream that `CONNECT` or WebSocket may turn into another one.
    pub fn with_tunnels(stream: S) -> Self {
        Self { messages: Messages::new(true), ..Self::requests(stream) }
    }

    /// See [`Watch`].
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// The stream itself.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        match this.messages.read(&buf.filled()[before..]) {
            Verdict::Fine => {}
            Verdict::OpenEnded => this.watch.0.store(true, Relaxed),
            Verdict::BadHead { at } => {
                this.is_over = true;
                // Where the line would have ended: no reader takes a NUL for a part of a head.
                buf.filled_mut()[before + at] = 0;
                buf.set_filled(before + at + 1);
            }
            Verdict::BadBody => {
                this.is_over = true;
                buf.set_filled(before);
                let what = "a chunk is not formed as RFC 9112 says";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, what)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    async fn through(sent: &[u8], piece: usize) -> (Vec<u8>, io::Result<usize>) {
        let (mut ours, theirs) = duplex(piece);
        let sent = sent.to_vec();
        let writing = tokio::spawn(async move {
            // Cut off in the middle where the other side has seen enough.
            let _ = ours.write_all(&sent).await;
        });
        let (mut strict, mut read) = (Strict::requests(theirs), Vec::new());
        let ended = strict.read_to_end(&mut read).await;
        drop(strict);
        writing.await.unwrap();
        (read, ended)
    }

    #[tokio::test]
    async fn a_spoilt_head_ends_in_a_nul_and_then_the_stream() {
        let sent =
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        let cut = b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\0";
        for piece in [1, 7, 4096] {
            let (read, ended) = through(sent, piece).await;
            assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(cut));
            assert!(ended.is_ok());
        }
    }

    #[tokio::test]
    async fn what_is_well_formed_passes_as_it_came() {
        let sent = b"POST /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        for piece in [1, 7, 4096] {
            let (read, ended) = through(sent, piece).await;
            assert_eq!((read.as_slice(), ended.is_ok()), (&sent[..], true));
        }
        let (_, ended) =
            through(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n", 4096).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
