//! What a caller put where the credential goes: taken out before the credential's place is made.

use super::inspect::{decodes_to, is_cookie};

/// The cookies of a `Cookie` header without those that some server takes for `name`, joined as
/// RFC 6265, section 4.2.1 has it. Empty where none is left.
pub fn without_cookie(value: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for pair in value.split(|b| *b == b';').map(<[u8]>::trim_ascii) {
        let own = pair.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii();
        if pair.is_empty() || is_cookie(own, name) {
            continue;
        }
        if !out.is_empty() {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(pair);
    }
    out
}

/// The fields of a form, or the parameters of a query, without those named `name` in any spelling.
pub fn without_field(pairs: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(pairs.len());
    for pair in pairs.split(|b| *b == b'&') {
        let own = pair.split(|b| *b == b'=').next().unwrap_or_default();
        if pair.is_empty() || decodes_to(own, name.as_bytes()) {
            continue;
        }
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(pair);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_own_value_goes_in_whatever_spelling() {
        for own in ["sid=1", "SID=1", "s%69d=1", " sid = 1", "sid", "sid=1; Sid=2"] {
            let value = format!("a=b; {own};c=d=e;");
            assert_eq!(without_cookie(value.as_bytes(), "sid"), b"a=b; c=d=e", "{own}");
        }
        assert_eq!(without_cookie(b"sid=1", "sid"), b"");
        assert_eq!(without_cookie(b"sid2=1; x=sid=1", "sid"), b"sid2=1; x=sid=1");
        for own in ["token=1", "t%6Fken=1", "token", "token=1&token=2"] {
            let form = format!("a=b&{own}&&c=token");
            assert_eq!(without_field(form.as_bytes(), "token"), b"a=b&c=token", "{own}");
        }
        assert_eq!(without_field(b"token[a]=1&Token=2", "token"), b"token[a]=1&Token=2");
    }
}
