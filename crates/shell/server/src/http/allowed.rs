//! Which `Host` and `Origin` a request may carry: what keeps a web page from reaching a local server.

use std::net::SocketAddr;

use http::{HeaderMap, StatusCode, Uri, header};
use symbolon_broker::CallError;

use super::failure::failure;

/// Authorities and origins, ports with them.
#[derive(Debug, Clone)]
pub(super) struct Allowed {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Allowed {
    /// The listening address and loopback names with its port, and whatever names the operator gave.
    pub(super) fn new(address: SocketAddr, named: &[String], tls: bool) -> Self {
        let (scheme, default_port) = if tls { ("https", 443) } else { ("http", 80) };
        let port = address.port();
        let mut hosts = vec![
            address.to_string(),
            format!("localhost:{port}"),
            format!("127.0.0.1:{port}"),
            format!("[::1]:{port}"),
        ];
        for name in named {
            let has_port = name.rsplit_once(':').is_some_and(|(_, port)| {
                !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
            });
            let name = name.to_ascii_lowercase();
            hosts.push(if has_port { name } else { format!("{name}:{port}") });
        }
        // Clients leave the scheme's own port out.
        let bare = format!(":{default_port}");
        let short: Vec<String> =
            hosts.iter().filter_map(|host| host.strip_suffix(&bare).map(str::to_owned)).collect();
        hosts.extend(short);
        hosts.sort_unstable();
        hosts.dedup();
        let origins = hosts.iter().map(|host| format!("{scheme}://{host}")).collect();
        Self { hosts, origins }
    }

    /// Takes a public origin and its authority too: a proxy may stand before us, with another scheme and port.
    pub(super) fn with_origin(mut self, origin: &str, authority: &str) -> Self {
        self.hosts.push(authority.to_owned());
        self.origins.push(origin.to_owned());
        self
    }

    pub(super) fn hosts(&self) -> &[String] {
        &self.hosts
    }

    pub(super) fn origins(&self) -> &[String] {
        &self.origins
    }

    /// The authority by which the caller reached us, where it is one of ours.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<&str, CallError> {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(host), None) => host.as_bytes(),
            _ => return Err(bad_host(StatusCode::BAD_REQUEST, "exactly one Host is wanted")),
        };
        let host = find(&self.hosts, host)
            .ok_or_else(|| bad_host(StatusCode::FORBIDDEN, "this Host is not ours"))?;
        if uri.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host)) {
            return Err(bad_host(StatusCode::BAD_REQUEST, "the target and the Host differ"));
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        if origins.any(|origin| find(&self.origins, origin.as_bytes()).is_none()) {
            return Err(failure(
                "bad_origin",
                StatusCode::FORBIDDEN,
                "Requests from this web origin are not taken.",
                None,
            ));
        }
        Ok(host)
    }
}

fn find<'a>(list: &'a [String], wanted: &[u8]) -> Option<&'a str> {
    list.iter().map(String::as_str).find(|one| one.as_bytes().eq_ignore_ascii_case(wanted))
}

fn bad_host(status: StatusCode, says: &str) -> CallError {
    let next = "Use the address that symbolon serve printed, or start it with --host NAME.";
    failure("bad_host", status, format!("The request was not taken: {says}."), Some(next))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(tls: bool, named: &[&str], target: &str, headers: &[(&'static str, &str)]) -> u16 {
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let allowed = Allowed::new(SocketAddr::from(([127, 0, 0, 1], 7070)), &named, tls);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        match allowed.check(&target.parse().unwrap(), &map) {
            Ok(_) => 200,
            Err(error) => error.http_status,
        }
    }

    #[test]
    fn hosts() {
        for (host, wanted) in [
            ("127.0.0.1:7070", 200),
            ("localhost:7070", 200),
            ("LocalHost:7070", 200),
            ("[::1]:7070", 200),
            ("localhost", 403),
            ("localhost:7071", 403),
            ("127.0.0.1:7070.evil.example", 403),
            ("evil.example:7070", 403),
            ("evil.example", 403),
            ("", 403),
        ] {
            assert_eq!(check(false, &[], "/", &[("host", host)]), wanted, "{host:?}");
        }
        assert_eq!(check(false, &[], "/", &[]), 400, "no Host");
        let two = [("host", "localhost:7070"), ("host", "localhost:7070")];
        assert_eq!(check(false, &[], "/", &two), 400, "two Hosts");
    }

    #[test]
    fn a_target_with_an_authority_must_agree() {
        let host = [("host", "localhost:7070")];
        assert_eq!(check(false, &[], "http://localhost:7070/x", &host), 200);
        assert_eq!(check(false, &[], "http://evil.example/x", &host), 400);
    }

    #[test]
    fn origins() {
        for (origin, wanted) in [
            ("http://localhost:7070", 200),
            ("http://127.0.0.1:7070", 200),
            ("https://localhost:7070", 403),
            ("http://localhost:3000", 403),
            ("http://localhost", 403),
            ("http://evil.example", 403),
            ("http://localhost:7070.evil.example", 403),
            ("null", 403),
            ("", 403),
        ] {
            let headers = [("host", "localhost:7070"), ("origin", origin)];
            assert_eq!(check(false, &[], "/", &headers), wanted, "{origin:?}");
        }
    }

    #[test]
    fn names_that_the_operator_gave() {
        let named = ["agents.example", "other.example:443"];
        assert_eq!(check(true, &named, "/", &[("host", "agents.example:7070")]), 200);
        assert_eq!(check(true, &named, "/", &[("host", "agents.example")]), 403);
        assert_eq!(check(true, &named, "/", &[("host", "other.example")]), 200);
        let headers = [("host", "other.example"), ("origin", "https://other.example")];
        assert_eq!(check(true, &named, "/", &headers), 200);
    }
}
