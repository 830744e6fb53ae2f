//! Names of headers.

/// Whether a header, in lower case, is the transport's own: it frames or routes the message, or says
/// how a body is coded. No catalogue sets one, and none carries a credential.
#[must_use]
pub fn is_transport_header(name: &str) -> bool {
    TRANSPORT.contains(&name) || name.starts_with("proxy-")
}

/// A token of RFC 9110 in lower case that the transport does not own.
pub(super) fn is_header_name(name: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(is_token) && !is_transport_header(name)
}

const TRANSPORT: [&str; 10] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transports_own_names_are_no_names() {
        for name in TRANSPORT.iter().chain(&["proxy-connection", "proxy-authorization"]) {
            assert!(is_transport_header(name) && !is_header_name(name), "{name}");
        }
        for name in ["x-api-key", "authorization", "hosts", "proxy", "x-proxy-a"] {
            assert!(!is_transport_header(name) && is_header_name(name), "{name}");
        }
        for name in ["", "X-Api-Key", "a b", "a:b", &"a".repeat(65)] {
            assert!(!is_header_name(name), "{name:?}");
        }
    }
}
