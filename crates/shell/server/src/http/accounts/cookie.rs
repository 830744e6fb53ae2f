//! The session's cookie (RFC 6265bis): `__Host-`, so that no other host or path can set or see it.

use http::{HeaderMap, HeaderValue, header};
use symbolon_account::SessionToken;

/// The cookie's value, where the head has it once. Two of the name are none.
pub(super) fn read(headers: &HeaderMap) -> Option<SessionToken> {
    let pairs = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii));
    let mut values = pairs.filter_map(|pair| pair.strip_prefix(PREFIX));
    match (values.next(), values.next()) {
        (Some(value), None) => SessionToken::read(value),
        _ => None,
    }
}

/// `Set-Cookie` for a session. It lives as long as the browser does; when it ends, the server says.
pub(super) fn set(token: &SessionToken) -> Option<HeaderValue> {
    let text = format!("{NAME}={}; {ATTRIBUTES}", token.to_cookie());
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `Set-Cookie` that takes it away.
pub(super) fn clear() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-symbolon=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}

/// The cookie's name.
pub(super) const NAME: &str = "__Host-symbolon";
const PREFIX: &[u8] = b"__Host-symbolon=";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;

    use super::*;

    fn found(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        read(&headers).map(|token| token.to_cookie())
    }

    #[test]
    fn it_is_found_once_among_others() {
        let token = SessionToken::make(&SeededRng::new(1));
        let value = token.to_cookie();
        let pair = format!("{NAME}={value}");
        assert_eq!(found(&[&pair]), Some(value.clone()));
        assert_eq!(found(&[&format!("a=b; {pair} ;c=d")]), Some(value.clone()));
        assert_eq!(found(&["a=b", &pair]), Some(value.clone()));
        assert_eq!(found(&[&pair, &pair]), None, "two are none");
        assert_eq!(found(&[&format!("x{pair}")]), None);
        assert_eq!(found(&[&format!("{NAME}=short")]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn it_is_set_for_this_host_alone() {
        let set = set(&SessionToken::make(&SeededRng::new(1))).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-symbolon="));
        for attribute in ["; Path=/;", "; Secure;", "; HttpOnly;", "; SameSite=Strict"] {
            assert!(set.contains(attribute), "{set}");
        }
        assert!(!set.contains("Domain"));
    }
}
