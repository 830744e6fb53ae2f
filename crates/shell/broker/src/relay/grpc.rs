//! gRPC messages of an upstream (length-prefixed, over HTTP/2), searched and passed on as they are.
//!
//! A replacement would change a message's length and its sense, so an echo is not taken out: the
//! message that holds it does not pass, and the call ends with a status of its own.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use symbolon_connector::redact::Counts;

use super::clean::Cleaner;
use super::frames::Edge;
use crate::upstream::UpstreamError;
use crate::wire::{Phase, WireError};

/// Takes messages as they come and gives out the same, or an error. Short ones pass whole.
pub(super) struct Messages {
    cleaner: Cleaner,
    edge: Edge,
    head: [u8; HEAD_BYTES],
    have: usize,
    /// Bytes of the message that have not come; `None` between two.
    left: Option<u64>,
    /// What of the message waits for its end.
    held: Vec<u8>,
    clean: Vec<u8>,
}

impl Messages {
    pub(super) fn new(cleaner: Cleaner) -> Self {
        Self {
            edge: Edge::new(cleaner.echo().clone()),
            cleaner,
            head: [0; HEAD_BYTES],
            have: 0,
            left: None,
            held: Vec::new(),
            clean: Vec::new(),
        }
    }

    pub(super) fn cleaner(&self) -> &Cleaner {
        &self.cleaner
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        self.cleaner.counts()
    }

    /// Takes `input` and appends to `out` what may pass. After an error nothing more may.
    pub(super) fn push(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), UpstreamError> {
        while !input.is_empty() {
            let Some(left) = self.left else {
                let n = (HEAD_BYTES - self.have).min(input.len());
                self.head[self.have..self.have + n].copy_from_slice(&input[..n]);
                self.have += n;
                input = &input[n..];
                if self.have == HEAD_BYTES {
                    self.begin(out)?;
                }
                continue;
            };
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let (piece, rest) = input.split_at(n);
            input = rest;
            self.piece(piece, left - n as u64, out)?;
        }
        Ok(())
    }

    /// Nothing more comes.
    pub(super) fn finish(&self) -> Result<(), UpstreamError> {
        match self.left.is_none() && self.have == 0 {
            true => Ok(()),
            false => Err(malformed("it ends inside of a gRPC message")),
        }
    }

    /// A message's head is complete.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        let [compressed, length @ ..] = self.head;
        if compressed != 0 {
            // Never asked for: the program's `grpc-accept-encoding` stays here.
            return Err(malformed("a gRPC message is compressed"));
        }
        self.have = 0;
        self.held.extend_from_slice(&self.head);
        self.piece(b"", u64::from(u32::from_be_bytes(length)), out)
    }

    /// More of a message, after which `left` bytes of it are to come.
    fn piece(&mut self, piece: &[u8], left: u64, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        let mut clean = std::mem::take(&mut self.clean);
        clean.clear();
        // What was taken out of headers is counted already, and is no reason to stop.
        let before = self.cleaner.total().total();
        self.cleaner.push(piece, &mut clean)?;
        if left == 0 {
            self.cleaner.finish_message(&mut clean)?;
        }
        if self.cleaner.total().total() > before {
            return Err(UpstreamError::Echoed);
        }
        self.edge.pass(&clean)?;
        self.held.extend_from_slice(&clean);
        self.clean = clean;
        self.left = (left > 0).then_some(left);
        if left == 0 {
            self.edge.end();
        }
        if left == 0 || self.held.len() > HELD_MAX {
            out.append(&mut self.held);
        }
        Ok(())
    }
}

/// The trailers with which a call ends whose answer is not passed on: what a gRPC client reads.
pub(super) fn status_of(error: &UpstreamError) -> HeaderMap {
    let (status, message) = match error {
        UpstreamError::Wire(WireError::Timeout { phase: Phase::Body | Phase::Head, .. }) => {
            (DEADLINE_EXCEEDED, "symbolon: the upstream took too long")
        }
        UpstreamError::Wire(_) | UpstreamError::Stopped => {
            (UNAVAILABLE, "symbolon: the upstream or the broker went away")
        }
        UpstreamError::Fallen(_) => (PERMISSION_DENIED, "symbolon: the grant has ended"),
        UpstreamError::TooLong(_) => (RESOURCE_EXHAUSTED, "symbolon: the answer is too long"),
        _ => (ABORTED, "symbolon: the answer holds the credential or cannot be searched for it"),
    };
    HeaderMap::from_iter([
        (GRPC_STATUS, HeaderValue::from(status)),
        (GRPC_MESSAGE, HeaderValue::from_static(message)),
    ])
}

/// Whether an answer is gRPC by its media type. Another one (a page of a load balancer) is any body.
pub(super) fn is_spoken(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let Some((name, rest)) = kind.split_at_checked(MEDIA_TYPE.len()) else { return false };
    name.eq_ignore_ascii_case(MEDIA_TYPE) && matches!(rest.first(), None | Some(b'+' | b';' | b' '))
}

/// The status that an upstream gave, in its trailers or, without a body, its headers.
pub(super) fn status_in(headers: &HeaderMap) -> Option<u8> {
    let text = headers.get(GRPC_STATUS)?.to_str().ok()?;
    // 0 to 16 are defined; what is no small number is not written down.
    text.parse().ok().filter(|_| text.len() <= 2)
}

fn malformed(what: &str) -> UpstreamError {
    UpstreamError::Undecodable(what.to_owned())
}

pub(super) const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const MEDIA_TYPE: &[u8] = b"application/grpc";
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// Whether it is compressed, and a length in four bytes.
const HEAD_BYTES: usize = 5;
/// Longer messages pass in pieces.
const HELD_MAX: usize = 64 * 1024;

// gRPC's status codes.
const DEADLINE_EXCEEDED: u16 = 4;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const ABORTED: u16 = 10;
const UNAVAILABLE: u16 = 14;
