//! Assistants that run in a page of another origin (Fetch, "CORS protocol"; `specs/remote-mcp.md`, "In a browser").
//! What such a page may ask needs no cookie and takes none: a token that it holds itself, or nothing.

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};

use super::accounts::{PublicOrigin, is_assistants};

/// A request for a page of another origin, at a route that is open to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cross {
    origin: HeaderValue,
    /// The methods of the route, where the browser asks before it sends.
    asks: Option<&'static str>,
}

impl Cross {
    /// Takes what the browser says of the page off the head: what is behind judges the request as it would
    /// judge a program's. `None` leaves the head as it is, for the door to refuse what is another site's.
    pub(super) fn take(head: &mut Parts, own: &PublicOrigin) -> Option<Self> {
        let (path, headers) = (head.uri.path(), &head.headers);
        let methods = methods(path)?;
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let (Some(origin), None) = (origins.next().cloned(), origins.next()) else { return None };
        if origin.as_bytes().eq_ignore_ascii_case(own.as_str().as_bytes()) {
            return None;
        }
        // A page of the web has no business with a server of the machine that shows it.
        if own.host() == "localhost" && !is_of_loopback(&origin) {
            return None;
        }
        // Whoever's browser it is, they are not asked here.
        if headers.contains_key(header::COOKIE) {
            return None;
        }
        let is_asking = head.method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        // An agent's key is for programs: with one, another site is another site.
        if path == MCP && !is_asking && !is_assistants(head) {
            return None;
        }
        for name in [header::ORIGIN.as_str(), "sec-fetch-site"] {
            head.headers.remove(name);
        }
        Some(Self { origin, asks: is_asking.then_some(methods) })
    }

    /// The answer to a browser that asks.
    pub(super) fn answer<B: Default>(&self) -> Option<Response<B>> {
        let methods = self.asks?;
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let said = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
            (header::ACCESS_CONTROL_MAX_AGE, "600"),
        ];
        let headers = response.headers_mut();
        headers.extend(said.map(|(name, value)| (name, HeaderValue::from_static(value))));
        Some(response)
    }

    /// Lets the page read an answer. Nothing says that cookies may come along.
    pub(super) fn dress(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let read = HeaderValue::from_static(READ);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, read);
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
}

/// The methods of a route that is open to pages of other origins. The authorization endpoint is none: a browser
/// goes there, and nothing is read of it.
fn methods(path: &str) -> Option<&'static str> {
    match path {
        MCP => Some("POST, GET, DELETE"),
        // A proof is bound to its session, wherever it comes from; the keys are for everybody.
        "/api/proofs" => Some("POST"),
        "/api/proofs/keys" => Some("GET"),
        "/oauth/register" | "/oauth/token" | "/oauth/revoke" => Some("POST"),
        "/.well-known/oauth-protected-resource"
        | "/.well-known/oauth-protected-resource/mcp"
        | "/.well-known/oauth-authorization-server" => Some("GET"),
        _ => None,
    }
}

/// `http://localhost`, `127.0.0.1` or `[::1]`, with any port; or the same by TLS.
fn is_of_loopback(origin: &HeaderValue) -> bool {
    let text = origin.to_str().unwrap_or_default();
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_port = |port: &str| match port.strip_prefix(':') {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()),
        None => port.is_empty(),
    };
    let mut hosts = ["localhost", "127.0.0.1", "[::1]"].into_iter();
    rest.is_some_and(|rest| hosts.any(|host| rest.strip_prefix(host).is_some_and(is_port)))
}

const MCP: &str = "/mcp";
/// What a client of either revision sends.
const SENT: &str = "authorization, content-type, mcp-protocol-version, mcp-method, mcp-name, \
                    mcp-session-id, last-event-id";
/// Without the challenge a client does not find where to ask for a token (RFC 9728, section 5.1).
const READ: &str = "www-authenticate, mcp-session-id, mcp-protocol-version, retry-after";

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const EVIL: &str = "https://evil.example";

    fn taken(own: &str, line: (&str, &str), headers: &[(&str, &str)]) -> (Option<Cross>, Parts) {
        let mut request = Request::builder().method(line.0).uri(line.1);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut head = request.body(()).expect("a request").into_parts().0;
        let cross = Cross::take(&mut head, &PublicOrigin::parse(own).expect("an origin"));
        (cross, head)
    }

    fn is_taken(own: &str, line: (&str, &str), headers: &[(&str, &str)]) -> bool {
        let (cross, head) = taken(own, line, headers);
        assert_eq!(
            cross.is_none() && headers.iter().any(|it| it.0 == "origin"),
            head.headers.contains_key("origin")
        );
        cross.is_some()
    }

    #[test]
    fn the_routes_of_assistants_are_open_and_no_other() {
        let own = "https://vault.example";
        let from = [("origin", "https://client.example"), ("sec-fetch-site", "cross-site")];
        for (method, path, is_open) in [
            ("GET", "/.well-known/oauth-protected-resource", true),
            ("GET", "/.well-known/oauth-protected-resource/mcp", true),
            ("GET", "/.well-known/oauth-authorization-server", true),
            ("POST", "/oauth/register", true),
            ("POST", "/oauth/token", true),
            ("POST", "/oauth/revoke", true),
            ("POST", "/mcp", true),
            ("POST", "/api/proofs", true),
            ("GET", "/api/proofs/keys", true),
            ("POST", "/api/proofs/batch", false),
            ("POST", "/api/proofs/sessions", false),
            ("POST", "/api/proofs/ask", false),
            ("POST", "/demo/age/session", false),
            ("GET", "/oauth/authorize", false),
            ("POST", "/api/oauth/consent", false),
            ("POST", "/api/oauth/request", false),
            ("GET", "/api/oauth/grants", false),
            ("POST", "/api/account", false),
            ("GET", "/api/session", false),
            ("GET", "/api/vault", false),
            ("POST", "/api/call", false),
            ("GET", "/api/owner/session", false),
            ("GET", "/", false),
            ("GET", "/mcp/", false),
        ] {
            assert_eq!(is_taken(own, (method, path), &from), is_open, "{path}");
        }
    }

    #[test]
    fn with_a_cookie_or_an_agents_key_another_site_is_another_site() {
        let own = "https://vault.example";
        let with = |more| is_taken(own, ("POST", "/mcp"), &[("origin", EVIL), more]);
        assert!(with(("authorization", "Bearer symv_x")));
        assert!(!with(("authorization", "Bearer sym_x")));
        assert!(!with(("x-api-key", "sym_x")) && !with(("private-token", "sym_x")));
        assert!(!with(("cookie", "__Host-symbolon=x")) && !with(("origin", "https://b.example")));
        let token = ("POST", "/oauth/token");
        assert!(!is_taken(own, token, &[("origin", EVIL), ("cookie", "a=b")]));
        // Its own pages are judged as ever, and programs name no origin.
        assert!(!is_taken(own, token, &[("origin", own)]) && !is_taken(own, token, &[]));
    }

    #[test]
    fn the_web_does_not_reach_a_server_of_this_machine() {
        let own = "http://localhost:7070";
        let token = ("POST", "/oauth/token");
        for (origin, is_near) in [
            ("http://localhost:6274", true),
            ("http://127.0.0.1:6274", true),
            ("http://[::1]", true),
            ("https://localhost", true),
            (EVIL, false),
            ("null", false),
            ("http://localhost.evil.example", false),
            ("http://localhost:80.evil.example", false),
            ("http://127.0.0.1.evil.example:80", false),
            ("http://localhost:", false),
        ] {
            assert_eq!(is_taken(own, token, &[("origin", origin)]), is_near, "{origin}");
        }
    }

    #[test]
    fn a_browser_that_asks_is_told_what_it_may_send_and_read() {
        let asks = [("origin", EVIL), ("access-control-request-method", "POST")];
        let (cross, _) = taken("https://vault.example", ("OPTIONS", "/mcp"), &asks);
        let cross = cross.expect("open");
        let mut answer: Response<()> = cross.answer().expect("it asks");
        cross.dress(answer.headers_mut());
        let said = |name: &str| answer.headers()[name].to_str().expect("ASCII").to_owned();
        assert_eq!(answer.status(), 204);
        assert_eq!(said("access-control-allow-origin"), EVIL);
        assert!(said("access-control-allow-headers").contains("authorization"));
        assert!(said("access-control-allow-methods").contains("POST"));
        for name in ["www-authenticate", "mcp-session-id"] {
            assert!(said("access-control-expose-headers").contains(name));
        }
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
        let (sends, _) = taken("https://vault.example", ("POST", "/mcp"), &asks[..1]);
        assert!(sends.expect("open").answer::<()>().is_none());
    }
}
