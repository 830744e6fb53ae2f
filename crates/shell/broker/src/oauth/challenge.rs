//! What a server says of a token that it refuses (RFC 6750, section 3; RFC 9110, section 11.6.1).

use http::header::{HeaderMap, WWW_AUTHENTICATE};

/// Whether the challenges have one of `Bearer` with `error="invalid_token"`: the token is expired,
/// revoked or malformed, and another may be taken.
pub(crate) fn names_invalid_token(headers: &HeaderMap) -> bool {
    headers.get_all(WWW_AUTHENTICATE).iter().any(|value| in_value(value.as_bytes()))
}

/// Reads a list of challenges. What cannot be read names nothing.
fn in_value(value: &[u8]) -> bool {
    let mut is_bearer = false;
    for element in elements(value) {
        let (word, rest) = token(element);
        let parameter = match rest.trim_ascii_start() {
            // A parameter of the challenge that an element before began.
            [b'=', ..] => element,
            rest => {
                is_bearer = word.eq_ignore_ascii_case(b"bearer");
                rest
            }
        };
        if is_bearer && is_invalid_token(parameter) {
            return true;
        }
    }
    false
}

/// Whether an `auth-param` is `error=invalid_token`, quoted or not.
fn is_invalid_token(parameter: &[u8]) -> bool {
    let (name, rest) = token(parameter);
    let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else { return false };
    let value = value.trim_ascii();
    let value = match value {
        [b'"', inner @ .., b'"'] => inner,
        plain => plain,
    };
    name.eq_ignore_ascii_case(b"error") && value == b"invalid_token"
}

/// The parts between commas that stand outside of quotes, trimmed; empty ones are left out.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(move |byte| {
        let is_escaped = std::mem::take(&mut escaped);
        match byte {
            b'\\' if quoted && !is_escaped => escaped = true,
            b'"' if !is_escaped => quoted = !quoted,
            _ => {}
        }
        *byte == b',' && !quoted
    });
    parts.map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

/// The token (RFC 9110, section 5.6.2) at the start, and what follows.
fn token(text: &[u8]) -> (&[u8], &[u8]) {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    text.split_at(text.iter().take_while(|b| is_part(b)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(values: &[&str]) -> bool {
        let values = values.iter().map(|v| (WWW_AUTHENTICATE, v.parse().expect("a value")));
        names_invalid_token(&HeaderMap::from_iter(values))
    }

    #[test]
    fn a_refused_token_is_named_in_every_spelling_that_the_grammar_has() {
        for value in [
            r#"Bearer realm="example", error="invalid_token", error_description="expired""#,
            r#"bearer error=invalid_token"#,
            r#"BEARER ERROR = "invalid_token""#,
            r#"Basic realm="a", Bearer error="invalid_token""#,
            r#"Bearer realm="a, Basic b", error="invalid_token""#,
            r#"Bearer realm="a\", Basic b", error="invalid_token""#,
            r#"Negotiate abc==, Bearer scope="a b" , , error="invalid_token""#,
            r#"Basic realm="of \"Bearer\", and more", bearer realm="x",error="invalid_token""#,
        ] {
            assert!(names(&[value]), "{value}");
        }
        assert!(names(&["Basic", r#"Bearer error="invalid_token""#]), "in a second header");
    }

    #[test]
    fn other_refusals_and_what_cannot_be_read_name_nothing() {
        for value in [
            "",
            "Bearer",
            r#"Bearer realm="example""#,
            r#"Bearer error="insufficient_scope""#,
            r#"Bearer error="invalid_token_"#,
            r#"Bearer error_description="invalid_token""#,
            r#"Bearer realm="Bearer error=invalid_token""#,
            r#"Bearer realm="\", error="invalid_token""#,
            r#"Basic error="invalid_token""#,
            r#"Bearer realm="a", Basic error="invalid_token""#,
            r#"DPoP error="invalid_token""#,
            r#"error="invalid_token""#,
            r#"Bearer invalid_token"#,
        ] {
            assert!(!names(&[value]), "{value}");
        }
        assert!(!names(&["Bearer", r#"error="invalid_token""#]), "over two headers");
    }
}
