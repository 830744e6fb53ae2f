//! A call's idempotency key: its caller's own, or the broker's.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use symbolon_capability::Release;
use symbolon_capability::catalog::Operation;

use crate::api::CallError;
use crate::upstream::UpstreamError;

/// The header with the broker's key, where the operation takes one and `headers` have none.
pub(crate) fn key_to_add(
    operation: &Operation,
    headers: &HeaderMap,
    release: &Release,
) -> Result<Option<(HeaderName, HeaderValue)>, UpstreamError> {
    let Some(name) = operation.idempotency_key().filter(|name| !headers.contains_key(*name)) else {
        return Ok(None);
    };
    let bad = |e: &dyn std::fmt::Display| UpstreamError::Request(e.to_string());
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| bad(&e))?;
    let key = release.idempotency_key().to_string();
    Ok(Some((name, HeaderValue::try_from(key).map_err(|e| bad(&e))?)))
}

/// The key that a request at the gateway brings, where its operation takes one.
///
/// # Errors
/// [`CallError`] for several keys, and for one that is not 1 to 255 visible ASCII characters.
pub(crate) fn own_key(
    operation: &Operation,
    headers: &HeaderMap,
) -> Result<Option<(HeaderName, HeaderValue)>, CallError> {
    let Some(name) = operation.idempotency_key() else { return Ok(None) };
    let mut keys = headers.get_all(name).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_plain = (1..=KEY_BYTES_MAX).contains(&key.len())
        && key.as_bytes().iter().all(|b| b.is_ascii_graphic());
    if keys.next().is_some() || !is_plain {
        let message = format!("{name} is one key of 1 to {KEY_BYTES_MAX} visible characters");
        return Err(CallError::caller("invalid_arguments", message));
    }
    let name =
        HeaderName::from_bytes(name.as_bytes()).map_err(|e| CallError::bug(e.to_string()))?;
    Ok(Some((name, key.clone())))
}

/// What the services take that say a bound.
const KEY_BYTES_MAX: usize = 255;
