//! A response body that ends in time, in size, or in an error.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::client::Pace;
use super::error::{Phase, WireError};
use super::pool::Pooled;
use super::target::Upstream;

/// The body of one response, as it comes over the wire. Drives its connection while it is read;
/// dropped early, it closes the connection.
pub struct LimitedBody {
    incoming: Incoming,
    /// `None` when the body is over.
    connection: Option<(Pooled, Arc<Upstream>)>,
    /// The connection again, once the body ended well.
    spent: Spent,
    limit_bytes: u64,
    left_bytes: u64,
    /// How long the upstream may say nothing, and when all must be over.
    idle: Option<Duration>,
    end: Instant,
    /// Whether the connection is closed with the body.
    is_last: bool,
}

impl LimitedBody {
    pub(super) fn new(
        incoming: Incoming,
        mut pooled: Pooled,
        upstream: Arc<Upstream>,
        pace: &Pace,
        end: Instant,
    ) -> Self {
        pooled.set_deadline(next(pace.idle, end));
        let limit_bytes = pace.response_body_bytes_max;
        let mut body = LimitedBody {
            incoming,
            connection: Some((pooled, upstream)),
            spent: Spent(None),
            limit_bytes,
            left_bytes: limit_bytes,
            idle: pace.idle,
            end,
            is_last: false,
        };
        if body.incoming.is_end_stream() {
            body.finish();
        }
        body
    }

    /// All of it; the connection is kept for another call.
    pub async fn collect_bytes(self) -> Result<Bytes, WireError> {
        let (bytes, spent) = self.collect_held().await?;
        spent.keep();
        Ok(bytes)
    }

    /// All of it, and the connection in the caller's hand.
    pub async fn collect_held(mut self) -> Result<(Bytes, Spent), WireError> {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if rest.is_empty() && first.is_empty() {
                first = data; // one piece is not copied
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&std::mem::take(&mut first));
                }
                rest.extend_from_slice(&data);
            }
        }
        let bytes = if rest.is_empty() { first } else { rest.freeze() };
        Ok((bytes, std::mem::take(&mut self.spent)))
    }

    /// Bytes that came so far.
    pub fn received_bytes(&self) -> u64 {
        self.limit_bytes - self.left_bytes
    }

    /// The connection of a body that ended well, in the caller's hand.
    pub fn take_spent(&mut self) -> Spent {
        std::mem::take(&mut self.spent)
    }

    /// The connection is not for another call.
    pub(super) fn use_once(&mut self) {
        self.is_last = true;
        self.spent = Spent(None);
    }

    fn finish(&mut self) {
        self.spent = Spent(self.connection.take().filter(|_| !self.is_last));
    }

    fn fail(&mut self, error: WireError) -> Poll<Option<Result<Frame<Bytes>, WireError>>> {
        self.connection = None;
        Poll::Ready(Some(Err(error)))
    }
}

/// The connection of a response that is over. Its buffers may hold what the response said: kept
/// for another call only where somebody looked, else closed, and with that freed and wiped.
#[derive(Default)]
pub struct Spent(Option<(Pooled, Arc<Upstream>)>);

impl Spent {
    /// Keeps the connection for another call.
    pub fn keep(self) {
        if let Some((pooled, upstream)) = self.0 {
            upstream.give_back(pooled);
        }
    }
}

impl std::fmt::Debug for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spent")
    }
}

impl Body for LimitedBody {
    type Data = Bytes;
    type Error = WireError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WireError>>> {
        let this = self.get_mut();
        let Some((pooled, _)) = &mut this.connection else { return Poll::Ready(None) };
        let limit_bytes = this.limit_bytes;
        if this.incoming.size_hint().lower() > this.left_bytes {
            return this.fail(WireError::BodyTooLarge { limit_bytes });
        }
        // The body asks its connection for more, and the connection answers it: both here. Their
        // wakers are quiet until the last look at the connection, or each would wake this task
        // while it runs.
        let waker = pooled.waker(cx).clone();
        let mut quiet = Context::from_waker(&waker);
        pooled.drive(&mut quiet);
        let mut frame = Pin::new(&mut this.incoming).poll_frame(&mut quiet);
        if frame.is_pending() {
            pooled.drive(cx);
            frame = Pin::new(&mut this.incoming).poll_frame(&mut quiet);
        }
        match frame {
            Poll::Pending => match pooled.poll_late(cx) {
                Poll::Ready(()) => {
                    this.fail(WireError::Timeout { phase: Phase::Body, released: true })
                }
                Poll::Pending => Poll::Pending,
            },
            Poll::Ready(None) => {
                this.finish();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                let error = pooled.explain(Some(error));
                this.fail(error)
            }
            Poll::Ready(Some(Ok(frame))) => {
                let len = frame.data_ref().map_or(0, Bytes::len) as u64;
                match this.left_bytes.checked_sub(len) {
                    None => return this.fail(WireError::BodyTooLarge { limit_bytes }),
                    Some(left) => this.left_bytes = left,
                }
                if this.idle.is_some() {
                    pooled.set_deadline(next(this.idle, this.end));
                }
                if this.incoming.is_end_stream() {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.connection.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.connection {
            Some(_) => self.incoming.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

/// When the upstream must have said something more.
fn next(idle: Option<Duration>, end: Instant) -> Instant {
    idle.map_or(end, |idle| end.min(Instant::now() + idle))
}

impl std::fmt::Debug for LimitedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LimitedBody").field("left_bytes", &self.left_bytes).finish_non_exhaustive()
    }
}
