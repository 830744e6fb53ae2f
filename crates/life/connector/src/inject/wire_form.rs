//! A credential as it goes over the wire: what a connection seals.

use symbolon_capability::url::is_unreserved;
use symbolon_secret::{MemoryError, Secret, on_stack};

use super::{HEAD_BYTES_MAX, Slot};

/// The longest credential on the wire, so that it makes one TLS record (2^14 bytes) with the
/// longest head.
pub const CREDENTIAL_BYTES_MAX: usize = (1 << 14) - HEAD_BYTES_MAX;

/// The shortest credential (of Basic: the shortest password). A shorter one occurs in ordinary
/// text, so an echo of it could not be told from that.
pub const CREDENTIAL_BYTES_MIN: usize = 8;

/// What is sealed at connect time: the bytes that replace the placeholder of `slot`.
///
/// | slot | `raw` | wire form |
/// |---|---|---|
/// | header | visible ASCII, spaces inside | the same bytes |
/// | query, form | visible ASCII, spaces inside | percent-encoded, unreserved characters kept |
/// | cookie | cookie octets: visible ASCII without `"`, `,`, `;` and `\` | the same bytes |
/// | signed | `id:key` or `id:key:token`, without control characters | the same bytes |
/// | nowhere | anything | the same bytes: never sent |
/// | basic | `user:password` without control characters | base64 |
///
/// Computed in secret memory alone. Errs for what would not arrive as it was given, or could not
/// be found again in a response; an error never holds a byte of `raw`.
pub fn wire_form(slot: &Slot, raw: &Secret<[u8]>) -> Result<Secret<[u8]>, WireFormError> {
    Secret::try_make_slice(CREDENTIAL_BYTES_MAX, |out| {
        // EXPOSE: encoded from one secret page into another, on the secret stack.
        on_stack(|| write_wire_form(slot, raw.expose(), out))
    })
}

/// As [`wire_form`] into `out`; the length. For a caller that is on the secret stack already.
pub fn write_wire_form(slot: &Slot, raw: &[u8], out: &mut [u8]) -> Result<usize, WireFormError> {
    match slot {
        Slot::Header { .. } => {
            check_token(raw)?;
            copy(raw, out)
        }
        Slot::Query { .. } | Slot::Form { .. } => {
            check_token(raw)?;
            percent(raw, out).ok_or(WireFormError::TooLong)
        }
        Slot::Cookie { .. } => {
            check_token(raw)?;
            if !raw.iter().all(|b| is_cookie_octet(*b)) {
                return Err(WireFormError::CookieOctet);
            }
            copy(raw, out)
        }
        Slot::Signed { token } => {
            check_signed(raw, token.is_some())?;
            copy(raw, out)
        }
        Slot::Nowhere => copy(raw, out),
        Slot::Basic => {
            check_basic(raw)?;
            base64(raw, out).ok_or(WireFormError::TooLong)
        }
    }
}

/// Why a credential cannot be used with its slot. The fault is that of whoever entered it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireFormError {
    /// No bytes.
    #[error("the credential is empty")]
    Empty,
    /// Fewer than [`CREDENTIAL_BYTES_MIN`] bytes.
    #[error("the credential is shorter than 8 bytes, so an echo of it could not be recognised")]
    TooShort,
    /// More than [`CREDENTIAL_BYTES_MAX`] bytes on the wire.
    #[error("the credential is longer than 4096 bytes on the wire")]
    TooLong,
    /// A line break, NUL or other control character; often the newline of `echo`.
    #[error("the credential has a line break or another control character")]
    Control,
    /// A space at the start or the end, which HTTP would trim.
    #[error("the credential begins or ends with a space")]
    Space,
    /// A character outside ASCII in a header or query.
    #[error("the credential has a character outside ASCII")]
    NotAscii,
    /// A character that ends or quotes a cookie's value.
    #[error("the credential has a space or one of \" , ; \\, which a cookie cannot hold")]
    CookieOctet,
    /// Basic without a colon, or a signing key without its id.
    #[error("the credential is not of the form user:password or id:key")]
    NoColon,
    /// No secret memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

fn check_token(raw: &[u8]) -> Result<(), WireFormError> {
    check_text(raw)?;
    if !raw.is_ascii() {
        return Err(WireFormError::NotAscii);
    }
    if raw.starts_with(b" ") || raw.ends_with(b" ") {
        return Err(WireFormError::Space);
    }
    check_length(raw)
}

fn check_basic(raw: &[u8]) -> Result<(), WireFormError> {
    check_text(raw)?;
    let colon = memchr::memchr(b':', raw).ok_or(WireFormError::NoColon)?;
    check_length(&raw[colon + 1..])
}

/// The key alone may hold colons, and then there is no token.
fn check_signed(raw: &[u8], has_token: bool) -> Result<(), WireFormError> {
    check_text(raw)?;
    let colon = memchr::memchr(b':', raw).ok_or(WireFormError::NoColon)?;
    let rest = &raw[colon + 1..];
    if !has_token {
        return check_length(rest);
    }
    let colon = memchr::memchr(b':', rest).ok_or(WireFormError::NoColon)?;
    check_length(&rest[..colon])?;
    check_token(&rest[colon + 1..])
}

fn check_text(raw: &[u8]) -> Result<(), WireFormError> {
    if raw.is_empty() {
        return Err(WireFormError::Empty);
    }
    let has_control = raw.iter().any(|b| *b < 0x20 || *b == 0x7f);
    if has_control { Err(WireFormError::Control) } else { Ok(()) }
}

fn check_length(secret: &[u8]) -> Result<(), WireFormError> {
    match secret.len() {
        0..CREDENTIAL_BYTES_MIN => Err(WireFormError::TooShort),
        CREDENTIAL_BYTES_MIN..=CREDENTIAL_BYTES_MAX => Ok(()),
        _ => Err(WireFormError::TooLong),
    }
}

fn copy(raw: &[u8], out: &mut [u8]) -> Result<usize, WireFormError> {
    out.get_mut(..raw.len()).ok_or(WireFormError::TooLong)?.copy_from_slice(raw);
    Ok(raw.len())
}

/// RFC 6265, section 4.1.1.
fn is_cookie_octet(b: u8) -> bool {
    (0x21..0x7f).contains(&b) && !matches!(b, b'"' | b',' | b';' | b'\\')
}

fn percent(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    for b in raw {
        let escape = [b'%', UPPER[usize::from(b >> 4)], UPPER[usize::from(b & 15)]];
        let text = if is_unreserved(*b) { std::slice::from_ref(b) } else { &escape[..] };
        out.get_mut(len..len + text.len())?.copy_from_slice(text);
        len += text.len();
    }
    Some(len)
}

/// Standard base64 with padding (RFC 4648, section 4).
fn base64(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let len = raw.len().div_ceil(3) * 4;
    let out = out.get_mut(..len)?;
    for (quad, bytes) in out.chunks_exact_mut(4).zip(raw.chunks(3)) {
        let byte = |i: usize| u32::from(bytes.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (i, digit) in quad.iter_mut().enumerate() {
            let value = (bits >> (18 - 6 * i)) & 63;
            *digit = if i <= bytes.len() { BASE64[value as usize] } else { b'=' };
        }
    }
    Some(len)
}

const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    fn form(slot: &Slot, raw: &[u8]) -> Result<Vec<u8>, String> {
        let raw = Secret::make_slice(raw.len(), |out| out.copy_from_slice(raw));
        let form = wire_form(slot, &raw).map_err(|error| format!("{error:?}"))?;
        // EXPOSE: a test's own credential.
        Ok(form.expose().to_vec())
    }

    #[test]
    fn each_slot_has_its_form() {
        let bearer = form(&Slot::bearer(), b"ghp_0123456789+/=");
        assert_eq!(bearer.unwrap(), b"ghp_0123456789+/=");
        let query = Slot::query("key").unwrap();
        assert_eq!(form(&query, b"a b&c=d%e~-._").unwrap(), b"a%20b%26c%3Dd%25e~-._");
        let form_slot = Slot::form("token").unwrap();
        assert_eq!(form(&form_slot, b"a+b c&d=e").unwrap(), b"a%2Bb%20c%26d%3De");
        let cookie = form(&Slot::cookie("sid").unwrap(), b"s%3Aabc.d=/e+f");
        assert_eq!(cookie.unwrap(), b"s%3Aabc.d=/e+f");
        // RFC 7617, section 2 and 2.1.
        let basic = form(&Slot::Basic, b"Aladdin:open sesame");
        assert_eq!(basic.unwrap(), b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let utf8 = form(&Slot::Basic, "test:123\u{a3}4567".as_bytes());
        assert_eq!(utf8.unwrap(), "dGVzdDoxMjPCozQ1Njc=".as_bytes());
    }

    #[test]
    fn what_would_not_arrive_is_refused() {
        let token = Slot::bearer();
        let query = Slot::query("key").unwrap();
        let long = vec![b'a'; CREDENTIAL_BYTES_MAX + 1];
        let wide = vec![b'%'; CREDENTIAL_BYTES_MAX / 3 + 1];
        let basic_long = [b"u:", &long[..CREDENTIAL_BYTES_MAX * 3 / 4]].concat();
        let cookie = Slot::cookie("sid").unwrap();
        let cases: [(&Slot, &[u8], &str); 22] = [
            (&cookie, b"12345678;a=b", "CookieOctet"),
            (&cookie, b"1234 5678", "CookieOctet"),
            (&cookie, b"\"12345678\"", "CookieOctet"),
            (&Slot::Signed { token: None }, b"id:1234\n5678", "Control"),
            (&token, b"", "Empty"),
            (&token, b"1234567", "TooShort"),
            (&token, &long, "TooLong"),
            (&token, b"12345678\n", "Control"),
            (&token, b"1234\r\n5678", "Control"),
            (&token, b"1234\x005678", "Control"),
            (&token, b"1234\t5678", "Control"),
            (&token, b"1234\x7f5678", "Control"),
            (&token, b" 12345678", "Space"),
            (&token, b"12345678 ", "Space"),
            (&token, "1234567\u{e9}".as_bytes(), "NotAscii"),
            (&query, b"12345678\n", "Control"),
            (&query, &wide, "TooLong"),
            (&Slot::Basic, b"", "Empty"),
            (&Slot::Basic, b"user", "NoColon"),
            (&Slot::Basic, b"username:1234567", "TooShort"),
            (&Slot::Basic, b"user:1234\n5678", "Control"),
            (&Slot::Basic, &basic_long, "TooLong"),
        ];
        for (slot, raw, error) in cases {
            assert_eq!(form(slot, raw).unwrap_err(), error, "{slot:?} {:?}", raw.len());
        }
    }

    #[test]
    fn the_longest_credential_fits_a_record_with_the_longest_head() {
        let long = vec![b'a'; CREDENTIAL_BYTES_MAX];
        assert_eq!(form(&Slot::bearer(), &long).unwrap().len(), CREDENTIAL_BYTES_MAX);
        assert_eq!(HEAD_BYTES_MAX + CREDENTIAL_BYTES_MAX, 16384);
    }
}
