//! Who is calling: the agent's key in a request's head.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};
use symbolon_broker::CallError;

use super::{backend::Backend, failure::failure};

/// The agent whose key the head carries.
///
/// `Authorization` with `Bearer`, `token` or nothing before the key, `x-api-key` and `private-token`: the
/// places where the SDKs of the catalogue's services put theirs, so that a base URL is all that changes.
///
/// # Errors
/// `no_key` without one, `bad_key` where it is nobody's; both 401.
pub(super) fn agent<B: Backend>(backend: &B, headers: &HeaderMap) -> Result<Arc<str>, CallError> {
    let Some(key) = presented(headers) else {
        return Err(failure(
            "no_key",
            StatusCode::UNAUTHORIZED,
            "This needs an agent's key.",
            Some("symbolon agents add NAME, then send the header Authorization: Bearer KEY"),
        ));
    };
    backend.agent_by_key(key).ok_or_else(|| {
        failure(
            "bad_key",
            StatusCode::UNAUTHORIZED,
            "This key is no agent's.",
            Some("symbolon agents list"),
        )
    })
}

/// `WWW-Authenticate` of RFC 9728: where a client reads what this resource wants.
pub(super) fn challenge(origin: &str) -> String {
    format!(r#"Bearer resource_metadata="{origin}{METADATA_PATH}""#)
}

/// Where RFC 9728 puts the metadata of `/mcp`.
pub(super) const METADATA_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let value = value.as_bytes().trim_ascii();
        let Some(gap) = value.iter().position(|byte| *byte == b' ') else {
            return value.starts_with(KEY_PREFIX).then_some(value);
        };
        let (scheme, key) = value.split_at(gap);
        let known = [&b"bearer"[..], b"token"];
        return known.iter().any(|one| scheme.eq_ignore_ascii_case(one)).then(|| key.trim_ascii());
    }
    ["x-api-key", "private-token"].iter().find_map(|name| Some(headers.get(*name)?.as_bytes()))
}

const KEY_PREFIX: &[u8] = b"sym_";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn key(name: &'static str, value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        presented(&headers).map(|key| String::from_utf8(key.to_vec()).unwrap())
    }

    #[test]
    fn where_sdks_put_their_keys() {
        let found = Some("sym_abc".to_owned());
        assert_eq!(key("authorization", "Bearer sym_abc"), found);
        assert_eq!(key("authorization", "bearer   sym_abc "), found);
        assert_eq!(key("authorization", "token sym_abc"), found);
        assert_eq!(key("authorization", "sym_abc"), found);
        assert_eq!(key("x-api-key", "sym_abc"), found);
        assert_eq!(key("private-token", "sym_abc"), found);
        assert_eq!(key("authorization", "Basic sym_abc"), None);
        assert_eq!(key("authorization", "other"), None);
        assert_eq!(key("cookie", "sym_abc"), None);
    }
}
