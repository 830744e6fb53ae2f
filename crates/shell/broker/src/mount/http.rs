//! Streamable HTTP: each message is a POST over the broker's own wire, with the connection's
//! credential, for a call that was released.
//!
//! Source: the Model Context Protocol, revision 2025-11-25, `basic/transports`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use symbolon_capability::Release;
use symbolon_connector::redact::Counts;
use tokio::time::Instant;

use super::error::MountFault;
use super::events::Events;
use super::process::Answered;
use super::rpc::{Message, reply_to};
use super::session::{Channel, Listing, Unanswered};
use crate::answer::decode;
use crate::arm::Draft;
use crate::reading::Reading;
use crate::upstream::{Answer, Live, UpstreamError};
use crate::wire::{Client, LimitedBody, Pace, Protocol, Spent};

/// A session that a server began with us.
#[derive(Debug)]
pub(super) struct HttpSession {
    /// Its id, where the server gives one. Whoever has it and the credential is the session.
    id: Option<HeaderValue>,
    revision: &'static str,
    pub listing: Arc<Listing>,
    next_id: AtomicU64,
    /// The server said that its list of tools changed.
    pub stale: AtomicBool,
}

/// The way of one call.
pub(super) struct HttpChannel<'c> {
    pub client: &'c Client,
    pub live: &'c Live,
    pub release: &'c Arc<Release>,
    /// Path of the endpoint, below the connection's base URL.
    pub path: &'c str,
    pub until: Instant,
    id: Option<HeaderValue>,
    revision: Option<&'static str>,
    next_id: u64,
    sent: bool,
    is_stale: bool,
    /// The server does not know the session that it is asked in.
    pub is_lost: bool,
    pub bytes_out: u64,
    pub bytes_in: u64,
    pub spent: Spent,
}

impl<'c> HttpChannel<'c> {
    pub(super) fn new(
        client: &'c Client,
        live: &'c Live,
        release: &'c Arc<Release>,
        path: &'c str,
        until: Instant,
    ) -> Self {
        Self {
            client,
            live,
            release,
            path,
            until,
            id: None,
            revision: None,
            next_id: 1,
            sent: false,
            is_stale: false,
            is_lost: false,
            bytes_out: 0,
            bytes_in: 0,
            spent: Spent::default(),
        }
    }

    /// Goes on in a session. `id`: of its next message.
    pub(super) fn join(&mut self, session: &HttpSession) -> u64 {
        (self.id, self.revision) = (session.id.clone(), Some(session.revision));
        session.next_id.fetch_add(1, Relaxed)
    }

    /// Begins no session that was there before.
    pub(super) fn leave(&mut self) {
        (self.id, self.revision, self.next_id, self.is_lost) = (None, None, 1, false);
    }

    /// The session as it was begun.
    pub(super) fn session(&self, listing: Listing) -> HttpSession {
        HttpSession {
            id: self.id.clone(),
            // INFALLIBLE: it is agreed before there is a list.
            revision: self.revision.expect("begun"),
            listing: Arc::new(listing),
            next_id: AtomicU64::new(self.next_id),
            stale: AtomicBool::new(false),
        }
    }

    /// Whether the server said in an answer that its list changed.
    pub(super) const fn is_stale(&self) -> bool {
        self.is_stale
    }

    async fn post(
        &mut self,
        message: Vec<u8>,
    ) -> Result<(http::response::Parts, LimitedBody), UpstreamError> {
        let mut headers = self.live.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(revision) = self.revision {
            headers.insert(REVISION, HeaderValue::from_static(revision));
        }
        if let Some(id) = &self.id {
            headers.insert(SESSION, id.clone());
        }
        let mut draft = Draft {
            method: Method::POST,
            target: self.live.base.target(self.path),
            headers,
            body: message.into(),
            streamed: false,
        };
        let armed = self.live.arm(self.release, &mut draft)?;
        let request = draft.into_request()?;
        let left = self.until.saturating_duration_since(Instant::now());
        let pace = Pace { total: left.max(SHORTEST), ..Pace::from(self.client.limits()) };
        let sent = self.client.send_at(&self.live.target, Protocol::Http1, armed, request, pace);
        let (parts, body, sent) = match sent.await {
            Ok(sent) => sent,
            Err(e) => {
                self.sent |= e.released();
                return Err(UpstreamError::Wire(e));
            }
        };
        self.sent = true;
        self.bytes_out += sent.bytes;
        if parts.status.is_informational() {
            return Err(UpstreamError::Switched);
        }
        Ok((parts, body))
    }

    /// An answer that is none of MCP: whole, for the caller.
    async fn as_it_is(
        &mut self,
        parts: http::response::Parts,
        body: LimitedBody,
    ) -> Result<Answer, UpstreamError> {
        let (raw, spent) = body.collect_held().await?;
        self.bytes_in += raw.len() as u64;
        let bytes_max = self.client.limits().response_body_bytes_max;
        let operation = self.release.operation();
        let reading = Reading::of(operation, parts.status, &parts.headers, bytes_max)?;
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: decode(&reading, raw)?,
            bytes_out: self.bytes_out,
            bytes_in: self.bytes_in,
            redirects: 0,
            searched: reading.searched,
            redactions: Counts::default(),
            tool: None,
            spent,
        })
    }

    /// What one message comes to; `None` where the answer is still to come.
    async fn take(
        &mut self,
        id: u64,
        message: &[u8],
        bytes_max: usize,
    ) -> Result<Option<Answered>, Unanswered> {
        match Message::read(message, bytes_max).map_err(MountFault::sent)? {
            Message::Answer { id: of, outcome } if of == id => {
                Ok(Some(Answered { outcome, bytes: message.len() as u64 }))
            }
            Message::Answer { .. } => {
                Err(MountFault::Malformed("an answer is of another request").sent().into())
            }
            // Of this request: no other is in it.
            Message::Unread => Err(MountFault::Malformed("an error has no id").sent().into()),
            Message::Request { id, method } => {
                self.reply(&id, &method).await?;
                Ok(None)
            }
            Message::Notice { method } => {
                self.is_stale |= method == "notifications/tools/list_changed";
                Ok(None)
            }
        }
    }

    async fn reply(&mut self, id: &Value, method: &str) -> Result<(), Unanswered> {
        let (_, body) = self.post(reply_to(id, method)).await?;
        // Nothing of it is given out, and nobody looks at it: closed.
        drop(body);
        Ok(())
    }

    /// Events, until the answer is among them.
    async fn events(&mut self, id: u64, mut body: LimitedBody) -> Result<Answered, Unanswered> {
        let bytes_max = self.bytes_max();
        let mut events = Events::new(bytes_max);
        let mut asked = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(UpstreamError::Wire)?;
            let Ok(data) = frame.into_data() else { continue };
            self.bytes_in += data.len() as u64;
            for event in events.push(&data).map_err(MountFault::sent)? {
                asked += 1;
                if asked > EVENTS_MAX {
                    let what = "too many messages before an answer";
                    return Err(MountFault::Malformed(what).sent().into());
                }
                // An event without data is there to be resumed from.
                if event.is_empty() {
                    continue;
                }
                if let Some(answered) = self.take(id, &event, bytes_max).await? {
                    return Ok(answered);
                }
            }
        }
        Err(MountFault::Malformed("the stream ended without the answer").sent().into())
    }

    async fn whole(
        &mut self,
        id: u64,
        reading: Reading,
        is_events: bool,
        body: LimitedBody,
    ) -> Result<Answered, Unanswered> {
        let (raw, spent) = body.collect_held().await.map_err(UpstreamError::Wire)?;
        self.bytes_in += raw.len() as u64;
        self.spent = spent;
        let text: Bytes = decode(&reading, raw)?;
        let bytes_max = self.bytes_max();
        let messages = match is_events {
            true => Events::new(bytes_max).push(&text).map_err(MountFault::sent)?,
            false => vec![text.to_vec()],
        };
        for message in messages.iter().filter(|m| !m.is_empty()).take(EVENTS_MAX) {
            if let Some(answered) = self.take(id, message, bytes_max).await? {
                return Ok(answered);
            }
        }
        Err(MountFault::Malformed("there is no answer").sent().into())
    }

    fn bytes_max(&self) -> usize {
        usize::try_from(self.client.limits().response_body_bytes_max).unwrap_or(usize::MAX)
    }
}

impl Channel for HttpChannel<'_> {
    fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    async fn ask(&mut self, id: u64, message: Vec<u8>) -> Result<Answered, Unanswered> {
        let (parts, body) = self.post(message).await?;
        if parts.status == StatusCode::NOT_FOUND && self.id.is_some() {
            self.is_lost = true;
        }
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_events = kind == "text/event-stream";
        if parts.status != StatusCode::OK || !(is_events || kind == "application/json") {
            return Err(Unanswered::Http(Box::new(self.as_it_is(parts, body).await?)));
        }
        if self.revision.is_none() {
            // Only the answer that begins a session names it.
            self.id = parts.headers.get(SESSION).cloned().filter(is_session_id);
        }
        let bytes_max = self.client.limits().response_body_bytes_max;
        let reading =
            Reading::of(self.release.operation(), parts.status, &parts.headers, bytes_max)
                .map_err(UpstreamError::from)?;
        match is_events && reading.codings.is_identity() {
            true => self.events(id, body).await,
            false => self.whole(id, reading, is_events, body).await,
        }
    }

    async fn tell(&mut self, message: Vec<u8>) -> Result<(), Unanswered> {
        let (parts, body) = self.post(message).await?;
        if !parts.status.is_success() {
            return Err(Unanswered::Http(Box::new(self.as_it_is(parts, body).await?)));
        }
        let (_, spent) = body.collect_held().await.map_err(UpstreamError::Wire)?;
        // Nothing of it is given out. Who looks for an echo is the call that comes next.
        drop(spent);
        Ok(())
    }

    fn agreed(&mut self, revision: &'static str) {
        self.revision = Some(revision);
    }

    fn has_sent(&self) -> bool {
        self.sent
    }
}

/// Visible ASCII, as the protocol has it.
fn is_session_id(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=SESSION_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SESSION_BYTES_MAX: usize = 1024;
const EVENTS_MAX: usize = 4096;
const SHORTEST: Duration = Duration::from_millis(1);
