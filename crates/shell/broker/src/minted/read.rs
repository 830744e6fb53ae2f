//! The credentials in an answer, and the answer without them.

use std::ops::Range;

use serde_json::value::RawValue;
use symbolon_capability::catalog::{Ends, Mint};
use symbolon_secret::Secret;

use super::error::{MintError, end_of};
use super::locate::{at, document};
use crate::json_text::{secret_text, word};

/// The longest answer that is read for credentials, decoded.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// A credential as it stands in an answer.
#[derive(Debug)]
pub(super) struct Found {
    /// Where, its quotes included.
    pub(super) range: Range<usize>,
    pub(super) token: Secret<[u8]>,
    pub(super) expires_unix_ms: Option<u64>,
}

/// Reads what `mints` says from a whole answer that came at `now_unix_ms`.
///
/// # Errors
/// [`MintError`] where any of them is not there; no error holds a byte of the answer.
pub(super) fn read(body: &[u8], mints: &[Mint], now_unix_ms: u64) -> Result<Vec<Found>, MintError> {
    if body.len() > ANSWER_BYTES_MAX {
        return Err(MintError::TooLong(ANSWER_BYTES_MAX));
    }
    let document = document(body).map_err(|_| MintError::NotJson)?;
    let one = |mint: &Mint| -> Result<Found, MintError> {
        let raw = at(document, mint.at()).map_err(|_| MintError::NotJson)?;
        let raw = raw.ok_or(MintError::Missing)?;
        let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
        Ok(Found {
            range: start..start + raw.get().len(),
            token: secret_text(raw, || MintError::Missing)?,
            expires_unix_ms: end(document, mint.ends(), now_unix_ms)?,
        })
    };
    let mut found = mints.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable_by_key(|found| found.range.start);
    Ok(found)
}

/// The answer with a placeholder, which JSON need not escape, in each credential's place. Both in
/// the order of the answer.
pub(super) fn replaced(body: &[u8], found: &[Found], placeholders: &[String]) -> Vec<u8> {
    let room: usize = placeholders.iter().map(|p| p.len() + 2).sum();
    let mut out = Vec::with_capacity(body.len() + room);
    let mut from = 0;
    for (found, placeholder) in found.iter().zip(placeholders) {
        out.extend_from_slice(&body[from..found.range.start]);
        out.push(b'"');
        out.extend_from_slice(placeholder.as_bytes());
        out.push(b'"');
        from = found.range.end;
    }
    out.extend_from_slice(&body[from..]);
    out
}

fn end(document: &RawValue, ends: &Ends, now_unix_ms: u64) -> Result<Option<u64>, MintError> {
    let pointer = match ends {
        Ends::Unsaid => return Ok(None),
        Ends::After(seconds) => return Ok(Some(now_unix_ms.saturating_add(seconds * 1000))),
        Ends::At(pointer) => pointer,
    };
    match at(document, pointer).map_err(|_| MintError::NotJson)? {
        None => Ok(None),
        Some(raw) if raw.get() == "null" => Ok(None),
        // A number of seconds, or a text.
        Some(raw) => word(raw).or(Some(raw.get())).and_then(end_of).map(Some).ok_or(MintError::End),
    }
}

#[cfg(test)]
mod tests {
    use symbolon_capability::catalog::Catalog;

    use super::*;

    const NOW: u64 = 1_000;

    fn mints(toml: &str) -> Vec<Mint> {
        let file = format!(
            "[service]\nid = \"demo\"\nname = \"Demo\"\nbase_url = \"https://demo.example\"\n\
             docs = \"https://demo.example\"\nauth = {{ scheme = \"bearer\" }}\nverify = \"me\"\n\
             rate = {{ burst = 1, per_second = 1.0 }}\n[[operation]]\nid = \"me\"\ntitle = \"Me\"\n\
             description = \"Me.\"\nmethod = \"GET\"\npath = \"/me\"\nscope = \"demo.me.read\"\n\
             effect = \"read\"\nmints = {toml}\n"
        );
        let catalog = Catalog::empty().with_extra(&file).unwrap();
        catalog.operation("demo.me").unwrap().mints().to_vec()
    }

    fn text(found: &Found) -> &str {
        // EXPOSE: a test's own text.
        std::str::from_utf8(found.token.expose()).unwrap()
    }

    #[test]
    fn credentials_are_read_and_replaced_in_their_places() {
        let body = r#"{"b":"two\/2", "a" :"one-1","end":60,"rest":["one-1"]}"#;
        let mints =
            mints(r#"[{ at = "/a", expires_at = "/end" }, { at = "/b", lifetime_seconds = 2 }]"#);
        let found = read(body.as_bytes(), &mints, NOW).unwrap();
        assert_eq!((text(&found[0]), text(&found[1])), ("two/2", "one-1"));
        assert_eq!(
            (found[0].expires_unix_ms, found[1].expires_unix_ms),
            (Some(3_000), Some(60_000))
        );
        let out = replaced(body.as_bytes(), &found, &["P2".to_owned(), "P1".to_owned()]);
        let wanted = r#"{"b":"P2", "a" :"P1","end":60,"rest":["one-1"]}"#;
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn an_end_that_nobody_said_is_none_and_one_that_cannot_be_read_is_refused() {
        let mints = mints(r#"[{ at = "/a", expires_at = "/e" }]"#);
        let end = |e: &str| {
            let body = format!("{{\"a\":\"token\"{e}}}");
            read(body.as_bytes(), &mints, NOW).map(|f| f[0].expires_unix_ms)
        };
        assert!(matches!(end(""), Ok(None)) && matches!(end(",\"e\":null"), Ok(None)));
        assert!(matches!(end(",\"e\":\"1970-01-02\""), Ok(Some(86_400_000))));
        for bad in ["\"soon\"", "true", "-1", "1.5", "{}", "\"\"", "\"\\u0031\""] {
            let read = end(&format!(",\"e\":{bad}"));
            assert!(matches!(read, Err(MintError::End)), "{bad}: {read:?}");
        }
    }

    #[test]
    fn an_answer_without_its_credential_is_refused_and_not_repeated() {
        let mints = mints(r#"[{ at = "/a/t" }]"#);
        let error = |body: &str| read(body.as_bytes(), &mints, NOW).unwrap_err();
        for body in ["{}", r#"{"a":"canary-1"}"#, r#"{"a":{"t":["canary-1"]}}"#, r#"{"a":{"t":7}}"#]
        {
            assert!(matches!(error(body), MintError::Missing), "{body}");
        }
        assert!(matches!(error("<canary-1>"), MintError::NotJson));
        assert!(matches!(error(r#"{"a":{"t":"canary-1","t":"x"}}"#), MintError::NotJson));
        for body in [r#"{"a":{"t":"canary-1\n"}}"#, r#"{"a":{"t":"canary-1é"}}"#] {
            let error = error(body);
            assert!(matches!(error, MintError::Missing), "{body}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        let long =
            format!("{{\"a\":{{\"t\":\"canary-1\"}},\"b\":\"{}\"}}", "x".repeat(ANSWER_BYTES_MAX));
        assert!(matches!(error(&long), MintError::TooLong(_)));
    }
}
