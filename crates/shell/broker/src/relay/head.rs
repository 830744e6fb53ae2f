//! Which headers pass between a program and an upstream.

use std::borrow::Cow;

use http::Method;
use http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use symbolon_capability::catalog::{Operation, is_transport_header};
use symbolon_connector::inject::{HEAD_BYTES_MAX, Slot, without_field};
use symbolon_connector::redact::{Confirm, Counts, RedactError, redact_value};

use crate::api::CallError;
use crate::reading::Reading;
use crate::upstream::{Live, UpstreamError};

/// The headers that go to the upstream: the program's end-to-end ones without any that carries a
/// credential or says what the request means, and the fixed ones of the service.
pub(super) fn outbound(
    program: &HeaderMap,
    live: &Live,
    operation: &Operation,
    target: &str,
) -> Result<HeaderMap, CallError> {
    let own = live.slot.carrier().map(|(name, _)| name);
    // Among others the program's own: which of them is the credential's is settled with its place.
    let has_cookies = matches!(*live.slot, Slot::Cookie { .. });
    let named = named_by_connection(program);
    let mut headers = HeaderMap::with_capacity(program.len() + 4);
    let mut size = target.len() + ROOM;
    for (name, value) in program {
        let plain = plain(name);
        let stays = is_transport_header(&plain)
            || own.is_some_and(|own| plain == own.replace('_', "-"))
            || STAYS.contains(&&*plain) && !(has_cookies && plain == "cookie")
            || STAYS_FAMILIES.iter().any(|family| plain.starts_with(family))
            || named.iter().any(|n| n.eq_ignore_ascii_case(name.as_str()));
        if stays {
            continue;
        }
        size += name.as_str().len() + value.len() + 4;
        headers.append(name, value.clone());
    }
    if size > HEAD_BYTES_MAX || headers.len() > HEADERS_MAX {
        let message = format!("the request's headers are more than {HEAD_BYTES_MAX} bytes");
        return Err(CallError::caller("headers_too_large", message).status(431));
    }
    if !operation.takes_bytes() {
        // What goes out is built anew from the arguments.
        BODY_HEADERS.iter().for_each(|name| drop(headers.remove(name)));
    }
    for (name, value) in &live.headers {
        if name == ACCEPT_ENCODING || !headers.contains_key(name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in operation.headers() {
        let bad = |e: &dyn std::fmt::Display| CallError::bug(e.to_string());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| bad(&e))?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|e| bad(&e))?);
    }
    Ok(headers)
}

/// The query without the slot's own parameter, in which the program has its placeholder.
pub(super) fn without_slot<'q>(query: &'q str, slot: &Slot) -> Result<Cow<'q, str>, CallError> {
    let Slot::Query { name } = slot else { return Ok(Cow::Borrowed(query)) };
    let bad = |_| CallError::caller("invalid_arguments", "the query is not plain text");
    let rest = String::from_utf8(without_field(query.as_bytes(), name.as_str()));
    rest.map(Cow::Owned).map_err(bad)
}

/// What of an answer's own framing still fits what a program gets.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept {
    /// Content-Length says something though no body follows.
    pub(super) length: bool,
    /// The coding was left on the body.
    pub(super) coding: bool,
}

impl Kept {
    pub(super) fn of(method: &Method, status: u16, reading: &Reading) -> Self {
        Self {
            length: (method == Method::HEAD || status == 304) && reading.codings.is_identity(),
            coding: reading.keeps_coding(),
        }
    }
}

/// The headers of an answer that a program sees, without an echo of the credential.
pub(super) fn inbound(
    answer: &HeaderMap,
    live: &Live,
    echo: &impl Confirm,
    keeps: Kept,
    counts: &mut Counts,
) -> Result<HeaderMap, RedactError> {
    let named = named_by_connection(answer);
    let mut headers = HeaderMap::with_capacity(answer.len());
    for (name, value) in answer {
        let plain = plain(name);
        let passes = match *name {
            CONTENT_LENGTH => keeps.length,
            CONTENT_ENCODING => keeps.coding,
            _ => {
                !is_transport_header(&plain)
                    && !KEPT_FROM_PROGRAMS.contains(&&*plain)
                    && !named.iter().any(|n| n.eq_ignore_ascii_case(name.as_str()))
            }
        };
        // Looked at all the same: an echo is counted wherever it stands.
        let clean = redact_value(&live.pattern, echo, value.as_bytes(), counts)?;
        let in_name = redact_value(&live.pattern, echo, name.as_str().as_bytes(), counts)?;
        if !passes || in_name.is_some() {
            continue;
        }
        match clean.map(HeaderValue::try_from) {
            None => drop(headers.append(name, value.clone())),
            Some(Ok(value)) => drop(headers.append(name, value)),
            Some(Err(_)) => {}
        }
    }
    Ok(headers)
}

/// What a program says of the WebSocket that it asks for. Extensions stay: a message must be read.
pub(super) fn websocket(program: &HeaderMap, out: &mut HeaderMap) -> Result<(), CallError> {
    let bad = || {
        let message = "only WebSocket, version 13, can be asked for, with one key";
        CallError::caller("upgrade", message).status(400)
    };
    let mut others = program.get_all(UPGRADE).iter();
    if others.any(|v| !v.as_bytes().eq_ignore_ascii_case(b"websocket")) {
        return Err(bad());
    }
    for name in [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION] {
        let mut values = program.get_all(&name).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(bad()) };
        if name == SEC_WEBSOCKET_VERSION && value != "13" {
            return Err(bad());
        }
        out.insert(name, value.clone());
    }
    for value in program.get_all(SEC_WEBSOCKET_PROTOCOL) {
        out.append(SEC_WEBSOCKET_PROTOCOL, value.clone());
    }
    Ok(())
}

/// The headers with which an upstream took a WebSocket.
pub(super) fn switched(
    answer: &HeaderMap,
    live: &Live,
    echo: &impl Confirm,
    counts: &mut Counts,
) -> Result<HeaderMap, UpstreamError> {
    if answer.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        let message = "it uses an extension that was not asked for";
        return Err(UpstreamError::Undecodable(message.to_owned()));
    }
    let mut headers = inbound(answer, live, echo, Kept::default(), counts)?;
    if let Some(accept) = answer.get(SEC_WEBSOCKET_ACCEPT)
        && redact_value(&live.pattern, echo, accept.as_bytes(), counts)?.is_none()
    {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept.clone());
    }
    Ok(headers)
}

/// Servers that read headers by way of CGI or WSGI take `_` for `-`.
fn plain(name: &HeaderName) -> Cow<'_, str> {
    match name.as_str() {
        text if text.contains('_') => Cow::Owned(text.replace('_', "-")),
        text => Cow::Borrowed(text),
    }
}

fn named_by_connection(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).map(str::trim).filter(|n| !n.is_empty()).collect()
}

/// Headers of a request that stay here: other credentials than the connection's, and what would
/// make the request another one than the gates saw.
const STAYS: [&str; 17] = [
    "authorization",
    "cookie",
    "cookie2",
    "early-data",
    "forwarded",
    "http2-settings",
    "via",
    "x-envoy-original-path",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

const STAYS_FAMILIES: [&str; 2] = ["x-forwarded-", "sec-websocket-"];

/// What speaks of the very bytes of a body.
const BODY_HEADERS: [HeaderName; 6] = [
    CONTENT_ENCODING,
    CONTENT_TYPE,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// Headers of an answer that a program does not get: sessions and tokens that the upstream made for
/// the credential, and ways around the proxy.
const KEPT_FROM_PROGRAMS: [&str; 12] = [
    "alt-svc",
    "authentication-info",
    "authorization",
    "cookie",
    "sec-websocket-accept",
    "set-cookie",
    "set-cookie2",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-subject-token",
];

/// The request line's other parts, Host, the slot and the framing.
const ROOM: usize = 1024;
const HEADERS_MAX: usize = 100;
