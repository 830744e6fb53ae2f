//! `POST /hooks/NAME`: a signed webhook begins a flow (`specs/flow.md`).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use symbolon_broker::{CallError, HookSigned};

use super::{backend::Backend, failure::failure};

/// Before the flow's name.
pub(super) const PREFIX: &str = "/hooks/";

/// Takes a delivery: 202 where it began a run, 200 where one before it did.
///
/// # Errors
/// [`CallError`] of the method, of missing headers, and of the broker.
pub(super) async fn deliver<B: Backend>(
    backend: &B,
    head: &Parts,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, CallError> {
    if head.method != Method::POST {
        let message = "a webhook is a POST";
        return Err(failure("method", StatusCode::METHOD_NOT_ALLOWED, message, None));
    }
    let name = head.uri.path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let signed = HookSigned {
        id: one(&head.headers, "webhook-id")?,
        timestamp: one(&head.headers, "webhook-timestamp")?,
        signatures: one(&head.headers, "webhook-signature")?,
    };
    let delivered = backend.deliver(name, signed, body).await?;
    let status = if delivered.is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
    let json = serde_json::to_vec(&delivered).map_err(|e| CallError::bug(e.to_string()))?;
    let mut response = Response::new(Full::new(json.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// A header that comes once.
fn one(headers: &HeaderMap, name: &str) -> Result<String, CallError> {
    let mut values = headers.get_all(name).iter();
    let text = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    text.map(str::to_owned).ok_or_else(|| {
        let message = format!("a webhook has the header {name}, once");
        failure("hook", StatusCode::BAD_REQUEST, message, Some("symbolon flow add --help"))
    })
}
