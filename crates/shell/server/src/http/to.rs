//! The gateway door: `/to/{connection}/{path}` in place of a service's base URL.
//!
//! A program sets its SDK's base URL to `http://127.0.0.1:7070/to/github` and its API key to an agent's. The
//! broker matches method and path to an operation and runs the same gates; its answer leaves as it came,
//! redacted.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use symbolon_broker::{Asking, CallError, Called, Context, ForwardReply};
use symbolon_mcp::{Answered, Finish, Held, Seat};

use super::{
    backend::{Asked, Backend},
    failure::failure,
};

/// The prefix of all paths of this door.
pub(super) const PREFIX: &str = "/to/";

/// Takes a request of this door apart, nothing decoded.
pub(super) fn asked(head: Parts, body: Bytes) -> Result<Asked, CallError> {
    let rest = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let connection = rest.split('/').next().unwrap_or_default();
    let Some(target) = head.uri.path_and_query().filter(|_| !connection.is_empty()) else {
        return Err(failure(
            "no_connection",
            StatusCode::NOT_FOUND,
            "The path names no connection.",
            Some("Use /to/CONNECTION/PATH; GET /api/connections lists yours."),
        ));
    };
    Ok(Asked {
        path_from: PREFIX.len() + connection.len(),
        connection: connection.to_owned(),
        method: head.method,
        target: target.clone(),
        headers: head.headers,
        body,
    })
}

/// Sends it through the gates. A request that began goes on after its caller has gone.
pub(super) async fn forward<B: Backend>(
    seat: &Seat<B>,
    asked: Asked,
) -> Result<Response<Full<Bytes>>, CallError> {
    let asked = Arc::new(asked);
    let stays = Asking { stays: true, ..Asking::default() };
    let pending = match once(seat, asked.clone(), stays).await? {
        Called::Done((forwarded, held)) => return Ok(answer(forwarded, held)),
        Called::Asked(pending) => pending,
    };
    // Waits without a turn, and only for as long as its caller does.
    seat.calls().until_answered(pending.number, None).await;
    let again = Asking { state: Some(pending.state), stays: true, client: None };
    match once(seat, asked, again).await? {
        Called::Done((forwarded, held)) => Ok(answer(forwarded, held)),
        Called::Asked(pending) => Err(pending.to_error()),
    }
}

async fn once<B: Backend>(
    seat: &Seat<B>,
    asked: Arc<Asked>,
    asking: Asking,
) -> Result<Called<(ForwardReply, Held)>, CallError> {
    let slot = seat.slots().enter().await?;
    let call = seat.calls().forward(seat.session(), Context::Direct, asked, asking);
    let room = seat.room().clone();
    let forwarded = Finish::new(async move {
        let forwarded = match call.await? {
            Called::Done(forwarded) => forwarded,
            Called::Asked(pending) => return Ok(Called::Asked(pending)),
        };
        let ForwardReply { status, receipt, .. } = forwarded;
        let answered = Answered { status, receipt, bytes: forwarded.body.len() };
        let held = room.take(answered, slot).await?;
        Ok::<_, CallError>(Called::Done((forwarded, held)))
    });
    forwarded.await
}

fn answer(forwarded: ForwardReply, held: Held) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(held.until_freed(forwarded.body)));
    // The broker read it from an upstream's status line, where nothing else fits.
    *response.status_mut() =
        StatusCode::from_u16(forwarded.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    *headers = forwarded.headers;
    for name in FRAMING {
        headers.remove(name);
    }
    headers.insert(RECEIPT, HeaderValue::from(forwarded.receipt));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The receipt's number, on every answer that has one.
const RECEIPT: HeaderName = HeaderName::from_static("symbolon-receipt");

/// Headers about the upstream's connection, which is not this one.
const FRAMING: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
