//! A WebSocket between a program and an upstream.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::body::Ledger;
use super::frames::Frames;
use super::room::{RelayLimits, Seat};
use super::standing::Standing;
use crate::upstream::UpstreamError;
use crate::wire::{Phase, Tunnel, WireError};

/// The upstream's side of a WebSocket. What is read is searched, message by message; what is written
/// goes on as it is. Its end, however it comes, writes the receipt.
pub struct Upgraded {
    tunnel: Tunnel,
    frames: Frames,
    ledger: Ledger,
    /// As read.
    raw: Box<[u8]>,
    /// To be given out, and how much of it was.
    out: Vec<u8>,
    given: usize,
    has_ended: bool,
    /// When a byte last went either way.
    moved: Instant,
    idle: Duration,
    end: Instant,
    bytes_max: u64,
    timer: Pin<Box<Sleep>>,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    standing: Standing,
    _seat: Seat,
}

impl Upgraded {
    pub(super) fn new(
        limits: &RelayLimits,
        tunnel: Tunnel,
        frames: Frames,
        mut ledger: Ledger,
        standing: Standing,
        seat: Seat,
    ) -> Self {
        let now = Instant::now();
        ledger.tunnel_bytes = Some(0);
        Self {
            tunnel,
            frames,
            ledger,
            raw: vec![0; READ_BYTES].into(),
            out: Vec::new(),
            given: 0,
            has_ended: false,
            moved: now,
            idle: limits.idle,
            end: now + limits.total,
            bytes_max: limits.response_bytes_max,
            timer: Box::pin(sleep_until(now + limits.idle.min(limits.total))),
            stopped: Box::pin(standing.broker().calls.stopped_owned()),
            standing,
            _seat: seat,
        }
    }

    /// More from the upstream into `out`; `Ready(Ok)` with nothing there is its end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        self.out.clear();
        self.given = 0;
        while self.out.is_empty() {
            self.standing.look()?;
            let mut buf = ReadBuf::new(&mut self.raw);
            match Pin::new(&mut self.tunnel).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                    return Poll::Ready(match self.frames.is_closed() {
                        true => Ok(()),
                        false => Err(WireError::Reset { released: true, source: None }.into()),
                    });
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    let reset = WireError::Reset { released: true, source: None };
                    return Poll::Ready(Err(reset.into()));
                }
                Poll::Pending => return self.poll_late(cx),
            }
            let heard = self.ledger.heard.get_or_insert_default();
            heard.bytes_in += buf.filled().len() as u64;
            if heard.bytes_in > self.bytes_max {
                return Poll::Ready(Err(UpstreamError::TooLong(self.bytes_max)));
            }
            self.frames.push(buf.filled(), &mut self.out)?;
            self.moved = Instant::now();
        }
        let heard = self.ledger.heard.get_or_insert_default();
        heard.bytes_out += self.out.len() as u64;
        Poll::Ready(Ok(()))
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        if self.stopped.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(UpstreamError::Stopped));
        }
        if let Poll::Ready(fallen) = self.standing.poll_fallen(cx) {
            return Poll::Ready(Err(fallen));
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let due = (self.moved + self.idle).min(self.end);
            if due <= Instant::now() {
                let late = WireError::Timeout { phase: Phase::Body, released: true };
                return Poll::Ready(Err(late.into()));
            }
            self.timer.as_mut().reset(due);
        }
    }

    fn take_stock(&mut self) {
        let heard = self.ledger.heard.get_or_insert_default();
        heard.redactions = self.frames.cleaner().total();
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.given == this.out.len() && !this.has_ended {
            let more = ready!(this.poll_more(cx));
            if more.is_err() || this.out.is_empty() {
                this.has_ended = true;
                this.out.clear();
                this.given = 0;
                this.take_stock();
            }
            if let Err(e) = more {
                let shown = this.ledger.fail(&e);
                return Poll::Ready(Err(io::Error::other(shown)));
            }
            if this.has_ended {
                this.ledger.close().map_err(io::Error::other)?;
            }
        }
        let rest = &this.out[this.given..];
        let n = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..n]);
        this.given += n;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.has_ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let n = ready!(Pin::new(&mut this.tunnel).poll_write(cx, buf))?;
        *this.ledger.tunnel_bytes.get_or_insert(0) += n as u64;
        this.moved = Instant::now();
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tunnel).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tunnel).poll_shutdown(cx)
    }
}

impl Drop for Upgraded {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        self.take_stock();
        // Closed by both before one of them hung up: a good end.
        if self.frames.is_closed()
            && let Err(e) = self.ledger.close()
        {
            tracing::error!("a receipt could not be written; its intent stands alone: {e}");
        }
    }
}

impl std::fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upgraded")
    }
}

const READ_BYTES: usize = 16 * 1024;
