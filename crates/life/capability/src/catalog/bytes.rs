//! Bodies of bytes: what programs send and nobody here reads.

use std::sync::Arc;

use super::{
    bind::Body,
    method::Method,
    operation::Operation,
    request::{RawRequest, RequestError, check_content_type},
    service::Service,
};
use crate::url::CanonicalPath;

impl Service {
    /// Whether a request of this method and path names an operation whose body may be sent on as it
    /// comes. Decided before the body is read; [`matches_request`](Self::matches_request) then sees
    /// an empty one.
    #[must_use]
    pub fn streams(&self, method: &str, path: &str) -> bool {
        let (Some(method), Ok(path)) = (Method::from_wire(method), CanonicalPath::from_wire(path))
        else {
            return false;
        };
        let fits = |o: &&Arc<Operation>| o.method() == method && o.path().matches(&path).is_some();
        let first = self.match_order.iter().map(|at| &self.operations[*at]).find(fits);
        first.is_some_and(|o| o.streams())
    }
}

/// A body that goes out as it came. Of an operation that streams it is empty here.
pub(super) fn read_bytes(
    operation: &Operation,
    request: &RawRequest<'_>,
) -> Result<Option<Body>, RequestError> {
    let is_any = &**operation.content_type() == "*/*";
    if !is_any {
        check_content_type(operation, request)?;
    }
    match request.content_type {
        None if request.body.is_empty() => Ok(None),
        found => Ok(Some(Body::new(found.unwrap_or_default().into(), request.body.to_vec()))),
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::{BindError, Catalog, RawRequest, RequestError};

    const SERVICE: &str = r#"
[service]
id = "demo"
name = "Demo"
base_url = "https://api.demo.example"
docs = "https://demo.example/docs"
auth = { scheme = "bearer" }
verify = "me"
rate = { burst = 5, per_second = 1 }

[[operation]]
id = "me"
title = "Show me"
description = "Shows me."
method = "GET"
path = "/me"
scope = "demo.users.read"
effect = "read"

[[operation]]
id = "send"
title = "Send"
description = "Sends a pack."
method = "POST"
path = "/packs/{name}"
scope = "demo.packs.write"
effect = "write"
body_encoding = "bytes"
content_type = "application/x-pack"
"#;

    #[test]
    fn bytes_come_through_unread_with_their_own_content_type() {
        let catalog = Catalog::empty().with_extra(SERVICE).unwrap();
        let demo = catalog.service("demo").unwrap();
        let raw = |content_type, body: &'static [u8]| {
            let (method, path, query) = ("POST", "/packs/a", "");
            demo.matches_request(&RawRequest { method, path, query, content_type, body })
        };
        let own = "application/x-pack; v=2";
        let matched = raw(Some(own), b"{\"not\": json\0").unwrap();
        let body = matched.bound().body().unwrap();
        assert_eq!((body.content_type(), body.bytes()), (own, &b"{\"not\": json\0"[..]));
        for kind in [None, Some("application/json"), Some("*/*")] {
            assert!(matches!(raw(kind, b"x"), Err(RequestError::ContentType { .. })), "{kind:?}");
        }
        assert_eq!(matched.operation().bind(matched.arguments()), Err(BindError::Bytes));
        assert!(!demo.streams("POST", "/packs/a"));
        let any = SERVICE
            .replace("application/x-pack", "*/*")
            .replace("\"bytes\"", "\"bytes\"\nstreams = true");
        let catalog = Catalog::empty().with_extra(&any).unwrap();
        let demo = catalog.service("demo").unwrap();
        for (method, path, streams) in [
            ("POST", "/packs/a", true),
            ("PUT", "/packs/a", false),
            ("POST", "/packs/../packs/a", false),
            ("GET", "/me", false),
        ] {
            assert_eq!(demo.streams(method, path), streams, "{method} {path}");
        }
    }

    #[test]
    fn a_file_that_mixes_bytes_with_something_else_does_not_load() {
        for (from, to) in [
            ("content_type = \"application/x-pack\"", ""),
            ("body_encoding = \"bytes\"", "streams = true"),
            ("method = \"POST\"", "method = \"GET\""),
            ("body_encoding = \"bytes\"", "body_encoding = \"bytes\"\nbody_whole = true"),
            (
                "content_type = \"application/x-pack\"",
                "content_type = \"a/b\"\nbody.a = { type = \"string\" }",
            ),
        ] {
            let text = SERVICE.replace(from, to);
            assert!(Catalog::empty().with_extra(&text).is_err(), "{to}");
        }
    }
}
