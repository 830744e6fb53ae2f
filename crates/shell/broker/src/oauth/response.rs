//! What an authorization server answers, read where it lies in its secret page.
//!
//! The JSON is parsed without a copy: each member is a slice of the page, and a token goes from
//! there into a page of its own. No error holds a byte of the answer but an error code, which is
//! checked to be a plain word.

use serde::Deserialize;
use serde_json::value::RawValue;
use symbolon_capability::TokenScope;
use symbolon_capability::oauth2::unix_ms_of_rfc3339;
use symbolon_secret::{MemoryError, Secret};

use super::TokenError;
use super::request::Ask;
use crate::json_text::{secret_text, word};
use crate::wire::Reply;

/// Tokens, as they came (RFC 6749, section 5.1).
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: Secret<[u8]>,
    pub(crate) refresh: Option<Secret<[u8]>>,
    pub(crate) lifetime_seconds: Option<u64>,
    /// What the token may do, where the answer says so; otherwise what was asked for, or what the one before it may.
    pub(crate) scope: Option<TokenScope>,
}

/// What a person and a device need (RFC 8628, section 3.2).
#[derive(Debug)]
pub(super) struct DeviceCodes {
    pub(super) device_code: Secret<[u8]>,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) verification_uri_complete: Option<String>,
    pub(super) lifetime_seconds: u64,
    pub(super) interval_seconds: u64,
}

/// Members that are known here; others are passed over. A known one that comes twice is an error.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    access_token: Option<&'a RawValue>,
    #[serde(borrow)]
    token_type: Option<&'a RawValue>,
    #[serde(borrow)]
    expires_in: Option<&'a RawValue>,
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    device_code: Option<&'a RawValue>,
    #[serde(borrow)]
    user_code: Option<&'a RawValue>,
    #[serde(borrow)]
    verification_uri: Option<&'a RawValue>,
    #[serde(borrow)]
    verification_uri_complete: Option<&'a RawValue>,
    #[serde(borrow)]
    interval: Option<&'a RawValue>,
    #[serde(borrow)]
    token: Option<&'a RawValue>,
    #[serde(borrow)]
    expires_at: Option<&'a RawValue>,
}

impl Tokens {
    /// # Errors
    /// [`TokenError::Refused`] with the server's word, [`TokenError::Status`],
    /// [`TokenError::Answer`] for what is no token response.
    pub(crate) fn read(reply: &Reply) -> Result<Self, TokenError> {
        // EXPOSE: parsed where it lies; what is copied goes into secret pages.
        let members = members(reply, reply.body.expose())?;
        let access = members.access_token.ok_or(TokenError::Answer("it has no access_token"))?;
        let kind = members.token_type.ok_or(TokenError::Answer("it has no token_type"))?;
        if !word(kind).is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(TokenError::Answer("its token_type is not bearer"));
        }
        let lifetime = members.expires_in.map(seconds).transpose()?;
        let access = string(access)?;
        Ok(Self {
            scope: members.scope.and_then(|scope| scope_of(scope, &access)),
            access,
            refresh: members.refresh_token.map(string).transpose()?.filter(|t| !t.is_empty()),
            lifetime_seconds: lifetime,
        })
    }
}

impl Tokens {
    /// The answer to `ask`.
    ///
    /// # Errors
    /// As [`Tokens::read`].
    pub(super) fn read_for(ask: &Ask<'_>, reply: &Reply) -> Result<Self, TokenError> {
        match ask {
            Ask::Installation { now_unix_s } => Self::read_installation(reply, *now_unix_s),
            _ => Self::read(reply),
        }
    }

    /// GitHub's answer to an App.
    fn read_installation(reply: &Reply, now_unix_s: u64) -> Result<Self, TokenError> {
        // EXPOSE: parsed where it lies; what is copied goes into secret pages.
        let members = members(reply, reply.body.expose())?;
        let access = members.token.ok_or(TokenError::Answer("it has no token"))?;
        let expires = members.expires_at.and_then(word).and_then(unix_ms_of_rfc3339);
        let expires = expires.ok_or(TokenError::Answer("it has no expires_at"))?;
        let lifetime_seconds = Some((expires / 1000).saturating_sub(now_unix_s));
        Ok(Self { access: string(access)?, refresh: None, lifetime_seconds, scope: None })
    }
}

impl DeviceCodes {
    /// # Errors
    /// As [`Tokens::read`].
    pub(super) fn read(reply: &Reply) -> Result<Self, TokenError> {
        // EXPOSE: as above.
        let members = members(reply, reply.body.expose())?;
        let shown = |member: Option<&RawValue>, missing| {
            let text = string(member.ok_or(TokenError::Answer(missing))?)?;
            // EXPOSE: it is shown to the person who connects; the secret one is `device_code`.
            let text = String::from_utf8(text.expose().to_vec());
            text.map_err(|_| TokenError::Answer(missing))
        };
        let device_code = members.device_code.ok_or(TokenError::Answer("it has no device_code"))?;
        let complete = members.verification_uri_complete;
        let lifetime = members.expires_in.ok_or(TokenError::Answer("it has no expires_in"))?;
        Ok(Self {
            device_code: string(device_code)?,
            user_code: shown(members.user_code, "it has no user_code")?,
            verification_uri: shown(members.verification_uri, "it has no verification_uri")?,
            verification_uri_complete: complete.map(|c| shown(Some(c), "")).transpose()?,
            lifetime_seconds: seconds(lifetime)?,
            interval_seconds: members.interval.map(seconds).transpose()?.unwrap_or(5),
        })
    }
}

/// The members of a success, or the error that the server names. GitHub names one under 200 too.
fn members<'a>(reply: &Reply, body: &'a [u8]) -> Result<Members<'a>, TokenError> {
    let is_good = (200..300).contains(&reply.status);
    // The parser's own words could quote what it found.
    let parsed = serde_json::from_slice::<Members<'a>>(body);
    let failed = || match is_good {
        true => TokenError::Answer("it is not a JSON object with each member once"),
        false => TokenError::Status(reply.status),
    };
    let members = parsed.map_err(|_| failed())?;
    match members.error.map(|error| word(error).filter(|word| is_code(word))) {
        Some(Some(code)) => Err(TokenError::Refused(code.into())),
        Some(None) => Err(TokenError::Status(reply.status)),
        None if is_good => Ok(members),
        None => Err(TokenError::Status(reply.status)),
    }
}

/// A code of RFC 6749, section 5.2: short, and nothing that could be a token in disguise.
fn is_code(word: &str) -> bool {
    (1..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// A scope as RFC 6749, section 3.3 has it, where the answer has one. It is kept and shown in the clear, so a text that
/// the token stands in is none.
fn scope_of(raw: &RawValue, access: &Secret<[u8]>) -> Option<TokenScope> {
    let words: Vec<&str> = word(raw)?.split(' ').filter(|word| !word.is_empty()).collect();
    let text = Some(words.join(" ")).filter(|text| !text.is_empty())?;
    // EXPOSE: looked for in what is about to be kept in the clear.
    let token = access.expose();
    let is_token = !token.is_empty() && text.as_bytes().windows(token.len()).any(|w| w == token);
    TokenScope::parse(&text).ok().filter(|_| !is_token)
}

fn seconds(raw: &RawValue) -> Result<u64, TokenError> {
    // Some servers write the number as a string.
    let digits = word(raw).unwrap_or(raw.get());
    let seconds: Option<u64> = digits.parse().ok().filter(|s| *s <= SECONDS_MAX);
    seconds.ok_or(TokenError::Answer("a time in it is not a number of seconds"))
}

/// A JSON string's text, in a page of its own: visible ASCII, which all of these are.
fn string(raw: &RawValue) -> Result<Secret<[u8]>, TokenError> {
    secret_text(raw, || TokenError::Answer("a text in it is not a string of visible ASCII"))
}

impl From<MemoryError> for TokenError {
    fn from(error: MemoryError) -> Self {
        Self::Memory(error)
    }
}

/// A hundred years: a longer life is a mistake, and an overflow is none.
const SECONDS_MAX: u64 = 100 * 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Tokens, TokenError> {
        let body =
            Secret::<[u8]>::make_slice(body.len(), |out| out.copy_from_slice(body.as_bytes()));
        Tokens::read(&Reply { status, retry_after_seconds: None, body })
    }

    fn text(secret: &Secret<[u8]>) -> &str {
        // EXPOSE: a test's own text.
        std::str::from_utf8(secret.expose()).unwrap()
    }

    #[test]
    fn tokens_are_read_with_what_others_add() {
        let body = r#"{"access_token":"a\/b\u002Bc","token_type":"Bearer","expires_in":3600,
            "refresh_token":"r","scope":"x","id_token":{"a":[1]}}"#;
        let tokens = read(200, body).unwrap();
        assert_eq!(text(&tokens.access), "a/b+c");
        assert_eq!(text(tokens.refresh.as_ref().unwrap()), "r");
        assert_eq!(tokens.lifetime_seconds, Some(3600));
        assert_eq!(tokens.scope.unwrap().as_str(), "x");
        let few = read(200, r#"{"access_token":"a","token_type":"bearer","refresh_token":null}"#);
        let few = few.unwrap();
        assert!(few.refresh.is_none() && few.lifetime_seconds.is_none());
        let empty = r#"{"access_token":"a","token_type":"bearer","refresh_token":""}"#;
        assert!(read(200, empty).unwrap().refresh.is_none());
        let quoted = r#"{"access_token":"a","token_type":"bearer","expires_in":"60"}"#;
        assert_eq!(read(200, quoted).unwrap().lifetime_seconds, Some(60));
    }

    #[test]
    fn a_scope_is_text_that_may_be_shown_or_none() {
        let scope = |json: &str| {
            let body = format!(r#"{{"access_token":"abc","token_type":"bearer","scope":{json}}}"#);
            let tokens = read(200, &body).unwrap();
            tokens.scope.map(|scope| scope.as_str().to_owned())
        };
        assert_eq!(scope(r#""read:user  admin ""#).as_deref(), Some("read:user admin"));
        assert_eq!(scope(r#""repo,gist""#).as_deref(), Some("repo,gist"));
        let long = format!("\"{}\"", "a".repeat(1025));
        for none in
            ["null", "\"\"", "\" \"", "7", r#"["a"]"#, r#""a\nb""#, r#""xabcx y""#, long.as_str()]
        {
            assert_eq!(scope(none), None, "{none}");
        }
    }

    #[test]
    fn an_installation_has_a_token_and_an_end() {
        let read = |body: &str| {
            let body =
                Secret::<[u8]>::make_slice(body.len(), |out| out.copy_from_slice(body.as_bytes()));
            let ask = Ask::Installation { now_unix_s: 1_468_271_650 };
            Tokens::read_for(&ask, &Reply { status: 201, retry_after_seconds: None, body })
        };
        let body = r#"{"token":"ghs_abc","expires_at":"2016-07-11T22:14:10Z","permissions":{"issues":"write"}}"#;
        let tokens = read(body).unwrap();
        assert_eq!((text(&tokens.access), tokens.lifetime_seconds), ("ghs_abc", Some(3600)));
        assert!(tokens.refresh.is_none());
        let over = read(&body.replace("2016", "2015")).unwrap();
        assert_eq!(over.lifetime_seconds, Some(0), "over already");
        for bad in [body.replace("token", "access_token"), body.replace("2016-", "soon")] {
            assert!(matches!(read(&bad), Err(TokenError::Answer(_))), "{bad}");
        }
    }

    #[test]
    fn what_is_no_token_response_is_refused_and_not_repeated() {
        const TOKEN: &str = "canary-0123456789";
        for body in [
            "",
            "[]",
            "{",
            r#"{"access_token":"canary-0123456789"}"#,
            r#"{"access_token":"canary-0123456789","token_type":"mac"}"#,
            r#"{"access_token":"canary-0123456789","token_type":"bearer","expires_in":"canary-0123456789"}"#,
            r#"{"access_token":"canary-0123456789","token_type":"bearer","expires_in":-1}"#,
            r#"{"access_token":"canary-0123456789","token_type":"bearer","expires_in":99999999999}"#,
            r#"{"access_token":"canary-0123456789","access_token":"b","token_type":"bearer"}"#,
            r#"{"access_token":["canary-0123456789"],"token_type":"bearer"}"#,
            r#"{"access_token":"canary-0123456789\n","token_type":"bearer"}"#,
            r#"{"access_token":"canary-0123456789\ud83d","token_type":"bearer"}"#,
            r#"{"access_token":"canary-0123456789","token_type":"bearer"} more"#,
            r#"{"error":"canary-0123456789"}"#,
        ] {
            let error = read(200, body).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(TOKEN), "{shown}");
        }
    }

    #[test]
    fn errors_are_words_of_the_standard_or_a_status() {
        let refused = |status, body| match read(status, body) {
            Err(TokenError::Refused(code)) => code.into_string(),
            Err(TokenError::Status(status)) => status.to_string(),
            other => panic!("{other:?}"),
        };
        let body = r#"{"error":"invalid_grant","error_description":"canary"}"#;
        assert_eq!(refused(400, body), "invalid_grant");
        assert_eq!(refused(200, r#"{"error":"bad_verification_code"}"#), "bad_verification_code");
        assert_eq!(refused(502, "<html>"), "502");
        assert_eq!(refused(500, r#"{"message":"no"}"#), "500");
        assert_eq!(refused(400, r#"{"error":{"a":1}}"#), "400");
    }
}
