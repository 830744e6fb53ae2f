//! Requests of whole programs, as the proxy sees them: the gates of any call, then the answer handed
//! on while it comes. `specs/relay.md`.

mod body;
mod clean;
mod frames;
mod grpc;
mod head;
mod minted;
mod room;
mod search;
mod standing;
mod tunnel;

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use symbolon_capability::catalog::RawRequest;
use symbolon_capability::{ConnectionName, Refusal, Release};
use symbolon_connector::body::Codings;
use symbolon_connector::inject::{Slot, without_field};

pub use body::RelayedBody;
pub use room::RelayLimits;
pub use tunnel::Upgraded;

use crate::Broker;
use crate::api::{CallError, Context, Session};
use crate::arm::Draft;
use crate::call::Prepared;
use crate::calls::OnItsWay;
use crate::errors;
use crate::minted::mints;
use crate::oauth::names_invalid_token;
use crate::reading::Reading;
use crate::receipts::{Completion, Heard, Marks, content_type};
use crate::retry;
use crate::upstream::{Live, UpstreamError};
use crate::wire::{Client, OutBody, ProgramBody, Protocol, Streamed, Switched, Tally};
use body::{Flow, Ledger};
use clean::Cleaner;
use frames::Frames;
use grpc::Messages;
use head::Kept;
use room::{Room, Seat};
use search::Search;
use standing::{Standing, until_fallen};

/// The body of a program's request.
pub type RelayBody = ProgramBody;

/// A program's request to the host of a connection.
pub struct RelayRequest {
    /// The connection whose host it names.
    pub connection: String,
    /// The method.
    pub method: Method,
    /// The path as the program wrote it, the base URL's prefix included.
    pub path: String,
    /// The query without `?`.
    pub query: Option<String>,
    /// The program's headers. What is not end to end is left out here once more.
    pub headers: HeaderMap,
    /// The body.
    pub body: RelayBody,
    /// Whether the program asks for another protocol (RFC 9110, section 7.8).
    pub upgrade: bool,
    /// The placeholder of a minted credential that stood in the slot, in place of the connection's.
    pub minted: Option<String>,
}

/// The answer, as the program may have it.
#[derive(Debug)]
pub struct RelayReply {
    /// The upstream's status.
    pub status: StatusCode,
    /// Its headers, redacted; framing is the door's to make.
    pub headers: HeaderMap,
    /// Its body, redacted as it comes.
    pub body: RelayedBody,
    /// The WebSocket, where the upstream took it (status 101): to be joined with the program's.
    pub upgraded: Option<Upgraded>,
}

/// A program's request that was let through.
struct Passed {
    method: Method,
    target: String,
    /// Headers as they go out.
    out: HeaderMap,
    live: Arc<Live>,
    prepared: Prepared,
    /// A body that is sent on as it comes.
    streamed: Option<RelayBody>,
    upgrade: bool,
    seat: Seat,
    on_its_way: OnItsWay<Arc<Broker>>,
}

/// What relays share.
pub(crate) struct Relays {
    client: Client,
    room: Arc<Room>,
}

impl Relays {
    pub(crate) fn new(limits: RelayLimits, client: Client) -> Self {
        Self { client, room: Room::new(limits) }
    }
}

impl Broker {
    /// A program's request: matched to one operation, through gates and intent as any call, and
    /// sent with the program's own headers. The answer is handed on as it comes; its end, however it
    /// comes, writes the receipt.
    ///
    /// # Errors
    /// [`CallError`] as [`Broker::forward`]; also where the request is too large or too slow.
    pub async fn relay(
        self: &Arc<Self>,
        session: &Arc<Session>,
        context: &Context,
        request: RelayRequest,
    ) -> Result<RelayReply, CallError> {
        let mut seat = self.relays.room.sit(session)?;
        let live = self.live_named(&request.connection)?;
        let RelayRequest { method, path, query, headers, body, upgrade, minted, .. } = request;
        let raw_path = below_base(&live, &path)?;
        let raw_query = head::without_slot(query.as_deref().unwrap_or_default(), &live.slot)?;
        let kind = headers.get(CONTENT_TYPE).map(|v| v.to_str());
        let kind = kind.transpose().map_err(|_| {
            CallError::caller("invalid_arguments", "the Content-Type is not plain text")
        })?;
        let service = &live.registration.service;
        let (whole, streamed) = if service.streams(method.as_str(), raw_path) {
            (Bytes::new(), Some(body))
        } else {
            (without_field_of(&live.slot, seat.read(body).await?), None)
        };
        let raw = RawRequest {
            method: method.as_str(),
            path: raw_path,
            query: &raw_query,
            content_type: kind,
            body: &whole,
        };
        let (operation, arguments, bound) =
            service.matches_request(&raw).map_err(errors::request)?.into_parts();
        if !operation.takes_bytes() && is_encoded(&headers) && !whole.is_empty() {
            let message = "the request's body is encoded, and cannot be checked as it is";
            return Err(CallError::caller("content_encoding", message).status(415));
        }
        if operation.is_websocket() != upgrade {
            let message = match upgrade {
                true => "this operation opens no WebSocket",
                false => "this operation opens a WebSocket, and nothing else",
            };
            return Err(CallError::caller("upgrade", message).status(400));
        }
        drop(whole);
        let mut path_and_query = bound.path().as_str().to_owned();
        if !bound.query().is_empty() {
            path_and_query.push('?');
            path_and_query.push_str(bound.query());
        }
        let target = live.base.target(&path_and_query);
        let mut out = head::outbound(&headers, &live, &operation, &target)?;
        if let Some(body) = bound.body() {
            let bad = |_| CallError::caller("invalid_arguments", "the Content-Type is no header");
            out.insert(CONTENT_TYPE, HeaderValue::from_str(body.content_type()).map_err(bad)?);
        }
        out.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if upgrade {
            head::websocket(&headers, &mut out)?;
        }
        if operation.is_grpc() {
            out.insert(grpc::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }

        let lease =
            self.engine.lease(session, operation.name().as_str(), Some(&request.connection));
        let lease = lease.map_err(|r| self.refusal(&r))?;
        let prepared = match streamed {
            Some(_) => Prepared::streamed(lease, arguments, bound),
            None => Prepared::new(lease, arguments, bound),
        };
        let prepared = self.minding(session, context, prepared, minted)?;
        let opening = self.obtain_for(session, context, &prepared, Some(&out)).await?;
        // The connection that the gates saw, not one that took its name meanwhile.
        let live = self.live(&prepared.lease.registration)?;
        let on_its_way = OnItsWay::begin(self.clone()).ok_or_else(errors::stopped)?;
        let (release, marks) = self.released(opening, &prepared).await?;
        let passed =
            Passed { method, target, out, live, prepared, streamed, upgrade, seat, on_its_way };
        let mints = !operation.mints().is_empty();
        let relayed = self.clone().relay_released(passed, release, marks);
        match mints {
            // It goes on without its program: what is made must be kept.
            true => tokio::spawn(relayed).await.unwrap_or_else(|_| Err(errors::stopped())),
            false => relayed.await,
        }
    }

    /// A request that was let through: the wire, and the answer.
    async fn relay_released(
        self: Arc<Self>,
        passed: Passed,
        release: Arc<Release>,
        marks: Marks,
    ) -> Result<RelayReply, CallError> {
        let Passed {
            method,
            target,
            mut out,
            live,
            mut prepared,
            streamed,
            upgrade,
            mut seat,
            on_its_way,
        } = passed;
        let operation = release.operation().clone();
        let tally = streamed.as_ref().map(|_| Arc::<Tally>::default());
        let mut ledger = Ledger {
            completion: Completion::new(self.clone(), release.clone(), marks),
            tally: tally.clone(),
            tunnel_bytes: None,
            heard: None,
            _on_its_way: on_its_way,
        };
        let kept = self.with_shown(&live, prepared.minted.as_ref());
        let kept = kept.map_err(|e| ledger.fail(&e.into()))?;
        let live = kept.ready(&release).await.map_err(|e| ledger.fail(&e))?;
        let key = retry::key_to_add(&operation, &out, &release).map_err(|e| ledger.fail(&e))?;
        if let Some(key) = key {
            ledger.completion.tries().set_key(release.idempotency_key());
            out.extend([key]);
        }
        let body = prepared.take_body().into();
        let streamed_body = streamed.is_some();
        let mut draft =
            Draft { method: method.clone(), target, headers: out, body, streamed: streamed_body };
        let ready = live.arm(&release, &mut draft).and_then(|a| Ok((a, draft.into_request()?)));
        let (armed, mut sending) = ready.map_err(|e| ledger.fail(&e))?;
        if let (Some(body), Some(tally)) = (streamed, tally) {
            let max = self.relays.room.limits.streamed_body_bytes_max;
            *sending.body_mut() = OutBody::Streamed(Box::new(Streamed::new(body, max, tally)));
        }
        let pace = self.relays.room.limits.pace();
        let client = &self.relays.client;
        let send = async {
            if upgrade {
                client.upgrade(&live.target, armed, sending, pace).await
            } else {
                let protocol = if operation.is_grpc() { Protocol::Http2 } else { Protocol::Http1 };
                let sent = client.send_at(&live.target, protocol, armed, sending, pace).await;
                sent.map(|(parts, body, _)| (parts, Switched::Answer(body)))
            }
        };
        // What a service makes is to be kept: such an answer is waited for.
        let is_waited_for = !operation.mints().is_empty();
        let fallen = async {
            match is_waited_for {
                true => std::future::pending().await,
                false => until_fallen(self.clone(), release.clone()).await,
            }
        };
        let answered = tokio::select! {
            biased;
            answered = send => answered.map_err(UpstreamError::Wire),
            () = self.calls.stopped() => Err(UpstreamError::Stopped),
            refusal = fallen => Err(UpstreamError::Fallen(refusal)),
        };
        let (parts, switched) = answered.map_err(|e| ledger.fail(&e))?;
        seat.body_sent();
        ledger.heard = Some(Heard {
            status: parts.status.as_u16(),
            content_type: content_type(&parts.headers).into_owned(),
            ..Heard::default()
        });
        if parts.status == StatusCode::UNAUTHORIZED && names_invalid_token(&parts.headers) {
            // For what the program sends next: this answer is its own to read.
            kept.ready_instead_of(&live, &release).await;
        }
        let (status, limits) = (parts.status, &self.relays.room.limits);
        let bytes_max = limits.response_bytes_max;
        let source = match switched {
            Switched::Answer(source) => source,
            Switched::Tunnel(tunnel) => {
                let mut cleaner = Cleaner::new(&live, &Codings::default(), bytes_max);
                let echo = cleaner.echo().clone();
                let headers = head::switched(&parts.headers, &live, &echo, cleaner.counts())
                    .map_err(|e| ledger.fail(&e))?;
                let frames = Frames::new(cleaner);
                let standing = Standing::new(self.clone(), release);
                let upgraded = Upgraded::new(limits, tunnel, frames, ledger, standing, seat);
                let (body, upgraded) = (RelayedBody::none(), Some(upgraded));
                return Ok(RelayReply { status, headers, body, upgraded });
            }
        };
        let reading = if status == StatusCode::SWITCHING_PROTOCOLS {
            Err(UpstreamError::Undecodable("it changes the protocol unasked".to_owned()))
        } else {
            Reading::of(&operation, status, &parts.headers, bytes_max).map_err(Into::into)
        };
        let reading = reading.map_err(|e| ledger.fail(&e))?;
        if let Some(heard) = &mut ledger.heard {
            heard.searched = reading.searched;
        }
        if mints(&release, status.as_u16()) {
            return self
                .relay_minted(&live, status, &parts.headers, source, &reading, ledger)
                .await;
        }
        let mut cleaner = Cleaner::new(&live, &reading.codings, reading.bytes_max);
        let keeps = Kept::of(&method, status.as_u16(), &reading);
        let echo = cleaner.echo().clone();
        let headers = head::inbound(&parts.headers, &live, &echo, keeps, cleaner.counts())
            .map_err(|e| ledger.fail(&e.into()))?;
        let search = if operation.is_grpc() && grpc::is_spoken(&headers) {
            if let Some(heard) = &mut ledger.heard {
                heard.grpc_status = grpc::status_in(&headers);
            }
            Search::Messages(Messages::new(cleaner))
        } else {
            Search::Bytes(cleaner)
        };
        let body = RelayedBody::new(Box::new(Flow {
            source,
            search,
            ledger,
            live,
            trailers: None,
            has_ended: false,
            bytes_max,
            stopped: None,
            standing: Standing::new(self.clone(), release),
            broker: self,
            _seat: seat,
        }))?;
        Ok(RelayReply { status, headers, body, upgraded: None })
    }

    pub(crate) fn live_named(&self, connection: &str) -> Result<Arc<Live>, CallError> {
        let missing =
            || errors::refusal(&Refusal::NoConnection(connection.chars().take(64).collect()));
        let name = ConnectionName::parse(connection).map_err(|_| missing())?;
        let open = self.opened()?;
        let live = open.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(&name).cloned().ok_or_else(missing)
    }
}

/// The path below the connection's base URL.
fn below_base<'p>(live: &Live, path: &'p str) -> Result<&'p str, CallError> {
    live.base.strip(path).ok_or_else(|| {
        let message = "the path is not below the connection's base URL";
        CallError::caller("not_listed", message).status(403).next("symbolon connections")
    })
}

/// A form without the slot's own field, in which the program has its placeholder.
fn without_field_of(slot: &Slot, body: Bytes) -> Bytes {
    match slot {
        Slot::Form { name } => without_field(&body, name.as_str()).into(),
        _ => body,
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let is_plain = |v: &HeaderValue| {
        v.as_bytes()
            .split(|b| *b == b',')
            .all(|c| c.trim_ascii().is_empty() || c.trim_ascii().eq_ignore_ascii_case(b"identity"))
    };
    !headers.get_all(CONTENT_ENCODING).iter().all(is_plain)
}
