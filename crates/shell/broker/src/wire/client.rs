//! One call: a request with its armed credential out, a response back.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body::Body;
use hyper::body::Incoming;
use symbolon_connector::inject::{Expected, FieldBlock, InjectError, RequestLine};

use super::armed::Armed;
use super::body::LimitedBody;
use super::error::{Phase, WireError};
use super::http::Protocol;
use super::outgoing::OutBody;
use super::pool::Pooled;
use super::resolve::{Resolver, SystemResolver};
use super::target::{Target, Upstream};
use super::tunnel::Tunnel;

/// How long and how large a call may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Resolving, TCP and TLS together.
    pub connect: Duration,
    /// From the request to the end of the response's headers.
    pub head: Duration,
    /// The whole call with its body.
    pub total: Duration,
    /// Status line and headers; the HTTP stack takes at most 100 headers in any case.
    pub response_head_bytes_max: usize,
    /// The body as it comes over the wire (before it is decompressed).
    pub response_body_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(10),
            head: Duration::from_secs(30),
            total: Duration::from_secs(60),
            response_head_bytes_max: 64 * 1024,
            response_body_bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// How long one call may take, where it differs from what [`Limits`] gives all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the request to the end of the response's headers; anew whenever more of a streamed
    /// request body has left.
    pub head: Duration,
    /// Between two pieces of the response's body. `None`: only the total counts.
    pub idle: Option<Duration>,
    /// The whole call with its body.
    pub total: Duration,
    /// The body as it comes over the wire.
    pub response_body_bytes_max: u64,
}

impl From<&Limits> for Pace {
    fn from(limits: &Limits) -> Self {
        Self {
            head: limits.head,
            idle: None,
            total: limits.total,
            response_body_bytes_max: limits.response_body_bytes_max,
        }
    }
}

/// What went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Head and body with the credential in it, before TLS.
    pub bytes: u64,
}

/// Sends requests. One for the broker; connections are kept by [`Target`].
pub struct Client {
    limits: Limits,
    resolver: Arc<dyn Resolver>,
}

impl Client {
    /// With the system's resolver.
    pub fn new(limits: Limits) -> Self {
        Self::with_resolver(limits, Arc::new(SystemResolver))
    }

    /// With another resolver; its answers are checked all the same.
    pub fn with_resolver(limits: Limits, resolver: Arc<dyn Resolver>) -> Self {
        Client { limits, resolver }
    }

    /// With the system's resolver where none is given.
    pub(crate) fn of(limits: Limits, resolver: Option<Arc<dyn Resolver>>) -> Self {
        Self::with_resolver(limits, resolver.unwrap_or_else(|| Arc::new(SystemResolver)))
    }

    /// The limits of each call.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn resolver(&self) -> &dyn Resolver {
        &*self.resolver
    }

    /// Sends `request` with the credential in the place of `armed`'s placeholder, which the caller
    /// has put into the armed slot, and gives the response's head and its body as a stream.
    ///
    /// Host, framing and hop-by-hop headers are set here whatever the request says; of the URI the
    /// path and query are used. A kept connection that turns out to be dead before any of the
    /// request was written is replaced; nothing that was written is ever sent again, whatever the
    /// method. The call is over when the body is read to its end or dropped.
    pub async fn send(
        &self,
        target: &Target,
        armed: Armed,
        request: Request<OutBody>,
    ) -> Result<(http::response::Parts, LimitedBody, Sent), WireError> {
        self.send_at(target, Protocol::Http1, armed, request, Pace::from(&self.limits)).await
    }

    /// As [`send`](Self::send), over a protocol and at a pace of its own.
    pub async fn send_at(
        &self,
        target: &Target,
        protocol: Protocol,
        armed: Armed,
        mut request: Request<OutBody>,
        pace: Pace,
    ) -> Result<(http::response::Parts, LimitedBody, Sent), WireError> {
        let upstream = target.upstream();
        prepare(&mut request, upstream);
        let block = match protocol {
            Protocol::Http1 => None,
            Protocol::Http2 => Some(into_block(&mut request, upstream, &armed)?),
        };
        let end = Instant::now() + pace.total;
        loop {
            let kept = upstream.take(protocol);
            let is_kept = kept.is_some();
            let mut pooled = match kept {
                Some(pooled) => pooled,
                None => {
                    let (resolver, limits) = (&*self.resolver, &self.limits);
                    // Rare, and the larger part of what every call would carry along.
                    Box::pin(Pooled::connect(upstream, protocol, &armed, resolver, limits, end))
                        .await?
                }
            };
            match &block {
                None => pooled.desk.arm(armed.clone()),
                Some(block) => pooled.desk.arm_block(armed.clone(), block.clone()),
            }
            pooled.set_deadline(end.min(Instant::now() + pace.head));
            match exchange(&mut pooled, request, &pace, end).await {
                Ok(response) => {
                    let sent = Sent { bytes: pooled.desk.sent_bytes() };
                    let (parts, body) = response.into_parts();
                    let body = LimitedBody::new(body, pooled, upstream.clone(), &pace, end);
                    return Ok((parts, body, sent));
                }
                Err(Failed::Unsent(unsent)) if is_kept => request = *unsent,
                Err(Failed::Unsent(_)) => return Err(pooled.explain(None)),
                Err(Failed::Error(error)) => return Err(error),
            }
        }
    }
}

/// What an upstream made of a request for WebSocket.
pub enum Switched {
    /// It changed the protocol.
    Tunnel(Tunnel),
    /// It did not: an answer like any other, on a connection that is not used again.
    Answer(LimitedBody),
}

impl Client {
    /// Asks for WebSocket, on a connection of its own. The credential is in the request's head, as
    /// always; what follows a change of protocol is the caller's.
    pub async fn upgrade(
        &self,
        target: &Target,
        armed: Armed,
        mut request: Request<OutBody>,
        pace: Pace,
    ) -> Result<(http::response::Parts, Switched), WireError> {
        let upstream = target.upstream();
        prepare(&mut request, upstream);
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        request.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        let end = Instant::now() + pace.total;
        let (resolver, limits) = (&*self.resolver, &self.limits);
        let mut pooled =
            Pooled::connect(upstream, Protocol::Http1, &armed, resolver, limits, end).await?;
        pooled.desk.arm_upgrade(armed);
        pooled.set_deadline(end.min(Instant::now() + pace.head));
        let response = match exchange(&mut pooled, request, &pace, end).await {
            Ok(response) => response,
            Err(Failed::Unsent(_)) => return Err(pooled.explain(None)),
            Err(Failed::Error(error)) => return Err(error),
        };
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::SWITCHING_PROTOCOLS {
            let mut body = LimitedBody::new(body, pooled, upstream.clone(), &pace, end);
            body.use_once();
            return Ok((parts, Switched::Answer(body)));
        }
        drop(body);
        // The HTTP stack lets go of a connection whose protocol has changed.
        poll_fn(|cx| match pooled.drive(cx) {
            true => Poll::Ready(()),
            false => pooled.poll_late(cx),
        })
        .await;
        if !pooled.is_over_well() {
            return Err(pooled.explain(None));
        }
        let Some((wire, early)) = pooled.into_wire() else {
            return Err(WireError::Reset { released: true, source: None });
        };
        Ok((parts, Switched::Tunnel(Tunnel::new(wire, early))))
    }
}

enum Failed {
    /// Nothing of the request was written; here it is again.
    Unsent(Box<Request<OutBody>>),
    Error(WireError),
}

/// Waits for the response's head, driving the connection in this task.
async fn exchange(
    pooled: &mut Pooled,
    request: Request<OutBody>,
    pace: &Pace,
    end: Instant,
) -> Result<Response<Incoming>, Failed> {
    let mut sent = 0;
    let mut response = pin!(pooled.send.try_send(request));
    let answer = poll_fn(|cx| {
        pooled.drive(cx);
        // Only the connection, polled right above, can complete it: with this task's own waker here
        // that would wake the task which is running, and with it a second thread.
        let mut quiet = Context::from_waker(pooled.waker(cx));
        if let Poll::Ready(answer) = response.as_mut().poll(&mut quiet) {
            return Poll::Ready(Some(answer));
        }
        while pooled.poll_late(cx).is_ready() {
            // A request body that is still on its way is not a late answer.
            let now = Instant::now();
            let moved = pace.idle.is_some() && pooled.desk.sent_bytes() != sent && now < end;
            if !moved {
                return Poll::Ready(None);
            }
            sent = pooled.desk.sent_bytes();
            pooled.set_deadline(end.min(now + pace.head));
        }
        Poll::Pending
    })
    .await;
    match answer {
        Some(Ok(response)) => Ok(response),
        None => {
            let released = pooled.released();
            Err(Failed::Error(WireError::Timeout { phase: Phase::Head, released }))
        }
        Some(Err(mut error)) => {
            let unsent = error.take_message();
            // Armed still: no head reached the stream. Both must agree.
            let untouched = pooled.desk.disarm().is_some() && !pooled.desk.released();
            match unsent {
                Some(request) if untouched => Err(Failed::Unsent(Box::new(request))),
                _ => Err(Failed::Error(pooled.explain(Some(error.into_error())))),
            }
        }
    }
}

/// Takes a request's head into a header block, and leaves what the HTTP/2 stack needs to see of it.
fn into_block(
    request: &mut Request<OutBody>,
    upstream: &Upstream,
    armed: &Armed,
) -> Result<FieldBlock, WireError> {
    let headers = std::mem::take(request.headers_mut());
    let length = request.body().size_hint().exact().filter(|n| *n > 0).map(|n| n.to_string());
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let line = RequestLine { method: request.method().as_str(), path: &path };
    let own = headers.iter().filter(|(name, _)| *name != HOST);
    let own = own.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let length = length.iter().map(|n| (CONTENT_LENGTH_NAME, n.as_bytes()));
    let fields: Vec<_> = own.chain(length).collect();
    let expected = Expected {
        placeholder: &armed.placeholder,
        slot: &armed.slot,
        authority: &upstream.authority,
    };
    let block = FieldBlock::write(line, &fields, &expected, armed.opener.wire_len())
        .map_err(|e| WireError::Refused { source: e.into(), released: false })?;
    // None of it leaves: the stack's block is put aside.
    let origin = Uri::builder()
        .scheme(upstream.authority.scheme().as_str())
        .authority(upstream.authority.as_str())
        .path_and_query("/");
    *request.uri_mut() = origin.build().map_err(|_| {
        let source = InjectError::TargetOrigin.into();
        WireError::Refused { source, released: false }
    })?;
    *request.version_mut() = Version::HTTP_2;
    Ok(block)
}

/// Gives the request the form that the wire wants.
fn prepare(request: &mut Request<OutBody>, upstream: &Upstream) {
    let headers: &mut HeaderMap = request.headers_mut();
    for name in [
        CONNECTION,
        CONTENT_LENGTH, // the body's own size is what is sent
        EXPECT,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        KEEP_ALIVE,
        PROXY_CONNECTION,
    ] {
        headers.remove(name);
    }
    headers.insert(HOST, upstream.host.clone());
    *request.version_mut() = Version::HTTP_11;
    let uri = request.uri_mut();
    if uri.authority().is_some() {
        *uri = uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    }
}

const CONTENT_LENGTH_NAME: &str = "content-length";
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
