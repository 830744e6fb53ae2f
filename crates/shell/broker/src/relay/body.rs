//! The answer's body on its way to the program; its end writes the receipt.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use symbolon_codec::Digest32;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::grpc;
use super::head;
use super::room::Seat;
use super::search::Search;
use super::standing::Standing;
use crate::Broker;
use crate::api::CallError;
use crate::calls::OnItsWay;
use crate::errors;
use crate::receipts::{Completion, Heard};
use crate::upstream::{Live, UpstreamError};
use crate::wire::{Broke, LimitedBody, Tally};

/// A response body without the credential, given out as it comes, trailers too. When it ends, is
/// dropped or fails, the receipt is written.
pub struct RelayedBody(State);

enum State {
    /// It is over, or there was none.
    Over,
    /// As it comes.
    Flows(Box<Flow>),
    /// All of it, and the receipt is written.
    Whole(Bytes),
}

/// One relay after its answer's head.
pub(super) struct Flow {
    pub(super) source: LimitedBody,
    pub(super) search: Search,
    pub(super) ledger: Ledger,
    pub(super) live: Arc<Live>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) has_ended: bool,
    pub(super) bytes_max: u64,
    pub(super) stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    pub(super) standing: Standing,
    pub(super) broker: Arc<Broker>,
    pub(super) _seat: Seat,
}

/// What the receipt will say; dropped unsaid, it says that the program went away.
pub(super) struct Ledger {
    pub(super) completion: Completion<Arc<Broker>>,
    /// Of a request body that is sent on as it comes.
    pub(super) tally: Option<Arc<Tally>>,
    /// Bytes that a program sent into a tunnel.
    pub(super) tunnel_bytes: Option<u64>,
    /// `None` until there is an answer.
    pub(super) heard: Option<Heard>,
    /// A stop waits for the receipt.
    pub(super) _on_its_way: OnItsWay<Arc<Broker>>,
}

impl Ledger {
    fn sent(&self) -> Option<(u64, Option<Digest32>)> {
        if let Some(bytes) = self.tunnel_bytes {
            return Some((bytes, None));
        }
        let (bytes, digest) = self.tally.as_ref()?.sent();
        Some((bytes, Some(digest)))
    }

    /// The relay is over, and well.
    pub(super) fn close(&mut self) -> Result<u64, CallError> {
        let sent = self.sent();
        self.completion.relayed(self.heard.as_ref(), sent, None, true)
    }

    /// The relay is over, and not well: the error to show, with the receipt's number.
    pub(super) fn fail(&mut self, error: &UpstreamError) -> CallError {
        let shown = match self.tally.as_ref().and_then(|t| t.broke()) {
            Some(Broke::Off) => CallError::caller("program_gone", Broke::Off.to_string()),
            Some(broke) => CallError::caller("too_large", broke.to_string()).status(413),
            None => errors::upstream_of(error, self.completion.release(), error.released()),
        };
        let sent = self.sent();
        let heard = self.heard.as_ref();
        match self.completion.relayed(heard, sent, Some(&shown.code), error.released()) {
            Ok(number) => shown.receipt(Some(number)),
            Err(lost) => lost,
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if self.completion.is_written() {
            return;
        }
        let sent = self.sent();
        let heard = self.heard.as_ref();
        if let Err(e) = self.completion.relayed(heard, sent, Some("abandoned"), true) {
            tracing::error!("a receipt could not be written; its intent stands alone: {e}");
        }
    }
}

impl RelayedBody {
    /// No body.
    pub(super) fn none() -> Self {
        Self(State::Over)
    }

    /// A body that is here, of an answer whose receipt is written.
    pub(super) fn whole(body: Bytes) -> Self {
        Self(if body.is_empty() { State::Over } else { State::Whole(body) })
    }

    /// The body of an answer whose head was heard. One that has none is over here and now.
    pub(super) fn new(mut flow: Box<Flow>) -> Result<Self, CallError> {
        if flow.source.is_end_stream() {
            flow.end()?;
            return Ok(Self(State::Over));
        }
        Ok(Self(State::Flows(flow)))
    }
}

impl Flow {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame<Bytes>>, UpstreamError>> {
        loop {
            if self.has_ended {
                return Poll::Ready(Ok(self.trailers.take().map(Frame::trailers)));
            }
            self.standing.look()?;
            let frame = match Pin::new(&mut self.source).poll_frame(cx) {
                Poll::Ready(Some(frame)) => Some(frame?),
                Poll::Ready(None) => None,
                Poll::Pending => return self.poll_stopped(cx),
            };
            let mut out = Vec::new();
            match frame.map(Frame::into_data) {
                Some(Ok(data)) => {
                    out.reserve(data.len() + SLACK);
                    self.search.push(&data, &mut out)?;
                }
                Some(Err(other)) => {
                    if let Ok(trailers) = other.into_trailers() {
                        let echo = self.search.echo().clone();
                        let counts = self.search.counts();
                        let keeps = head::Kept::default();
                        let clean = head::inbound(&trailers, &self.live, &echo, keeps, counts)?;
                        if self.search.is_grpc() {
                            let heard = self.ledger.heard.get_or_insert_default();
                            heard.grpc_status = grpc::status_in(&clean);
                        }
                        self.trailers = (!clean.is_empty()).then_some(clean);
                    }
                    continue;
                }
                None => {}
            }
            if self.source.is_end_stream() {
                self.search.finish(&mut out)?;
                self.has_ended = true;
            }
            if !out.is_empty() {
                let heard = self.ledger.heard.get_or_insert_default();
                heard.bytes_out += out.len() as u64;
                if heard.bytes_out > self.bytes_max {
                    return Poll::Ready(Err(UpstreamError::TooLong(self.bytes_max)));
                }
                return Poll::Ready(Ok(Some(Frame::data(out.into()))));
            }
        }
    }

    /// The upstream says nothing: the time to see whether the broker is being stopped, or the grant
    /// has fallen.
    fn poll_stopped<T>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, UpstreamError>> {
        let stopped =
            self.stopped.get_or_insert_with(|| Box::pin(self.broker.calls.stopped_owned()));
        match stopped.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(UpstreamError::Stopped)),
            Poll::Pending => self.standing.poll_fallen(cx).map(Err),
        }
    }

    /// Writes the receipt of an answer that was handed on whole.
    fn end(&mut self) -> Result<(), CallError> {
        self.take_stock();
        self.ledger.close()?;
        let spent = self.source.take_spent();
        if self.search.total().total() == 0 {
            spent.keep();
        }
        Ok(())
    }

    fn take_stock(&mut self) {
        let heard = self.ledger.heard.get_or_insert_default();
        heard.bytes_in = self.source.received_bytes();
        heard.redactions = self.search.total();
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.take_stock();
    }
}

impl Body for RelayedBody {
    type Data = Bytes;
    type Error = CallError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CallError>>> {
        let flow = match &mut self.0 {
            State::Flows(flow) => flow,
            State::Over => return Poll::Ready(None),
            State::Whole(body) => {
                let body = std::mem::take(body);
                self.0 = State::Over;
                return Poll::Ready(Some(Ok(Frame::data(body))));
            }
        };
        let step = std::task::ready!(flow.poll(cx));
        let frame = match step {
            Ok(frame) => frame,
            Err(e) => {
                flow.take_stock();
                let shown = flow.ledger.fail(&e);
                let is_grpc = flow.search.is_grpc();
                self.0 = State::Over;
                // gRPC has a way to say that an answer is not whole, and clients read it.
                return Poll::Ready(Some(match is_grpc {
                    true => Ok(Frame::trailers(grpc::status_of(&e))),
                    false => Err(shown),
                }));
            }
        };
        if flow.has_ended && flow.trailers.is_none() {
            // Before the last piece is given out: who has all of it finds the receipt.
            let ended = flow.end();
            self.0 = State::Over;
            if let Err(lost) = ended {
                return Poll::Ready(Some(Err(lost)));
            }
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, State::Over)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::Flows(_) => SizeHint::default(),
            State::Whole(body) => SizeHint::with_exact(body.len() as u64),
            State::Over => SizeHint::with_exact(0),
        }
    }
}

impl std::fmt::Debug for RelayedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelayedBody")
    }
}

/// A replacement may be longer than what it replaces.
const SLACK: usize = 64;
