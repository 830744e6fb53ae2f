//! The one place of a request where a connection's placeholder may stand.

use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use symbolon_broker::{Route, is_placeholder};
use symbolon_capability::Scheme;
use symbolon_codec::b64;

/// What stands in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing.
    Nothing,
    /// The placeholder, as the slot's form wants it.
    Placeholder,
    /// One of a minted credential, in the same way.
    Minted(String),
    /// Something else, or more than that.
    Other,
    /// It is in the body, which is not there yet; see [`take_field`].
    InBody,
}

/// What stands in the slot of this connection.
pub(crate) fn held(
    route: &Route,
    placeholder: &str,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Held {
    match &route.auth {
        Scheme::Query { name } => in_query(name, placeholder, query),
        Scheme::Header { name, prefix } => {
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return Held::Other };
            if name == AUTHORIZATION {
                return in_authorization(placeholder, headers);
            }
            one(headers, &name, |value| {
                read(value.strip_prefix(prefix.as_str()).unwrap_or(value), placeholder)
            })
        }
        Scheme::Cookie { name } => {
            let found: Vec<&str> = cookies(headers).filter_map(|c| value_of(c, name)).collect();
            match found[..] {
                [] => Held::Nothing,
                [value] => read(value, placeholder),
                _ => Held::Other,
            }
        }
        Scheme::Form { .. } => Held::InBody,
        _ => in_authorization(placeholder, headers),
    }
}

/// The name of the form field that is the slot.
pub(crate) fn field(route: &Route) -> Option<&str> {
    match &route.auth {
        Scheme::Form { name } => Some(name),
        _ => None,
    }
}

/// Takes the one field with the placeholder out of a form; gives what stood there, and the rest.
pub(crate) fn take_field(name: &str, placeholder: &str, body: &[u8]) -> (Held, Vec<u8>) {
    let Ok(text) = std::str::from_utf8(body) else { return (Held::Nothing, body.to_vec()) };
    let held = in_query(name, placeholder, Some(text));
    let rest: Vec<&str> = text.split('&').filter(|pair| !is_named(pair, name)).collect();
    (held, rest.join("&").into_bytes())
}

/// Takes out what stood in the slot: the broker puts the credential's own form there.
pub(crate) fn clear(route: &Route, headers: &mut HeaderMap, query: &mut Option<String>) {
    match &route.auth {
        Scheme::Query { name } => {
            let Some(text) = query.take() else { return };
            let kept: Vec<&str> = text.split('&').filter(|pair| !is_named(pair, name)).collect();
            *query = (!kept.is_empty()).then(|| kept.join("&"));
        }
        Scheme::Header { name, .. } => {
            headers.remove(name.as_str());
        }
        Scheme::Cookie { name } => {
            let others: Vec<&str> =
                cookies(headers).filter(|c| value_of(c, name).is_none()).collect();
            let others = HeaderValue::from_str(&others.join("; ")).ok().filter(|v| !v.is_empty());
            headers.remove(COOKIE);
            headers.extend(others.map(|value| (COOKIE, value)));
        }
        Scheme::Form { .. } => {}
        _ => {
            headers.remove(AUTHORIZATION);
        }
    }
}

/// How a client is asked to fill the slot; none where a slot has no challenge of HTTP.
pub(crate) fn challenge(route: &Route) -> Option<&'static str> {
    match &route.auth {
        Scheme::Basic(_) => Some("Basic realm=\"symbolon\""),
        Scheme::Bearer | Scheme::OAuth2(_) => Some("Bearer realm=\"symbolon\""),
        _ => None,
    }
}

/// `WORD placeholder`, the placeholder alone, or `Basic` with it as user or password: programs of
/// one service differ in the word, and the broker writes the connection's own.
fn in_authorization(placeholder: &str, headers: &HeaderMap) -> Held {
    one(headers, &AUTHORIZATION, |value| {
        let (word, rest) = value.split_once(' ').unwrap_or(("", value));
        let rest = rest.trim_start();
        if word == "AWS4-HMAC-SHA256" {
            // What was signed with a placeholder is signed anew.
            let key = rest.split(',').find_map(|part| part.trim().strip_prefix("Credential="));
            let key = key.and_then(|key| key.split('/').next());
            return key.map_or(Held::Other, |key| read(key, placeholder));
        }
        if !word.eq_ignore_ascii_case("basic") {
            return read(rest, placeholder);
        }
        let pair = b64::decode(rest, BASIC_BYTES_MAX).ok();
        let pair = pair.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        match pair.and_then(|text| text.split_once(':')) {
            Some((user, "" | "x-oauth-basic")) => read(user, placeholder),
            Some((user, password)) if user.len() <= USER_BYTES_MAX => read(password, placeholder),
            _ => Held::Other,
        }
    })
}

fn in_query(name: &str, placeholder: &str, query: Option<&str>) -> Held {
    let named = query.unwrap_or_default().split('&').filter(|pair| is_named(pair, name));
    let values: Vec<&str> = named.map(|p| p.split_once('=').map_or("", |(_, v)| v)).collect();
    match values[..] {
        [] => Held::Nothing,
        [value] => read(value, placeholder),
        _ => Held::Other,
    }
}

/// What a text is that fills a slot.
fn read(text: &str, placeholder: &str) -> Held {
    match text {
        text if text == placeholder => Held::Placeholder,
        text if is_placeholder(text) => Held::Minted(text.to_owned()),
        _ => Held::Other,
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).map(str::trim).filter(|c| !c.is_empty())
}

/// The value of a cookie of this name.
fn value_of<'c>(cookie: &'c str, name: &str) -> Option<&'c str> {
    let (own, value) = cookie.split_once('=').unwrap_or((cookie, ""));
    (own.trim() == name).then(|| value.trim())
}

/// Whether a `name=value` of a query has this name, however it is escaped.
fn is_named(pair: &str, name: &str) -> bool {
    let key = pair.split('=').next().unwrap_or_default();
    percent_encoding::percent_decode_str(key).eq(name.bytes())
}

fn one(headers: &HeaderMap, name: &HeaderName, read: impl Fn(&str) -> Held) -> Held {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Held::Nothing,
        (Some(value), None) => value.to_str().map_or(Held::Other, read),
        _ => Held::Other,
    }
}

const BASIC_BYTES_MAX: usize = 1024;
const USER_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const PLACEHOLDER: &str = "ghp_0123456789abcdef";

    fn authorization(value: &str) -> Held {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        in_authorization(PLACEHOLDER, &headers)
    }

    #[test]
    fn programs_write_the_slot_in_their_own_ways() {
        let basic = |pair: &str| format!("Basic {}", b64::encode(pair.as_bytes()));
        for good in [
            format!("Bearer {PLACEHOLDER}"),
            format!("token {PLACEHOLDER}"),
            PLACEHOLDER.to_owned(),
            basic(&format!("x-access-token:{PLACEHOLDER}")),
            basic(&format!("{PLACEHOLDER}:x-oauth-basic")),
            basic(&format!("{PLACEHOLDER}:")),
            format!(
                "AWS4-HMAC-SHA256 Credential={PLACEHOLDER}/2026/eu/s3/aws4_request, Signature=0"
            ),
        ] {
            assert_eq!(authorization(&good), Held::Placeholder, "{good}");
        }
        for bad in [
            "Bearer".to_owned(),
            format!("Bearer {PLACEHOLDER}x"),
            format!("Bearer {PLACEHOLDER} {PLACEHOLDER}"),
            format!("Bearer x{PLACEHOLDER}"),
            basic(PLACEHOLDER),
            basic(&format!("{PLACEHOLDER}:secret")),
            basic(&format!("user:{PLACEHOLDER}:")),
            format!("AWS4-HMAC-SHA256 Credential=x{PLACEHOLDER}/a"),
        ] {
            assert_eq!(authorization(&bad), Held::Other, "{bad}");
        }
        assert_eq!(in_authorization(PLACEHOLDER, &HeaderMap::new()), Held::Nothing);
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, HeaderValue::from_static(PLACEHOLDER));
        twice.append(AUTHORIZATION, HeaderValue::from_static(PLACEHOLDER));
        assert_eq!(in_authorization(PLACEHOLDER, &twice), Held::Other);
    }

    #[test]
    fn the_placeholder_of_a_minted_credential_stands_in_the_same_ways() {
        let minted = "symmint_0123456789abcdefghijklmnopqrstuv";
        let held = Held::Minted(minted.to_owned());
        let basic = |pair: &str| format!("Basic {}", b64::encode(pair.as_bytes()));
        for good in [format!("Bearer {minted}"), minted.to_owned(), basic(&format!("u:{minted}"))] {
            assert_eq!(authorization(&good), held, "{good}");
        }
        assert_eq!(authorization(&format!("Bearer {minted}x")), Held::Other);
        assert_eq!(in_query("key", PLACEHOLDER, Some(&format!("key={minted}"))), held);
        let (found, rest) = take_field("key", PLACEHOLDER, format!("key={minted}&a=1").as_bytes());
        assert_eq!((found, rest), (held, b"a=1".to_vec()));
    }

    #[test]
    fn a_parameter_is_found_however_its_name_is_escaped() {
        let held = |query: &str| in_query("key", PLACEHOLDER, Some(query));
        assert_eq!(held(&format!("a=1&key={PLACEHOLDER}")), Held::Placeholder);
        assert_eq!(held(&format!("k%65y={PLACEHOLDER}")), Held::Placeholder);
        assert_eq!(held("a=1"), Held::Nothing);
        assert_eq!(held(&format!("key={PLACEHOLDER}&ke%79=x")), Held::Other);
        let (held, rest) =
            take_field("key", PLACEHOLDER, format!("a=1&key={PLACEHOLDER}&b=2").as_bytes());
        assert_eq!((held, rest), (Held::Placeholder, b"a=1&b=2".to_vec()));
    }

    #[test]
    fn a_cookie_stands_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; session=ghp_0123456789abcdef"));
        headers.append(COOKIE, HeaderValue::from_static("Session=other"));
        let found: Vec<&str> = cookies(&headers).filter_map(|c| value_of(c, "session")).collect();
        assert_eq!(found, [PLACEHOLDER]);
    }
}
