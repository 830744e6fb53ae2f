//! The page itself: what was built into this program, under its own policy.

use bytes::Bytes;
use http::{Response, request::Parts};
use http_body_util::Full;

/// The page's file at this path, where it is one of the page's.
pub(in crate::http) fn answer(head: &Parts) -> Option<Response<Full<Bytes>>> {
    let response = symbolon_page::answer(&head.method, head.uri.path(), &head.headers)?;
    Some(response.map(Full::new))
}
