//! From a request's head to a file, encoded as its sender takes it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::assets::{self, Asset};
use crate::policy::POLICY;

/// First parts of paths that are views: each is answered by the one document, and the page reads the rest.
pub const VIEWS: [&str; 19] = [
    "",
    "notes",
    "items",
    "shared",
    "s",
    "ways",
    "sign-in",
    "welcome",
    "live",
    "approvals",
    "receipts",
    "verify",
    "connections",
    "agents",
    "grants",
    "log",
    "settings",
    "assistants",
    "leases",
];

/// Where an assistant sends its person. What else is below that first part is no view.
const AUTHORIZE: &str = "/oauth/authorize";

/// Where anybody can prove their age. What else is below that first part is the server's.
const AGE: &str = "/demo/age";

/// The answer, where the path is one of the page's and the method looks only.
pub fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let mut segments = path.strip_prefix('/')?.split('/');
    let is_view = segments.next().is_some_and(|first| VIEWS.contains(&first))
        || [AUTHORIZE, AGE].contains(&path);
    let mut response = match assets::find(if is_view { "/index.html" } else { path }) {
        Some(asset) => of(asset, headers),
        None if is_view && !assets::is_built() => unbuilt(),
        None => return None,
    };
    for (name, value) in POLICY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

fn of(asset: &'static Asset, headers: &HeaderMap) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let kept =
        if asset.is_immutable() { "public, max-age=31536000, immutable" } else { "no-cache" };
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    set.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    if text(headers, header::IF_NONE_MATCH).split(',').any(|tag| is_same(tag, asset.etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let coded = [("br", asset.br), ("gzip", asset.gzip)];
    let taken = coded
        .into_iter()
        .find_map(|(coding, bytes)| Some((coding, bytes?)).filter(|_| takes(headers, coding)));
    let bytes = match taken {
        Some((coding, bytes)) => {
            set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            bytes
        }
        None => asset.plain,
    };
    *response.body_mut() = Bytes::from_static(bytes);
    response
}

/// RFC 9110, 13.1.2: compared weakly.
fn is_same(tag: &str, etag: &str) -> bool {
    let tag = tag.trim();
    tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
}

/// Whether `Accept-Encoding` names this coding, and not with a weight of 0.
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    text(headers, header::ACCEPT_ENCODING).split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        is_named && weight.is_none_or(|weight| weight > 0.0)
    })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn unbuilt() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(UNBUILT.as_bytes()));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const UNBUILT: &str = "\
This program was built without its page. In the checkout:

    cargo xtask web
    cargo build --release

The API is there all the same: /api/openapi.json
";

#[cfg(test)]
mod tests {
    use super::*;

    static FILE: Asset = Asset {
        path: "/assets/a-1.js",
        kind: "text/javascript",
        etag: "\"abc\"",
        plain: b"plain",
        br: Some(b"br"),
        gzip: Some(b"gzip"),
    };

    fn asked(name: header::HeaderName, value: &str) -> Response<Bytes> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        of(&FILE, &headers)
    }

    #[test]
    fn the_best_coding_that_is_taken() {
        for (accepts, wanted, coding) in [
            ("gzip, deflate, br", "br", Some("br")),
            ("gzip", "gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", "gzip", Some("gzip")),
            ("BR", "br", Some("br")),
            ("identity", "plain", None),
            ("zstd", "plain", None),
        ] {
            let response = asked(header::ACCEPT_ENCODING, accepts);
            assert_eq!(response.body(), wanted.as_bytes(), "{accepts}");
            let found = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(found.map(|v| v.to_str().unwrap()), coding, "{accepts}");
        }
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        for tag in ["\"abc\"", "W/\"abc\"", "\"other\", \"abc\"", "*"] {
            let response = asked(header::IF_NONE_MATCH, tag);
            assert_eq!((response.status().as_u16(), response.body().len()), (304, 0), "{tag}");
        }
        assert_eq!(asked(header::IF_NONE_MATCH, "\"other\"").status(), 200);
    }

    #[test]
    fn only_views_and_files_are_answered_and_all_under_the_policy() {
        let get = |path| answer(&Method::GET, path, &HeaderMap::new());
        let views = ["/", "/receipts", "/receipts/7", "/oauth/authorize", "/demo/age", "/s/00ff"];
        for path in views {
            let response = get(path).unwrap_or_else(|| panic!("{path}"));
            for (name, value) in POLICY {
                assert_eq!(response.headers()[&name], value, "{path}");
            }
        }
        for path in [
            "/api/status",
            "/mcp",
            "/nowhere",
            "/../index.html",
            "receipts",
            "/Receipts",
            "/oauth/token",
            "/oauth/authorize/x",
            "/demo/age/session",
        ] {
            assert!(get(path).is_none(), "{path}");
        }
        assert!(answer(&Method::POST, "/", &HeaderMap::new()).is_none());
    }

    #[test]
    fn the_policy_lets_no_script_be_made_of_text() {
        let (_, policy) = &POLICY[0];
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(!policy.contains("http:") && !policy.contains("https:"), "{policy}");
    }
}
